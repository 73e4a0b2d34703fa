"""Photos that are fine and look as if they were not, and photos without colour.

What is dark, pale or bright on purpose is trained as a clean photo, and with noise, blur or JPEG, which alone
are to go: so darkness in a part of a photo is told from a photo that is too dark.
Images are (B, 3, H, W), RGB in sRGB's encoding, 0..1.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from anyir.model.data.camera import GAMMA
from anyir.model.data.draw import Draw

SHADOWS, DIM, PALE = 0.35, 0.25, 0.15
"""Of the photos that ``as_meant`` changes: shares of those with shadows, of dim ones and of pale ones; the
rest gets another curve."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of sRGB-encoded photos (Rec. 601)."""


def as_meant(images: Tensor, generator: Generator) -> Tensor:
    """Each photo with deep shadows, or dim, or pale, or with a brighter or darker curve that keeps black and
    white.

    Args:
        images: (B, 3, H, W).
        generator: on the images' device.
    """
    draw = Draw(len(images), generator)
    made = [change(images, draw) for change in (_with_shadows, _dim, _pale, _curved)]
    ends = torch.tensor([SHADOWS, DIM, PALE], device=images.device).cumsum(0)
    which = torch.bucketize(draw.uniform(0, 1), ends)
    return torch.stack(made)[which, torch.arange(len(images), device=images.device)]


def _with_shadows(images: Tensor, draw: Draw) -> Tensor:
    """1 to 6 stops less light in a tenth to nine tenths of the photo, with an edge from hard to soft."""
    h, w = images.shape[-2:]
    field = draw.field(h, w, 2) + 0.3 * draw.field(h, w, 6)
    level = torch.quantile(field.flatten(1), 0.5, dim=1)[:, None, None, None] + draw.maps(-0.4, 0.4)
    shadow = torch.sigmoid((field - level) * 2 ** draw.maps(1.5, 6))
    stops = draw.maps(1, 6) * shadow
    return (images.clamp(0, 1) ** GAMMA * torch.exp2(-stops)) ** (1 / GAMMA)


def _dim(images: Tensor, draw: Draw) -> Tensor:
    """0.5 to 2 stops less light all over, as a dark wall or an evening has it."""
    return images.clamp(0, 1) * torch.exp2(-draw.maps(0.5, 2.0) / GAMMA)


def _pale(images: Tensor, draw: Draw) -> Tensor:
    """Little contrast around a middle that is not bright: black up to 0.3, white down to 0.45."""
    black = draw.maps(0, 0.3)
    contrast = draw.maps(0.4, 0.85)
    return (black + contrast * images).clamp(0, 1)


def _curved(images: Tensor, draw: Draw) -> Tensor:
    return images.clamp(0, 1) ** torch.exp2(draw.maps(-0.8, 0.9))


def as_grey(images: Tensor) -> Tensor:
    """Black-and-white, stored as RGB: (B, 3, H, W) whose three channels are the luma."""
    weights = torch.tensor(LUMA, device=images.device)[:, None, None]
    return (images * weights).sum(dim=1, keepdim=True).expand_as(images)


def tint(grey: Tensor, strength: Tensor) -> Tensor:
    """An old print's tone: white and black stay, the middle goes towards brown (above 0) or blue (below).

    Args:
        grey: black-and-white, in 0..1.
        strength: (B, 1, 1, 1), about -0.3 to 0.3; 0 changes nothing.
    """
    exponents = torch.cat([-strength, 0.2 * strength, strength], dim=1)
    return grey.clamp(0, 1) ** torch.exp2(exponents)
