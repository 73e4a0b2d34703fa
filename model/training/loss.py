"""The training loss: errors in the pixel and in the Fourier domain, and how the samples of a batch weigh."""

from __future__ import annotations

import torch
from torch import Tensor

from anyir.model.training.config import LossConfig

TYPICAL_DAMAGE = 0.05
"""Mean absolute error of a degraded patch at which a sample counts about once under a balance."""
LEAST_DAMAGE = 0.02
"""Keeps the weight of a clean patch at 2.5 to the power of the balance."""

_SMOOTH = 0.02
"""Below it the root of the mean square counts by its square, above it as it is. With a root that is steep
down to 0, clean photos kept JPEG from being learned: any attempt cost more in them than it gained there
(docs/lab/loss.md). The Fourier term, which is small, stays steep."""


def restoration_loss(restored: Tensor, clean: Tensor, degraded: Tensor, config: LossConfig) -> Tensor:
    """Distance of the pixels, of the Fourier coefficients and of each channel's mean, in float32; a mean over
    samples.

    The degradations differ in size: haze moves every pixel by a quarter of the range, weak noise and
    blur by a fiftieth, so that a plain mean learns from haze and hardly from noise; ``config.balance``
    evens that out. Yet a photo that needed nothing and was changed is worse than a fault that stays:
    ``config.harm`` weighs what is farther from the clean sample than the input was.

    Args:
        restored, clean, degraded: (B, 3, H, W).
    """
    error = restored.float() - clean.float()
    spectrum = torch.view_as_real(torch.fft.rfft2(error, norm="ortho"))
    given = degraded.float() - clean.float()
    pixels = _distance(error, config)
    shift = error.mean(dim=(2, 3)).abs().mean(dim=1)
    sample = pixels + config.fourier * spectrum.abs().mean(dim=(1, 2, 3, 4)) + config.colour * shift
    sample = sample + config.harm * (pixels - _distance(given, config)).clamp_min(0)
    damage = given.abs().mean(dim=(1, 2, 3))
    return (sample * (TYPICAL_DAMAGE / (damage + LEAST_DAMAGE)) ** config.balance).mean()


def _distance(error: Tensor, config: LossConfig) -> Tensor:
    """(B, 3, H, W) -> (B,)."""
    if config.distance == "rmse":
        return (error.square().mean(dim=(1, 2, 3)) + _SMOOTH**2).sqrt() - _SMOOTH
    return error.abs().mean(dim=(1, 2, 3))
