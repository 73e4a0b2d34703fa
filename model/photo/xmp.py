"""XMP as bytes: kept as it is, but for what is no longer true of the photo that is written."""

from __future__ import annotations

import re

_MOTION = (b"GCamera:MotionPhoto", b"GCamera:MicroVideo", b"Camera:MotionPhoto", b"Camera:MicroVideo")
# What points to further pictures or films in the old file, its extended part, its thumbnail.
_GONE_ELEMENTS = (b"Container:Directory", b"xmp:Thumbnails", b"xap:Thumbnails")
_GONE_PROPERTIES = re.compile(rb"\b(?:hdrgm:\w+|HDRGainMap:\w+|xmpNote:HasExtendedXMP)\b")


def mended(xmp: bytes, width: int, height: int) -> bytes:
    """An XMP packet for the upright photo of this size: orientation, size, thumbnail, and no mention of
    films or gain maps that were in the old file. A packet that is not UTF-8 stays as it is."""
    numbers = {
        b"tiff:Orientation": 1,
        b"tiff:ImageWidth": width,
        b"tiff:ImageLength": height,
        b"exif:PixelXDimension": width,
        b"exif:PixelYDimension": height,
        **dict.fromkeys(_MOTION, 0),
    }
    for name, value in numbers.items():
        xmp = _with_number(xmp, name, value)
    gone = set(_GONE_PROPERTIES.findall(xmp))
    for name in gone:
        xmp = re.sub(rb"\s%b\s*=\s*(?:\"[^\"]*\"|'[^']*')" % name, b"", xmp)
    for name in (*_GONE_ELEMENTS, *gone):
        xmp = _without_element(xmp, name)
    return xmp


def _with_number(xmp: bytes, name: bytes, value: int) -> bytes:
    """A whole number, written as an attribute or as an element, replaced where it is."""
    return re.sub(rb"(%b(?:\s*=\s*[\"']|>\s*))\d+" % name, lambda m: m[1] + str(value).encode(), xmp)


def _without_element(xmp: bytes, name: bytes) -> bytes:
    close = b"</" + name + b">"
    kept, at = [], 0
    while (start := xmp.find(b"<" + name, at)) >= 0:
        head_end = xmp.find(b">", start)
        if head_end < 0:
            break
        end = head_end + 1
        if xmp[head_end - 1 : head_end] != b"/":
            closing = xmp.find(close, head_end)
            if closing < 0:
                break
            end = closing + len(close)
        kept.append(xmp[at:start])
        at = end
    return b"".join([*kept, xmp[at:]])


def has_film(xmp: bytes) -> bool:
    """Whether a camera says that a film is behind the photo."""
    return any(re.search(rb"\b%b(?:\s*=\s*[\"']|>\s*)1" % name, xmp) for name in _MOTION)
