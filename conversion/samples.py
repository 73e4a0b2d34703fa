"""Tiles of sample photos: the fixed set that programs are compared on, and those that calibrate int8.

The photos come with scikit-image. Where a tile lies, its degradation, severity and seed are fixed, and all is
made on the CPU; what is degraded is rounded to 8 bits, as photos in files are. So everybody has the same
bytes. No photo is in both sets. Which degradations are in them, and with which numbers, the registry says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.model.data.degradation_registry import CLEAN, kinds_of

if TYPE_CHECKING:
    from torch import Tensor

SEVERITY = 0.5
"""Of every degradation that programs are compared on. For noise this is sigma 25."""
SEED = 31_000

PHOTOS: dict[str, tuple[float, float]] = {
    "astronaut": (0.0, 0.43),
    "coffee": (0.45, 0.5),
    "chelsea": (0.4, 0.55),
}
"""Photo of the comparison -> where its tile lies: 0 is the top (left) edge, 1 the bottom (right) edge."""

CALIBRATION_PHOTOS = ("rocket", "motorcycle_left")
CALIBRATION_SEVERITIES = (0.3, 0.8)
"""Of what is degraded on the first photo, and on the second."""
CALIBRATION_SEED = 41_000
MIDDLE = 0.4999
"""Where a calibration tile lies: rounded down where the middle is between two pixels."""


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
    """The set that programs are compared on, for one tile size, ordered by degradation, then photo.

    ``clean`` is among the degradations: it shows that a good photo stays as it is.

    Args:
        tile: side in pixels. Photos that are smaller are enlarged until it fits.
    """
    truths = {photo: crop(photo, tile, *place) for photo, place in PHOTOS.items()}
    cases: list[Case] = []
    for kind, number in kinds_of("parity").items():
        for index, (photo, truth) in enumerate(truths.items()):
            seed = SEED + number * len(truths) + index
            degraded = truth if kind == CLEAN else degraded_tile(truth, kind, SEVERITY, seed)
            cases.append(Case(photo, kind, seed, degraded, truth))
    return cases


def parity_cases(tile: int) -> list[Case]:
    """One tile a degradation of that set, with the photos in turn: what a conversion is checked on."""
    cases = make_cases(tile)
    return [cases[i + (i // len(PHOTOS)) % len(PHOTOS)] for i in range(0, len(cases), len(PHOTOS))]


def calibration_tiles(tile: int) -> list[Tensor]:
    """(1, 3, T, T) float32 inputs that fix the ranges of static quantization.

    Each photo as it is, and each degradation of the set on one of them.
    """
    import torch

    truths = [crop(photo, tile, MIDDLE, MIDDLE) for photo in CALIBRATION_PHOTOS]
    tiles = list(truths)
    for kind, number in kinds_of("calibration").items():
        turn = number % len(CALIBRATION_PHOTOS)
        severity, seed = CALIBRATION_SEVERITIES[turn], CALIBRATION_SEED + number
        tiles.append(degraded_tile(truths[turn], kind, severity, seed))
    return [torch.from_numpy(as_input(pixels)) for pixels in tiles]


def describe_calibration() -> str:
    """One line for the manifest."""
    photos, kinds = ", ".join(CALIBRATION_PHOTOS), ", ".join(kinds_of("calibration"))
    low, high = CALIBRATION_SEVERITIES
    return (
        f"{photos} (scikit-image) clean, and in turn with {kinds}, at severity {low} and {high}, "
        f"seed {CALIBRATION_SEED}"
    )


def as_input(tile: NDArray[Any]) -> NDArray[np.float32]:
    """(3, T, T) uint8 -> (1, 3, T, T) float32 in 0..1, what a ``TileModel`` takes."""
    return np.ascontiguousarray(tile[None], dtype=np.float32) / np.float32(255)


def degraded_tile(truth: NDArray[np.uint8], kind: str, severity: float, seed: int) -> NDArray[np.uint8]:
    """A degraded copy of a tile, (3, T, T) uint8."""
    import torch

    from anyir.model.data.degradations import degrade

    made = degrade(torch.from_numpy(as_input(truth)), kind, severity=severity, seed=seed)[0]
    return (made.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def crop(photo: str, tile: int, down: float, across: float) -> NDArray[np.uint8]:
    """A tile of one of scikit-image's photos, (3, T, T); the photo is enlarged where it is smaller.

    Args:
        down, across: where the tile lies: 0 is the top (left) edge, 1 the bottom (right) edge.
    """
    from PIL import Image
    from skimage import data

    pixels = data.stereo_motorcycle()[0] if photo == "motorcycle_left" else getattr(data, photo)()
    image = Image.fromarray(pixels).convert("RGB")
    scale = tile / min(image.size)
    if scale > 1:
        size = (max(tile, round(image.width * scale)), max(tile, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    top, left = round((image.height - tile) * down), round((image.width - tile) * across)
    cut = np.asarray(image)[top : top + tile, left : left + tile]
    return np.ascontiguousarray(cut.transpose(2, 0, 1))
