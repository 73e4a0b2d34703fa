"""Mirrored pixels beyond the photo's own borders, which tiles there see too."""

import numpy as np
import pytest

from anyir.model import Restorer
from anyir.model.restore.restorer import MARGIN
from anyir.model.restore.tiling import with_margin
from tests.helpers.photo_files import values


class Blur:
    """A mean of 9x9 pixels, with zeros beyond the tile, as the network's convolutions have them."""

    name, accelerator = "blur", "none"

    def __init__(self, tile=None):
        self.tile, self.sizes, self.sheets = tile, [], []

    def look(self, sheet):
        self.sheets.append(sheet.shape[2:])

    def __call__(self, tile):
        return self.restore(tile, None)

    def restore(self, tile, statistics):
        self.sizes.append(tile.shape[2:])
        padded = np.pad(tile, ((0, 0), (0, 0), (4, 4), (4, 4)))
        height, width = tile.shape[2:]
        shifted = [padded[..., y : y + height, x : x + width] for y in range(9) for x in range(9)]
        return np.mean(shifted, axis=0, dtype=np.float32)


def blurred(photo):
    """The whole photo's mean of 9x9 pixels, with mirror images beyond its borders."""
    padded = np.pad(photo, ((4, 4), (4, 4), (0, 0)), "reflect")
    height, width = photo.shape[:2]
    return np.mean([padded[y : y + height, x : x + width] for y in range(9) for x in range(9)], axis=0)


def test_the_outermost_pixels_are_restored_as_if_the_photo_went_on():
    photo = values((300, 280, 3)) / np.float32(255)
    model = Blur()
    result = Restorer(model, tile=64, overlap=16)(photo)
    inside = np.abs(result - blurred(photo))
    # Tiles' own borders inside the photo are blended, four zeros deep; its outer borders are exact.
    assert inside[:1, 8:40].max() < 1e-5
    assert inside[8:40, -1:].max() < 1e-5
    without = Restorer(Blur(), tile=64, overlap=16, statistics="tile")(photo)
    assert np.abs(without - blurred(photo))[:1, 8:40].max() > 0.1


def test_only_tiles_at_the_borders_are_larger_and_the_sheet_stays():
    model, photo = Blur(), values((300, 280, 3))
    Restorer(model, tile=64, overlap=16)(photo)
    plan = Restorer(model, tile=64, overlap=16).plan(280, 300)
    rows, columns = len(plan.rows), len(plan.columns)
    assert set(model.sizes) == {(64 + a, 64 + b) for a in (0, MARGIN) for b in (0, MARGIN)}
    assert model.sizes.count((64, 64)) == (rows - 2) * (columns - 2)
    assert model.sheets == [(256, 256)]


@pytest.mark.parametrize("size", [(300, 20, 3), (17, 300, 1), (300, 1, 3), (270, 258, 3)])
def test_narrow_photos(size):
    photo = values(size) / np.float32(255)
    model = Blur()
    result = Restorer(model, tile=64, overlap=16)(photo)
    assert result.shape == photo.shape
    assert all(side % 8 == 0 for shape in model.sizes for side in shape)


@pytest.mark.parametrize(("tile", "statistics"), [(64, None), (None, "tile")])
def test_no_margin_where_it_would_be_judged_or_does_not_fit(tile, statistics):
    model = Blur(tile)
    Restorer(model, tile=64, overlap=16, statistics=statistics)(values((300, 280, 3)))
    assert set(model.sizes) == {(64, 64)}


def test_which_pixels_a_tile_sees():
    seen, begins = with_margin(0, 4, 10, 3)
    assert (seen.tolist(), begins) == ([3, 2, 1, 0, 1, 2, 3], 3)
    seen, begins = with_margin(6, 4, 10, 3)
    assert (seen.tolist(), begins) == ([6, 7, 8, 9, 8, 7, 6], 0)
    seen, begins = with_margin(3, 4, 10, 3)
    assert (seen.tolist(), begins) == ([3, 4, 5, 6], 0)
    seen, begins = with_margin(0, 2, 2, 3)
    assert (seen.tolist(), begins) == ([1, 0, 1, 0, 1, 0, 1, 0], 3)
