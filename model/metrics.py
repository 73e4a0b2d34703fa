"""The project's one PSNR and one SSIM, by PromptIR's protocol (scikit-image's defaults, full RGB)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

SSIM_WINDOW = 7
EQUAL = 100.0
"""dB that equal images count in a mean, which infinity would leave without a value."""
WORSE_DB = 0.1
"""A photo that loses more than this is worse than its input."""
HARM_DB = 36.0
"""A photo that was fine is worse below this PSNR to itself: about where one sees it beside the original."""


def psnr(*, image: Any, reference: Any, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB over all values; infinity for equal inputs.

    Args:
        image: tensor or array of any shape.
        reference: the same shape.
        data_range: the largest possible value minus the smallest: 1.0 or 255.

    Raises:
        ValueError: shapes differ.
    """
    image, reference = _pair(image, reference)
    mse = (image - reference).square().mean()
    return float(10 * torch.log10(data_range**2 / mse)) if mse > 0 else float("inf")


def mean_psnr(pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Mean PSNR of (image, reference) pairs of range 1, in dB, each at most ``EQUAL``."""
    scores = [min(psnr(image=image, reference=clean, data_range=1.0), EQUAL) for image, clean in pairs]
    return sum(scores) / len(scores)


def ssim(*, image: Any, reference: Any, data_range: float) -> float:
    """Mean structural similarity over channels and pixels, in -1..1.

    A uniform 7x7 window and the sample covariance, borders left out: what
    ``skimage.metrics.structural_similarity`` computes by default and PromptIR reports.

    Args:
        image: tensor or array (C, H, W) or (B, C, H, W), height and width at least 7.
        reference: the same shape.
        data_range: the largest possible value minus the smallest: 1.0 or 255.

    Raises:
        ValueError: shapes differ, or the images are smaller than the window.
    """
    x, y = _pair(image, reference)
    if x.ndim not in (3, 4) or min(x.shape[-2:]) < SSIM_WINDOW:
        raise ValueError(f"SSIM needs (C, H, W) or (B, C, H, W) of at least 7x7 pixels, not {tuple(x.shape)}")
    x, y = x.reshape(-1, 1, *x.shape[-2:]), y.reshape(-1, 1, *y.shape[-2:])
    n = SSIM_WINDOW**2

    def mean(t: Tensor) -> Tensor:
        return F.avg_pool2d(t, SSIM_WINDOW, stride=1)

    mean_x, mean_y = mean(x), mean(y)
    unbiased = n / (n - 1)
    variance_x = unbiased * (mean(x * x) - mean_x**2)
    variance_y = unbiased * (mean(y * y) - mean_y**2)
    covariance = unbiased * (mean(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float((luminance * structure).mean())


def _pair(image: Any, reference: Any) -> tuple[Tensor, Tensor]:
    image, reference = torch.as_tensor(image).double(), torch.as_tensor(reference).double()
    if image.shape != reference.shape:
        raise ValueError(f"shapes differ: {tuple(image.shape)} and {tuple(reference.shape)}")
    return image, reference
