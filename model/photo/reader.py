"""Reading photos by the image rules: upright, metadata kept, 16 bits and alpha and grey as they are.

Writing is in ``writer``. Pillow's modes become arrays in ``pixels``, the 16-bit formats that it lacks in
``sixteen_bit``.
"""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, TiffImagePlugin, WebPImagePlugin

from anyir.model.errors import UserError
from anyir.model.photo import avif, heif, metadata, png, sixteen_bit, tiff
from anyir.model.photo.formats import bits_of_jpeg, foreign_format, is_lossless_webp
from anyir.model.photo.metadata import Extras
from anyir.model.photo.pixels import to_pixels, turn_upright, with_colour_key

# Pillow loads these plugins only when all others have failed, which a list of formats prevents.
_PLUGINS = (AvifImagePlugin, TiffImagePlugin, WebPImagePlugin)
READABLE = ("PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP", "GIF")
"""Pillow's formats that are tried; no others, some of which start foreign programs."""

MOST_PIXELS = 500_000_000
"""More are refused before anything is decoded: a small file can declare any number."""

_LOSSLESS = ("PNG", "TIFF", "BMP", "GIF")
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Photo:
    """A decoded photo, upright.

    Attributes:
        pixels: (H, W, C), uint8 or uint16; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        icc: the ICC profile that the pixels are in, if the file had one.
        exif: the file's EXIF, byte for byte but for orientation, size and thumbnail, after ``Exif`` and two
            zeros, if it had any.
        notes: what was changed on the way, for the user, one line each.
        extras: what else the file says.
        lossless: whether the file lost nothing when it was made.
        bits: a channel's bits in the file, where they are neither 8 nor 16.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    icc: bytes | None = None
    exif: bytes | None = None
    notes: list[str] = field(default_factory=list)
    extras: Extras = field(default_factory=Extras)
    lossless: bool = False
    bits: int | None = None


def read_photo(path: str | Path) -> Photo:
    """Decode an image file.

    The EXIF orientation is applied. CMYK, palettes and 1-bit images are converted, with a note.

    Raises:
        UserError: missing, a folder, empty, no image, damaged, animated, of more than ``MOST_PIXELS``
            (nothing has been decoded then), or changed by another program while it was read.
        OSError: the system refuses to read it.
    """
    with _opened(Path(path)) as file:
        return read_photo_from(file, str(path))


def read_photo_from(file: BinaryIO, name: str) -> Photo:
    """Decode what a seekable file holds, as ``read_photo`` does; ``name`` is for messages."""
    before = _identity(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata and more than 89 million pixels
        try:
            photo = _read(file, name)
            photo.notes.extend(metadata.hdr_note(photo.extras))
        finally:
            if before != _identity(file):  # whatever came of it
                raise UserError(f"{name} was changed by another program while it was read")
    return photo


def read_size(path: str | Path) -> tuple[int, int]:
    """Width and height of the upright photo, from the file's beginning. Nothing is decoded, but for a PNG
    that says only behind its pixels which side is up.

    Raises:
        UserError: as ``read_photo``.
        OSError: the system refuses to read it.
    """
    with _opened(Path(path)) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if heif.is_heif(_head(file)):
                return heif.read_size(file)
            behind = _head(file).startswith(png.SIGNATURE) and png.is_described_behind(file)
            with _open(file, str(path)) as image:
                if isinstance(image, TiffImagePlugin.TiffImageFile):  # Pillow's size is the upright one's
                    tiff.choose_page(image, metadata.reader(file), str(path), [])
                    return image.size
                # Of a PNG, its own method decodes first.
                exif = image.getexif() if behind else Image.Image.getexif(image)
                orientation = exif.get(metadata.exif_block.ORIENTATION, 1)
                width, height = image.size
                return (height, width) if orientation in (5, 6, 7, 8) else (width, height)
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"{path} is damaged or cut short ({_words(error)})") from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.is_dir():
        raise UserError(f"{path} is a folder; an image file is due")
    if not path.exists():
        raise UserError(f"there is no file {path}")
    if not path.is_file():
        raise UserError(f"{path} is not a regular file; an image file is due")
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise UserError(f"{path} is empty; an image file is due")
        yield file


def _identity(file: BinaryIO) -> tuple[int, int] | None:
    """What changes when another program writes into the file; None for one in memory."""
    try:
        status = os.fstat(file.fileno())
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return None
    return status.st_size, status.st_mtime_ns


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    return head


def _read(file: BinaryIO, name: str) -> Photo:
    try:
        if heif.is_heif(_head(file)):
            return _read_heif(file)
        with _open(file, name) as image, _PILLOW_LIMIT:
            return _read_opened(image, file, name)
    except UserError as error:
        text = str(error)
        raise UserError(text if name in text else f"{name}: {text}") from error
    except MemoryError as error:
        raise UserError(f"{name}: not enough memory for its pixels") from error
    except Exception as error:  # a decoder fed with a damaged file may raise anything
        raise UserError(f"{name} is damaged or cut short ({_words(error)})") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _read_heif(file: BinaryIO) -> Photo:
    image = heif.decode(file, MOST_PIXELS)
    height, width = image.pixels.shape[:2]
    stand_in = Image.new("L", (1, 1))  # its info is what metadata is read from
    stand_in.info = {key: value for key, value in image.info.items() if value}
    found = metadata.gather(stand_in, None)
    notes = image.notes + found.notes
    exif, xmp = metadata.mended(found, width, height, notes)  # libheif has turned it upright
    extras = Extras(xmp=xmp, cicp=image.cicp)
    bits = image.bits if image.bits > 8 else None
    return Photo(image.pixels, found.icc, exif, notes, extras, bits=bits)


def _read_opened(image: Image.Image, file: BinaryIO, name: str) -> Photo:
    page: tiff.Page | None = None
    notes: list[str] = []
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tiff.found_damage()  # of another file, which was refused
        page = tiff.choose_page(image, metadata.reader(file), name, notes)
    else:
        _refuse_frames(image, name)
    kind = image.format
    lossless = kind in _LOSSLESS or (kind == "WEBP" and is_lossless_webp(file))
    head = avif.read_head(file) if kind == "AVIF" else b""
    bits = avif.bits_of(head)
    if bits > 8:
        pixels: NDArray[Any] = avif.decode_deep(file, bits)
    elif sixteen_bit.is_deep(image):
        pixels = sixteen_bit.decode(image, lambda: _again(image, file, name))
    else:
        image.load()
        pixels = to_pixels(image, notes)
    if avif.has_gain_map(head):
        notes.append(metadata.GAIN_MAP_LEFT_OUT)
    if page is not None and tiff.found_damage():
        notes.append("this TIFF is damaged: parts of the photo may be wrong")
    if page is not None and pixels.dtype == np.uint16:
        tiff.spread(pixels, page)
    photo = _finish(image, pixels, notes, file=file, page=page)
    extras = replace(photo.extras, cicp=avif.cicp_of(head)) if head and not photo.icc else photo.extras
    return replace(photo, extras=extras, lossless=lossless, bits=bits if bits > 8 else None)


def _again(image: Image.Image, file: BinaryIO, name: str) -> Image.Image:
    """The same picture of the same file, opened a second time."""
    again = _open(file, name)
    with contextlib.suppress(EOFError):
        again.seek(image.tell())
    return again


def from_pillow(image: Image.Image) -> Photo:
    """A Pillow image as a ``Photo``, by the same rules as a file.

    Raises:
        UserError: a mode that is no photo (32-bit values, Lab, HSV), or several frames.
    """
    with contextlib.suppress(OSError, ValueError):  # loaded, and its file closed since: that is one frame
        _refuse_frames(image, "the image")
    notes: list[str] = []
    pixels = to_pixels(image, notes)
    return _finish(image, pixels, notes)


class _PillowLimit:
    """Lets Pillow take what ``MOST_PIXELS`` allows while anyone is in it: it refuses more than twice its own
    number, when a file is opened and, of TIFF, once more when it is decoded. Threads may be in it at once."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, Image.MAX_IMAGE_PIXELS

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MOST_PIXELS // 2
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                Image.MAX_IMAGE_PIXELS = self._before


_PILLOW_LIMIT = _PillowLimit()


class _Unmapped:
    """A file without a number. One that has it is mapped into memory by libtiff, and this process would end
    by a signal when another one shortens the file meanwhile."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """The file is its opener's to close."""


def _open(file: BinaryIO, name: str) -> Image.Image:
    file.seek(0)
    try:
        with _PILLOW_LIMIT:
            return Image.open(_Unmapped(file), formats=READABLE)  # type: ignore[arg-type]
    except Image.DecompressionBombError as error:
        limit = MOST_PIXELS // 10**6
        raise UserError(
            f"{name} declares more than {limit} million pixels, the limit; cut it into parts"
        ) from error
    except OSError as error:
        if error.errno is not None:  # the system's refusal, not the decoder's
            raise
        raise UserError(_why_not(file, name)) from error


def _why_not(file: BinaryIO, name: str) -> str:
    """Why Pillow does not take a file for an image."""
    head = _head(file)
    foreign = foreign_format(head)
    if foreign:
        return f"{name} is {foreign}"
    with contextlib.suppress(Exception):
        page = tiff.read_pages(metadata.reader(file))[0]
        return f"{name} is {tiff.what_it_is(page)} of a kind that cannot be read; save it as PNG"
    if avif.is_avif(head):
        return f"{name} is an AVIF that cannot be read: it is damaged, or has more than 16384 pixels a side"
    if head.startswith(b"\xff\xd8\xff"):
        bits = bits_of_jpeg(head)
        if bits not in (None, 8):
            return f"{name} is a {bits}-bit JPEG, which cannot be read; convert it to a 16-bit PNG or TIFF"
    kinds = "PNG, JPEG, TIFF, WebP, HEIC, AVIF, BMP"
    return f"{name} is no image that can be read ({kinds}), or its start is damaged"


def _refuse_frames(image: Image.Image, name: str) -> None:
    try:
        frames = getattr(image, "n_frames", 1)
    except (OSError, ValueError) as error:
        if getattr(getattr(image, "fp", None), "closed", True):
            raise
        raise UserError(f"{name} is damaged ({_words(error)})") from error
    kind = getattr(image, "format", None)
    if frames > 1 and kind != "MPO":  # MPO: a phone's JPEG with a preview or a gain map
        pages = "pages" if kind == "TIFF" else "frames; animated"
        raise UserError(f"{name} has {frames} {pages}; only single images are restored")


def _finish(
    image: Image.Image,
    pixels: NDArray[Any],
    notes: list[str],
    *,
    file: BinaryIO | None = None,
    page: tiff.Page | None = None,
) -> Photo:
    """Add the alpha that a colour key stands for, turn upright, and carry the metadata over."""
    pixels = with_colour_key(pixels, image.info.get("transparency"))
    found = metadata.gather(image, file, page)
    notes = notes + found.notes
    upright = np.ascontiguousarray(turn_upright(pixels, found.orientation))
    exif, xmp = metadata.mended(found, upright.shape[1], upright.shape[0], notes)
    return Photo(upright, found.icc, exif, notes, replace(found.extras, xmp=xmp))
