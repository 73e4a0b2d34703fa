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

from anyir.model.config import TileSize
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
CALIBRATION_TILES = 4
"""A calibration photo is cut to at most so many tiles a side: small tiles need no large photo."""
SENSITIVITY_SEED = 51_000
SENSITIVITY_PLACE = (0.2, 0.25)
"""Where a tile lies that shows what 8 bits cost: away from the middle, where those lie that calibrate."""
RAMPS = ((8, 40), (10, 42), (12, 44)), ((96, 128), (138, 166), (200, 224))
"""First and last value of each channel of a smooth ramp: shadows, and a sky."""
MIDDLE = 0.4999
"""Where a calibration tile lies: rounded down where the middle is between two pixels."""


@dataclass(frozen=True)
class Case:
    """One tile to restore, and what it was before it was degraded.

    Attributes:
        photo, kind, seed: where it comes from.
        degraded, truth: (3, H, W) uint8, RGB.
    """

    photo: str
    kind: str
    seed: int
    degraded: NDArray[np.uint8]
    truth: NDArray[np.uint8]


def make_cases(tile: int | TileSize) -> list[Case]:
    """The set that programs are compared on, for one tile size, ordered by degradation, then photo.

    ``clean`` is among the degradations: it shows that a good photo stays as it is.

    Args:
        tile: side in pixels, or height and width. Photos that are smaller are enlarged until it fits.
    """
    truths = {photo: crop(photo, tile, *place) for photo, place in PHOTOS.items()}
    cases: list[Case] = []
    for kind, number in kinds_of("parity").items():
        for index, (photo, truth) in enumerate(truths.items()):
            seed = SEED + number * len(truths) + index
            degraded = truth if kind == CLEAN else degraded_tile(truth, kind, SEVERITY, seed)
            cases.append(Case(photo, kind, seed, degraded, truth))
    return cases


def parity_cases(tile: int | TileSize) -> list[Case]:
    """One tile a degradation of that set, with the photos in turn: what a conversion is checked on."""
    cases = make_cases(tile)
    return [cases[i + (i // len(PHOTOS)) % len(PHOTOS)] for i in range(0, len(cases), len(PHOTOS))]


def calibration_pairs(tile: int, tile_size: TileSize | None = None) -> list[tuple[Tensor, Tensor]]:
    """Sheets and tiles that fix the ranges of static quantization, float32, a pair a photo: (1, 3, T, T), and
    of ``tile_size`` where that is given.

    Each photo as it is, and each degradation of the set on one of them: on a tile of it, and likewise on the
    photo, whose sheet is what an app would look at.
    """
    import torch

    from anyir.model.restore.look import make_sheet

    size = tile_size or TileSize.of(tile)
    least = TileSize(*(max(tile, side) for side in size))
    most = TileSize(*(CALIBRATION_TILES * side for side in least))
    photos = [middle(whole_photo(photo, least), most) for photo in CALIBRATION_PHOTOS]
    pairs = [(photo, middle(photo, size)) for photo in photos]
    clean = list(pairs)
    for kind, number in kinds_of("calibration").items():
        turn = number % len(CALIBRATION_PHOTOS)
        severity, seed = CALIBRATION_SEVERITIES[turn], CALIBRATION_SEED + number
        photo, cut = (degraded_tile(pixels, kind, severity, seed) for pixels in clean[turn])
        pairs.append((photo, cut))
    sheets = [make_sheet(photo.transpose(1, 2, 0), tile).transpose(2, 0, 1) for photo, _ in pairs]
    return [
        (torch.from_numpy(as_input(sheet)), torch.from_numpy(as_input(cut)))
        for sheet, (_, cut) in zip(sheets, pairs, strict=True)
    ]


def sensitivity_cases(tile: int) -> list[Case]:
    """Tiles that show what a module in 8 bits costs: each degradation of the compared set, mild and severe,
    on parts of the calibration photos that calibrate nothing, in turn. ``clean`` is among them."""
    truths = [(photo, crop(photo, tile, *SENSITIVITY_PLACE)) for photo in CALIBRATION_PHOTOS]
    cases = []
    for kind, number in kinds_of("parity").items():
        for turn, severity in enumerate(CALIBRATION_SEVERITIES):
            photo, truth = truths[(number + turn) % len(truths)]
            seed = SENSITIVITY_SEED + number * len(CALIBRATION_SEVERITIES) + turn
            degraded = truth if kind == CLEAN else degraded_tile(truth, kind, severity, seed)
            cases.append(Case(photo, kind, seed, degraded, truth))
    return cases


def ramps(tile: int | TileSize) -> list[NDArray[np.uint8]]:
    """Smooth ramps from left to right, (3, H, W), as shadows and a sky have them: where steps show first."""
    size = TileSize.of(tile)
    return [
        np.stack(
            [
                np.broadcast_to(np.linspace(low, high, size.width).round().astype(np.uint8), size)
                for low, high in ends
            ]
        )
        for ends in RAMPS
    ]


def describe_sensitivity() -> str:
    """One line for the data."""
    low, high = CALIBRATION_SEVERITIES
    photos, kinds = ", ".join(CALIBRATION_PHOTOS), ", ".join(kinds_of("parity"))
    return f"{photos} (scikit-image) with {kinds}, each at severity {low} and {high}, seed {SENSITIVITY_SEED}"


def describe_calibration() -> str:
    """One line for the manifest."""
    photos, kinds = ", ".join(CALIBRATION_PHOTOS), ", ".join(kinds_of("calibration"))
    low, high = CALIBRATION_SEVERITIES
    return (
        f"{photos} (scikit-image) clean, and in turn with {kinds}, at severity {low} and {high}, "
        f"seed {CALIBRATION_SEED}: a sheet and a tile of each"
    )


def as_input(tile: NDArray[Any]) -> NDArray[np.float32]:
    """(3, H, W) uint8 -> (1, 3, H, W) float32 in 0..1, what a ``TileModel`` takes."""
    return np.ascontiguousarray(tile[None], dtype=np.float32) / np.float32(255)


def degraded_tile(truth: NDArray[np.uint8], kind: str, severity: float, seed: int) -> NDArray[np.uint8]:
    """A degraded copy of a tile or a photo, (3, H, W) uint8."""
    import torch

    from anyir.model.data.degradations import degrade

    made = degrade(torch.from_numpy(as_input(truth)), kind, severity=severity, seed=seed)[0]
    return (made.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def crop(photo: str, tile: int | TileSize, down: float, across: float) -> NDArray[np.uint8]:
    """A tile of one of scikit-image's photos, (3, H, W), as ``whole_photo`` and ``cut_tile`` make it."""
    return cut_tile(whole_photo(photo, tile), tile, down, across)


def whole_photo(photo: str, least: int | TileSize) -> NDArray[np.uint8]:
    """One of scikit-image's photos, (3, H, W), enlarged where a side is shorter than ``least``."""
    height, width = TileSize.of(least)
    from PIL import Image
    from skimage import data

    pixels = data.stereo_motorcycle()[0] if photo == "motorcycle_left" else getattr(data, photo)()
    image = Image.fromarray(pixels).convert("RGB")
    scale = max(height / image.height, width / image.width)
    if scale > 1:
        size = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def middle(photo: NDArray[np.uint8], most: int | TileSize) -> NDArray[np.uint8]:
    """The middle of a photo, (3, H, W), at most ``most`` pixels a side."""
    height, width = map(min, TileSize.of(most), photo.shape[1:])
    top, left = round((photo.shape[1] - height) * MIDDLE), round((photo.shape[2] - width) * MIDDLE)
    return np.ascontiguousarray(photo[:, top : top + height, left : left + width])


def cut_tile(photo: NDArray[np.uint8], tile: int | TileSize, down: float, across: float) -> NDArray[np.uint8]:
    """A tile of a photo, (3, H, W) -> (3, h, w).

    Args:
        down, across: where the tile lies: 0 is the top (left) edge, 1 the bottom (right) edge.
    """
    height, width = TileSize.of(tile)
    top, left = round((photo.shape[1] - height) * down), round((photo.shape[2] - width) * across)
    return np.ascontiguousarray(photo[:, top : top + height, left : left + width])
