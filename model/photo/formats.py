"""Which image formats there are: by the suffix of a name, and by the first bytes of a file."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from anyir.model.errors import UserError

WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
    ".avif": "AVIF",
    ".bmp": "BMP",
}
"""Suffix -> format that is written under it."""

READABLE_SUFFIXES = (*WRITABLE, ".mpo", ".gif")
"""A folder's files with other suffixes are not taken for photos."""

NAMES = {"WEBP": "WebP", "HEIF": "HEIC"}
"""How messages call a format, where not by its own name."""

LOSSY = ("JPEG", "WEBP", "HEIF", "AVIF")
"""Formats with a quality."""

_RAW = "a camera raw file"
_DEVELOP = "develop it to TIFF, PNG or JPEG first"
_CONVERT = "convert it to PNG or TIFF first"
_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\xff\x0a", "JPEG XL", _CONVERT),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", _CONVERT),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", _CONVERT),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000", _CONVERT),
    (0, b"8BPS", "a Photoshop file", "export it as TIFF or PNG"),
    (0, b"%PDF", "a PDF", "export its page as PNG"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR, which has floating-point values", _CONVERT),
    (0, b"#?RADIANCE", "Radiance HDR, which has floating-point values", _CONVERT),
    (0, b"\0\0\1\0", "an icon file", _CONVERT),
    (0, b"gimp xcf", "a GIMP file", "export it as PNG or TIFF"),
    (0, b"II\xbc\x01", "JPEG XR", _CONVERT),
    (0, b"BPG\xfb", "BPG", _CONVERT),
    (0, b"FLIF", "FLIF", _CONVERT),
    (0, b"qoif", "QOI", _CONVERT),
    (0, b"\x8bJNG", "JNG", _CONVERT),
    (0, b"\x8aMNG", "MNG, an animation", "export one frame as PNG"),
    (0, b"IIRO", _RAW, _DEVELOP),
    (0, b"IIRS", _RAW, _DEVELOP),
    (0, b"IIU\0", _RAW, _DEVELOP),
    (0, b"FUJIFILMCCD-RAW", _RAW, _DEVELOP),
    (0, b"FOVb", _RAW, _DEVELOP),
    (8, b"CR\2", _RAW, _DEVELOP),
    (4, b"ftypcrx ", _RAW, _DEVELOP),
    (4, b"ftypqt", "a video", "export one frame as PNG"),
    (4, b"ftypisom", "a video", "export one frame as PNG"),
    (4, b"ftypmp4", "a video", "export one frame as PNG"),
    (0, b"\x1aE\xdf\xa3", "a video", "export one frame as PNG"),
    (0, b"RIFF", "no WebP, but another RIFF file (sound or video)", "export one frame as PNG"),
    (0, b"PK\3\4", "a ZIP archive", "unpack it first"),
    (0, b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (0, b"P7\n", "a Netpbm file", _CONVERT),
)
_TEXTS = (
    (b"<svg", "SVG, a drawing", "export it as PNG"),
    (b"<!doctype html", "a web page, not a photo", "save the photo itself"),
    (b"<html", "a web page, not a photo", "save the photo itself"),
)


def output_format(path: Path) -> str:
    """The format that a file name stands for.

    Raises:
        UserError: an unknown suffix; the message lists the known ones.
    """
    try:
        return WRITABLE[path.suffix.lower()]
    except KeyError:
        raise UserError(f"{path}: the output's suffix must be one of {', '.join(WRITABLE)}") from None


def foreign_format(head: bytes) -> str | None:
    """What a file is that is none of the formats that are read, and what can be done; None: unknown.

    Args:
        head: the file's first bytes, 512 or more where there are so many.
    """
    for at, magic, name, advice in _MAGIC:
        if head[at:].startswith(magic) and not (magic == b"RIFF" and head[8:12] == b"WEBP"):
            return f"{name}; {advice}"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return f"a Netpbm file; {_CONVERT}"
    text = head[:512].lower()
    for start, name, advice in _TEXTS:
        if start in text:
            return f"{name}; {advice}"
    return None


def bits_of_jpeg(head: bytes) -> int | None:
    """Bits a channel that a JPEG's frame declares."""
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        if 0xC0 <= head[at + 1] <= 0xCF and head[at + 1] not in (0xC4, 0xC8, 0xCC):
            return head[at + 4]
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def is_lossless_webp(file: BinaryIO) -> bool:
    """Whether a WebP's pixels lost nothing."""
    file.seek(0)
    head, at = file.read(4096), 12
    while at + 8 <= len(head):
        if head[at : at + 4] in (b"VP8L", b"VP8 "):
            return head[at : at + 4] == b"VP8L"
        size = int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
        if at + 8 > len(head):  # behind a profile, or an alpha channel
            file.seek(at)
            head, at = file.read(8), 0
    return False
