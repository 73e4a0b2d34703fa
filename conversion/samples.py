"""The fixed set that every program is compared on: photos x degradations, one tile each.

The photos come with scikit-image. Tiles, degradations, severity and seeds are fixed and made on the
CPU; inputs are rounded to 8 bits, as photos in files are, so that everybody compares on the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEVERITY = 0.5
"""Of every degradation. For noise this is sigma 25."""
SEED = 31_000

PHOTOS: dict[str, tuple[float, float]] = {
    "astronaut": (0.0, 0.43),
    "coffee": (0.45, 0.5),
    "chelsea": (0.4, 0.55),
}
"""Photo -> where its tile lies: 0 is the top (left) edge, 1 the bottom (right) edge."""


@dataclass(frozen=True)
class Case:
    """One tile to restore, and what it was before it was degraded.

    Attributes:
        photo, kind, seed: where it comes from.
        degraded, truth: (3, T, T) uint8, RGB.
    """

    photo: str
    kind: str
    seed: int
    degraded: NDArray[np.uint8]
    truth: NDArray[np.uint8]


def make_cases(tile: int) -> list[Case]:
    """The set for one tile size, ordered by degradation, then photo. ``clean`` among the degradations shows
    that a good photo stays as it is.

    Args:
        tile: side in pixels. Photos that are smaller are enlarged until it fits.
    """
    import torch

    from anyir.model.data.degradation_registry import CLEAN, kinds_of
    from anyir.model.data.degradations import degrade

    truths = {photo: _crop(photo, tile) for photo in PHOTOS}
    cases: list[Case] = []
    for kind, number in kinds_of("parity").items():
        for index, (photo, truth) in enumerate(truths.items()):
            seed = SEED + number * len(truths) + index
            degraded = truth
            if kind != CLEAN:
                image = torch.from_numpy(truth).float()[None] / 255
                made = degrade(image, kind, severity=SEVERITY, seed=seed)[0]
                degraded = (made.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
            cases.append(Case(photo, kind, seed, degraded, truth))
    return cases


def as_input(tile: NDArray[Any]) -> NDArray[np.float32]:
    """(3, T, T) uint8 -> (1, 3, T, T) float32 in 0..1, what a ``TileModel`` takes."""
    return np.ascontiguousarray(tile[None], dtype=np.float32) / np.float32(255)


def _crop(name: str, tile: int) -> NDArray[np.uint8]:
    from PIL import Image
    from skimage import data

    photo = Image.fromarray(getattr(data, name)()).convert("RGB")
    scale = tile / min(photo.size)
    if scale > 1:
        size = (max(tile, round(photo.width * scale)), max(tile, round(photo.height * scale)))
        photo = photo.resize(size, Image.Resampling.BICUBIC)
    down, across = PHOTOS[name]
    top, left = round((photo.height - tile) * down), round((photo.width - tile) * across)
    pixels = np.asarray(photo)[top : top + tile, left : left + tile]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
