"""Random numbers for degradations: for one batch, from one generator, on its device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


class Draw:
    """Random numbers for one batch, from one generator on one device."""

    def __init__(self, batch: int, generator: Generator) -> None:
        self.batch, self.generator, self.device = batch, generator, generator.device

    def uniform(self, low: float, high: float) -> Tensor:
        """(B,) values in low..high."""
        return low + (high - low) * torch.rand(self.batch, generator=self.generator, device=self.device)

    def maps(self, low: float, high: float) -> Tensor:
        """(B, 1, 1, 1) values in low..high, to be multiplied with images."""
        return per_image(self.uniform(low, high))

    def chance(self, share: float) -> Tensor:
        """(B, 1, 1, 1) of 1 with the probability ``share``, else 0."""
        return (self.maps(0, 1) < share).float()

    def uniform_like(self, images: Tensor) -> Tensor:
        """(B, C, H, W) values in 0..1, of a shape like the images'."""
        return torch.rand(images.shape, generator=self.generator, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(self.batch, *shape, generator=self.generator, device=self.device)

    def field(self, height: int, width: int, cells: int) -> Tensor:
        """(B, 1, H, W) smooth random map in about -1..1, with ``cells`` bumps a side."""
        coarse = self.normal(1, cells + 2, cells + 2)
        return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True).clamp(-2, 2) / 2

    def points(self, height: int, width: int, density: Tensor) -> Tensor:
        """(B, 1, H, W) map that is 0 but for a share ``density`` (B,) of pixels, in 0.5..1 there."""
        uniform = torch.rand(self.batch, 1, height, width, generator=self.generator, device=self.device)
        density = density[:, None, None, None]
        return (uniform < density) * (0.5 + 0.5 * uniform / density.clamp_min(1e-9))


def per_image(values: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1, 1), to be multiplied with images."""
    return values[:, None, None, None]
