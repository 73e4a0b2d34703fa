"""Programs whose tiles are not as large as the sheet of the one look: built, compared, run and refused."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from anyir.conversion.artifact import open_artifact
from anyir.conversion.manifest import Manifest, manifest_path, verify_artifact
from anyir.conversion.restore_size import RestoreSize
from anyir.model import Restorer, load_weights
from anyir.model.config import TileSize
from anyir.model.errors import UserError
from anyir.model.restore.look import own_sheet
from anyir.model.restore.tile_models import TorchModel
from anyir.profiling.candidates import find_candidates
from anyir.profiling.schema import load_results
from anyir.profiling.summary import photo_tiles
from tests.helpers.command_line import anyir, anyir_process
from tests.helpers.made_once import made_once
from tests.helpers.tiny import TILE

SIZE = TileSize(48, 80)
NAME = "tiny_litert_cpu_fp32_64x64_restore48x80.tflite"


@pytest.fixture(scope="session")
def rectangle(tiny_weights, tmp_path_factory):
    """A program of the tiny network for tiles of 48x80, beside its manifest."""

    def build(folder):
        process = anyir_process(
            *("convert", "--weights", tiny_weights, "--tile", TILE, "--restore-size", SIZE),
            *("--only", "litert_cpu_fp32", "--out", folder),
        )
        assert process.returncode == 0, process.stdout + process.stderr

    return made_once(tmp_path_factory, "rectangle", build) / NAME


@pytest.fixture
def described(rectangle, tmp_path):
    """Copies the program, with its manifest changed."""

    def copy(change):
        manifest = json.loads(manifest_path(rectangle).read_text())
        change(manifest)
        shutil.copy(rectangle, tmp_path / NAME)
        manifest_path(tmp_path / NAME).write_text(json.dumps(manifest))
        return tmp_path / NAME

    return copy


@pytest.fixture
def network(tiny_weights):
    """The network with one look at a sheet of 64, and tiles of a size to be set."""
    model = TorchModel(load_weights(tiny_weights))
    model.tile = TILE
    return model


def test_its_manifest_says_what_it_takes(rectangle):
    manifest = verify_artifact(rectangle)
    assert (manifest.tile, manifest.restore_size) == (TILE, RestoreSize(height=48, width=80))
    entries = manifest.entries
    assert entries.look.inputs[0].shape == [1, 3, 64, 64]
    assert entries.restore.inputs[0].shape == entries.restore.outputs[0].shape == [1, 3, 48, 80]
    assert manifest.parity.status == "measured"
    assert manifest.parity.literal.psnr > 100
    assert Manifest.load(manifest_path(rectangle)).to_json() == manifest_path(rectangle).read_text()


def test_it_is_the_network_with_the_sheet_of_each_tile(rectangle, tiny_weights):
    tile = np.random.default_rng(7).random((1, 3, *SIZE), dtype=np.float32)
    sheet = own_sheet(tile, TILE)
    assert sheet.shape == (1, 3, TILE, TILE)
    network = load_weights(tiny_weights)
    with torch.inference_mode():
        due = network(torch.from_numpy(tile), network.statistics(torch.from_numpy(sheet)))
    assert np.abs(open_artifact(rectangle)(tile) - due.numpy()).max() < 1e-4


@pytest.mark.parametrize("shape", [(150, 200), (64, 64), (48, 80), (40, 30)])
def test_a_photo_is_what_the_network_makes_of_it(shape, rectangle, network):
    """One look and several tiles, a photo that is its own sheet and takes two, one tile, less than one."""
    photo = data.chelsea()[: shape[0], : shape[1]]
    restored = Restorer(rectangle)(photo).astype(int)
    square = Restorer(network)(photo)
    network.tile_size = SIZE
    assert np.abs(restored - Restorer(network)(photo)).max() <= 1
    assert np.abs(restored - square).mean() < 2  # other borders of tiles, and the same elsewhere
    assert Restorer(rectangle).need(photo) == pytest.approx(Restorer(network).need(photo), abs=0.02)


def test_tiles_that_judge_by_themselves_are_their_own_photos(rectangle, network):
    network.tile_size = SIZE
    tile = data.chelsea()[:48, :80]
    alone = Restorer(rectangle, statistics="tile")(tile).astype(int)
    assert np.abs(alone - Restorer(rectangle)(tile)).max() <= 1


def test_the_commands_take_it(rectangle, tmp_path):
    assert anyir("verify", rectangle).returncode == 0
    Image.fromarray(data.chelsea()[:100, :130]).save(tmp_path / "in.png")
    restored = anyir("restore", tmp_path / "in.png", tmp_path / "out.png", "--with", rectangle)
    assert "tiles of 48x80 that overlap by 12, one look" in restored.stdout
    assert "(130x100, 6 tiles" in restored.stdout


def test_it_is_measured_beside_a_reference_of_its_size(rectangle, tiny_weights, tiny_artifacts, tmp_path):
    reference, results = tmp_path / "reference", tmp_path / "out/results.json"
    size = ("--tile", TILE, "--restore-size", SIZE)
    made = anyir("reference", "--weights", tiny_weights, *size, "--out", reference)
    assert "tiles of 48x80" in made.stdout
    measured = anyir(
        *("profile", "--artifacts", rectangle.parent, "--reference", reference, "--runs", 1),
        *("--warmup", 0, "--threads", 1, "--out", results),
    )
    assert measured.returncode == 0
    assert "48x80 tiles on" in measured.stdout
    torch_row, row = load_results(results).rows
    assert (row.status, row.tile, row.restore_size) == ("ok", TILE, RestoreSize(height=48, width=80))
    assert photo_tiles(row) == len(Restorer(rectangle).plan(4000, 3000))
    assert min(q.psnr_reference or 200 for r in (torch_row, row) for q in r.quality.values()) > 100
    page = anyir("report", results, "--out", tmp_path / "page.html")
    assert page.returncode == 0
    assert "48&times;80" in (tmp_path / "page.html").read_text()

    from anyir.profiling.reference import load_reference

    with pytest.raises(UserError, match="make both with the same --restore-size"):
        find_candidates(tiny_artifacts, load_reference(reference))
    staged = anyir(
        *("android", "stage", "--artifacts", rectangle.parent, "--reference", reference),
        *("--out", tmp_path / "assets"),
    )
    assert staged.returncode == 1
    assert "apps measure square tiles; the reference has tiles of 48x80" in staged.stderr


@pytest.mark.parametrize(
    ("height", "width", "reason"),
    [
        (0, 80, "0 is not a positive multiple of 8"),
        (48, 84, "84 is not a positive multiple of 8"),
        (-48, 80, "-48 is not a positive multiple of 8"),
        (56, 80, "`restore` takes [1, 3, 48, 80]; [1, 3, 56, 80] is due"),
        (None, None, "`restore` takes [1, 3, 48, 80]; [1, 3, 64, 64] is due"),
    ],
)
def test_a_manifest_of_no_such_tiles_is_refused(height, width, reason, described):
    size = None if height is None else {"height": height, "width": width}
    path = described(lambda manifest: manifest.update(restore_size=size))
    with pytest.raises(UserError) as caught:
        verify_artifact(path)
    assert reason in str(caught.value)


def test_a_program_of_other_tiles_than_its_manifest_s_is_refused(described):
    def larger(manifest):
        manifest["restore_size"]["height"] = 56
        restore = manifest["entries"]["restore"]
        for image in (restore["inputs"][0], *restore["outputs"]):
            image["shape"] = [1, 3, 56, 80]

    with pytest.raises(UserError) as caught:
        open_artifact(described(larger))
    assert str(caught.value) == f"{NAME} takes (1, 3, 48, 80); its manifest says tiles of 56x80"


def test_what_takes_squares_alone_says_so(rectangle):
    refused = anyir("verify", rectangle, "--python", "python3")
    assert refused.returncode == 1
    assert "--python and --arch take square tiles; its are 48x80" in refused.stdout
    with pytest.raises(UserError, match="is made for tiles of 48x80, not 64; leave the tile size out"):
        Restorer(rectangle, tile=64)
    with pytest.raises(UserError, match=r"the overlap 25 is not in 0\.\.24, half the tile size"):
        Restorer(rectangle, overlap=25)
