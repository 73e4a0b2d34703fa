"""Parts of clean photos that look under-exposed and are not: a brown door, shade, a face before a dark room.

A small photo of such a thing has the brightness and the contrast of a photo two stops under. Whole photos
rarely have; so training on them alone lights what should stay. As clean photos of their own, their parts do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDES = (288, 192)
"""Pixels a side of a part: the first for photos of ``LARGE`` pixels, the second for smaller ones."""
LARGE = 500
TRIES = 40
"""Places that are looked at in each photo."""
MEAN = (40.0, 115.0)
"""Range of a part's mean brightness, of 255: a pixel's is its brightest colour."""
BRIGHTEST = 180.0
"""What all but 0.7 % of its pixels are below: neither sky, nor lamps, nor paper, which would say that the
rest is meant."""
LEAST_SPREAD = 6.0
"""Standard deviation below which there is nothing to be seen."""


def dim_parts(
    pixels: NDArray[np.uint8], generator: np.random.Generator, most: int = 2
) -> list[NDArray[np.uint8]]:
    """Up to ``most`` square parts of a clean photo that look under-exposed, at random places.

    Args:
        pixels: (H, W, 3), 8 bits.
        generator: draws the places.
        most: parts of one photo, which may overlap.
    """
    height, width = pixels.shape[:2]
    side = SIDES[0] if min(height, width) >= LARGE else SIDES[1]
    if min(height, width) < side:
        return []
    parts = []
    for _ in range(TRIES):
        top, left = generator.integers(height - side + 1), generator.integers(width - side + 1)
        part = pixels[top : top + side, left : left + side]
        if looks_under_exposed(part):
            parts.append(part)
            if len(parts) == most:
                break
    return parts


def looks_under_exposed(part: NDArray[np.uint8]) -> bool:
    """Whether (H, W, 3) is dim, without highlights, and not empty."""
    brightest = part[::4, ::4].max(axis=2).astype(np.float64)
    return bool(
        MEAN[0] <= brightest.mean() <= MEAN[1]
        and np.percentile(brightest, 99.3) <= BRIGHTEST
        and brightest.std() > LEAST_SPREAD
    )
