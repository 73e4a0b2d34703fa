"""Photos as files of every format that is written, and what a format cannot hold."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anyir.model.errors import UserError
from anyir.model.photo import avif, heif, png, tiff
from anyir.model.photo import exif as exif_block
from anyir.model.photo.formats import LOSSY, NAMES
from anyir.model.photo.pixels import to_8_bits
from anyir.model.photo.reader import Photo

DEFAULT_QUALITY = 95
"""Restored detail should survive."""

_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65536, "HEIF": 65535}
_SEGMENT = 65533  # bytes of one JPEG segment
_HOLDS = {  # beside pixels
    "PNG": ("exif", "icc", "xmp", "iptc", "comment", "dpi", "texts", "colours"),
    "JPEG": ("exif", "icc", "xmp", "iptc", "comment", "dpi"),
    "TIFF": ("exif", "icc", "xmp", "iptc", "dpi"),
    "WEBP": ("exif", "icc", "xmp"),
    "HEIF": ("exif", "icc", "xmp"),
    "AVIF": ("exif", "icc", "xmp"),
    "BMP": ("dpi",),
}
_WORDS = {"exif": "EXIF", "icc": "ICC profile", "xmp": "XMP", "iptc": "IPTC", "dpi": "resolution"}
_GREY_AS_COLOUR = {  # channels -> the formats that store them as colours
    1: ("WEBP", "AVIF"),
    2: ("WEBP", "AVIF", "HEIF"),
}
_SCREEN_DPI = (72, 96)  # what programs write when they know nothing
_SAMPLE = 128


@dataclass(frozen=True)
class Encoding:
    """How a photo is written.

    Attributes:
        keep_metadata: whether EXIF, the ICC profile, and all else that the file said is written.
        quality: 1..100 for formats that lose something; None for ``DEFAULT_QUALITY``, and for WebP
            without loss where the photo came from a file without loss.
        lossless: whether nothing may be lost: WebP and HEIC have a form for that.
    """

    keep_metadata: bool = True
    quality: int | None = None
    lossless: bool = False

    def is_lossless(self, photo: Photo, format_: str) -> bool:
        """Whether a photo is written without loss."""
        kept = format_ == "WEBP" and photo.lossless and self.quality is None
        return format_ not in LOSSY or self.lossless or kept


def check_fits(photo: Photo, format_: str, encoding: Encoding) -> None:
    """Find out before the long work whether a format can hold a photo.

    Raises:
        UserError: transparency, a size, or a losslessness that the format does not have.
    """
    name = NAMES.get(format_, format_)
    pixels = photo.pixels
    height, width, channels = pixels.shape
    if (
        channels in (2, 4)
        and format_ in ("JPEG", "BMP")
        and pixels[..., -1].min() < np.iinfo(pixels.dtype).max
    ):
        raise UserError(f"{name} has no transparency; write .png, .tif, .webp or .avif")
    longest = _LONGEST_SIDE.get(format_)
    if longest is not None and max(height, width) > longest:
        raise UserError(
            f"{name} cannot hold this {width}x{height} photo: a side has {longest} pixels at most"
        )
    if encoding.lossless and format_ in ("JPEG", "AVIF"):
        raise UserError(f"{name} always loses something here; --lossless is for PNG, TIFF, WebP and HEIC")


def encode(photo: Photo, format_: str, encoding: Encoding | None = None) -> tuple[bytes, list[str]]:
    """The bytes of an image file, and notes: ``write_to`` in memory."""
    file = io.BytesIO()
    notes = write_to(file, photo, format_, encoding or Encoding())
    return file.getvalue(), notes


def sample_bytes(photo: Photo, format_: str, encoding: Encoding) -> float:
    """About how many bytes a pixel takes, at least: the least of five pieces of the photo."""
    height, width = photo.pixels.shape[:2]
    least = float("inf")
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5)):
        top, left = int(y * max(0, height - _SAMPLE)), int(x * max(0, width - _SAMPLE))
        piece = Photo(photo.pixels[top : top + _SAMPLE, left : left + _SAMPLE], lossless=photo.lossless)
        size = len(encode(piece, format_, encoding)[0])
        least = min(least, size / (piece.pixels.shape[0] * piece.pixels.shape[1]))
    return least


def write_to(file: BinaryIO, photo: Photo, format_: str, encoding: Encoding) -> list[str]:
    """Write a photo to a file that can be sought in.

    PNG and TIFF hold every kind of pixel. JPEG and BMP have no alpha: an opaque one is dropped, any other
    is an error. JPEG, WebP, AVIF and BMP have 8 bits, HEIC 8, 10 or 12; WebP and AVIF have no grey, HEIC
    none with alpha.

    Returns:
        Notes about what the format cannot hold.

    Raises:
        UserError: what ``check_fits`` finds, or a refusal of the encoder.
        OSError: the system's refusal.
    """
    check_fits(photo, format_, encoding)
    notes: list[str] = []
    pixels = _fitting_pixels(photo, format_, notes)
    metadata = _fitting_metadata(photo, format_, encoding, notes)
    try:
        if format_ == "PNG":
            _write_png(file, pixels, metadata)
        elif format_ == "TIFF":
            names = ("exif", "icc", "xmp", "iptc", "dpi")
            tiff.write(file, pixels, **{name: metadata[name] for name in names if name in metadata})
        elif format_ == "HEIF":
            _write_heif(file, photo, pixels, metadata, encoding)
        elif format_ == "AVIF" and photo.extras.cicp and "icc" not in metadata and encoding.keep_metadata:
            made = io.BytesIO()
            _write_by_pillow(made, photo, format_, pixels, metadata, encoding)
            file.write(avif.with_cicp(made.getvalue(), photo.extras.cicp))
        else:
            _write_by_pillow(file, photo, format_, pixels, metadata, encoding)
    except OSError as error:
        if error.errno is not None:  # the disk's refusal
            raise
        raise _refused(photo, format_, error) from error
    except (ValueError, RuntimeError, struct.error, OverflowError) as error:
        raise _refused(photo, format_, error) from error
    return notes


def _refused(photo: Photo, format_: str, error: Exception) -> UserError:
    height, width = photo.pixels.shape[:2]
    return UserError(f"{NAMES.get(format_, format_)} cannot hold this {width}x{height} photo ({error})")


def _fitting_pixels(photo: Photo, format_: str, notes: list[str]) -> NDArray[Any]:
    pixels: NDArray[Any] = photo.pixels
    name = NAMES.get(format_, format_)
    if pixels.dtype == np.uint16 and format_ not in ("PNG", "TIFF", "HEIF"):
        pixels = to_8_bits(pixels)
        notes.append(f"{name} holds 8 bits a channel: {photo.bits or 16} were rounded")
    if pixels.dtype == np.uint16 and format_ == "HEIF" and photo.bits not in (10, 12):
        notes.append(f"HEIC holds 12 bits a channel: {photo.bits or 16} were rounded")
    if pixels.shape[2] in (2, 4) and format_ in ("JPEG", "BMP"):
        pixels = pixels[..., :-1]
    if format_ in _GREY_AS_COLOUR.get(pixels.shape[2], ()):
        notes.append(f"{name} has no grey{' with alpha' * (format_ == 'HEIF')}: stored as RGB")
    return pixels


def _fitting_metadata(photo: Photo, format_: str, encoding: Encoding, notes: list[str]) -> dict[str, Any]:
    """What of the photo's metadata its new format holds; a note names what it does not."""
    if not encoding.keep_metadata:
        return {}
    extras = photo.extras
    colours = tuple(chunk for chunk in extras.chunks if chunk[0] in png.COLOUR_CHUNKS)
    texts = tuple(chunk for chunk in extras.chunks if chunk[0] in png.TEXT_CHUNKS)
    if extras.cicp and not colours:
        colours = ((b"cICP", bytes([*extras.cicp, 0, 1])),)
    there: dict[str, Any] = {
        "exif": photo.exif,
        "icc": photo.icc,
        "xmp": extras.xmp,
        "iptc": extras.iptc,
        "dpi": extras.dpi,
    }
    there |= {"comment": extras.comment, "texts": texts, "colours": colours}
    held = {name: value for name, value in there.items() if value and name in _HOLDS[format_]}
    name = NAMES.get(format_, format_)
    lost = [
        _WORDS.get(key, key)
        for key in there
        if there[key] and key not in held and _matters(key, photo, texts)
    ]
    if lost:
        notes.append(f"{name} cannot hold its {', '.join(lost)}: left out")
    is_described = photo.icc and "icc" in held
    holds_colours = format_ == "PNG" or (format_ in ("HEIF", "AVIF") and extras.cicp)
    if not holds_colours and not is_described and not png.colour_is_srgb(colours):
        kinds = ", ".join(chunk.decode() for chunk, _ in colours)
        notes.append(f"{name} cannot hold its description of colours ({kinds}): they may look different")
    channels = photo.pixels.shape[2]
    is_colour = channels >= 3 or format_ in _GREY_AS_COLOUR[channels]
    if is_colour and held.get("icc", b"")[16:20] == b"GRAY":
        del held["icc"]  # the colour space that the profile is for
        notes.append("its ICC profile is one of grey and was left out")
    if format_ == "JPEG":
        for key, overhead in (("exif", 0), ("xmp", 29), ("iptc", 28), ("comment", 0)):
            if len(held.get(key, b"")) > _SEGMENT - overhead:
                del held[key]
                notes.append(f"its {_WORDS.get(key, key)} is too long for a JPEG and was left out")
    if format_ == "PNG":
        held["density"] = tuple(chunk for chunk in extras.chunks if chunk[0] == b"pHYs")
    return held


def _matters(key: str, photo: Photo, texts: png.Chunks) -> bool:
    """Whether it is worth a note that this is lost."""
    if key == "colours":
        return False  # said in its own words
    if key == "comment":
        return not texts  # a PNG's is among its texts
    dpi = photo.extras.dpi
    return key != "dpi" or (photo.exif is None and dpi is not None and round(dpi[0]) not in _SCREEN_DPI)


def _write_png(file: BinaryIO, pixels: NDArray[Any], metadata: dict[str, Any]) -> None:
    chunks = [*metadata.get("colours", ())]
    if "icc" in metadata:
        chunks.append(png.icc_chunk(metadata["icc"]))
    density = metadata.get("density", ())
    if "dpi" in metadata and not density:
        density = (png.density_chunk(metadata["dpi"]),)
    chunks += [*density, *metadata.get("texts", ())]
    if "comment" in metadata and png.comment_of(tuple(chunks)) is None:
        chunks.append(png.comment_chunk(metadata["comment"]))
    if "xmp" in metadata:
        chunks.append(png.xmp_chunk(metadata["xmp"]))
    if "iptc" in metadata:
        chunks.append(png.raw_profile_chunk("iptc", metadata["iptc"]))
    if "exif" in metadata:
        chunks.append(png.exif_chunk(metadata["exif"]))
    if pixels.dtype == np.uint16:
        png.write_deep(file, pixels, chunks)
    else:
        to_pillow(pixels).save(png.WithChunks(file, chunks), "PNG")  # type: ignore[arg-type]


def _write_by_pillow(
    file: BinaryIO,
    photo: Photo,
    format_: str,
    pixels: NDArray[Any],
    metadata: dict[str, Any],
    encoding: Encoding,
) -> None:
    lossless = encoding.is_lossless(photo, format_)
    options = _pillow_options(format_, encoding.quality or DEFAULT_QUALITY, lossless)
    # To a file with a number, Pillow writes by itself, and does not see that a disk took only a part.
    sink: Any = png.WithChunks(file, ())
    to_pillow(pixels).save(sink, format_, **options, **_pillow_metadata(format_, metadata))


def _write_heif(
    file: BinaryIO, photo: Photo, pixels: NDArray[Any], metadata: dict[str, Any], encoding: Encoding
) -> None:
    names = {"exif": "exif", "xmp": "xmp", "icc": "icc_profile"}
    quality = -1 if encoding.lossless else encoding.quality or DEFAULT_QUALITY
    heif.encode(
        file,
        pixels,
        quality=quality,
        bits=photo.bits if photo.bits in (10, 12) else 12,
        cicp=photo.extras.cicp,
        metadata={new: metadata[old] for old, new in names.items() if old in metadata},
    )


def _pillow_options(format_: str, quality: int, lossless: bool) -> dict[str, Any]:
    """Colour at full resolution where the format has it, alpha exact."""
    if format_ == "JPEG":
        return {"quality": quality, "subsampling": 0}
    if format_ == "AVIF":
        return {"quality": quality, "subsampling": "4:4:4"}
    if format_ == "WEBP":
        lossy = {"quality": quality, "alpha_quality": 100, "use_sharp_yuv": True}
        return {"lossless": True, "exact": True} if lossless else {**lossy, "exact": True}
    return {}


def _pillow_metadata(format_: str, metadata: dict[str, Any]) -> dict[str, Any]:
    names = {"icc": "icc_profile", "exif": "exif", "xmp": "xmp", "comment": "comment", "dpi": "dpi"}
    options = {new: metadata[old] for old, new in names.items() if old in metadata}
    if format_ == "AVIF" and "exif" in options:  # Pillow would write it anew, for the tag it keeps elsewhere
        options["exif"] = exif_block.without_orientation(options["exif"])
    if "iptc" in metadata and format_ == "JPEG":
        records = metadata["iptc"]
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + bytes(len(records) % 2)
        segment = b"Photoshop 3.0\0" + resource
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    return options


def to_pillow(pixels: NDArray[Any]) -> Image.Image:
    """(H, W, C) as a Pillow image: L, LA, RGB or RGBA for uint8, I;16 for one channel of uint16.

    Raises:
        UserError: uint16 with several channels, for which Pillow has no mode.
    """
    if pixels.dtype == np.uint16 and pixels.shape[2] > 1:
        raise UserError("Pillow has no 16-bit colour; use a numpy array")
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else np.ascontiguousarray(pixels))
