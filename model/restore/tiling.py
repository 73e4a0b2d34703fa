"""Tile plans: how a photo of any size is cut into tiles and put together again.

A plan is a function of (width, height, tile, overlap) alone. The Android and iOS apps compute the
same plans: docs/reference/tile_plans.md states the rules, tests/fixtures/tile_plans.json holds answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anyir.model.config import TileSize


@dataclass(frozen=True)
class Region:
    """The part of the photo that one tile covers, in pixels from the top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class TilePlan:
    """The tiles of a photo, row by row from the top left, and the weights that blend them.

    A side that is shorter than the tile is covered by one tile, filled up by reflection at the right
    or the bottom (``reflect_indices``); the surplus is cropped from the result. Programs need whole tiles;
    weights, which take any size, are given less (``Restorer``).

    Attributes:
        width: of the photo, in pixels, at least 1.
        height: of the photo, in pixels, at least 1.
        tile: side of a square tile in pixels, or height and width of another one.
        overlap: pixels that neighbours share, at most half a tile's shorter side. The last tile of a row or
            column is shifted inwards and may share more.

    Raises:
        ValueError: a value out of its range.
    """

    width: int
    height: int
    tile: int | TileSize
    overlap: int

    def __post_init__(self) -> None:
        if min(self.width, self.height, *self.size) < 1:
            raise ValueError(f"no tiles of {self.tile} for {self.width}x{self.height}: all must be positive")
        if not 0 <= self.overlap <= min(self.size) // 2:
            raise ValueError(f"overlap {self.overlap} is not in 0..{min(self.size) // 2}, half the tile")

    @property
    def size(self) -> TileSize:
        """Of a tile."""
        return TileSize.of(self.tile)

    @cached_property
    def columns(self) -> list[int]:
        """x of every tile in a row."""
        return axis_starts(self.width, self.size.width, self.overlap)

    @cached_property
    def rows(self) -> list[int]:
        """y of every row of tiles."""
        return axis_starts(self.height, self.size.height, self.overlap)

    @cached_property
    def column_weights(self) -> list[NDArray[np.float64]]:
        """For every entry of ``columns``, the weight of each of its pixels along x."""
        return axis_weights(self.width, self.size.width, self.overlap)

    @cached_property
    def row_weights(self) -> list[NDArray[np.float64]]:
        """For every entry of ``rows``, the weight of each of its pixels along y."""
        return axis_weights(self.height, self.size.height, self.overlap)

    def __len__(self) -> int:
        return len(self.columns) * len(self.rows)

    def __iter__(self) -> Iterator[Region]:
        """Every tile's region, row by row. The weight of pixel (x, y) in the tile of column i and
        row j is ``column_weights[i][x - columns[i]] * row_weights[j][y - rows[j]]``."""
        width, height = min(self.size.width, self.width), min(self.size.height, self.height)
        for y in self.rows:
            for x in self.columns:
                yield Region(x, y, width, height)


def axis_starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixel of every tile along one side: steps of ``tile - overlap``, the last shifted inwards."""
    if length <= tile:
        return [0]
    return [*range(0, length - tile, tile - overlap), length - tile]


def axis_weights(length: int, tile: int, overlap: int) -> list[NDArray[np.float64]]:
    """Blending weights of every tile along one side, each min(tile, length) long; they sum to 1 a pixel.

    A tile's window rises from 0.5 / overlap to 1 over its first ``overlap`` pixels and falls likewise
    over its last ones, but not at the photo's own borders. Windows are then divided by their sum.
    """
    starts = axis_starts(length, tile, overlap)
    size = min(tile, length)
    ramp = (np.arange(overlap) + 0.5) / overlap if overlap else np.empty(0)
    windows = []
    total = np.zeros(length)
    for start in starts:
        window = np.ones(size)
        if start > 0:
            window[:overlap] = ramp
        if start + size < length:
            window[size - overlap :] = ramp[::-1]
        windows.append(window)
        total[start : start + size] += window
    return [window / total[start : start + size] for start, window in zip(starts, windows, strict=True)]


def reflect_indices(length: int, size: int) -> NDArray[np.intp]:
    """Which of ``length`` pixels each of ``size`` places shows: 0 1 2 3 2 1 0 1 ... (the edge once).

    A side of one pixel repeats it. For ``size <= length`` these are 0..size-1.
    """
    return _mirrored(np.arange(size), length)


def with_margin(start: int, size: int, length: int, margin: int) -> tuple[NDArray[np.intp], int]:
    """Which of ``length`` pixels a tile sees along one side, with ``margin`` mirrored ones beyond each of the
    photo's borders that it touches; and where the tile itself begins among them."""
    before = margin if start == 0 else 0
    after = margin if start + size == length else 0
    return _mirrored(np.arange(start - before, start + size + after), length), before


def _mirrored(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Places on a line of mirror images as pixels of the one in 0..length - 1."""
    period = max(2 * (length - 1), 1)
    place = places % period
    return np.where(place < length, place, period - place)
