"""EXIF as bytes: what cameras write is kept as it is, but for orientation, size and thumbnail.

Programs that parse EXIF and write it again lose text outside ASCII, unknown tags, and maker notes, whose
offsets count from the block's start. So the block is changed in place and nothing in it moves.
Source: TIFF 6.0, section 2; CIPA DC-008 (Exif 3.0), sections 4.5 and 4.6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

PREFIX = b"Exif\0\0"
"""What JPEG writes before the block, and ``Photo.exif`` too."""

IMAGE_WIDTH, IMAGE_HEIGHT, ORIENTATION = 0x0100, 0x0101, 0x0112
EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD = 0x8769, 0x8825, 0xA005
PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003
_THUMBNAIL_AT, _THUMBNAIL_BYTES = 0x0201, 0x0202
_STRIPS_AT, _STRIPS_BYTES = 0x0111, 0x0117
_POINTERS = (EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD)

_SHORT, _LONG = 3, 4
_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WIDE_KINDS = {16: 4, 17: 9, 18: 4}  # of BigTIFF, and what they become in EXIF
_MOST_BYTES = 2**24  # of a directory's values that are carried: no photo's metadata has more
_MOST_ENTRIES = 4096

ReadAt = Callable[[int, int], bytes]
"""(offset, size) -> as many bytes as there are."""


@dataclass(frozen=True)
class Entry:
    """One tag of a directory: its value's bytes as they are in the file, and where its 12 or 20 bytes are."""

    tag: int
    kind: int
    count: int
    value: bytes
    at: int

    def numbers(self, order: str) -> tuple[int, ...]:
        """The values of a tag of whole numbers; empty for any other."""
        letter = _LETTERS.get(self.kind)
        return struct.unpack(f"{order}{self.count}{letter}", self.value) if letter else ()


@dataclass(frozen=True)
class TiffHead:
    """How a TIFF, or an EXIF block, is written.

    Attributes:
        order: ``<`` or ``>``, as ``struct`` has it.
        big: whether it is a BigTIFF.
        first: where its first directory is.
    """

    order: str
    big: bool
    first: int


def read_head(read: ReadAt) -> TiffHead:
    """The header of a TIFF or an EXIF block.

    Raises:
        ValueError: it is none.
    """
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    magic = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) >= 8 else 0
    if order is None or magic not in (42, 43) or (magic == 43 and len(head) < 16):
        raise ValueError("no TIFF header")
    big = magic == 43
    return TiffHead(
        order, big, struct.unpack(f"{order}{'Q' if big else 'I'}", head[8:16] if big else head[4:8])[0]
    )


def read_directory(read: ReadAt, head: TiffHead, at: int) -> tuple[dict[int, Entry], int]:
    """A directory's entries by tag, and where the next directory is (0: there is none).

    Entries whose values lie outside the file, or have a type that is not known, are left out.

    Raises:
        ValueError: the directory itself is cut short.
    """
    counter, entry, inline = ("Q", "HHQ", 8) if head.big else ("H", "HHI", 4)
    start = at + struct.calcsize(counter)
    size = struct.calcsize(f"={entry}") + inline
    [count] = _unpack(f"{head.order}{counter}", read(at, start - at))
    if not 0 < count <= _MOST_ENTRIES:
        raise ValueError(f"a directory of {count} entries")
    table = read(start, count * size + inline)
    if len(table) < count * size:
        raise ValueError("a directory is cut short")
    found, total = {}, 0
    for i in range(count):
        line = table[i * size : (i + 1) * size]
        tag, kind, length = _unpack(f"{head.order}{entry}", line[:-inline])
        bytes_ = _BYTES.get(kind, 0) * length
        if not 0 < bytes_ <= _MOST_BYTES - total:
            continue
        total += bytes_
        value = line[-inline:][:bytes_]
        if bytes_ > inline:
            value = read(_unpack(f"{head.order}{'Q' if head.big else 'I'}", line[-inline:])[0], bytes_)
        if len(value) == bytes_:
            found[tag] = Entry(tag, kind, length, value, start + i * size)
    after = table[count * size :]
    next_ = _unpack(f"{head.order}{'Q' if head.big else 'I'}", after)[0] if len(after) == inline else 0
    return found, next_


def _unpack(form: str, data: bytes) -> tuple[int, ...]:
    if len(data) != struct.calcsize(form):
        raise ValueError("cut short")
    return struct.unpack(form, data)


def reader_of(data: bytes | bytearray) -> ReadAt:
    """``ReadAt`` of bytes."""
    return lambda at, size: bytes(data[at : at + size])


def number(entries: dict[int, Entry], head: TiffHead, tag: int, default: int) -> int:
    """The first value of a tag of whole numbers."""
    values = entries[tag].numbers(head.order) if tag in entries else ()
    return values[0] if values else default


def mended(exif: bytes, width: int, height: int) -> bytes:
    """An EXIF block for the photo as it is written: upright, of this size, without the old thumbnail.

    All other bytes stay, each at its place.

    Args:
        exif: with or without ``PREFIX``.
        width: of the upright photo, in pixels.
        height: of the upright photo, in pixels.

    Raises:
        ValueError: the block is unreadable.
    """
    data = bytearray(exif.removeprefix(PREFIX))
    head = read_head(reader_of(data))
    if head.big:
        raise ValueError("EXIF is no BigTIFF")
    entries, next_ = read_directory(reader_of(data), head, head.first)
    places = _places(data, head, head.first)
    for tag, value in ((ORIENTATION, 1), (IMAGE_WIDTH, width), (IMAGE_HEIGHT, height)):
        _set(data, head, places.get(tag), value)
    camera = number(entries, head, EXIF_IFD, 0)
    if camera:
        try:
            inner = _places(data, head, camera)
        except ValueError:
            inner = {}
        for tag, value in ((PIXEL_WIDTH, width), (PIXEL_HEIGHT, height)):
            _set(data, head, inner.get(tag), value)
    if next_:
        _drop_thumbnail(data, head, head.first, next_)
    return PREFIX + bytes(data)


def _places(data: bytearray, head: TiffHead, at: int) -> dict[int, int]:
    """Where each tag's 12 bytes are, also with a wrong type: some programs read its value all the same."""
    [count] = _unpack(f"{head.order}H", bytes(data[at : at + 2]))
    starts = (at + 2 + 12 * i for i in range(count))
    return {_unpack(f"{head.order}H", bytes(data[i : i + 2]))[0]: i for i in starts if i + 12 <= len(data)}


def _set(data: bytearray, head: TiffHead, place: int | None, value: int) -> None:
    if place is not None:
        kind = _SHORT if value < 2**16 else _LONG
        form = f"{head.order}HI{'HH' if kind == _SHORT else 'I'}"
        struct.pack_into(form, data, place + 2, kind, 1, value, *([0] if kind == _SHORT else []))


def _drop_thumbnail(data: bytearray, head: TiffHead, first: int, at: int) -> None:
    """Take the second directory, which describes the thumbnail, out of the chain, and the thumbnail away.

    One at the block's end, the usual place, is cut off; one elsewhere becomes zeros, as nothing moves.
    """
    [count] = struct.unpack_from(f"{head.order}H", data, first)
    struct.pack_into(f"{head.order}I", data, first + 2 + 12 * count, 0)
    try:
        entries, _ = read_directory(reader_of(data), head, at)
    except ValueError:
        return
    for place, size in ((_THUMBNAIL_AT, _THUMBNAIL_BYTES), (_STRIPS_AT, _STRIPS_BYTES)):
        if place in entries and size in entries:
            begins, lengths = (entries[tag].numbers(head.order) for tag in (place, size))
            for begin, length in sorted(zip(begins, lengths, strict=False), reverse=True):
                end = begin + length
                if begin <= at or end > len(data):
                    continue  # it is not where a thumbnail can be
                if end >= len(data) - 1:
                    del data[begin:]
                else:
                    data[begin:end] = bytes(length)


def without_orientation(exif: bytes) -> bytes:
    """The same block without the tag, for formats that keep the orientation elsewhere; nothing else moves."""
    data = bytearray(exif.removeprefix(PREFIX))
    head = read_head(reader_of(data))
    entries, _ = read_directory(reader_of(data), head, head.first)
    if ORIENTATION in entries:
        [count] = struct.unpack_from(f"{head.order}H", data, head.first)
        end = head.first + 2 + 12 * count + 4
        at = entries[ORIENTATION].at
        data[at:end] = data[at + 12 : end] + bytes(12)
        struct.pack_into(f"{head.order}H", data, head.first, count - 1)
        if count == 1:
            return b""
    return PREFIX + bytes(data)


def block_of(read: ReadAt, head: TiffHead, entries: dict[int, Entry]) -> bytes | None:
    """An EXIF block with these entries of a TIFF and the directories they point to (camera, GPS).

    Values keep their bytes. None if there is no entry.
    """
    if not entries:
        return None
    start = b"II*\0\x08\0\0\0" if head.order == "<" else b"MM\0*\0\0\0\x08"
    return PREFIX + start + _packed(read, head, entries, 8, depth=0)


def _packed(read: ReadAt, head: TiffHead, entries: dict[int, Entry], at: int, *, depth: int) -> bytes:
    """A directory as it is written at ``at``, with its values and the directories it points to after it."""
    table, behind = b"", b""
    place = at + 2 + 12 * len(entries) + 4
    for tag in sorted(entries):
        entry = narrow(entries[tag], head.order)
        value = entry.value
        inner: dict[int, Entry] = {}
        if tag in _POINTERS and depth < 2:  # interoperability in camera in the first
            try:
                inner, _ = read_directory(read, head, entry.numbers(head.order)[0])
            except (ValueError, IndexError):
                inner = {}
        if inner:
            value = struct.pack(f"{head.order}I", place + len(behind))
            entry = replace(entry, kind=_LONG, count=1)
            behind += _packed(read, head, inner, place + len(behind), depth=depth + 1)
        elif len(value) > 4:
            value = struct.pack(f"{head.order}I", place + len(behind))
            behind += entry.value
        behind += bytes(len(behind) % 2)
        table += struct.pack(f"{head.order}HHI", tag, entry.kind, entry.count) + value.ljust(4, b"\0")
    return struct.pack(f"{head.order}H", len(entries)) + table + bytes(4) + behind


def narrow(entry: Entry, order: str) -> Entry:
    """An entry without the 64-bit types of BigTIFF."""
    if entry.kind not in _WIDE_KINDS:
        return entry
    kind = _WIDE_KINDS[entry.kind]
    wide, letter = ("q", "i") if entry.kind == 17 else ("Q", "I")
    values = struct.unpack(f"{order}{entry.count}{wide}", entry.value)
    most = 2**31 - 1 if letter == "i" else 2**32 - 1
    return replace(
        entry, kind=kind, value=struct.pack(f"{order}{entry.count}{letter}", *(min(v, most) for v in values))
    )
