"""Parts of clean photos that look under-exposed."""

import numpy as np
import pytest
from PIL import Image

from anyir.model.data.dim_parts import SIDES, dim_parts, looks_under_exposed
from tests.helpers.command_checks import fails, files
from tests.helpers.datasets import grey_noise


@pytest.mark.parametrize(
    ("low", "high", "looks"),
    [(40, 120, True), (0, 20, False), (150, 250, False), (60, 62, False), (10, 240, False)],
    ids=["dim", "black", "bright", "flat", "with highlights"],
)
def test_what_looks_under_exposed(low, high, looks):
    assert looks_under_exposed(grey_noise(low, high)) is looks


def test_parts_are_dim_squares_of_the_photo():
    pixels = grey_noise(40, 120, 600, 800)
    pixels[:, 400:] = 255
    parts = dim_parts(pixels, np.random.default_rng(0), most=3)
    assert [part.shape for part in parts] == [(SIDES[0], SIDES[0], 3)] * 3
    assert all(part.max() < 255 for part in parts)
    assert [part.shape[0] for part in dim_parts(grey_noise(40, 120), np.random.default_rng(0))] == [
        SIDES[1]
    ] * 2
    assert dim_parts(grey_noise(150, 250), np.random.default_rng(0)) == []
    assert dim_parts(grey_noise(40, 120, 100, 100), np.random.default_rng(0)) == []


def test_the_command(anyir, folder):
    (folder / "photos").mkdir()
    for name, range_ in {"dim": (40, 120), "bright": (150, 250)}.items():
        Image.fromarray(grey_noise(*range_)).save(folder / "photos" / f"{name}.png")
    code, out, _ = anyir("dim-parts", "photos", "photos/parts")
    assert (code, out) == (0, "2 parts of 2 photos -> photos/parts\n")
    assert sorted(files(folder / "photos" / "parts")) == ["00001-dim-1.png", "00001-dim-2.png"]
    before = files(folder)
    fails(anyir("dim-parts", "photos", "photos/parts"), folder, before, "photos/parts is there already")
    (folder / "photos" / "dim.png").unlink()
    assert "name folders of photos" in anyir("dim-parts", "photos")[2]
    assert "--seed" in anyir("dim-parts", "photos", "out", "--seed", "-1")[2]
    assert "is not a folder of photos" in anyir("dim-parts", "nothing", "out")[2]
    Image.fromarray(grey_noise(150, 250)).save(folder / "bright.png")
    (folder / "bright").mkdir()
    (folder / "bright.png").rename(folder / "bright" / "bright.png")
    assert "none of 1 photos has a part that looks under-exposed" in anyir("dim-parts", "bright", "out")[2]
    (folder / "bright" / "broken.png").write_text("no photo")
    assert "bright/broken.png is no image" in anyir("dim-parts", "bright", "out")[2]
    assert sorted(path.name for path in folder.iterdir()) == ["bright", "photos"]
