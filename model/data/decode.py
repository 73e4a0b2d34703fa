"""Decoding a dataset's photos to RGB, whatever their depth: grey, 16 bits, palettes, alpha."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anyir.model.data.pairing import Pair
from anyir.model.errors import UserError
from anyir.model.photo.reader import read_photo


class BadPhoto(UserError):
    """A file of a dataset that cannot be used. Its text names the file and says why."""


def read_pixels(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A photo as (H, W, 3), uint8 or uint16, upright. Grey is repeated; alpha is left out.

    Raises:
        BadPhoto: missing, damaged, or no image.
    """
    try:
        pixels = read_photo(path).pixels
    except UserError as error:
        raise BadPhoto(str(error)) from error
    except OSError as error:
        raise BadPhoto(f"{path} cannot be read ({error.strerror or error})") from error
    colours = pixels[..., :1].repeat(3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    return np.ascontiguousarray(colours)  # type: ignore[return-value]


def read_float(path: Path) -> Tensor:
    """A photo as (1, 3, H, W) float32 in 0..1, with all the bits that it has.

    Raises:
        BadPhoto: missing, damaged, or no image.
    """
    pixels = read_pixels(path)
    scale = float(np.iinfo(pixels.dtype).max)
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(scale)).permute(2, 0, 1)[None]


def check_sizes(pair: Pair, degraded: tuple[int, ...], clean: tuple[int, ...]) -> None:
    """Refuse a pair whose (height, width) differ.

    Raises:
        BadPhoto: they do.
    """
    if degraded != clean:
        sizes = f"{degraded[1]}x{degraded[0]} and {clean[1]}x{clean[0]}"
        raise BadPhoto(f"{pair.degraded} and its clean partner {pair.clean} differ in size: {sizes}")
