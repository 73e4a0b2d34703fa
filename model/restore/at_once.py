"""Tiles that are restored at once, by threads that share the processor's cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from anyir.model.restore.halving import Halving
from anyir.model.restore.tile_models import OutOfMemoryError, ThreadedModel, TileModel
from anyir.model.restore.tiling import Region, TilePlan


def restore_in_order(
    model: TileModel, restored_tile: Halving, plan: TilePlan
) -> Iterator[NDArray[np.float32]]:
    """A photo's tiles restored, in their order: several at once if the model can, ahead of what is asked.

    Where memory runs out, the rest is restored one after the other, and only then in smaller tiles.

    Raises:
        OutOfMemoryError: as ``Halving``.
    """
    left = iter(plan)
    begun: deque[tuple[Region, Future[NDArray[np.float32]]]] = deque()
    if isinstance(model, ThreadedModel) and min(model.tiles_at_once, len(plan)) > 1:
        with model.tile_threads() as threads:
            try:
                for region in left:
                    begun.append((region, threads.submit(restored_tile.run, region, restored_tile.tile)))
                    # One more than run at once, so that no thread waits while a tile is blended.
                    if len(begun) > model.tiles_at_once:
                        yield begun[0][1].result()
                        begun.popleft()
                while begun:
                    yield begun[0][1].result()
                    begun.popleft()
            except OutOfMemoryError:
                pass
    for region, tile in begun:
        done = not tile.cancelled() and tile.exception() is None
        yield tile.result() if done else restored_tile(region)
    for region in left:
        yield restored_tile(region)
