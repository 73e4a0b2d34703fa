"""Noise as files have it (grey, coarse, smoothed, stuck pixels), and pictures that were saved twice.

Called by ``anyir.model.data.degradations``, whose conventions hold here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from anyir.model.data.camera import jpeg_round_trip
from anyir.model.data.draw import Draw, per_image
from anyir.model.data.kernels import filter_each, gaussian_kernels


def grain(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Noise of deviation 2 to 42 of 255, grey or coloured, fine or up to 5 pixels coarse.

    Two photos of five have grey noise, as film and scans have it, the others any mixture of grey and
    colour. It is stronger in the light, in the dark or in the middle, or the same everywhere. A third have
    blotches of colour besides, a quarter were smoothed by a camera.
    """
    sigma = per_image(2 + 40 * severity**1.4) / 255
    grey = torch.where(draw.chance(0.4) > 0, torch.ones_like(sigma), draw.maps(0, 1))
    noise = draw.normal(*images.shape[1:])
    noise = (1 - grey) * noise + grey * noise[:, :1]
    coarse = filter_each(noise, gaussian_kernels(draw.uniform(0.3, 1.6), 11))
    coarse = coarse / coarse.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    noise = torch.where(draw.chance(0.6) > 0, coarse, noise)
    where, luma = draw.maps(0, 1), images.mean(dim=1, keepdim=True).clamp(0, 1)
    middle = 0.4 + 2.4 * luma * (1 - luma)
    level = torch.where(where < 0.2, 0.3 + luma, torch.where(where < 0.4, 1.3 - luma, middle))
    noise = noise * torch.where(where < 0.6, level, torch.ones_like(level))
    noise = noise + draw.chance(0.33) * (1 - grey) * _blotches(images, draw)
    noisy = images + sigma * noise
    smooth = filter_each(noisy, gaussian_kernels(draw.uniform(0.6, 1.2), 7))
    return (noisy + draw.chance(0.25) * draw.maps(0.3, 0.8) * (smooth - noisy)).clamp(0, 1)


def _blotches(images: Tensor, draw: Draw) -> Tensor:
    """Colour that wanders over some 4 to 12 pixels, without brightness of its own."""
    h, w = images.shape[-2:]
    small = draw.normal(3, h // 4 + 2, w // 4 + 2)
    wide = F.interpolate(small, scale_factor=4, mode="bicubic", align_corners=False)[..., :h, :w]
    return 0.5 * (wide - wide.mean(dim=1, keepdim=True))


def impulse_noise(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Salt and pepper: 0.2 to 12 % of the pixels are white or black, in all channels at once or in each by
    itself."""
    single = draw.chance(0.5)
    uniform = draw.uniform_like(images)
    uniform = torch.where(single > 0, uniform, uniform[:, :1])
    half = per_image(0.002 + 0.118 * severity**2) / 2
    salted = torch.where(uniform < half, torch.zeros_like(images), images)
    return torch.where(uniform > 1 - half, torch.ones_like(images), salted)


def web_copy(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """A picture that went round the web: shrunk to 1 / 1.1 to 1 / 2.6, saved, enlarged and saved again.

    JPEG of quality 92 to 30 while it is small, 95 to 60 when it is large again.
    """
    h, w = images.shape[-2:]
    factors = 1.1 + 1.5 * severity * draw.uniform(0.6, 1.0)
    small_quality, large_quality = 92 - 62 * severity * draw.uniform(0.5, 1), draw.uniform(60, 95)
    copies = []
    for image, factor, quality in zip(images, factors.tolist(), small_quality, strict=True):
        size = (max(8, round(h / factor)), max(8, round(w / factor)))
        small = F.interpolate(image[None], size, mode="bicubic", antialias=True, align_corners=False)
        small = jpeg_round_trip(small, quality[None])
        copies.append(F.interpolate(small, (h, w), mode="bicubic", align_corners=False))
    return jpeg_round_trip(torch.cat(copies), large_quality)
