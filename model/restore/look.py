"""Look plans: which crops of a photo make the sheet that its statistics are taken from.

A plan is a function of (width, height, tile) alone, in whole numbers. The Android and iOS apps compute the
same plans: docs/reference/look_plans.md states the rules, tests/fixtures/look_plans.json holds answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.model.config import SIZE_MULTIPLE
from anyir.model.restore.tiling import reflect_indices

CROP = 64
"""Pixels a side of a crop, roughly: docs/lab/one-look.md compares 32, 64 and 128."""
JITTER = 256
"""Places inside a part of the photo, along each side, at which its crop can begin."""


@dataclass(frozen=True)
class Crop:
    """A part of the photo and its place in the sheet, in pixels from the top left corners.

    Where the photo's side is shorter than the crop's, the crop begins at 0 and is filled up by reflection
    (``reflect_indices``).
    """

    x: int
    y: int
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class LookPlan:
    """The crops of a photo that make a sheet of ``tile`` x ``tile`` pixels.

    A photo that fits into one tile is its own sheet, filled up by reflection at the right and the bottom.

    Attributes:
        width: of the photo, in pixels, at least 1.
        height: of the photo, in pixels, at least 1.
        tile: side of the sheet in pixels, a positive multiple of 8.

    Raises:
        ValueError: a value out of its range.
    """

    width: int
    height: int
    tile: int

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.tile) < 1 or self.tile % SIZE_MULTIPLE:
            raise ValueError(
                f"no sheet of {self.tile} for {self.width}x{self.height}: "
                f"all must be positive, and the sheet's side a multiple of {SIZE_MULTIPLE}"
            )

    @property
    def is_whole(self) -> bool:
        """Whether the sheet is the photo itself."""
        return max(self.width, self.height) <= self.tile

    def __iter__(self) -> Iterator[Crop]:
        """The crops, row by row from the sheet's top left."""
        if self.is_whole:
            yield Crop(0, 0, 0, 0, self.tile, self.tile)
            return
        edges = sheet_edges(self.tile)
        side = len(edges) - 1
        columns = grid_columns(self.width, self.height, side * side)
        rows = side * side // columns
        for k in range(side * side):
            left, right = edges[k % side], edges[k % side + 1]
            top, bottom = edges[k // side], edges[k // side + 1]
            column, row = k % columns, k // columns
            x = crop_start(self.width, right - left, column, columns, 128 + 158 * column + 97 * row)
            y = crop_start(self.height, bottom - top, row, rows, 128 + 97 * column + 158 * row)
            yield Crop(x, y, left, top, right - left, bottom - top)


def sheet_edges(tile: int) -> list[int]:
    """Where the sheet's crops begin along one side, and its end: about ``CROP`` apart, and multiples of 8, as
    the network halves its resolution three times."""
    count = max(1, (tile + CROP // 2) // CROP)
    return [SIZE_MULTIPLE * (i * (tile // SIZE_MULTIPLE) // count) for i in range(count + 1)]


def grid_columns(width: int, height: int, crops: int) -> int:
    """In how many columns the photo is divided: the divisor of ``crops`` whose parts are the squarest, the
    smaller of two that are equally so."""
    divisors = [a for a in range(1, crops + 1) if crops % a == 0]
    return min(divisors, key=lambda a: abs(a * height - crops // a * width))


def crop_start(length: int, crop: int, part: int, parts: int, jitter: int) -> int:
    """First pixel along one side of the crop in one of ``parts`` equal parts of the photo.

    ``jitter``, modulo ``JITTER``, says where in its part the crop lies. 158 / 256 is about the golden section
    and 97 / 256 its square: multiples of them are spread evenly, so that crops do not line up.
    """
    free = max(0, length - crop) + 1
    return (part * JITTER + jitter % JITTER) * free // (parts * JITTER)


def own_sheet(image: NDArray[np.float32], tile: int) -> NDArray[np.float32]:
    """The sheet of a photo that is one tile, (1, 3, H, W) -> (1, 3, tile, tile): the tile itself where it is
    as large."""
    if image.shape[2:] == (tile, tile):
        return image
    return np.ascontiguousarray(make_sheet(image[0].transpose(1, 2, 0), tile).transpose(2, 0, 1)[None])


def make_sheet(photo: NDArray[Any], tile: int) -> NDArray[Any]:
    """The sheet of a photo, (H, W, C) -> (tile, tile, C), of the same type."""
    height, width, channels = photo.shape
    sheet = np.empty((tile, tile, channels), photo.dtype)
    for crop in LookPlan(width, height, tile):
        rows = reflect_indices(height - crop.y, crop.height) + crop.y
        columns = reflect_indices(width - crop.x, crop.width) + crop.x
        sheet[crop.top :, crop.left :][: crop.height, : crop.width] = photo[rows[:, None], columns]
    return sheet
