"""The tiny network's artifacts as files: delegates, outputs, operators, and ``anyir verify``."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from anyir.conversion import contract, parity
from anyir.conversion.artifact import open_artifact
from anyir.conversion.base import LEAST_WEIGHTS
from anyir.conversion.coreml.evaluator.evaluator import Evaluator
from anyir.conversion.litert.exporter import NORMALISATION, large_kernels, load_graphs
from anyir.conversion.litert.graph import count
from anyir.conversion.manifest import manifest_path, verify_artifact
from anyir.conversion.recipes import select_recipes
from anyir.conversion.source import Source
from anyir.model import PRESETS, AnyIR, load_weights
from anyir.model.checkpoint import save_weights
from anyir.model.cli import build_app
from anyir.model.errors import UserError

TILE = 64
RECIPES = select_recipes([])
"""Those of ``tiny_artifacts``; the others are in test_ladder.py."""
PRECISIONS = [recipe.precision for recipe in RECIPES if recipe.runtime == "coreml"]
FILES = {recipe.name: recipe.file_name("tiny", TILE) for recipe in RECIPES}
COUNTED = [recipe for recipe in RECIPES if recipe.runtime != "coreml"]


@pytest.mark.parametrize("recipe", COUNTED, ids=lambda r: r.name)
def test_each_entry_is_one_delegate(tiny_artifacts, recipe):
    entries = verify_artifact(tiny_artifacts / FILES[recipe.name]).entries
    assert open_artifact(tiny_artifacts / FILES[recipe.name]).operators == {
        "look": entries.look.operators,
        "restore": entries.restore.operators,
    }
    for entry in (entries.look, entries.restore):
        assert entry.operators.partitions == 1
        assert entry.operators.delegated == entry.operators.total > 400
    assert entries.restore.operators.total < entries.look.operators.total * 0.75


def test_the_program_calls_its_delegate_once_and_nothing_else(tiny_artifacts):
    from executorch.exir._serialize import _deserialize_pte_binary

    data = (tiny_artifacts / FILES["executorch_xnnpack_fp32"]).read_bytes()
    plans = _deserialize_pte_binary(data).program.execution_plan
    assert sorted(plan.name for plan in plans) == sorted(contract.ENTRIES)
    for plan in plans:
        assert [d.id for d in plan.delegates] == ["XnnpackBackend"]
        calls = [type(i.instr_args).__name__ for c in plan.chains for i in c.instructions]
        assert calls == ["DelegateCall"]


def test_every_node_of_the_file_is_counted(tiny_artifacts):
    path = tiny_artifacts / FILES["litert_cpu_fp32"]
    counted = {entry: count(graph.nodes) for entry, graph in load_graphs(path.read_bytes()).items()}
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = Interpreter(
        str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    plain.allocate_tensors()
    assert counted["restore"].total == len(plain._get_ops_details())
    assert counted["look"].total > counted["restore"].total


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.name)
def test_output_on_an_input_of_neither_the_calibration_nor_the_parity_set(
    tiny_artifacts, tiny_weights, recipe
):
    from anyir.model.metrics import psnr

    image = np.random.default_rng(7).random(contract.shape(TILE), dtype=np.float32)
    with torch.inference_mode():
        literal = load_weights(tiny_weights)(torch.from_numpy(image)).numpy()
    output = open_artifact(tiny_artifacts / FILES[recipe.name])(image)
    assert output.shape == literal.shape
    assert psnr(image=output, reference=literal, data_range=1.0) > recipe.bounds.psnr


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.name)
def test_manifest_s_parity_is_measured_and_in_bounds(tiny_artifacts, recipe):
    measured = verify_artifact(tiny_artifacts / FILES[recipe.name]).parity
    here = recipe.runtime != "coreml" or sys.platform == "darwin"
    assert measured.status == ("measured" if here else "evaluated")
    assert (measured.reason is None) == here
    assert measured.literal.psnr > recipe.bounds.psnr
    assert len(measured.degradations) == 9
    stages = {s.stage for s in measured.stages}
    assert stages - {"evaluated"} == {"deploy", "artifact"} | (
        {"quantized"} if recipe.precision == "int8" else set()
    )


def test_smaller_weights_make_smaller_files(tiny_artifacts):
    size = {name: verify_artifact(tiny_artifacts / file).bytes for name, file in FILES.items()}
    assert size["litert_cpu_int8w"] < size["litert_cpu_fp16"] < size["litert_cpu_fp32"]
    assert size["executorch_xnnpack_int8"] < size["executorch_xnnpack_fp32"]
    assert size["coreml_mlprogram_pal6"] < size["coreml_mlprogram_int8w"] < size["coreml_mlprogram_fp16"]


def test_litert_s_small_kernels_and_normalisations_stay_in_float(tiny_artifacts):
    from ai_edge_litert.interpreter import Interpreter

    fp32, int8w = (tiny_artifacts / FILES[f"litert_cpu_{precision}"] for precision in ("fp32", "int8w"))
    interpreter = Interpreter(str(int8w))
    tensors = [tensor for graph in (0, 1) for tensor in interpreter.get_tensor_details(graph)]
    rounded = [tensor for tensor in tensors if tensor["dtype"] is np.int8]
    assert min(np.prod(tensor["shape"]) for tensor in rounded) >= LEAST_WEIGHTS
    large = set(large_kernels(fp32.read_bytes()))
    normalisations = [name for name in large if NORMALISATION in name]
    assert normalisations, "the tiny network has a normalisation this large"
    assert len(rounded) == len(large) - len(normalisations)


def test_core_ml_s_int8w_keeps_the_normalisations(tiny_artifacts, tiny_weights):
    kernel = load_weights(tiny_weights).latent[0].ffn_norm.weight
    centred = {}
    for precision in ("fp16", "int8w"):
        evaluator = Evaluator(tiny_artifacts / FILES[f"coreml_mlprogram_{precision}"], contract.RESTORE)
        centred[precision] = {
            name: value
            for name, value in evaluator.constants.items()
            if "norm_centre" in name and getattr(value, "size", 0) >= LEAST_WEIGHTS
        }
    assert kernel is not None
    assert centred["fp16"].keys() == centred["int8w"].keys()
    assert centred["fp16"]
    for name, value in centred["fp16"].items():
        np.testing.assert_array_equal(centred["int8w"][name], value)


def test_litert_s_signatures_are_named_by_the_manifest_in_its_order(tiny_artifacts):
    from ai_edge_litert.interpreter import Interpreter

    path = tiny_artifacts / FILES["litert_cpu_fp32"]
    entries = verify_artifact(path).entries
    found = Interpreter(str(path)).get_signature_list()
    assert set(found) == set(contract.ENTRIES)
    for entry in contract.ENTRIES:
        for side in ("inputs", "outputs"):
            # As apps list them: sorted by name.
            assert sorted(found[entry][side]) == [t.name for t in getattr(getattr(entries, entry), side)]


@pytest.mark.parametrize("name", ["executorch_xnnpack_fp32", "litert_cpu_fp32", "coreml_mlprogram_fp16"])
def test_weights_are_stored_once(tiny_artifacts, tiny_weights, name):
    """What holds them, with both graphs or without any, is smaller than the weights of both entries."""
    path = tiny_artifacts / FILES[name]
    file = path / "Data/com.apple.CoreML/weights/weight.bin" if path.is_dir() else path
    modules = Source(tiny_weights, TILE).deployed.values()
    values = sum(tensor.numel() for module in modules for tensor in module.state_dict().values())
    assert file.stat().st_size < 0.85 * values * (2 if path.is_dir() else 4)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_core_ml_s_program_of_other_weights_is_out_of_bounds(tiny_artifacts, tmp_path, precision):
    """What its manifest's samples are of is another network then."""
    path = tiny_artifacts / FILES[f"coreml_mlprogram_{precision}"]
    manifest = verify_artifact(path)
    assert manifest.entries.restore.operators.delegated is None
    restore = manifest.entries.restore
    assert {tensor.dtype for tensor in [*restore.inputs, *restore.outputs]} == {"float16"}
    torch.manual_seed(1)
    other = AnyIR(PRESETS["tiny"])
    with torch.no_grad():
        other.output.weight.add_(0.05)
    save_weights(other, tmp_path / "other.safetensors")
    samples = parity.samples(Source(tmp_path / "other.safetensors", TILE))
    described = json.loads(manifest_path(path).read_text())
    described["parity"]["samples"] = [sample.model_dump() for sample in samples]
    shutil.copytree(path, tmp_path / path.name)
    manifest_path(tmp_path / path.name).write_text(json.dumps(described))
    result = verify(tmp_path / path.name)
    assert result.exit_code == 1
    assert "below the bound" in json.loads(result.stdout)[0]["reason"]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_core_ml_s_packages_hold_no_map_for_debuggers(tiny_artifacts, precision):
    package = tiny_artifacts / FILES[f"coreml_mlprogram_{precision}"]
    assert [str(file) for file in package.rglob("*debug*")] == []


def verify(*arguments):
    return CliRunner().invoke(build_app(), ["verify", *map(str, arguments), "--json"])


def test_verify_runs_every_artifact_of_a_folder_again(tiny_artifacts):
    result = verify(tiny_artifacts)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert sorted(row["artifact"] for row in rows) == sorted(FILES.values())
    for row in rows:
        evaluated = row["artifact"].endswith(".mlpackage") and sys.platform != "darwin"
        assert ("evaluated" in row["parity"]) == evaluated
        assert "dB" in row["parity"]


def test_verify_notices_an_artifact_of_other_weights_whose_hash_was_made_to_fit(tiny_artifacts, tmp_path):
    fp32, other = (tiny_artifacts / FILES[name] for name in ("litert_cpu_fp32", "litert_cpu_int8w"))
    copy = tmp_path / fp32.name
    shutil.copy(other, copy)
    described = json.loads(manifest_path(fp32).read_text())
    others = json.loads(manifest_path(other).read_text())
    described.update({key: others[key] for key in ("sha256", "bytes", "entries")})
    manifest_path(copy).write_text(json.dumps(described))
    result = verify(copy)
    assert result.exit_code == 1
    assert "below the bound 80.0 dB" in json.loads(result.stdout)[0]["reason"]


def test_verify_fails_on_a_changed_file_and_still_checks_the_others(tiny_artifacts, tmp_path):
    for name in ("litert_cpu_fp32", "litert_cpu_fp16"):
        file = tiny_artifacts / FILES[name]
        shutil.copy(file, tmp_path)
        shutil.copy(manifest_path(file), tmp_path)
    with (tmp_path / FILES["litert_cpu_fp16"]).open("ab") as file:
        file.write(b"x")
    result = verify(tmp_path)
    assert result.exit_code == 1
    assert [row["status"] for row in json.loads(result.stdout)] == ["failed", "ok"]


@pytest.mark.parametrize(
    "samples",
    [
        lambda samples: [],
        lambda samples: [{**samples[0], "case": 99}, *samples[1:]],
        lambda samples: [{**samples[0], "values": [0.5]}, *samples[1:]],
    ],
    ids=["none", "of no photo", "too few values"],
)
def test_verify_needs_the_samples_of_every_photo(tiny_artifacts, tmp_path, samples):
    file = tiny_artifacts / FILES["litert_cpu_fp32"]
    shutil.copy(file, tmp_path)
    described = json.loads(manifest_path(file).read_text())
    described["parity"]["samples"] = samples(described["parity"]["samples"])
    manifest_path(tmp_path / file.name).write_text(json.dumps(described))
    result = verify(tmp_path)
    assert result.exit_code == 1
    assert "does not hold the samples" in json.loads(result.stdout)[0]["reason"]


def test_verify_of_nothing(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        result = verify(path)
        assert isinstance(result.exception, UserError)
