"""Blur kernels, and how a batch is filtered with one for each image.

Images are (B, C, H, W), kernels (B, k, k) with an odd side k, each summing to 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def offsets(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pixel offsets (y, x) from the centre of a ``size`` x ``size`` kernel, each (size, size)."""
    axis = torch.arange(size, device=device, dtype=torch.float32) - size // 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return y, x


def path_kernels(length: Tensor, angle: Tensor, bend: Tensor, size: int, width: float = 0.6) -> Tensor:
    """Kernels along curved paths: motion blur, and the shape of a rain streak.

    Args:
        length: (B,) path length in pixels, below ``size``.
        angle: (B,) direction in radians, 0 along x.
        bend: (B,) sideways deviation of the path's ends as a share of its length.
        size: odd kernel size.
        width: standard deviation across the path, in pixels.

    Returns:
        (B, size, size), each summing to 1.
    """
    y, x = offsets(size, length.device)
    steps = torch.linspace(-0.5, 0.5, size, device=length.device)
    along = steps[None] * length[:, None]  # (B, size)
    aside = (4 * steps[None] ** 2 - 0.33) * (bend * length)[:, None]
    cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
    path_x, path_y = along * cos - aside * sin, along * sin + aside * cos
    # (B, size, size, points): squared distance of every kernel pixel to every point of the path
    distance = (x[..., None] - path_x[:, None, None]) ** 2 + (y[..., None] - path_y[:, None, None]) ** 2
    return _normalised(torch.exp(-distance / (2 * width**2)).sum(-1))


def disk_kernels(radius: Tensor, size: int) -> Tensor:
    """Disks with an edge one pixel soft, (B,) radii -> (B, size, size), each summing to 1."""
    y, x = offsets(size, radius.device)
    return _normalised((radius[:, None, None] + 0.5 - torch.hypot(y, x)).clamp(0, 1))


def gaussian_kernels(deviation: Tensor, size: int) -> Tensor:
    """Gaussians, (B,) standard deviations in pixels -> (B, size, size), each summing to 1."""
    y, x = offsets(size, deviation.device)
    return _normalised(torch.exp(-(y**2 + x**2) / (2 * deviation.clamp_min(1e-3)[:, None, None] ** 2)))


def _normalised(kernels: Tensor) -> Tensor:
    return kernels / kernels.sum(dim=(1, 2), keepdim=True)


def filter_each(images: Tensor, kernels: Tensor) -> Tensor:
    """Filter every image of (B, C, H, W) with its own kernel of (B, k, k); borders are replicated."""
    b, c, h, w = images.shape
    pad = kernels.shape[-1] // 2
    padded = F.pad(images, (pad, pad, pad, pad), mode="replicate")
    weight = kernels.repeat_interleave(c, dim=0)[:, None].to(images.dtype)
    return F.conv2d(padded.reshape(1, b * c, *padded.shape[-2:]), weight, groups=b * c).reshape(b, c, h, w)
