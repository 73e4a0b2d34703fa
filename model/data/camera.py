"""What a camera does to a photo after the lens: noise that went through its pipeline, and JPEG.

Both are called by ``anyir.model.data.degradations``, whose conventions hold here: (B, 3, H, W), RGB in
sRGB's encoding, 0..1, any device.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GAMMA = 2.2
"""sRGB's encoding, approximated: light adds up and blurs before it."""

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
"""Quantization tables of ITU-T T.81, annex K, which libjpeg scales by its quality."""

_BLOCK = 8
_UNIT = 16
"""Pixels a side that one coded unit covers: two blocks, as chroma has half the resolution."""


def bayer_masks(height: int, width: int, device: torch.device) -> Tensor:
    """(3, H, W): which pixels of an RGGB sensor see red, green and blue."""
    odd_row = (torch.arange(height, device=device) % 2).bool()[:, None]
    odd_column = (torch.arange(width, device=device) % 2).bool()[None]
    red, blue = ~odd_row & ~odd_column, odd_row & odd_column
    return torch.stack([red, ~(red | blue), blue]).float()


def demosaic(mosaic: Tensor) -> Tensor:
    """A sensor's (B, 1, H, W) -> (B, 3, H, W): each colour interpolated linearly from its own pixels."""
    height, width = mosaic.shape[-2:]
    masks = bayer_masks(height, width, mosaic.device)[None]
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]], device=mosaic.device)
    kernel = kernel.expand(3, 1, 3, 3)

    def spread(x: Tensor) -> Tensor:
        return F.conv2d(x, kernel, padding=1, groups=3)

    # A photo one pixel wide has no blue pixel: it stays 0 there instead of 0 / 0.
    return spread(mosaic * masks) / spread(masks).clamp_min(1e-6)


def sensor_noise(
    images: Tensor, gains: Tensor, shot: Tensor, read: Tensor, gaussian: Tensor, gamma: float
) -> Tensor:
    """A photo undone to what the sensor saw, with noise there, and developed again.

    Undone: encoding, white balance, the colours that a pixel does not see. Developed: linear
    demosaicing, white balance, clipping, encoding. (Brooks et al., "Unprocessing Images for Learned Raw
    Denoising", 2019, without its colour matrix and tone curve.)

    Args:
        images: (B, 3, H, W).
        gains: (B, 3) of the white balance, at least 1.
        shot: (B,) variance of the noise for each unit of signal.
        read: (B,) variance of the noise that is always there.
        gaussian: (B, 1, H, W) standard normal numbers.
        gamma: exponent of the encoding.
    """
    gains = gains[:, :, None, None]
    light = images.clamp(0, 1) ** gamma / gains
    height, width = images.shape[-2:]
    masks = bayer_masks(height, width, images.device)
    mosaic = (light * masks).sum(dim=1, keepdim=True)
    variance = shot[:, None, None, None] * mosaic + read[:, None, None, None]
    developed = demosaic(mosaic + variance.sqrt() * gaussian) * gains
    return developed.clamp(1e-6, 1) ** (1 / gamma)


def quantization_tables(quality: Tensor) -> Tensor:
    """libjpeg's tables for qualities (B,) in 1..100 -> (B, 2, 8, 8), luma and chroma."""
    quality = quality.round()
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None, None]
    tables = torch.tensor([_LUMA, _CHROMA], dtype=torch.float32, device=quality.device)
    return ((tables * scale.floor() + 50) / 100).floor().clamp(1, 255)


def jpeg_round_trip(images: Tensor, quality: Tensor, offset: tuple[int, int] = (0, 0)) -> Tensor:
    """What is left of photos that were saved as baseline JPEG (4:2:0) and read back, before rounding.

    Args:
        images: (B, 3, H, W).
        quality: (B,) on libjpeg's scale, 1..100.
        offset: rows and columns by which the grid of 16x16 units starts before the photo: in a crop of
            a photo it may start anywhere.
    """
    height, width = images.shape[-2:]
    top, left = offset
    bottom, right = -(top + height) % _UNIT, -(left + width) % _UNIT
    rgb = F.pad(images.clamp(0, 1) * 255, (left, right, top, bottom), mode="replicate")
    tables = quantization_tables(quality)
    luma, chroma = _to_ycc(rgb.round())
    luma = _code_blocks(luma, tables[:, :1])
    chroma = _code_blocks(F.avg_pool2d(chroma, 2), tables[:, 1:])
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    decoded = _to_rgb(luma, chroma)
    return (decoded / 255).clamp(0, 1)[..., top : top + height, left : left + width]


def _to_ycc(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """JFIF's luma (B, 1, H, W) and chroma (B, 2, H, W), all around 0."""
    red, green, blue = rgb.split(1, dim=1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma - 128, torch.cat([(blue - luma) / 1.772, (red - luma) / 1.402], dim=1)


def _to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    luma = luma + 128
    blue, red = luma + 1.772 * chroma[:, :1], luma + 1.402 * chroma[:, 1:]
    return torch.cat([red, (luma - 0.299 * red - 0.114 * blue) / 0.587, blue], dim=1)


def _code_blocks(plane: Tensor, table: Tensor) -> Tensor:
    """Every 8x8 block of (B, C, H, W) transformed, rounded to multiples of (B, 1, 8, 8), transformed back."""
    b, c, h, w = plane.shape
    place = torch.arange(_BLOCK, device=plane.device, dtype=torch.float32)
    basis = torch.cos((2 * place[None] + 1) * place[:, None] * torch.pi / 16) / 2
    basis[0] /= 2**0.5
    blocks = plane.reshape(b, c, h // _BLOCK, _BLOCK, w // _BLOCK, _BLOCK).transpose(3, 4)
    step = table[:, :, None, None]
    rounded = (basis @ blocks @ basis.T / step).round() * step
    return (basis.T @ rounded @ basis).transpose(3, 4).reshape(b, c, h, w)
