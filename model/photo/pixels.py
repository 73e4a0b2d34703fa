"""Pillow's images as arrays: what becomes of each mode, a colour key, an orientation."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from anyir.model.errors import UserError

STRIP_ROWS = 256
"""Rows that are taken at a time: numpy takes Pillow's pixels by way of a copy, which is never of all."""


def to_pixels(image: Image.Image, notes: list[str]) -> NDArray[Any]:
    """An image's pixels, (H, W, C) of uint8 or uint16; ``notes`` gets what was converted.

    Raises:
        UserError: a mode that is no photo (32-bit values, Lab, HSV).
    """
    deep = image.mode.startswith("I;16")
    plain = image if deep else _plain(image, notes)
    pixels = np.empty((image.height, image.width, len(plain.getbands())), np.uint16 if deep else np.uint8)
    for y in range(0, image.height, STRIP_ROWS):
        strip = np.asarray(plain.crop((0, y, image.width, min(y + STRIP_ROWS, image.height))))
        pixels[y : y + STRIP_ROWS] = strip.reshape(len(strip), *pixels.shape[1:])
    return pixels


def _plain(image: Image.Image, notes: list[str]) -> Image.Image:
    """The image as L, LA, RGB or RGBA."""
    mode, transparent = image.mode, image.has_transparency_data
    if mode == "1":
        notes.append("1-bit pixels were converted to grey")
        return image.convert("L")
    if mode in ("P", "PA"):
        notes.append("palette colours were converted to RGB")
        return image.convert("RGBA" if transparent else "RGB")
    if mode == "CMYK":
        return _from_cmyk(image, notes)
    if mode == "YCbCr":
        return image.convert("RGB")
    if mode in ("L", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX"):
        grey = mode.startswith("L")
        plain = ("LA" if grey else "RGBA") if transparent else ("L" if grey else "RGB")
        return image if mode == plain else image.convert(plain)
    raise UserError(f"pixels of mode {mode} are not supported; convert to 8- or 16-bit grey or RGB")


def _from_cmyk(image: Image.Image, notes: list[str]) -> Image.Image:
    icc = image.info.get("icc_profile")
    if icc:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
            notes.append("CMYK was converted to sRGB by its ICC profile")
            return converted  # type: ignore[return-value]
        except (ImageCms.PyCMSError, OSError):
            notes.append("the ICC profile is unusable and was left out")
    notes.append("CMYK was converted to RGB without a profile: colours may shift")
    return image.convert("RGB")


def with_colour_key(pixels: NDArray[Any], key: object) -> NDArray[Any]:
    """16-bit pixels (H, W, C) with the alpha that a PNG's colour key stands for; others as they are."""
    if key is None or pixels.dtype != np.uint16 or pixels.shape[2] not in (1, 3):
        return pixels
    opaque = (pixels != np.asarray(key, np.uint16)).any(axis=2, keepdims=True)
    return np.concatenate([pixels, np.where(opaque, 65535, 0).astype(np.uint16)], axis=2)


def turn_upright(pixels: NDArray, orientation: int) -> NDArray:
    """Apply an EXIF orientation (1..8; anything else counts as 1) to (H, W, C)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def to_8_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 (H, W, ...) rounded to uint8 (65535 is 255); uint8 as it is.

    By rows: half a gigabyte of 32-bit values would be made of a large photo otherwise.
    """
    if pixels.dtype == np.uint8:
        return pixels
    result = np.empty(pixels.shape, np.uint8)
    for y in range(0, len(pixels), 256):
        result[y : y + 256] = (pixels[y : y + 256].astype(np.uint32) + 128) // 257
    return result
