"""Tiles that are halved where memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from anyir.model.config import DEFAULT_TILE, SIZE_MULTIPLE, default_overlap
from anyir.model.restore.tile_models import OutOfMemoryError
from anyir.model.restore.tiling import Region, TilePlan

LEAST_TILE = 64
"""Pixels a side below which tiles are not halved: a quarter of that is overlap already."""


T = TypeVar("T")


class Halving:
    """Restores regions of one photo. One that takes more memory than there is is cut into tiles of half the
    size, again and again, and so are all after it.

    Args:
        run: restores a region, (H, W, C); a side is at most ``tile``, which is its second argument.
        tile: side of a tile in pixels.
        halves: whether the model takes other sizes.

    Attributes:
        tile: what it has come to.
    """

    def __init__(self, run: Callable[[Region, int], NDArray[np.float32]], tile: int, *, halves: bool) -> None:
        self.run, self.tile, self.halves = run, tile, halves

    def __call__(self, region: Region) -> NDArray[np.float32]:
        """The region restored.

        Raises:
            OutOfMemoryError: the tiles are as small as they get, or the model takes no other size.
        """
        while max(region.width, region.height) <= self.tile:
            try:
                return self.run(region, self.tile)
            except OutOfMemoryError:
                half = self.tile // 2 // SIZE_MULTIPLE * SIZE_MULTIPLE
                if half < LEAST_TILE or not self.halves:
                    raise
                self.tile = half
            # Not inside `except`: the error keeps alive what the failed attempt has allocated.
        plan = TilePlan(region.width, region.height, self.tile, default_overlap(self.tile))
        weights = [
            (rows[:, None] * columns[None])[..., None].astype(np.float32)
            for rows in plan.row_weights
            for columns in plan.column_weights
        ]
        parts = [Region(region.x + part.x, region.y + part.y, part.width, part.height) for part in plan]
        result: NDArray[np.float32] | None = None
        for part, place, weight in zip(parts, plan, weights, strict=True):
            restored = self(part)
            if result is None:
                result = np.zeros((region.height, region.width, restored.shape[2]), np.float32)
            result[place.y : place.y + place.height, place.x : place.x + place.width] += restored * weight
        assert result is not None
        return result


def smaller_sheets(run: Callable[[int], T], side: int, halves: bool) -> tuple[T, int]:
    """What ``run`` gives for a sheet of that side or, where memory runs out, of half of it, again and again;
    and the side that it had.

    Args:
        halves: whether the model takes other sizes.

    Raises:
        OutOfMemoryError: as ``Halving``.
    """
    while True:
        try:
            return run(side), side
        except OutOfMemoryError:
            if side // 2 < LEAST_TILE or not halves:
                raise
        side //= 2


def memory_notes(tile: int, smaller: int, sheet: int | None) -> list[str]:
    """What the user is told of tiles that became ``smaller`` and of a sheet that had to be."""
    notes = []
    if smaller < tile:
        notes.append(f"not enough memory for tiles of {tile}: it was restored in tiles of {smaller}")
    if sheet is not None:
        notes.append(f"not enough memory for one look at {DEFAULT_TILE} pixels a side: it had {sheet}")
    return notes
