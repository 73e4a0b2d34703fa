"""How much a photo needs to be restored, and by what it differs, from one look at it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

NEEDED = 2.5
"""Change of a photo, of 255, below which it is taken for fine: 40 dB between the photo and its restoration.
docs/lab/real-degradations.md has what photos with and without faults come to."""
_CELL = 8
"""Pixels a side of the cells whose means are what is not detail."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Need:
    """What restoring would change, of 255, on the sheet of crops that stands for the photo.

    Attributes:
        change: root of the mean square of all changes.
        brightness: change of the mean: above 0 where darkness is lifted, below where haze or rain go.
        contrast: change of the standard deviation of the 8x8 pixels' means: above 0 where haze goes.
        detail: change of the standard deviation around these means: below 0 where noise or streaks go, above
            where blur does.
    """

    change: float
    brightness: float
    contrast: float
    detail: float

    @property
    def needed(self) -> bool:
        """Whether the change is more than what photos without a fault come to."""
        return self.change >= NEEDED

    def to_dict(self) -> dict[str, float | bool]:
        """As ``anyir restore --json`` prints it."""
        return {**asdict(self), "needed": self.needed}


def need_between(before: NDArray[np.float32], after: NDArray[np.float32]) -> Need:
    """What differs between two images (H, W, 3) in 0..1."""
    before, after = (255 * np.clip(image, 0, 1) for image in (before, after))
    change = float(np.sqrt(np.mean((after - before) ** 2)))
    brightness = float(after.mean() - before.mean())
    (coarse, fine), (coarse_after, fine_after) = (_spreads(image @ _LUMA) for image in (before, after))
    numbers = change, brightness, coarse_after - coarse, fine_after - fine
    return Need(*(round(number, 2) for number in numbers))


def _spreads(luma: NDArray[np.float32]) -> tuple[float, float]:
    """Standard deviations of the cells' means, and of the pixels around them."""
    height, width = (side // _CELL * _CELL for side in luma.shape)
    cells = luma[:height, :width].reshape(height // _CELL, _CELL, width // _CELL, _CELL)
    means = cells.mean(axis=(1, 3), keepdims=True)
    return float(means.std()), float((cells - means).std())
