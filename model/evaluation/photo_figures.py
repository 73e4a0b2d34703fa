"""What can be said of a photo without its truth: haze, darkness, noise, sharpness, and how much changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch.nn.functional as F
from torch import Tensor

from anyir.model.evaluation.conditions import luma
from anyir.model.metrics import EQUAL, psnr

PATCH = 15
"""Side of the squares in which the dark channel looks for a dark pixel (He, Sun, Tang 2009)."""
MEDIAN_OF_NORMAL = 0.6745
"""Median of a normal variable's absolute value, by its standard deviation."""


@dataclass(frozen=True)
class PhotoFigures:
    """Figures of one photo.

    Attributes:
        dark_channel: mean of the dark channel, 0..1: near 0 outdoors, and what haze adds.
        median: median brightness, 0..1; of a well exposed photo about 0.25 to 0.6.
        contrast: standard deviation of the brightness, 0..1.
        noise: standard deviation of the noise in the brightness, of 255, as its finest detail has it; fine
            texture counts too.
        detail: mean step of the brightness from pixel to pixel, of 255.
        clipped: share of pixels with a colour at either end of the range, 0..1.
    """

    dark_channel: float
    median: float
    contrast: float
    noise: float
    detail: float
    clipped: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def measure_photo(photo: Tensor) -> PhotoFigures:
    """Figures of a photo, (1, 3, H, W) in 0..1, of at least 2x2 pixels."""
    grey = luma(photo)
    across, down = grey.diff(dim=3).abs().mean(), grey.diff(dim=2).abs().mean()
    at_ends = ((photo <= 1 / 255) | (photo >= 254 / 255)).any(dim=1)
    return PhotoFigures(
        dark_channel=float(dark_channel(photo).mean()),
        median=float(grey.median()),
        contrast=float(grey.std(correction=0)),
        noise=noise_level(grey),
        detail=float(across + down) / 2 * 255,
        clipped=float(at_ends.float().mean()),
    )


def dark_channel(photo: Tensor, patch: int = PATCH) -> Tensor:
    """The darkest of all colours and pixels around each: (B, 3, H, W) -> (B, 1, H, W)."""
    half = patch // 2
    darkest = photo.amin(dim=1, keepdim=True)
    padded = F.pad(-darkest, (half, half, half, half), value=float("-inf"))
    return -F.max_pool2d(padded, patch, stride=1)


def noise_level(grey: Tensor) -> float:
    """Standard deviation of white noise, of 255, from the diagonal differences of 2x2 squares.

    Args:
        grey: (1, 1, H, W) in 0..1. Their median leaves out edges, and texture unless it is everywhere.
    """
    height, width = grey.shape[-2] // 2 * 2, grey.shape[-1] // 2 * 2
    grey = grey[..., :height, :width]
    a, b = grey[..., ::2, ::2], grey[..., ::2, 1::2]
    c, d = grey[..., 1::2, ::2], grey[..., 1::2, 1::2]
    diagonal = (a - b - c + d) / 2
    return float(diagonal.abs().median()) / MEDIAN_OF_NORMAL * 255


def change(before: Tensor, after: Tensor) -> dict[str, float]:
    """How far a restored photo is from its input: ``psnr`` in dB, at most ``EQUAL``; ``shift`` of the mean
    brightness, of 255; ``tint``: by how much the three colours shift apart, of 255."""
    shifts = (after - before).mean(dim=(0, 2, 3)) * 255
    return {
        "psnr": min(psnr(image=after, reference=before, data_range=1.0), EQUAL),
        "shift": float(luma(after).mean() - luma(before).mean()) * 255,
        "tint": float(shifts.max() - shifts.min()),
    }
