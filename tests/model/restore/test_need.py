"""How much a photo needs to be restored: what is measured, and that what is fine is left alone."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter
from skimage import data
from typer.testing import CliRunner

from anyir.model.cli import build_app
from anyir.model.errors import UserError
from anyir.model.restore.need import FAULTS, NEEDED, Need, need_between
from anyir.model.restore.restorer import Restorer
from tests.helpers.fixtures import FIXTURES, script

PHOTO = data.astronaut()[:300, :340]


class Model:
    """Changes every tile as a function says, and counts them."""

    name, accelerator, tile = "made", "numpy", None

    def __init__(self, change):
        self.change, self.calls = change, 0

    def __call__(self, tile):
        self.calls += 1
        return self.change(tile)


def test_each_fault_shows_in_its_own_number():
    photo = PHOTO[:256, :256].astype(np.float32) / 255
    rng = np.random.default_rng(0)
    hazy = 0.4 * photo + 0.5
    dark = photo * 0.25
    noisy = photo + rng.normal(0, 0.1, photo.shape).astype(np.float32)
    assert need_between(photo, photo).change == 0
    assert not need_between(photo, photo).needed
    haze, light, noise = (need_between(before, photo) for before in (hazy, dark, noisy))
    assert haze.needed
    assert haze.brightness < -20
    assert haze.contrast > 20
    assert light.brightness > 50
    assert noise.detail < -3
    assert abs(noise.brightness) < 3
    shift = need_between(
        np.full((64, 64, 3), 0.5, np.float32), np.full((64, 64, 3), 0.5 + 5 / 255, np.float32)
    )
    assert (shift.change, shift.brightness, shift.contrast, shift.detail) == (5, 5, 0, 0)


@pytest.mark.parametrize("photo", [PHOTO, PHOTO[:100, :90], PHOTO[..., 0], PHOTO[:50, :60, 0]])
@pytest.mark.parametrize("tile", [64, 256])
def test_one_tile_says_it_whatever_the_photo(photo, tile):
    model = Model(lambda inputs: inputs + np.float32(10 / 255))
    need = Restorer(model, tile=tile).need(photo // 2)
    assert model.calls == 1
    assert need.change == pytest.approx(10, abs=0.02)
    assert need.brightness == pytest.approx(10, abs=0.02)


def test_what_is_no_image_is_refused():
    with pytest.raises(UserError, match="made on numpy returned NaN"):
        Restorer(Model(lambda inputs: inputs * np.nan)).need(PHOTO)


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def restore(change, *arguments):
        monkeypatch.setattr("anyir.model.restore.restorer.open_model", lambda *_, **__: Model(change))
        return CliRunner().invoke(build_app(), ["restore", *arguments])

    return restore


def test_a_photo_that_is_fine_is_left_alone(command, tmp_path):
    Image.fromarray(PHOTO).save("in.png")
    result = command(lambda tile: tile + np.float32(1 / 255), "in.png", "out.png", "--only-if-needed")
    assert result.exit_code == 0, result.output
    assert re.search(r"left in\.png alone, which is fine \(change (1|0\.9\d*) of 255\)", result.output)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
    result = command(lambda tile: tile * 0.5, "in.png", "out.png", "--only-if-needed", "--json")
    assert json.loads(result.stdout)["files"][0]["need"]["change"] > NEEDED
    assert (tmp_path / "out.png").exists()


def test_a_folder_counts_what_is_fine(command, tmp_path):
    (tmp_path / "photos").mkdir()
    for name, photo in (("a", PHOTO), ("b", PHOTO // 4)):
        Image.fromarray(photo).save(tmp_path / f"photos/{name}.png")

    def lift(tile):
        return tile * 4 if tile.max() < 0.5 else tile

    result = command(lift, "photos", "out", "--only-if-needed")
    assert result.exit_code == 0, result.output
    assert "1 restored, 1 fine, 0 skipped, 0 failed" in result.output
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["b.png"]
    result = command(lift, "photos", "again", "--json")
    files = {file["input"][-5:]: file["need"]["needed"] for file in json.loads(result.stdout)["files"]}
    assert files == {"a.png": False, "b.png": True}


def test_real_faults_are_named():
    photo = data.coffee()[40:296, 100:420].astype(np.float32) / 255
    rng = np.random.default_rng(0)
    blurred = uniform_filter(photo, (5, 5, 0))
    faulty = {
        "low_light": (photo**2.2 / 16) ** (1 / 2.2),
        "haze": 0.5 * photo + 0.4,
        "noise": photo + rng.normal(0, 15 / 255, photo.shape).astype(np.float32),
        "blur": blurred,
    }
    for fault, before in faulty.items():
        assert need_between(before, photo).faults == [fault]
    darker = need_between(photo, 0.7 * photo)
    assert darker.needed
    assert darker.faults != ["haze"]
    fine = need_between(photo + rng.normal(0, 1.5 / 255, photo.shape).astype(np.float32), photo)
    assert not fine.needed
    assert fine.faults == []


def test_the_fixture_is_what_the_code_computes():
    make = script("make_needs")
    assert make.FIXTURE == FIXTURES / "needs.json"
    assert make.text() == make.FIXTURE.read_text()
    cases = json.loads(make.FIXTURE.read_text())["pairs"]
    assert {fault for case in cases for fault in case["faults"]} == set(FAULTS)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (7, 90)])
def test_sides_below_a_cell_have_numbers_too(width, height):
    rng = np.random.default_rng(0)
    before, after = rng.random((2, height, width, 3), np.float32)
    assert np.isfinite([*need_between(before, after).to_dict().values()][:4]).all()


def test_it_is_said_with_its_number_and_its_threshold():
    figures = "of 255; a fault is 2.5 or more)."
    assert Need(2.49, 0, 0, 0).in_words() == f"Looks fine: little changes (2.49 {figures}"
    assert Need(2.5, 0, 0, 0).in_words() == f"Needs restoring (2.5 {figures}"
    both = Need(24.3, -30, 12, -1.5).in_words()
    assert both == f"Needs less haze, rain or snow, and less noise (24.3 {figures}"
    assert Need(24.3, 30, 12, 1.5).in_words() == f"Needs more light (24.3 {figures}"
    assert Need(3, 0, 0, 0.5).in_words() == f"Needs a sharper picture (3 {figures}"
