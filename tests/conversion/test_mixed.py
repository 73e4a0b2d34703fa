"""The precision whose 8-bit convolutions were chosen for the weights."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.build import noted, plan
from anyir.conversion.choice import SUFFIX, Choice, ModuleCost, choice_path, is_chosen, load_choice
from anyir.conversion.executorch import quantize
from anyir.conversion.kept_float import is_kept_float
from anyir.conversion.manifest import verify_artifact
from anyir.conversion.pipeline import BuildRow
from anyir.conversion.recipes import MIXED, select_recipes
from anyir.conversion.sensitivity import GATES, NEVER
from anyir.conversion.source import Source
from anyir.model.checkpoint import find_weights
from anyir.model.errors import UserError
from anyir.model.files import sha256
from tests.helpers.builds import rows_of
from tests.helpers.command_line import anyir
from tests.helpers.tiny import TILE

RECIPES = select_recipes([f"*_{MIXED}"])
RECIPE = RECIPES[0]
IN_8_BITS = ("down.0", "encoder.1")


def convolutions(weights):
    """Names of all of the deploy form's."""
    entries = Source(weights, 8).deployed.values()
    return {name for entry in entries for name, part in entry.named_modules() if isinstance(part, nn.Conv2d)}


@pytest.fixture
def chosen(tiny_weights, tmp_path):
    """Weights with a choice beside them that computes a level in 8 bits from where its stream begins."""
    weights = tmp_path / "w.safetensors"
    shutil.copyfile(tiny_weights, weights)
    names = convolutions(weights)
    in_8_bits = sorted(name for name in names if name.startswith(IN_8_BITS) and "norm" not in name)
    cost = {"loss": {"clean": 0.0, "noise": 0.0}, "clean": 50.0, "colour": 0.0, "banding": 0.0}
    Choice(
        weights_sha256=sha256(weights),
        tile=8,
        photos="none",
        gates=GATES,
        modules=[ModuleCost(name=name, values=1, macs=1, cost=cost) for name in in_8_bits],
        front=[],
        chosen=len(in_8_bits),
        kept_float=sorted(names - set(in_8_bits)),
    ).save(choice_path(weights))
    return weights


def test_what_was_chosen_is_quantized(chosen, monkeypatch):
    asked = []
    described = quantize.Quantization(method="m", bits=8, details="d", calibration=None, kept_float=[])
    monkeypatch.setattr(
        quantize,
        "quantize_but",
        lambda kept, modules, source: asked.append((kept, source)) or ({}, described),
    )
    source = Source(chosen, 8)
    _, made = quantize.quantize_mixed(source.deployed, source)
    choice = Choice.load(choice_path(chosen))
    assert asked == [(choice.kept_float, source)]
    assert made.details == f"d; chosen with weights {choice.weights_sha256[:12]}"


@pytest.mark.parametrize("same", [True, False])
def test_an_artifact_of_another_choice_is_not_up_to_date(chosen, same):
    kept = Choice.load(choice_path(chosen)).kept_float[0 if same else 1 :]
    assert is_chosen(SimpleNamespace(kept_float=[*kept, "everything but"]), chosen) == same


@pytest.mark.slow
def test_without_a_choice_the_recipe_fails_and_says_what_makes_one(tiny_weights, tmp_path):
    [row] = rows_of(plan(tiny_weights, TILE, tmp_path, tmp_path, [RECIPE]))
    assert row.status == "failed"
    assert f"no choice of convolutions for these weights at tiny{SUFFIX}" in row.reason
    assert "`anyir sensitivity` makes one" in row.reason


def test_a_choice_of_other_weights_is_taken_and_said(chosen):
    row = BuildRow(RECIPE.name, "w.pte", "built")
    assert noted(row, RECIPE, chosen).note is None
    before = sha256(chosen)[:12]
    chosen.write_bytes(b"trained further")
    note = noted(row, RECIPE, chosen).note
    assert note.startswith(f"its 8-bit convolutions were chosen with weights {before}, not with these, ")
    assert note.endswith("`anyir sensitivity` chooses anew")


def test_a_choice_of_another_network_is_refused(chosen):
    path = choice_path(chosen)
    data = json.loads(path.read_text())
    data["kept_float"].remove("down.1")
    path.write_text(json.dumps(data))
    source = Source(chosen, 8)
    with pytest.raises(UserError, match=r"of another network: down.1 is not in it; `anyir sens"):
        quantize.quantize_mixed(source.deployed, source)


def test_the_shipped_choice_is_of_the_shipped_network():
    weights = find_weights("small")
    choice = load_choice(weights, Source(weights, 8).deployed)
    assert choice.chosen > 0
    assert choice.gates == GATES
    assert not any(is_kept_float(module.name, NEVER) for module in choice.modules)
    [point] = [point for point in choice.front if point.modules == choice.chosen]
    assert point.cost.passes(GATES)


def test_each_reader_of_a_dequantized_map_has_a_dequantize_of_its_own():
    """What XNNPACK needs: a map is read by an 8-bit sum and by a float convolution."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.norm, self.project = (nn.Conv2d(4, 4, 1) for _ in range(3))

        def forward(self, x):
            x = self.embed(x)
            return self.project(torch.sigmoid(self.norm(x)) + x)

    image = torch.randn(1, 4, 8, 8)
    quantized, _ = quantize._quantized(Residual().eval().requires_grad_(False), [(image,)], ["norm"])
    dequantize = torch.ops.quantized_decomposed.dequantize_per_tensor.default
    readers = [len(node.users) for node in quantized.graph.nodes if node.target is dequantize]
    assert len(readers) >= 4
    assert set(readers) == {1}


@pytest.mark.slow
def test_mixed_programs_are_built_run_and_restore(chosen, tmp_path):
    """8 bits at the beginning of the residual stream, which normalisations read in float."""
    assert "down.0" not in NEVER
    out = tmp_path / "out"
    process = anyir("convert", "--weights", chosen, "--tile", 16, "--only", "*_mixed", "--out", out)
    assert process.returncode == 0, process.stdout + process.stderr
    assert anyir("verify", out).returncode == 0
    image = np.random.default_rng(7).random(contract.shape(16), dtype=np.float32)
    for recipe in RECIPES:
        path = out / recipe.file_name("tiny", 16)
        manifest = verify_artifact(path)
        for entry in (manifest.entries.look, manifest.entries.restore):
            assert entry.operators.partitions == 1
            assert entry.operators.delegated == entry.operators.total
        assert manifest.parity.status == "measured"
        assert manifest.parity.literal.psnr > recipe.bounds.psnr
        assert open_artifact(path)(image).shape == image.shape
