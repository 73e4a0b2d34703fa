"""How much a photo needs to be restored, and by what it differs, from one look at it.

The apps have the same rule and bounds; tests/fixtures/needs.json holds answers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEEDED = 2.5
"""Change of a photo, of 255, below which it is taken for fine: 40 dB between the photo and its restoration.
docs/lab/real-degradations.md has what photos with and without faults come to."""
FAULTS = {
    "low_light": "more light",
    "haze": "less haze, rain or snow",
    "noise": "less noise",
    "blur": "a sharper picture",
}
"""What a photo can have too much of, and what it needs, in words."""
LIGHTER = 5.0
"""Change of brightness from which on darkness was lifted."""
CLEARER = 1.0
"""Change of contrast from which on a veil went, of haze, rain or snow, if no darkness did: light raises it
too."""
FINER = 0.5
"""Change of detail, either way, from which on noise or blur went."""
_CELL = 8
"""Pixels a side of the cells whose means are what is not detail."""
_LUMA = np.array([0.299, 0.587, 0.114])


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

    @property
    def faults(self) -> list[str]:
        """What restoring takes away, of ``FAULTS``; none where the photo is fine, or it is none of these."""
        lighter = self.brightness >= LIGHTER
        clearer = self.contrast >= CLEARER and not lighter
        found = {
            "low_light": lighter,
            "haze": clearer,
            "noise": self.detail <= -FINER,
            # More light and more contrast are more detail too.
            "blur": self.detail >= FINER and not lighter and not clearer,
        }
        return [fault for fault, is_there in found.items() if is_there and self.needed]

    def in_words(self) -> str:
        """One sentence with the number and the threshold, as the report and the apps say it."""
        figures = f"({self.change:g} of 255; a fault is {NEEDED:g} or more)"
        if not self.needed:
            return f"Looks fine: little changes {figures}."
        return f"Needs {', and '.join(FAULTS[fault] for fault in self.faults) or 'restoring'} {figures}."

    def to_dict(self) -> dict[str, Any]:
        """As ``anyir restore --json`` prints it."""
        return {**asdict(self), "needed": self.needed, "faults": self.faults}


def need_between(before: NDArray[np.float32], after: NDArray[np.float32]) -> Need:
    """What differs between two images (H, W, 3) in 0..1."""
    before, after = (255 * np.clip(image, 0, 1, dtype=np.float64) for image in (before, after))
    change = float(np.sqrt(np.mean((after - before) ** 2)))
    brightness = float(after.mean() - before.mean())
    (coarse, fine), (coarse_after, fine_after) = (_spreads(image @ _LUMA) for image in (before, after))
    numbers = change, brightness, coarse_after - coarse, fine_after - fine
    return Need(*(round(number, 2) + 0.0 for number in numbers))  # never -0.0


def _spreads(luma: NDArray[np.float64]) -> tuple[float, float]:
    """Standard deviations of the cells' means, and of the pixels around them.

    Where a side is shorter than a cell, so are the cells; what is left beside whole cells counts for nothing.
    """
    height, width = (min(_CELL, side) for side in luma.shape)
    rows, columns = luma.shape[0] // height, luma.shape[1] // width
    cells = luma[: rows * height, : columns * width].reshape(rows, height, columns, width)
    means = cells.mean(axis=(1, 3), keepdims=True)
    return float(means.std()), float((cells - means).std())
