"""Recipes that are built where somebody names them: palettes, 8-bit convolutions for Core ML, Vulkan."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data
from torch import nn

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.base import Unsupported
from anyir.conversion.build import plan
from anyir.conversion.coreml.activations import IN_NAMES, module_of
from anyir.conversion.coreml.evaluator.reader import Reference, read_function
from anyir.conversion.kept_float import is_kept_float
from anyir.conversion.litert.exporter import LiteRtExporter
from anyir.conversion.litert.gpu import use_swiftshader
from anyir.conversion.litert.static import convolutions, quantized_names
from anyir.conversion.manifest import verify_artifact
from anyir.conversion.pipeline import Pipeline
from anyir.conversion.recipes import select_recipes
from anyir.conversion.runtimes import find_backend
from anyir.conversion.source import Source
from anyir.model.errors import UserError
from tests.helpers.builds import NAME, Copier
from tests.helpers.command_line import anyir_process
from tests.helpers.made_once import made_once
from tests.helpers.tiny import TILE

pytestmark = pytest.mark.slow  # by what building these takes

BUILT = ("coreml_mlprogram_pal4", "coreml_mlprogram_pal6g", "coreml_mlprogram_int8", "executorch_vulkan_fp16")
[PAL4, PAL6G, INT8, VULKAN] = (select_recipes([name])[0] for name in BUILT)


@pytest.fixture(scope="session")
def ladder(tiny_weights, tmp_path_factory):
    """A folder with the tiny network's artifacts by these recipes."""

    def build(folder):
        only = [argument for name in BUILT for argument in ("--only", name)]
        process = anyir_process("convert", "--weights", tiny_weights, "--tile", TILE, "--out", folder, *only)
        assert process.returncode == 0, process.stdout + process.stderr

    return made_once(tmp_path_factory, "ladder", build)


@pytest.mark.parametrize("recipe", [PAL4, PAL6G, INT8], ids=lambda r: r.name)
def test_core_ml_s_are_evaluated_and_in_bounds(ladder, recipe):
    path = ladder / recipe.file_name("tiny", TILE)
    parity = verify_artifact(path).parity
    assert parity.status == ("measured" if sys.platform == "darwin" else "evaluated")
    assert parity.literal.psnr > recipe.bounds.psnr
    image = np.random.default_rng(7).random(contract.shape(TILE), dtype=np.float32)
    assert open_artifact(path)(image).shape == image.shape


def palettes(path):
    """Shapes of the palettes of ``restore``: (groups of each axis..., values, 1)."""
    operations = read_function(path, contract.RESTORE).operations
    by_name = {step.name: step for step in operations}
    found = []
    for step in operations:
        if step.type == "constexpr_lut_to_dense":
            [lut] = step.arguments["lut"]
            [values] = by_name[lut.name].arguments["val"] if isinstance(lut, Reference) else [lut]
            found.append(values.shape)
    return found


def test_a_palette_has_so_many_values_a_tensor_or_a_group_of_channels(ladder):
    whole, grouped = (palettes(ladder / recipe.file_name("tiny", TILE)) for recipe in (PAL4, PAL6G))
    assert len(whole) == len(grouped) > 0
    assert {shape[-2:] for shape in whole} == {(16, 1)}
    assert {shape[-2:] for shape in grouped} == {(64, 1)}
    assert {max(shape[:-2]) for shape in whole} == {1}
    assert max(max(shape[:-2]) for shape in grouped) > 1


@pytest.mark.parametrize("entry", contract.ENTRIES)
def test_core_ml_s_8_bit_convolutions_are_those_that_are_not_kept(ladder, entry):
    operations = read_function(ladder / INT8.file_name("tiny", TILE), entry).operations
    by_name = {step.name: step for step in operations}
    seen = set()
    for step in operations:
        if step.type != "conv":
            continue
        weight, image = step.arguments["weight"][0], step.arguments["x"][0]
        if not isinstance(weight, Reference):
            continue
        kept = is_kept_float(module_of(weight.name), IN_NAMES)
        seen.add(kept)
        assert (by_name[weight.name].type == "const") == kept, weight.name
        made_by = by_name[image.name].type if image.name in by_name else "an input"
        assert (made_by == "dequantize") >= (not kept), step.name
    assert seen == {True, False}


def test_vulkan_s_program_is_one_call_an_entry_and_says_where_it_runs(ladder):
    manifest = verify_artifact(ladder / VULKAN.file_name("tiny", TILE))
    for entry in (manifest.entries.look, manifest.entries.restore):
        assert entry.operators.partitions == 1
        assert entry.operators.delegated == entry.operators.total > 300
    assert manifest.parity.status == "not measured"
    assert "Vulkan programs run on Android" in manifest.parity.reason
    assert {stage.stage for stage in manifest.parity.stages} == {"deploy", "sums for Vulkan"}
    assert all(stage.psnr is None or stage.psnr > 100 for stage in manifest.parity.stages)
    with pytest.raises(Unsupported, match="run on Android"):
        open_artifact(ladder / manifest.file)


@pytest.fixture
def litert(tiny_artifacts, tiny_weights, tmp_path):
    """Builds a recipe of LiteRT from the float program, which is there already."""

    def build(name):
        [recipe] = select_recipes([name])
        [job] = plan(tiny_weights, TILE, tmp_path, tmp_path, [recipe])
        pipeline = Pipeline(job)
        pipeline.exporter = LiteRtExporter(pipeline.source)
        pipeline.exporter.for_cpu = (tiny_artifacts / NAME).read_bytes()
        return pipeline.build(recipe, lambda text: None)

    return build


def test_litert_s_static_int8_is_one_call_an_entry(litert, tiny_artifacts, tiny_weights, tmp_path):
    row = litert("litert_cpu_int8")
    assert (row.look_partitions, row.partitions) == (1, 1)
    assert row.delegated == row.total
    assert row.psnr > 40
    manifest = verify_artifact(tmp_path / row.file)
    assert manifest.quantization.calibration
    data = (tmp_path / row.file).read_bytes()
    in_8_bits = [name for name, weights in convolutions(data) if weights.dtype == np.int8]
    source = Source(tiny_weights, TILE)
    assert in_8_bits == quantized_names((tiny_artifacts / NAME).read_bytes(), source)
    restore = source.deployed[contract.RESTORE].named_modules()
    due = [name for name, module in restore if isinstance(module, nn.Conv2d) and not is_kept_float(name)]
    assert sum(".Restore/" in name for name in in_8_bits) == len(due)


def test_litert_s_int16x8_falls_into_pieces_and_says_into_how_many(litert, tmp_path):
    with pytest.raises(UserError, match=r"look enters cpu \d\d times for \d+ of \d+ operators"):
        litert("litert_cpu_int16x8")
    assert [path for path in tmp_path.iterdir() if path.suffix == ".json"] == []


def test_litert_s_gpu_accelerator_takes_the_program_whole_and_computes_it(
    tiny_artifacts, tiny_weights, tmp_path
):
    """At this tile the program for the CPU has no texture that is too large."""
    [recipe] = select_recipes(["litert_gpu_fp32"])
    [job] = plan(tiny_weights, TILE, tmp_path, tmp_path, [recipe])
    pipeline = Pipeline(job)
    pipeline.exporter = Copier(tiny_artifacts / NAME)
    row = pipeline.build(recipe, lambda text: None)
    backend = find_backend("litert", "gpu")
    try:
        if backend.why_not_here:
            use_swiftshader()
    except Unsupported:
        assert row.parity == "not measured"
        return
    assert row.parity == ("evaluated" if backend.why_not_here else "measured")
    assert row.psnr > recipe.bounds.psnr
    manifest = verify_artifact(tmp_path / row.file)
    assert (manifest.backend, manifest.precision) == ("gpu", "fp32")
    looks = [stage for stage in manifest.parity.stages if stage.entry == "look"]
    assert [stage.stage for stage in looks] == ["artifact"]
    assert looks[0].psnr > 80
    png = io.BytesIO()
    Image.fromarray(data.astronaut()[:64, :64]).save(png, "png")
    command = [sys.executable, "-m", "anyir.model.cli", "restore", "-", "-", "--format", "png"]
    piped = subprocess.run(
        [*command, "--with", str(tmp_path / row.file)], input=png.getvalue(), capture_output=True, check=True
    )
    assert piped.stdout.startswith(b"\x89PNG"), "nothing that a library prints comes before"
