"""One Core ML package for tiles of several sizes, built as a user builds it."""

import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.coreml.evaluator.evaluator import Evaluator
from anyir.conversion.manifest import Manifest, manifest_path
from anyir.conversion.source import Source, run_program
from anyir.model import Restorer
from anyir.model.config import TileSize
from anyir.model.errors import UserError
from anyir.model.metrics import psnr
from tests.helpers.command_line import anyir, anyir_process
from tests.helpers.made_once import made_once

pytestmark = pytest.mark.slow  # by what building it takes

TILE, OTHERS = 16, (TileSize(16, 32), TileSize(24, 24))
NAME = "tiny_coreml_mlprogram_fp16_16x16_also16x32_24x24.mlpackage"


@pytest.fixture(scope="session")
def folder(tiny_weights, tmp_path_factory):
    """A folder with the tiny network's package for these sizes."""

    def build(folder):
        sizes = ("--tile", TILE, "--also", "24", "--also", "16x32")
        which = ("--weights", tiny_weights, "--only", "coreml_*_fp16")
        process = anyir_process("convert", *which, *sizes, "--out", folder)
        assert process.returncode == 0, process.stdout + process.stderr
        (folder / "said.txt").write_text(process.stdout)

    return made_once(tmp_path_factory, "sizes", build)


@pytest.fixture
def package(folder):
    return folder / NAME


def test_the_manifest_names_its_sizes_and_how_exact_each_is(folder, package):
    manifest = Manifest.load(manifest_path(package))
    assert manifest.tile_size == (TILE, TILE)
    assert tuple(other.size for other in manifest.other_sizes) == OTHERS
    parities = [manifest.parity, *(other.parity for other in manifest.other_sizes)]
    assert {parity.status for parity in parities} == {"measured" if sys.platform == "darwin" else "evaluated"}
    assert all(parity.literal.psnr > 60 for parity in parities)
    said = (folder / "said.txt").read_text()
    assert f"tiles of 16x32: {parities[1].literal.psnr:.1f} dB; tiles of 24x24: " in said


def test_the_package_enumerates_them_and_computes_no_lengths(package):
    look, restore = (Evaluator(package, entry) for entry in contract.ENTRIES)
    assert look.enumerated == {}
    sizes = tuple(map(contract.shape, (TILE, *OTHERS)))
    assert set(restore.enumerated[contract.INPUT]) == set(sizes)
    assert restore.enumerated[contract.INPUT][0] == sizes[0]
    types = {step.type for step in restore._steps}
    assert "conv" in types
    assert not types & {"shape", "gather", "reshape"}


@pytest.mark.parametrize("size", OTHERS)
def test_each_size_is_the_network(tiny_weights, package, size):
    source = Source(tiny_weights, TILE, size)
    outputs = run_program(open_artifact(package), source.inputs)
    found, due = (np.stack(tiles) for tiles in (outputs.tiles, source.literal_outputs.tiles))
    assert found.shape[2:] == (3, *size)
    assert psnr(image=found, reference=due, data_range=1.0) > 60


def test_verify_compares_each(package):
    done = anyir("verify", package)
    assert done.returncode == 0, done.stdout
    assert all(f"{size}: " in "".join(done.stdout.split("\n")) for size in ("16x32", "24x24"))


def test_a_photo_is_restored_with_tiles_of_any_of_them(package, tmp_path):
    photo = tmp_path / "photo.png"
    pixels = np.random.default_rng(1).integers(0, 255, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(photo)
    for arguments, tile in (((), TILE), (("--tile", 24), 24)):
        done = anyir("restore", photo, tmp_path / f"{tile}.png", "--with", package, *arguments)
        assert done.returncode == 0, done.stderr
        assert f"tiles of {tile} that overlap" in done.stdout
    first, second = (np.asarray(Image.open(tmp_path / f"{tile}.png"), int) for tile in (TILE, 24))
    assert first.shape == second.shape == pixels.shape
    assert 0 < np.abs(first - second).mean() < 8  # the same statistics, other neighbours
    refused = anyir("restore", photo, tmp_path / "other.png", "--with", package, "--tile", "32")
    assert refused.returncode == 1
    stem = package.stem
    assert refused.stderr.strip() == (
        f"anyir: {stem} is made for tiles of 16, 16x32, 24, not 32; leave the tile size out"
    )
    assert not (tmp_path / "other.png").exists()
    assert Restorer(package, tile=TileSize(16, 32)).size == (16, 32)


def test_other_shapes_are_refused_by_name(package):
    model = open_artifact(package)
    statistics = model.look(np.zeros(contract.shape(TILE), np.float32))
    with pytest.raises(
        UserError, match=r"image has one of the shapes \(1, 3, 16, 16\), .*got \(1, 3, 32, 32\)"
    ):
        model.restore(np.zeros(contract.shape(32), np.float32), statistics)


@pytest.mark.parametrize("known", [None, OTHERS[:1], (*OTHERS, TileSize(8, 8))])
def test_a_manifest_of_other_sizes_is_found_out(package, known, tmp_path):
    copy = tmp_path / package.name
    shutil.copytree(package, copy)
    manifest = Manifest.load(manifest_path(package))
    others = [manifest.other_sizes[0].model_copy(update=size._asdict()) for size in known or ()]
    edited = manifest.model_copy(update={"other_sizes": others or None})
    manifest_path(copy).write_text(edited.to_json())
    with pytest.raises(UserError, match="its manifest says tiles of 16x16"):
        open_artifact(copy)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--also", "24"), "only Core ML programs take several sizes"),
        (("--also", "24", "--only", "coreml_*", "--only", "litert_*"), "only Core ML programs take several"),
        (("--also", "20", "--only", "coreml_*"), "20: a multiple of 8 up to 1024 is due"),
        (("--also", "wide", "--only", "coreml_*"), "wide: one number of pixels is due"),
        (("--also", "24x", "--only", "coreml_*"), "24x: height and width in pixels are due"),
    ],
)
def test_sizes_that_cannot_be_are_refused(arguments, reason, tmp_path):
    done = anyir("convert", "--tile", TILE, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert reason in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()
