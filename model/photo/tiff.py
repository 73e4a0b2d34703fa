"""TIFF: what a file's directories say, and writing 8 and 16 bits.

By hand, because tifffile cannot write EXIF's own directories (camera, GPS), and Pillow no 16-bit colour.
Source: TIFF 6.0, sections 2, 7, 8, 14 and 18; compression 8 of Adobe's technical note of 2002.
"""

from __future__ import annotations

import ctypes
import struct
import threading
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from anyir.model.errors import UserError
from anyir.model.photo import exif as exif_block
from anyir.model.photo.exif import Entry, ReadAt, TiffHead, number, read_directory, read_head

SUBFILE_TYPE, OLD_SUBFILE_TYPE = 254, 255
BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, SAMPLE_FORMAT = 258, 259, 262, 339
PLANAR_CONFIGURATION, DNG_VERSION = 284, 50706
XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675
MIN_IS_WHITE, SIGNED = 0, 2

# What describes the pixels of the file that was read and is wrong in the file that is written:
# sizes, strips, compression, colour; XMP, IPTC and Photoshop blocks and the profile, which are carried by
# themselves.
_STRUCTURAL = frozenset(
    (*range(254, 267), 273, 274, *range(277, 282), 284, 292, 293, 297, 301, 317, *range(320, 326), 330, 332,
     *range(338, 348), *range(512, 522), *range(529, 533), XMP, IPTC, PHOTOSHOP, ICC, 37724)
)  # fmt: skip
_STRIP_BYTES = 2**20
_STRIP_ROWS = 256
_MOST_PAGES = 1000
_KINDS = {"B": 1, "H": 3, "I": 4}

# Kinds that Pillow's decoders take and its table lacks: 16-bit grey where 0 is white, and with alpha. The
# second are unpacked in ``sixteen_bit``.
TiffImagePlugin.OPEN_INFO.update(
    {
        (b"MM", 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
        (b"MM", 1, (1,), 1, (16, 16), (2,)): ("RGBA", "LA;16B"),
        (b"II", 1, (1,), 1, (16, 16), (2,)): ("RGBA", "LA;16L"),
    }
)


_heard = threading.local()


@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
def _hear(module: int, text: int, values: int) -> None:
    _heard.damage = True


def found_damage() -> bool:
    """Whether libtiff, called by this thread, has found something wrong since the last time.

    Where it is built into Pillow (Windows), it prints that instead.
    """
    _hear_libtiff()
    before, _heard.damage = getattr(_heard, "damage", False), False
    return before


@cache
def _hear_libtiff() -> None:
    """Once a process, let libtiff call ``_hear`` where it would print."""
    pillow = Path(PIL.__file__).parent
    for path in (*pillow.parent.glob("pillow.libs/libtiff*"), *pillow.glob(".dylibs/libtiff*")):
        set_handler = ctypes.CDLL(str(path)).TIFFSetErrorHandler
        set_handler.restype = ctypes.c_void_p
        set_handler(_hear)


@dataclass(frozen=True)
class Page:
    """One directory of a TIFF's chain."""

    entries: dict[int, Entry]
    head: TiffHead

    def first(self, tag: int, default: int) -> int:
        return number(self.entries, self.head, tag, default)

    @property
    def bits(self) -> int:
        """Bits a channel, of the deepest."""
        entry = self.entries.get(BITS_PER_SAMPLE)
        return max((entry.numbers(self.head.order) if entry else ()) or (1,))

    @property
    def is_photo(self) -> bool:
        """Whether it is no thumbnail and no mask of another page."""
        reduced = self.first(SUBFILE_TYPE, 0) & 0b101 or self.first(OLD_SUBFILE_TYPE, 1) == 2
        return not reduced


def read_pages(read: ReadAt) -> list[Page]:
    """The directories of a TIFF's chain.

    Raises:
        ValueError: no TIFF, or its first directory is damaged.
    """
    head = read_head(read)
    pages: list[Page] = []
    at, seen = head.first, set()
    while at and at not in seen and len(pages) < _MOST_PAGES:
        seen.add(at)
        try:
            entries, next_ = read_directory(read, head, at)
        except ValueError:
            if not pages:
                raise
            break
        pages.append(Page(entries, head))
        at = next_
    return pages


def exif_of(read: ReadAt, page: Page) -> bytes | None:
    """An EXIF block with what a page says of more than its pixels' layout; its orientation is left out."""
    entries = {tag: entry for tag, entry in page.entries.items() if tag not in _STRUCTURAL}
    return exif_block.block_of(read, page.head, entries)


def what_it_is(page: Page) -> str:
    """Pixels' kind in words, with its article, for a file that cannot be read."""
    form = page.first(SAMPLE_FORMAT, 1)
    kind = {SIGNED: "signed", 3: "floating-point"}.get(form, "")
    channels = page.first(277, 1)
    words = (
        f"{'an' if page.bits == 8 else 'a'} {page.bits}-bit",
        kind,
        f"TIFF of {channels} channel{'s' if channels > 1 else ''}",
    )
    return " ".join(word for word in words if word)


def choose_page(image: TiffImagePlugin.TiffImageFile, read: ReadAt, name: str, notes: list[str]) -> Page:
    """Go to the page that is the photo, where the others are its thumbnails or masks."""
    pages = read_pages(read)
    if any(DNG_VERSION in each.entries for each in pages):
        raise UserError(f"{name} is a camera raw file; develop it to PNG, TIFF or JPEG first")
    photos = [i for i, page in enumerate(pages) if page.is_photo] or [0]
    if len(photos) > 1:
        raise UserError(f"{name} has {len(photos)} pages; only single images are restored")
    page = pages[photos[0]]
    if len(pages) > 1:
        notes.append("the other pages of this TIFF, its thumbnails or masks, are left out")
        image.seek(photos[0])
    if page.first(PLANAR_CONFIGURATION, 1) != 1 and page.bits > 8:
        raise UserError(f"{name} is a 16-bit TIFF with separate colour planes; save it interleaved")
    deep = image.mode == "F" or (image.mode.startswith("I") and not image.mode.startswith("I;16"))
    if deep or page.first(SAMPLE_FORMAT, 1) == SIGNED:  # Pillow takes signed grey of 8 bits for unsigned
        raise UserError(f"{name} is {what_it_is(page)}; save it with 8 or 16 bits a channel, unsigned")
    return page


def spread(pixels: NDArray[np.uint16], page: Page) -> None:
    """16 bits as they are meant: 9 to 15 bits spread over all, and white where the file has 0 for white."""
    if 8 < page.bits < 16:
        most = 2**page.bits - 1
        for y in range(0, len(pixels), _STRIP_ROWS):
            strip = pixels[y : y + _STRIP_ROWS]
            np.minimum(strip, most, out=strip)
            strip[...] = (strip.astype(np.uint32) * 65535 + most // 2) // most
    if page.first(PHOTOMETRIC, 1) == MIN_IS_WHITE:
        np.subtract(65535, pixels[..., :1], out=pixels[..., :1])


def write(
    file: BinaryIO,
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    iptc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> None:
    """A TIFF of (H, W, 1 | 2 | 3 | 4), uint8 or uint16: Deflate with horizontal differences.

    The file begins with the EXIF block as it is, so that every offset in it stays true, maker notes' too.
    Behind it come the pixels, and then one directory: EXIF's own first one, and what describes the pixels.
    Values are in the block's byte order.
    """
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    block = exif.removeprefix(exif_block.PREFIX) if exif else b"II*\0\0\0\0\0"
    order = ">" if block.startswith(b"MM") else "<"
    tags = _carried(block) if exif else {}
    begin = file.tell()
    file.write(block + bytes(len(block) % 2))

    def put(data: bytes) -> int:
        at = file.tell() - begin
        file.write(data + bytes(len(data) % 2))
        return at

    rows = max(1, _STRIP_BYTES // (width * channels * pixels.dtype.itemsize))
    places, sizes = [], []
    for y in range(0, height, rows):
        strip = pixels[y : y + rows].astype(f"{order}u{pixels.dtype.itemsize}")
        strip[:, 1:] -= strip[:, :-1].copy()
        packed = zlib.compress(strip.tobytes())
        places.append(put(packed))
        sizes.append(len(packed))

    def add(tag: int, letter: str, *values: int) -> None:
        _add(
            tags,
            put,
            order,
            tag,
            _KINDS[letter],
            struct.pack(f"{order}{len(values)}{letter}", *values),
            len(values),
        )

    add(256, "I", width)
    add(257, "I", height)
    add(BITS_PER_SAMPLE, "H", *[bits] * channels)
    add(COMPRESSION, "H", 8)  # Deflate
    add(PHOTOMETRIC, "H", 1 if channels < 3 else 2)  # black is zero, or RGB
    add(273, "I", *places)
    add(274, "H", 1)  # upright
    add(277, "H", channels)
    add(278, "I", rows)
    add(279, "I", *sizes)
    add(PLANAR_CONFIGURATION, "H", 1)  # channels interleaved
    add(317, "H", 2)  # horizontal differences
    if channels in (2, 4):
        add(338, "H", 2)  # the extra channel is alpha, not multiplied into the colours
    if dpi and 282 not in tags:
        for tag, value in zip((282, 283), dpi, strict=True):
            ratio = struct.pack(f"{order}II", round(value * 1000), 1000)
            _add(tags, put, order, tag, 5, ratio, 1)
        add(296, "H", 2)  # inches
    for tag, kind, data in ((ICC, 7, icc), (XMP, 1, xmp), (IPTC, 7, iptc)):
        if data:
            _add(tags, put, order, tag, kind, data, len(data))
    directory = struct.pack(f"{order}H", len(tags)) + b"".join(tags[tag] for tag in sorted(tags)) + bytes(4)
    at = put(directory)
    file.seek(begin + 4)
    file.write(struct.pack(f"{order}I", at))
    file.seek(0, 2)


def _add(tags: dict[int, bytes], put, order: str, tag: int, kind: int, value: bytes, count: int) -> None:  # type: ignore[no-untyped-def]
    inline = value if len(value) <= 4 else struct.pack(f"{order}I", put(value))
    tags[tag] = struct.pack(f"{order}HHI", tag, kind, count) + inline.ljust(4, b"\0")


def _carried(block: bytes) -> dict[int, bytes]:
    """The entries of an EXIF block's first directory that a TIFF's takes over, 12 bytes each."""
    read = exif_block.reader_of(block)
    head = read_head(read)
    entries, _ = read_directory(read, head, head.first)
    return {tag: block[entry.at : entry.at + 12] for tag, entry in entries.items() if tag not in _STRUCTURAL}
