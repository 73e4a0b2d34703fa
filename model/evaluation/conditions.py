"""What clean photos are turned into before they are judged: noise, JPEG, darkness, black-and-white."""

from __future__ import annotations

import io
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from anyir.model.data.mixture import as_stored
from anyir.model.data.scenes import LUMA

Condition = Callable[[Tensor, Generator], tuple[Tensor, Tensor]]
"""(clean (1, 3, H, W) in 0..1, generator) -> (degraded, truth), both of that shape; the truth is the clean
photo, but for black-and-white."""

JPEG_QUALITIES = (10, 30, 50, 70, 90)
STOPS = (3, 5)


def luma(photo: Tensor) -> Tensor:
    """Brightness of (B, 3, H, W), sRGB-encoded: (B, 1, H, W)."""
    weights = torch.tensor(LUMA, dtype=photo.dtype).view(1, 3, 1, 1)
    return (photo * weights).sum(dim=1, keepdim=True)


def gaussian(sigma: float, *, channels: int = 3, grey_photo: bool = False) -> Condition:
    """White noise of ``sigma`` on the 0..255 scale, not clipped.

    Args:
        channels: 3 for noise of its own in each colour, 1 for the same in all.
        grey_photo: whether the photo is turned black-and-white first, which is then the truth.
    """

    def condition(clean: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        truth = luma(clean).expand_as(clean).contiguous() if grey_photo else clean
        noise = torch.randn(1, channels, *clean.shape[-2:], generator=generator)
        return truth + noise * (sigma / 255), truth

    return condition


def jpeg(quality: int) -> Condition:
    """A JPEG file as Pillow writes it, its colours halved in width and height (4:2:0)."""

    def condition(clean: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        import numpy as np
        from PIL import Image

        file = io.BytesIO()
        pixels = (as_stored(clean)[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        with Image.open(file) as image:
            decoded = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
        return decoded.float() / 255, clean

    return condition


def underexposed(stops: float) -> Condition:
    """Light divided by 2 to the power of ``stops``, then stored with 8 bits."""

    def condition(clean: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        return as_stored(to_srgb(to_linear(clean) / 2**stops)), clean

    return condition


def unchanged(clean: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """The photo as it is: whatever a network changes is harm."""
    return clean, clean


def to_linear(encoded: Tensor) -> Tensor:
    """sRGB's encoding undone: light, 0..1."""
    return torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def to_srgb(light: Tensor) -> Tensor:
    """Light, 0..1, in sRGB's encoding."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp_min(1e-12) ** (1 / 2.4) - 0.055)


UNCHANGED = "unchanged"

CONDITIONS: dict[str, Condition] = {
    UNCHANGED: unchanged,
    "grey-noise-25": gaussian(25, channels=1),
    "bw-noise-25": gaussian(25, channels=1, grey_photo=True),
    **{f"jpeg-{quality}": jpeg(quality) for quality in JPEG_QUALITIES},
    **{f"dark-{stops}": underexposed(stops) for stops in STOPS},
}
"""By the names that ``anyir eval --as`` takes. Noise in colour is ``--sigma``."""
