"""The training loss: errors in the pixel and in the Fourier domain, and how the samples of a batch weigh."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

FOURIER_WEIGHT = 0.1
TYPICAL_DAMAGE = 0.05
"""Mean absolute error of a degraded patch at which a sample counts about once under a balance."""
LEAST_DAMAGE = 0.02
"""Keeps the weight of a clean patch at 2.5 to the power of the balance."""
LEAST_ERROR = 0.05
"""Under the logarithm: errors below it count alike. Not trained with yet; at 0.01 haze was lost within 500
steps at a high rate, though other losses lost some of it there too (docs/lab/training.md)."""

_SMOOTH = 0.02
"""Below it the root of the mean square counts by its square, above it as it is. With a root that is steep
down to 0, clean photos kept JPEG from being learned: any attempt cost more in them than it gained there
(docs/lab/training.md). The Fourier term, which is small, stays steep."""

Scale = Literal["linear", "log"]
Distance = Literal["l1", "rmse"]


def restoration_loss(
    restored: Tensor,
    clean: Tensor,
    degraded: Tensor,
    *,
    distance: Distance = "l1",
    scale: Scale = "linear",
    balance: float = 0.0,
    fourier: float = FOURIER_WEIGHT,
    colour: float = 0.0,
) -> Tensor:
    """Distance of the pixels plus ``fourier`` times the L1 distance of the Fourier coefficients, in float32,
    a mean over samples.

    The degradations differ in size: haze moves every pixel by a quarter of the range, weak noise and
    blur by a fiftieth, so that a plain mean learns from haze and hardly from noise. Two remedies:

    Args:
        restored, clean, degraded: (B, 3, H, W).
        distance: ``l1``, as in the paper, draws every pixel to the median of what it may have been; ``rmse``,
            the root of a sample's mean square (flat near 0), to the mean, which PSNR asks for.
        scale: ``log`` takes the logarithm of every sample's error, as PSNR does: what counts is by which
            share the error that is left becomes smaller.
        balance: above 0 (to 1), a sample counts by the inverse of the damage done to it, to that power.
        fourier: 0 leaves the plain L1 loss.
        colour: weight of the absolute shift of each channel's mean, which the other terms hardly see beside
            what noise leaves in the pixels, and the eye sees as a colour cast.
    """
    error = restored.float() - clean.float()
    spectrum = torch.view_as_real(torch.fft.rfft2(error, norm="ortho"))
    if distance == "rmse":
        pixels = (error.square().mean(dim=(1, 2, 3)) + _SMOOTH**2).sqrt() - _SMOOTH
    else:
        pixels = error.abs().mean(dim=(1, 2, 3))
    shift = error.mean(dim=(2, 3)).abs().mean(dim=1)
    sample = pixels + fourier * spectrum.abs().mean(dim=(1, 2, 3, 4)) + colour * shift
    if scale == "log":
        sample = LEAST_ERROR * torch.log1p(sample / LEAST_ERROR)
    damage = (degraded.float() - clean.float()).abs().mean(dim=(1, 2, 3))
    return (sample * (TYPICAL_DAMAGE / (damage + LEAST_DAMAGE)) ** balance).mean()
