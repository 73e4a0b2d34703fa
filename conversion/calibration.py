"""Degraded photos that fix the ranges of static quantization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyir.model.data.degradation_registry import kinds_of

if TYPE_CHECKING:
    from torch import Tensor

PHOTOS = ("rocket", "motorcycle_left")
"""Of scikit-image; none of them is in the parity set (``anyir.conversion.samples``)."""
SEVERITIES = (0.3, 0.8)
SEED = 41_000


def describe() -> str:
    """One line for the manifest."""
    return (
        f"{', '.join(PHOTOS)} (scikit-image) clean, and in turn with {', '.join(kinds_of('calibration'))}, "
        f"at severity {SEVERITIES[0]} and {SEVERITIES[1]}, seed {SEED}"
    )


def calibration_tiles(tile: int) -> list[Tensor]:
    """(1, 3, tile, tile) float32 inputs: each photo clean, and each kind of degradation on one of them."""
    from anyir.model.data.degradations import degrade

    cleans = [_middle(photo, tile) for photo in PHOTOS]
    tiles = list(cleans)
    for kind, number in kinds_of("calibration").items():
        turn = number % len(PHOTOS)
        degraded = degrade(cleans[turn], kind, severity=SEVERITIES[turn], seed=SEED + number)
        # Photos in files are rounded to 8 bits.
        tiles.append((degraded.clamp(0, 1) * 255).round() / 255)
    return tiles


def _middle(name: str, tile: int) -> Tensor:
    """The middle of a photo, which is enlarged where it is smaller than the tile."""
    import numpy as np
    import torch
    from PIL import Image
    from skimage import data

    pixels = data.stereo_motorcycle()[0] if name == "motorcycle_left" else getattr(data, name)()
    photo = Image.fromarray(pixels).convert("RGB")
    scale = max(1.0, tile / min(photo.size))
    size = (max(tile, round(photo.width * scale)), max(tile, round(photo.height * scale)))
    photo = photo.resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - tile) // 2, (size[1] - tile) // 2
    crop = np.asarray(photo.crop((left, top, left + tile, top + tile)), np.float32) / 255
    return torch.from_numpy(crop).permute(2, 0, 1)[None].contiguous()
