"""Night photos that are meant to be dark: small, and their parts with lamps or bright edges enlarged.

A phone's night photo is soft at full size, and a small copy of it shows little but darkness. Weights trained
without such photos lift the sky and leave dark rings round lamps (docs/lab/teachers.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_MEAN = 90.0
"""Mean brightness, of 255, below which a photo is dark."""
SHORT_SIDES = (320, 480)
"""Of the whole photo shrunk, if it is as large."""
TRIES = 12
"""Places that are looked at for the part with the most contrast."""
ENLARGED = (340, 480)
"""Pixels that this part is enlarged to."""


def night_parts(pixels: NDArray[np.uint8], generator: np.random.Generator) -> list[NDArray[np.uint8]]:
    """A dark photo as up to three: the whole at two sizes, and the part with the largest contrast enlarged.

    Args:
        pixels: (H, W, 3), 8 bits, no side below 64.
        generator: draws the places, the part's size and its weak noise.

    Returns:
        Nothing if the photo is not dark.
    """
    brightness = pixels.mean(axis=2)
    if brightness.mean() >= MOST_MEAN:
        return []
    photo = Image.fromarray(pixels)
    short, parts = min(photo.size), []
    for goal in SHORT_SIDES:
        if short >= goal:
            width, height = (round(side * goal / short) for side in photo.size)
            parts.append(np.asarray(photo.resize((width, height), Image.Resampling.LANCZOS)))
    side = int(short * generator.uniform(0.4, 0.7))
    places = [
        tuple(int(generator.integers(longer - side + 1)) for longer in photo.size) for _ in range(TRIES)
    ]
    left, top = max(places, key=lambda at: brightness[at[1] : at[1] + side, at[0] : at[0] + side].std())
    enlarged = int(generator.integers(*ENLARGED))
    part = photo.crop((left, top, left + side, top + side)).resize((enlarged, enlarged))
    values = np.asarray(part, np.float64)
    values = values + generator.normal(0, generator.uniform(0.2, 1.2), values.shape)
    return [*parts, np.clip(np.rint(values), 0, 255).astype(np.uint8)]
