"""PNG's chunks: what a file says of its colours and texts, and files of 16 bits, which Pillow lacks.

Source: PNG specification, third edition, sections 5, 9 and 11.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD_BYTES = len(SIGNATURE) + 25  # with the IHDR, before which no other chunk may come
COLOUR_CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_CARRIED = (*COLOUR_CHUNKS, b"pHYs", *TEXT_CHUNKS)
_XMP, _PROFILE = b"XML:com.adobe.xmp\0", b"Raw profile type "
_MOST_BYTES = 2**24  # of all chunks that are carried
_STRIP_BYTES = 2**20

Chunks = tuple[tuple[bytes, bytes], ...]
"""(name, data) of chunks, as they are in a file."""

# What sRGB says of itself in the older chunks: they lose nothing when they are left out.
_SRGB_GAMMA = 45455
_SRGB_PRIMARIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def read_chunks(file: BinaryIO) -> Chunks:
    """The chunks of a PNG that are carried over, but for XMP and raw profiles, which Pillow reads."""
    file.seek(len(SIGNATURE))
    found: list[tuple[bytes, bytes]] = []
    left = _MOST_BYTES
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        if name == b"IEND":
            break
        if name not in _CARRIED or size > left:
            file.seek(size + 4, io.SEEK_CUR)
            continue
        data = file.read(size)
        file.seek(4, io.SEEK_CUR)
        left -= size
        if len(data) == size and not data.startswith((_XMP, _PROFILE)):
            found.append((name, data))
    return tuple(found)


def is_described_behind(file: BinaryIO) -> bool:
    """Whether EXIF or XMP lies behind the pixels, where Pillow finds it only by decoding them."""
    place, behind = len(SIGNATURE), False
    while True:
        file.seek(place)
        head = file.read(8 + len(_XMP))
        if len(head) < 8 or head[4:8] == b"IEND":
            return False
        size, name = struct.unpack(">I4s", head[:8])
        if behind and (name == b"eXIf" or (name in TEXT_CHUNKS and head[8:].startswith((_XMP, _PROFILE)))):
            return True
        behind |= name == b"IDAT"
        place += size + 12


def colour_is_srgb(chunks: Chunks) -> bool:
    """Whether nothing is lost where these chunks cannot be kept: none, or those of sRGB."""
    by_name = dict(chunks)
    if b"mDCV" in by_name or b"cLLI" in by_name:
        return False
    if b"cICP" in by_name:
        return by_name[b"cICP"][:2] == b"\x01\x0d"
    if b"sRGB" in by_name:
        return True
    gamma, primaries = by_name.get(b"gAMA"), by_name.get(b"cHRM")
    return (gamma is None or gamma == struct.pack(">I", _SRGB_GAMMA)) and (
        primaries is None or primaries == struct.pack(">8I", *_SRGB_PRIMARIES)
    )


def comment_of(chunks: Chunks) -> bytes | None:
    """The text ``Comment``, as UTF-8."""
    for name, data in chunks:
        keyword, _, text = data.partition(b"\0")
        if name == b"tEXt" and keyword == b"Comment":
            return text.decode("latin-1").encode()
        if name == b"iTXt" and keyword == b"Comment" and text[:1] == b"\0":
            return text[2:].split(b"\0", 2)[-1]
    return None


def comment_chunk(comment: bytes) -> tuple[bytes, bytes]:
    """A text chunk with a comment, in UTF-8 where it is that."""
    try:
        comment.decode()
    except UnicodeDecodeError:  # of an old program, in Latin-1 most likely: as the older chunk has it
        return b"tEXt", b"Comment\0" + comment
    return b"iTXt", b"Comment\0\0\0\0\0" + comment


def xmp_chunk(xmp: bytes) -> tuple[bytes, bytes]:
    """XMP, as its specification puts it into PNG: part 3, section 1.1.5."""
    return b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp


def density_chunk(dpi: tuple[float, float]) -> tuple[bytes, bytes]:
    """pHYs of a resolution in dots per inch."""
    across, down = (round(value / 0.0254) for value in dpi)
    return b"pHYs", struct.pack(">IIB", across, down, 1)


def raw_profile_chunk(kind: str, data: bytes) -> tuple[bytes, bytes]:
    """Metadata that PNG has no chunk for, as ImageMagick and ExifTool put it into text."""
    digits = data.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    text = f"\n{kind}\n{len(data):8d}\n{lines}\n"
    return b"zTXt", f"Raw profile type {kind}\0\0".encode() + zlib.compress(text.encode())


def raw_profile(text: object) -> bytes | None:
    """What ``raw_profile_chunk`` wrote, or None if it is not like that."""
    try:
        return bytes.fromhex("".join(str(text).split("\n")[3:]))
    except ValueError:
        return None


class WithChunks(io.RawIOBase):
    """A file to which Pillow writes a PNG, and which puts further chunks behind its header."""

    def __init__(self, file: BinaryIO, chunks: Iterable[tuple[bytes, bytes]]) -> None:
        self.file, self.chunks, self.written = file, chunks, 0

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def, override]
        data = memoryview(data).cast("B")
        head = max(0, min(len(data), _HEAD_BYTES - self.written))
        if head:
            self.file.write(data[:head])
            self.written += head
            if self.written == _HEAD_BYTES:
                for name, content in self.chunks:
                    write_chunk(self.file, name, content)
        self.file.write(data[head:])
        return len(data)


def write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    """One chunk, with its length and its check sum."""
    file.write(struct.pack(">I", len(data)) + name)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))


def write_deep(file: BinaryIO, pixels: NDArray[np.uint16], chunks: Iterable[tuple[bytes, bytes]]) -> None:
    """A 16-bit PNG of (H, W, 1 | 2 | 3 | 4), every row filtered with Up.

    By hand: pypng writes no EXIF and no ICC profile.
    """
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    file.write(SIGNATURE)
    write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    for name, data in chunks:
        write_chunk(file, name, data)
    packer = zlib.compressobj(6)
    above = np.zeros((1, width * channels * 2), np.uint8)
    rows = max(1, _STRIP_BYTES // above.size)
    for y in range(0, height, rows):
        block = pixels[y : y + rows].astype(">u2").reshape(-1, width * channels).view(np.uint8)
        lines = np.full((len(block), above.size + 1), 2, np.uint8)  # filter 2: minus the row above
        lines[:, 1:] = block - np.concatenate([above, block[:-1]])
        above = block[-1:]
        write_chunk(file, b"IDAT", packer.compress(lines.tobytes()))
    write_chunk(file, b"IDAT", packer.flush())
    write_chunk(file, b"IEND", b"")


def icc_chunk(icc: bytes) -> tuple[bytes, bytes]:
    """An ICC profile."""
    return b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)


def exif_chunk(exif: bytes) -> tuple[bytes, bytes]:
    """An EXIF block, as ``Photo.exif`` holds it."""
    return b"eXIf", exif.removeprefix(b"Exif\0\0")
