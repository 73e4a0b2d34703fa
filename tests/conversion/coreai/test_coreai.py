"""Core AI assets of the tiny network: converted, run by Apple's runtime, compared, and spoilt."""

import asyncio
import hashlib
import json
import shutil
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from torch.overrides import TorchFunctionMode
from typer.testing import CliRunner

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.manifest import manifest_path, verify_artifact
from anyir.conversion.parity import compare, compare_statistics
from anyir.conversion.recipes import select_recipes
from anyir.conversion.source import Outputs, Source
from anyir.conversion.tree import tree_bytes, tree_sha256
from anyir.model import Restorer, load_weights
from anyir.model.cli import build_app
from anyir.model.errors import UserError
from anyir.model.restore.tile_models import TorchModel
from tests.helpers.builds import retile
from tests.helpers.command_line import anyir_process
from tests.helpers.made_once import made_once
from tests.helpers.tiny import TILE

pytest.importorskip("coreai_torch", reason="the extra `coreai` is not installed")
pytestmark = [
    pytest.mark.slow,  # by what converting and running these takes
    pytest.mark.filterwarnings("ignore:coreai-torch has only been validated:UserWarning"),
]

RECIPES = select_recipes(["coreai_*"])
FILES = {recipe.precision: recipe.file_name("tiny", TILE) for recipe in RECIPES}
LEAST = {"fp32": 100.0, "fp16": 60.0}
"""PSNR of both entries against the deploy form, in dB."""
EACH = pytest.mark.parametrize("precision", FILES)


@pytest.fixture(scope="session")
def assets(tiny_weights, tmp_path_factory):
    """A folder with both assets and their manifests."""

    def build(folder):
        process = anyir_process(
            "convert", "--weights", tiny_weights, "--tile", TILE, "--out", folder, "--only", "coreai_*"
        )
        assert process.returncode == 0, process.stdout + process.stderr

    return made_once(tmp_path_factory, "coreai", build)


@pytest.fixture
def copied(assets, tmp_path):
    """Copies the float16 asset, changes it, makes its manifest fit and changes that; returns its path."""

    def copy(change=lambda path: None, describe=lambda manifest: None):
        path = tmp_path / FILES["fp16"]
        shutil.copytree(assets / path.name, path)
        change(path)
        manifest = json.loads(manifest_path(assets / path.name).read_text())
        manifest.update(sha256=tree_sha256(path), bytes=tree_bytes(path))
        describe(manifest)
        manifest_path(path).write_text(json.dumps(manifest))
        return path

    return copy


@pytest.fixture
def image():
    return np.random.default_rng(0).random(contract.shape(TILE), dtype=np.float32)


def verify(path):
    result = CliRunner().invoke(build_app(), ["verify", str(path), "--json"])
    return result.exit_code, json.loads(result.stdout)[0]


def stages(path):
    """PSNR of both entries by a manifest."""
    return {s.entry: s.psnr for s in verify_artifact(path).parity.stages if s.stage == "artifact"}


# What is built --------------------------------------------------------------------------------------


def test_they_are_built_only_where_they_are_asked_for():
    assert not any(recipe.default for recipe in RECIPES)
    assert set(FILES) == set(LEAST)


@EACH
def test_both_entries_are_measured_within_bounds(assets, precision):
    manifest = verify_artifact(assets / FILES[precision])
    assert (manifest.parity.status, manifest.parity.reason) == ("measured", None)
    assert manifest.target == "iOS27"
    assert min(stages(assets / FILES[precision]).values()) > LEAST[precision]
    entries = manifest.entries
    dtype = {"fp32": "float32", "fp16": "float16"}[precision]
    tensors = [*entries.look.inputs, *entries.look.outputs, *entries.restore.inputs, *entries.restore.outputs]
    assert {tensor.dtype for tensor in tensors} == {dtype}
    assert 400 < entries.restore.operators.total < 0.75 * entries.look.operators.total
    assert entries.restore.operators.delegated is None


@EACH
def test_weights_are_stored_once_and_in_their_type(assets, tiny_weights, precision):
    modules = Source(tiny_weights, TILE).deployed.values()
    values = sum(tensor.numel() for module in modules for tensor in module.state_dict().values())
    size = verify_artifact(assets / FILES[precision]).bytes
    assert size < 0.85 * values * {"fp32": 4, "fp16": 2}[precision]


@EACH
def test_an_asset_tells_nothing_of_the_machine_that_made_it(assets, precision):
    files = [path for path in (assets / FILES[precision]).rglob("*") if path.is_file()]
    inside = b"".join(path.read_bytes() for path in files)
    for secret in (Path(__file__).parents[3], Path(torch.__file__).parents[1], assets, Path.home()):
        assert str(secret).encode() not in inside
    assert b"attention.py" not in inside


def test_verify_runs_them_again(assets):
    for file in FILES.values():
        code, row = verify(assets / file)
        assert (code, row["status"]) == (0, "ok"), row
        assert "dB" in row["parity"]


# Why float16 is not as near to the network as Core ML's -----------------------------------------------


class HalfSums(TorchFunctionMode):
    """Products of matrices add up in float16, term by term, as Core AI's kernels for the CPU do."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") not in ("matmul", "__matmul__", "bmm"):
            return function(*args, **(kwargs or {}))
        left, right = args
        total = left[..., :1] * right[..., :1, :]
        for k in range(1, left.shape[-1]):
            total = total + left[..., k : k + 1] * right[..., k : k + 1, :]
        return total


def half_deploy_form(source, sums=nullcontext):
    """PSNR of both entries of the deploy form in PyTorch's float16, which rounds after each operator."""
    halves = {entry: deepcopy(module).half() for entry, module in source.deployed.items()}
    tiles, statistics = [], []
    for image in source.inputs:
        tile = torch.from_numpy(image).half()
        with torch.inference_mode(), sums():
            own = list(halves[contract.LOOK](tile))
            tiles.append(halves[contract.RESTORE](tile, *own).float().numpy())
        statistics.append([one.float().numpy() for one in own])
    outputs = Outputs(tiles, statistics)
    against = source.deployed_outputs
    return {
        "look": compare_statistics("half", outputs, "deploy", against).psnr,
        "restore": compare("half", tiles, "deploy", against.tiles).psnr,
    }


def test_core_ai_is_the_deploy_form_in_float16_whose_products_add_up_in_float16(assets, tiny_weights):
    found = stages(assets / FILES["fp16"])
    expected = half_deploy_form(Source(tiny_weights, TILE), HalfSums)
    assert found == pytest.approx(expected, abs=1.0)  # dB


def test_core_ml_s_evaluator_is_the_deploy_form_in_float16(tiny_artifacts, tiny_weights):
    found = stages(next(tiny_artifacts.glob("*_coreml_mlprogram_fp16_*.mlpackage")))
    assert found == pytest.approx(half_deploy_form(Source(tiny_weights, TILE)), abs=1.0)  # dB


# Running them ---------------------------------------------------------------------------------------


def test_statistics_stay_what_they_were_while_others_are_taken(assets, tiny_weights, image):
    model = open_artifact(assets / FILES["fp32"])
    assert model.accelerator.startswith("Core AI (CPU")
    own, others = model.look(image), model.look(image[..., ::-1] ** 2)
    first = model.restore(image, own)
    assert np.abs(model.restore(image, others) - first).max() > 1e-3
    np.testing.assert_array_equal(model.restore(image, own), first)
    np.testing.assert_array_equal(model(image), first)
    network = TorchModel(load_weights(tiny_weights))
    np.testing.assert_allclose(first, network.restore(image, network.look(image)), atol=1e-5)
    with pytest.raises(UserError, match="looked at the photo and returned NaN or infinity"):
        model.look(np.full_like(image, np.nan))


def test_a_photo_is_restored_where_an_event_loop_runs_as_in_a_notebook(assets, tiny_weights):
    photo = data.chelsea()[:70, :90]

    async def cell():
        return Restorer(assets / FILES["fp32"])(photo)

    network = TorchModel(load_weights(tiny_weights))
    network.tile = TILE
    difference = asyncio.run(cell()).astype(int) - Restorer(network)(photo)
    assert np.abs(difference).max() <= 1


# What is not what it should be ------------------------------------------------------------------------


def rewritten(path, change):
    """Change an asset's program and let its own hash fit."""
    file = path / "main.mlirb"
    file.write_bytes(change(file.read_bytes()))
    (path / "main.hash").write_bytes(hashlib.sha256(file.read_bytes()).digest())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: (path / "main.mlirb").unlink(), "is no Core AI asset: it has no main.mlirb"),
        (lambda path: (path / "main.hash").write_bytes(b""), "is damaged: its main.mlirb is not the one"),
        (lambda path: rewritten(path, lambda data: b""), "has no function look, or is damaged"),
        (lambda path: rewritten(path, lambda data: data[: len(data) // 2]), "has no function look, or is"),
        (lambda path: (path / "metadata.json").write_text("{"), "coreai refuses tiny_coreai"),
    ],
    ids=["no program", "another hash", "empty", "cut off", "no metadata"],
)
def test_what_is_no_asset_is_one_line_and_no_crash(change, reason, copied):
    path = copied(change)
    process = anyir_process("verify", path, "--json")
    assert process.returncode == 1, process.stderr
    [row] = json.loads(process.stdout)
    assert reason in row["reason"]
    assert "\n" not in row["reason"]


def test_a_changed_file_is_not_the_one_of_the_manifest(copied):
    path = copied()
    (path / "metadata.json").write_text((path / "metadata.json").read_text() + " ")
    with pytest.raises(UserError, match="sha256"):
        open_artifact(path)


def other_types(manifest):
    for entry in manifest["entries"].values():
        for tensor in [*entry["inputs"], *entry["outputs"]]:
            tensor["dtype"] = "float32"


def other_names(manifest):
    manifest["entries"]["restore"]["outputs"][0]["name"] = "repaired"


@pytest.mark.parametrize(
    ("describe", "reason"),
    [
        (lambda manifest: retile(manifest, 128), "its manifest says tiles of 128"),
        (other_types, "has image in float16; float32 is due"),
        (other_names, "restore has restored; repaired are due"),
    ],
    ids=["tile", "type", "name"],
)
def test_a_manifest_that_promises_something_else_is_refused(describe, reason, copied):
    with pytest.raises(UserError, match=reason):
        open_artifact(copied(describe=describe))
