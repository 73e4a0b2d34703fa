"""What a file says of a photo beside EXIF and the ICC profile, and what it holds beside the photo."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

from anyir.model.photo import exif as exif_block
from anyir.model.photo import png, tiff, xmp

GAIN_MAP_LEFT_OUT = (
    "its HDR gain map is left out: it belongs to the brightness before the restoration, and would light up "
    "the wrong places after it"
)
FILM_LEFT_OUT = "the film inside this photo (motion photo, live photo) is left out"
PICTURES_LEFT_OUT = "the further pictures inside this JPEG (a preview, depth or gain map) are left out"

_IPTC_RESOURCE = 0x0404
_GAIN_MAP_MARKS = (b"hdrgm:", b"HDRGainMap", b"hdrgainmap", b"urn:iso:std:iso:ts:21496:-1")
_FILM_MARKS = (b"MotionPhoto_Data", b"ftypmp4", b"ftypisom", b"ftypqt", b"ftypMSNV")
_CHUNK = 2**20

_HDR_CURVES = {16: "PQ", 18: "HLG"}
"""Transfer functions by their numbers in H.273."""


@dataclass(frozen=True)
class Extras:
    """Metadata that some formats hold and others do not.

    Attributes:
        xmp: an XMP packet, its orientation and size those of the upright photo.
        iptc: IPTC's records (IIM).
        comment: a JPEG's or PNG's comment.
        dpi: resolution in dots per inch, across and down.
        cicp: colour primaries and transfer function, numbers of H.273, if the file is not in sRGB and says so
            in no ICC profile.
        chunks: a PNG's chunks of colour, text and density, as they are.
    """

    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: bytes | None = None
    dpi: tuple[float, float] | None = None
    cicp: tuple[int, int] | None = None
    chunks: png.Chunks = ()


@dataclass(frozen=True)
class Found:
    """All metadata of an opened and decoded image, as it is in the file.

    ``exif`` has ``exif.PREFIX``; ``orientation`` is 1..8.
    """

    exif: bytes | None
    orientation: int
    icc: bytes | None
    extras: Extras
    notes: list[str]


def gather(image: Image.Image, file: BinaryIO | None, page: tiff.Page | None = None) -> Found:
    """What an image says of itself.

    Args:
        image: decoded; some formats have metadata behind the pixels.
        file: the file it is from, for what Pillow does not keep; None: an image that was in memory.
        page: the page of a TIFF.
    """
    notes: list[str] = []
    info = image.info
    chunks = png.read_chunks(file) if image.format == "PNG" and file is not None else ()
    exif = orientation = None
    try:
        if page is not None and file is not None:
            exif, orientation = tiff.exif_of(reader(file), page), 1  # Pillow has turned it upright
        else:
            exif = _exif(image, in_memory=file is None)
            orientation = image.getexif().get(exif_block.ORIENTATION, 1)  # XMP's, where EXIF has none
    except Exception:  # EXIF is written by every camera in its own way; the photo matters more
        exif, orientation = None, 1
        notes.append("its EXIF is unreadable and was left out")
    packet = _bytes(info.get("xmp")) or _profile(info, "xmp")
    if image.format in ("JPEG", "MPO"):
        notes += _beside_a_jpeg(image, file, packet or b"")
    resources = info.get("photoshop")
    iptc = resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    if page is not None:
        packet, iptc = (
            _value(page, tiff.XMP) or packet,
            _value(page, tiff.IPTC) or _iptc_of(_value(page, tiff.PHOTOSHOP)),
        )
    extras = Extras(
        xmp=packet or None,
        iptc=(iptc if isinstance(iptc, bytes) else None) or _profile(info, "iptc"),
        comment=_bytes(info.get("comment")) or png.comment_of(chunks),
        dpi=_dpi(info),
        cicp=_cicp(chunks),
        chunks=chunks,
    )
    icc = info.get("icc_profile") if image.mode != "CMYK" else None
    valid = orientation if orientation in range(1, 9) else 1
    return Found(exif, valid, icc or None, extras, notes)


def reader(file: BinaryIO) -> exif_block.ReadAt:
    """``exif.ReadAt`` of a file."""

    def read(at: int, size: int) -> bytes:
        file.seek(at)
        return file.read(size)

    return read


def mended(found: Found, width: int, height: int, notes: list[str]) -> tuple[bytes | None, bytes | None]:
    """EXIF and XMP for the upright photo of this size; a note where EXIF is unreadable."""
    exif = None
    if found.exif:
        try:
            exif = exif_block.mended(found.exif, width, height)
        except (ValueError, struct.error):
            notes.append("its EXIF is unreadable and was left out")
    packet = found.extras.xmp
    return exif, xmp.mended(packet, width, height) if packet else None


def _exif(image: Image.Image, *, in_memory: bool) -> bytes | None:
    data = _bytes(image.info.get("exif")) or _profile(image.info, "exif") or _profile(image.info, "APP1")
    if data is None and in_memory:
        tags = image.getexif()
        data = tags.tobytes() if len(tags) else None
    if not data:
        return None
    return data if data.startswith(exif_block.PREFIX) else exif_block.PREFIX + data


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) and value else None


def _profile(info: dict[Any, Any], kind: str) -> bytes | None:
    text = info.get(f"Raw profile type {kind}")
    return png.raw_profile(text) if text else None


def _value(page: tiff.Page, tag: int) -> bytes | None:
    return page.entries[tag].value if tag in page.entries else None


def _iptc_of(resources: bytes | None) -> bytes | None:
    """IPTC's records out of Photoshop's image resources."""
    at = 0
    while resources and resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
        code, name_bytes = struct.unpack_from(">HB", resources, at + 4)
        at += 6 + name_bytes + 1 + (name_bytes + 1) % 2
        [size] = struct.unpack(">I", resources[at : at + 4].rjust(4, b"\0"))
        if code == _IPTC_RESOURCE:
            return resources[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    return None


def _dpi(info: dict[Any, Any]) -> tuple[float, float] | None:
    if info.get("jfif_unit", 1) not in (1, 2):  # a ratio alone; Pillow makes it 72
        return None
    try:
        across, down = (float(v) for v in info.get("dpi", ()))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if all(math.isfinite(v) and 0 < v < 65000 for v in (across, down)) else None


def hdr_note(extras: Extras) -> list[str]:
    """What is said of a photo whose brightness is coded for HDR."""
    curve = _HDR_CURVES.get(extras.cicp[1]) if extras.cicp else None
    if curve is None:
        return []
    return [f"it is an HDR photo ({curve}), which is restored as it is coded; training saw none"]


def _cicp(chunks: png.Chunks) -> tuple[int, int] | None:
    data = dict(chunks).get(b"cICP", b"")
    return (data[0], data[1]) if len(data) == 4 else None


def _beside_a_jpeg(image: Image.Image, file: BinaryIO | None, packet: bytes) -> list[str]:
    """Notes about what a phone puts into its JPEG, all of which is left out."""
    notes = []
    marks = set()
    if file is not None:
        marks = _marks_in(file, (*_GAIN_MAP_MARKS, *_FILM_MARKS))
    # Pillow does not count the pictures of one that says it has a gain map.
    several = (image.format == "MPO" and getattr(image, "n_frames", 1) > 1) or "mp" in image.info
    gain_map = several and any(mark in marks for mark in _GAIN_MAP_MARKS)
    if gain_map:
        notes.append(GAIN_MAP_LEFT_OUT)
    elif several:
        notes.append(PICTURES_LEFT_OUT)
    if xmp.has_film(packet) or any(mark in marks for mark in _FILM_MARKS):
        notes.append(FILM_LEFT_OUT)
    parts = getattr(image, "applist", [])
    if any(data.startswith(b"http://ns.adobe.com/xmp/extension/") for _, data in parts):
        notes.append("the extended part of its XMP (depth, film, raw settings) is left out")
    return notes


def _marks_in(file: BinaryIO, marks: tuple[bytes, ...]) -> set[bytes]:
    found: set[bytes] = set()
    file.seek(0)
    tail = b""
    while data := file.read(_CHUNK):
        found |= {mark for mark in marks if mark not in found and mark in tail + data}
        tail = data[-64:]
    return found
