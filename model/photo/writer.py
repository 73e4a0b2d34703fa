"""Writing photos: the format by the file's suffix, never over an input, never half a file."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anyir.model.errors import UserError
from anyir.model.files import write_atomically
from anyir.model.photo import sixteen_bit
from anyir.model.photo.reader import Photo

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
}
"""Suffix -> format. A folder's files with other suffixes are not taken for photos."""

# Restored detail should survive: little compression, colour at full resolution, alpha exact.
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "alpha_quality": 100, "exact": True},
}
EXIF_LIMIT_JPEG = 65533


def output_format(path: Path) -> str:
    """The format that a file name stands for.

    Raises:
        UserError: an unknown suffix; the message lists the known ones.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UserError(f"{path}: the output's suffix must be one of {', '.join(FORMATS)}") from None


def check_output(path: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Find out before the long work whether ``path`` can be written; its folder is created.

    Args:
        path: the file to be.
        inputs: files that must stay as they are, however their names are spelt or linked.
        overwrite: whether another existing file may be replaced.

    Raises:
        UserError: it is an input, exists, is a folder, has an unknown suffix, or the system does not
            let files be made there.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name the output file")
    output_format(path)
    if path.exists():
        for source in inputs:
            if source.exists() and source.samefile(path):
                raise UserError(
                    f"{path} is the input {source}, which is never overwritten; name another file"
                )
    if (path.exists() or path.is_symlink()) and not overwrite:
        raise UserError(f"{path} exists; give --overwrite to replace it")
    if path.parent.exists() and not path.parent.is_dir():
        raise UserError(f"{path.parent} is a file, not a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(f"files cannot be made in {path.parent} ({error.strerror})") from error


def write_photo(path: Path, photo: Photo, *, keep_metadata: bool = True) -> list[str]:
    """Write a photo in the format of ``path``'s suffix: beside it, then renamed.

    Returns:
        Notes for the user about what the format cannot hold.

    Raises:
        UserError: the format cannot hold the photo, or the system refuses: a full disk, a read-only
            folder. Nothing is left behind then.
    """
    data, notes = encode(photo, output_format(path), keep_metadata=keep_metadata)
    try:
        write_atomically(path, data)
    except OSError as error:
        raise UserError(f"{path} could not be written ({error.strerror or error})") from error
    return notes


def encode(photo: Photo, format: str, *, keep_metadata: bool = True) -> tuple[bytes, list[str]]:
    """The bytes of an image file, and notes about what its format cannot hold.

    PNG and TIFF hold everything. JPEG and BMP have no alpha: an opaque one is dropped, any other is
    an error. JPEG, WebP and BMP have 8 bits; WebP has no grey, BMP no metadata.

    Raises:
        UserError: transparency or a size that the format does not have.
    """
    pixels: np.ndarray = photo.pixels
    notes: list[str] = []
    icc, exif = (photo.icc, photo.exif) if keep_metadata else (None, None)
    if format == "TIFF":
        return sixteen_bit.encode_tiff(pixels, icc, exif), notes
    if format == "PNG" and pixels.dtype == np.uint16:
        return sixteen_bit.encode_png(pixels, icc, exif), notes
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        notes.append(f"{format} holds 8 bits a channel: 16 were rounded")
    if pixels.shape[2] in (2, 4) and format in ("JPEG", "BMP"):
        if pixels[..., -1].min() < 255:
            raise UserError(f"{format} has no transparency; write .png, .tif or .webp")
        pixels = pixels[..., :-1]
    if format == "WEBP" and pixels.shape[2] < 3:
        notes.append("WebP has no grey: stored as RGB")
        if icc and icc[16:20] == b"GRAY":  # the colour space that the profile is for
            icc = None
            notes.append("its ICC profile is one of grey and was left out")
    if format == "BMP" and (icc or exif):
        icc = exif = None
        notes.append("BMP holds neither EXIF nor an ICC profile: left out")
    if format == "JPEG" and exif and len(exif) > EXIF_LIMIT_JPEG:
        exif = None
        notes.append("its EXIF is too long for a JPEG and was left out")
    metadata = {k: v for k, v in (("icc_profile", icc), ("exif", exif)) if v}
    file = io.BytesIO()
    try:
        to_pillow(pixels).save(file, format, **OPTIONS.get(format, {}), **metadata)
    except (OSError, ValueError) as error:  # into memory: the encoder's refusal, not the disk's
        height, width = pixels.shape[:2]
        raise UserError(f"{format} cannot hold this {width}x{height} photo ({error})") from error
    return file.getvalue(), notes


def to_pillow(pixels: np.ndarray) -> Image.Image:
    """(H, W, C) as a Pillow image: L, LA, RGB or RGBA for uint8, I;16 for one channel of uint16.

    Raises:
        UserError: uint16 with several channels, for which Pillow has no mode.
    """
    if pixels.dtype == np.uint16 and pixels.shape[2] > 1:
        raise UserError("Pillow has no 16-bit colour; use a numpy array")
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))
