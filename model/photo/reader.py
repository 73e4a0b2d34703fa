"""Reading photos by the image rules: upright, metadata kept, 16 bits and alpha and grey as they are.

Writing is in ``writer``, the 16-bit formats that Pillow lacks are in ``sixteen_bit``.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, ImageCms, TiffImagePlugin, WebPImagePlugin

from anyir.model.errors import UserError
from anyir.model.photo import sixteen_bit

# Pillow loads these plugins only when all others have failed, which a list of formats prevents.
_PLUGINS = (AvifImagePlugin, TiffImagePlugin, WebPImagePlugin)
READABLE = ("PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP", "GIF")
"""Pillow's formats that are tried; no others, some of which start foreign programs."""

ORIENTATION = 0x0112
EXIF_IFD, PIXEL_WIDTH, PIXEL_HEIGHT = 0x8769, 0xA002, 0xA003
BITS_PER_SAMPLE, PLANAR_CONFIGURATION, DNG_VERSION = 258, 284, 50706
# What describes the pixels of the file that was read and is wrong in the file that is written:
# sizes, strips, compression, colour; XMP, IPTC and Photoshop blocks; the embedded profile, which
# every format keeps elsewhere.
STRUCTURAL_TAGS = (
    *range(254, 267), 273, *range(277, 282), 284, 292, 293, 297, 301, 317, *range(320, 326), 330, 332,
    *range(338, 348), *range(512, 522), *range(529, 533), 700, 33723, 34377, 34675, 37724,
)  # fmt: skip


@dataclass(frozen=True)
class Photo:
    """A decoded photo, upright.

    Attributes:
        pixels: (H, W, C), uint8 or uint16; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        icc: the ICC profile that the pixels are in, if the file had one.
        exif: EXIF as Pillow writes it, its orientation reset, if the file had any.
        notes: what was changed on the way, for the user, one line each.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    icc: bytes | None = None
    exif: bytes | None = None
    notes: list[str] = field(default_factory=list)


def read_photo(path: str | Path) -> Photo:
    """Decode an image file.

    The EXIF orientation is applied. CMYK, palettes and 1-bit images are converted, with a note.

    Raises:
        UserError: missing, a folder, empty, no image, damaged, animated, or of more pixels than
            Pillow's guard against decompression bombs lets through (179 million); nothing has been
            decoded then.
        OSError: the system refuses to read it.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; an image file is due")
    if not path.exists():
        raise UserError(f"there is no file {path}")
    if not path.is_file():
        raise UserError(f"{path} is not a regular file; an image file is due")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; an image file is due")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata and more than 89 million pixels
        return _read(path)


def _read(path: Path) -> Photo:
    with _open(path) as image:
        _refuse_unsuitable(image, path)
        try:
            # A decoder fed with a damaged file may raise anything.
            if sixteen_bit.is_deep(image):
                with _open(path) as again:
                    pixels = sixteen_bit.decode(image, again)
                return _finish(image, pixels, [])
            image.load()
            photo = from_pillow(image)
            if image.format == "AVIF" and _is_deep_avif(path):
                photo.notes.append("AVIF is read with 8 bits a channel: 10 or 12 were rounded")
            return photo
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        except MemoryError as error:
            size = f"{image.width}x{image.height}"
            raise UserError(f"{path}: not enough memory for its {size} pixels") from error
        except Exception as error:
            raise UserError(f"{path} is damaged or cut short ({error})") from error


def from_pillow(image: Image.Image) -> Photo:
    """A Pillow image as a ``Photo``, by the same rules as a file.

    Raises:
        UserError: a mode that is no photo (32-bit values, Lab, HSV), or several frames.
    """
    with contextlib.suppress(OSError, ValueError):  # loaded, and its file closed since: that is one frame
        _refuse_frames(image, "the image")
    notes: list[str] = []
    if getattr(image, "format", None) == "MPO" and getattr(image, "n_frames", 1) > 1:
        notes.append("the further pictures inside this JPEG (a preview, depth or gain map) are left out")
    deep = image.mode.startswith("I;16")
    plain = image if deep else _plain(image, notes)
    shape = (image.height, image.width, len(plain.getbands()))
    pixels = np.empty(shape, np.uint16 if deep else np.uint8)
    for y in range(0, image.height, 256):  # numpy takes Pillow's pixels by way of a copy: never of all
        strip = np.asarray(plain.crop((0, y, image.width, min(y + 256, image.height))))
        pixels[y : y + 256] = strip.reshape(len(strip), *pixels.shape[1:])
    return _finish(image, pixels, notes)


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=READABLE)
    except Image.DecompressionBombError as error:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise UserError(
            f"{path} declares more than {limit} million pixels, the limit; cut it into parts"
        ) from error
    except OSError as error:
        if error.errno is not None:  # the system's refusal, not the decoder's
            raise
        raise UserError(
            f"{path} is no image that can be read (PNG, JPEG, TIFF, WebP, AVIF, BMP), or its start is damaged"
        ) from error
    except Exception as error:  # damaged headers: struct.error, ValueError, ...
        raise UserError(f"{path} is damaged ({error})") from error


def _refuse_frames(image: Image.Image, name: Path | str) -> None:
    frames = getattr(image, "n_frames", 1)
    kind = getattr(image, "format", None)
    if frames > 1 and kind != "MPO":  # MPO: a phone's JPEG with a preview or a gain map
        pages = "pages" if kind == "TIFF" else "frames; animated"
        raise UserError(f"{name} has {frames} {pages}; only single images are restored")


def _is_deep_avif(path: Path) -> bool:
    """Whether an AVIF file has more than 8 bits a channel, which Pillow does not tell."""
    with path.open("rb") as file:
        head = file.read(2**16)  # what describes the pixels comes before them
    place = head.find(b"av1C")  # of the photo: that of its alpha comes after it
    flags = head[place + 6 : place + 7] if place >= 0 else b""
    return bool(flags) and bool(flags[0] & 0x40)


def _refuse_unsuitable(image: Image.Image, path: Path) -> None:
    try:
        _refuse_frames(image, path)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} is damaged ({error})") from error
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    tags = image.tag_v2
    if DNG_VERSION in tags:
        raise UserError(f"{path} is a camera raw file; develop it to PNG, TIFF or JPEG first")
    if tags.get(PLANAR_CONFIGURATION, 1) != 1 and max(tags.get(BITS_PER_SAMPLE, (1,))) > 8:
        raise UserError(f"{path} is a 16-bit TIFF with separate colour planes; save it interleaved")


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


def _finish(image: Image.Image, pixels: NDArray, notes: list[str]) -> Photo:
    """Add the alpha that a colour key stands for, turn upright, and carry the metadata over."""
    key = image.info.get("transparency")
    if key is not None and pixels.dtype == np.uint16 and pixels.shape[2] in (1, 3):
        opaque = (pixels != np.asarray(key, np.uint16)).any(axis=2, keepdims=True)
        pixels = np.concatenate([pixels, np.where(opaque, 65535, 0).astype(np.uint16)], axis=2)
    orientation, exif = 1, None
    try:
        tags = image.getexif()
        orientation = tags.get(ORIENTATION, 1)
        exif = _carry_exif(tags, orientation)
    except Exception:  # EXIF is written by every camera in its own way; the photo matters more
        notes.append("its EXIF is unreadable and was left out")
    icc = image.info.get("icc_profile") if image.mode != "CMYK" else None
    upright = np.ascontiguousarray(turn_upright(pixels, orientation))
    return Photo(upright, icc or None, exif, notes)


def _carry_exif(exif: Image.Exif, orientation: int) -> bytes | None:
    """EXIF for the file that is written; raises anything if it cannot be read, or not be written again."""
    for tag in STRUCTURAL_TAGS:
        if tag in exif:
            del exif[tag]
    if ORIENTATION in exif:
        exif[ORIENTATION] = 1
    if orientation in (5, 6, 7, 8) and EXIF_IFD in exif:
        camera = exif.get_ifd(EXIF_IFD)
        if PIXEL_WIDTH in camera and PIXEL_HEIGHT in camera:
            camera[PIXEL_WIDTH], camera[PIXEL_HEIGHT] = camera[PIXEL_HEIGHT], camera[PIXEL_WIDTH]
    if not len(exif):
        return None
    exif.bigtiff = False  # a BigTIFF's would start with its 64-bit header, which EXIF does not have
    data = exif.tobytes()
    sixteen_bit.check_exif(data)  # now, not after the whole restoration
    return data


def turn_upright(pixels: NDArray, orientation: int) -> NDArray:
    """Apply an EXIF orientation (1..8; anything else counts as 1) to (H, W, C)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
