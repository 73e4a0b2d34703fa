"""Parts of clean photos that look hazy and are not: a wall, paper, snow, a beach, what is before white.

They have haze's pale colours and little contrast, and hardly a dark pixel. Weights trained without them took
38 of 255 from a photo of a grey wall (docs/lab/teachers.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import minimum_filter

LONGEST = 700
"""Side in pixels that a larger photo is shrunk to, so that its parts show something."""
TRIES = 14
"""Places that are looked at in each photo."""
ENLARGED = (336, 440)
"""Pixels that a part is enlarged to: the largest region that several crops of one photo come from is 320."""
LEAST_DARK_CHANNEL, MOST_SPREAD, LEAST_DETAIL = 0.28, 0.17, 0.004
"""Mean of the darkest colour within 18 pixels (He et al. 2009), standard deviation of the brightness, and its
mean difference from pixel to pixel, below which there is nothing to be seen; all of a range of 0..1."""
MEAN = (0.32, 0.85)
"""Range of the mean brightness."""


def looks_hazy(part: NDArray[np.uint8]) -> bool:
    """Whether (H, W, 3) is pale, of little contrast, and neither dark nor white nor empty."""
    values = part[::2, ::2].astype(np.float64) / 255
    brightness = values.mean(axis=2)
    return bool(
        MEAN[0] < brightness.mean() < MEAN[1]
        and brightness.std() < MOST_SPREAD
        and np.abs(np.diff(brightness, axis=0)).mean() > LEAST_DETAIL
        and minimum_filter(values.min(axis=2), 9).mean() > LEAST_DARK_CHANNEL
    )


def pale_parts(
    pixels: NDArray[np.uint8], generator: np.random.Generator, most: int = 2
) -> list[NDArray[np.uint8]]:
    """Up to ``most`` squares of a clean photo that look hazy, enlarged; some made grey, blurred or darker.

    Args:
        pixels: (H, W, 3), 8 bits.
        generator: draws the places and the changes.
        most: parts of one photo, which may overlap.
    """
    photo = Image.fromarray(pixels)
    photo.thumbnail((LONGEST, LONGEST))
    short, parts = min(photo.size), []
    for _ in range(TRIES):
        side = int(short * generator.uniform(0.35, 0.85))
        left, top = (int(generator.integers(longer - side + 1)) for longer in photo.size)
        part = photo.crop((left, top, left + side, top + side))
        if side >= 32 and looks_hazy(np.asarray(part)):
            parts.append(_varied(part, generator))
            if len(parts) == most:
                break
    return parts


def _varied(part: Image.Image, generator: np.random.Generator) -> NDArray[np.uint8]:
    side = int(generator.integers(*ENLARGED))
    part = part.resize((side, side), Image.Resampling.BICUBIC)
    if generator.random() < 0.3:
        part = part.convert("L").convert("RGB")
    if generator.random() < 0.25:
        part = part.filter(ImageFilter.GaussianBlur(generator.uniform(0.5, 2)))
    values = np.asarray(part, np.float64)
    if generator.random() < 0.3:
        values = values * generator.uniform(0.75, 1.1)
    if generator.random() < 0.5:
        values = values + generator.normal(0, generator.uniform(0.2, 1), values.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
