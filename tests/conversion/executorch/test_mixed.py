"""The precision whose 8-bit convolutions were chosen for the weights."""

import shutil
from types import SimpleNamespace

import pytest

from anyir.conversion.build import plan
from anyir.conversion.choice import SUFFIX, Choice, choice_path
from anyir.conversion.executorch import quantize
from anyir.conversion.pipeline import is_chosen
from anyir.conversion.recipes import MIXED, select_recipes
from anyir.conversion.sensitivity import GATES
from anyir.model.errors import UserError
from anyir.model.files import sha256
from tests.helpers.builds import rows_of
from tests.helpers.tiny import TILE

KEPT = ["patch_embed", "output"]
[RECIPE] = select_recipes([f"*_{MIXED}"])


@pytest.fixture
def chosen(tiny_weights, tmp_path):
    """Weights with a choice beside them that keeps two convolutions in float."""
    weights = tmp_path / "w.safetensors"
    shutil.copyfile(tiny_weights, weights)
    common = {"weights_sha256": sha256(weights), "tile": 8, "photos": "none", "gates": GATES}
    Choice(**common, modules=[], front=[], chosen=0, kept_float=KEPT).save(choice_path(weights))
    return weights


def test_what_was_chosen_is_quantized(chosen, monkeypatch):
    asked = []
    monkeypatch.setattr(quantize, "quantize_but", lambda kept, modules, tile: asked.append((kept, tile)))
    quantize.quantize_mixed({}, SimpleNamespace(weights=chosen, tile=TILE))
    assert asked == [(KEPT, TILE)]


@pytest.mark.parametrize(("kept", "same"), [(KEPT, True), (["patch_embed", "down.0"], False)])
def test_an_artifact_of_another_choice_is_not_up_to_date(chosen, kept, same, tmp_path):
    [job] = plan(chosen, TILE, tmp_path, tmp_path, [RECIPE])
    manifest = SimpleNamespace(quantization=SimpleNamespace(kept_float=[*kept, "everything but"]))
    assert is_chosen(manifest, job) == same


@pytest.mark.slow
def test_without_a_choice_the_recipe_fails_and_says_what_makes_one(tiny_weights, tmp_path):
    [row] = rows_of(plan(tiny_weights, TILE, tmp_path, tmp_path, [RECIPE]))
    assert row.status == "failed"
    assert f"no choice of convolutions for these weights at tiny{SUFFIX}" in row.reason
    assert "`anyir sensitivity` makes one" in row.reason


def test_a_choice_of_other_weights_is_refused(chosen):
    chosen.write_bytes(b"trained further")
    with pytest.raises(UserError, match="was made for weights"):
        quantize.quantize_mixed({}, SimpleNamespace(weights=chosen, tile=TILE))
