"""How much a photo needs to be restored: what is measured, and that what is fine is left alone."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from skimage import data
from typer.testing import CliRunner

from anyir.model.cli import build_app
from anyir.model.errors import UserError
from anyir.model.restore.need import NEEDED, need_between
from anyir.model.restore.restorer import Restorer

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
