"""A photo's pixels as a model takes them: three colours in 0..1, in planes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.model.errors import UserError


def is_neutral(image: NDArray[Any]) -> bool:
    """Whether a photo (H, W, C) has no colour: three channels that are equal everywhere."""
    bands = (image[y : y + 64] for y in range(0, len(image), 64))
    return all((b[..., 0] == b[..., 1]).all() and (b[..., 1] == b[..., 2]).all() for b in bands)


def as_input(pixels: NDArray[Any], scale: float) -> NDArray[np.float32]:
    """(h, w, 1 | 3) -> (1, 3, h, w) in 0..1."""
    pixels = pixels.astype(np.float32) / np.float32(scale)
    if pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def scale_of(image: NDArray[Any]) -> float:
    """The value that stands for 1."""
    if image.dtype in (np.uint8, np.uint16):
        return float(np.iinfo(image.dtype).max)
    if image.dtype.kind != "f":
        raise UserError(f"an image is uint8, uint16 or floating point, not {image.dtype}")
    low, high = (float(image.min()), float(image.max())) if image.size else (0.0, 0.0)
    if not (low >= -8 and high <= 9):  # strong noise leaves 0..1 by far; 0..255 is a mistake
        raise UserError(f"a floating-point image is in 0..1; this one spans {low:g}..{high:g}")
    return 1.0
