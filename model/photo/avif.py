"""AVIF of 10 and 12 bits, of which Pillow keeps 8, through imagecodecs; and what Pillow does not tell."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_HEAD_BYTES = 2**16  # what describes the pixels comes before them
UNSPECIFIED, SRGB = 2, (1, 13)
"""Colours as files name them (ISO/IEC 23091-2): primaries, and primaries with their curve."""


def is_avif(head: bytes) -> bool:
    """Whether a file begins as AVIF."""
    return head[4:8] == b"ftyp" and b"avif" in head[8:64]


def read_head(file: BinaryIO) -> bytes:
    """The part of a file that its boxes are in."""
    file.seek(0)
    return file.read(_HEAD_BYTES)


def bits_of(head: bytes) -> int:
    """Bits a channel: 8, 10 or 12, of the photo, whose description comes before that of its alpha."""
    place = head.find(b"av1C")
    flags = head[place + 6 : place + 7] if place >= 0 else b""
    if not flags or not flags[0] & 0x40:
        return 8
    return 12 if flags[0] & 0x20 else 10


def cicp_of(head: bytes) -> tuple[int, int] | None:
    """Colour primaries and transfer function by their numbers in H.273, where they are not sRGB's."""
    place = head.find(b"colrnclx")
    if place < 0 or len(head) < place + 12:
        return None
    primaries, transfer = struct.unpack_from(">HH", head, place + 8)
    named = (primaries, transfer)
    return None if UNSPECIFIED in named or named == SRGB else named


def with_cicp(data: bytes, cicp: tuple[int, int]) -> bytes:
    """A file that Pillow has made, which says sRGB, with other colour primaries and transfer function."""
    place = data.index(b"colrnclx") + 8
    return data[:place] + struct.pack(">HH", *cicp) + data[place + 4 :]


def has_gain_map(head: bytes) -> bool:
    """Whether an HDR gain map goes with the photo."""
    return b"infe" in head and b"tmap" in head[64:]


def decode_deep(file: BinaryIO, bits: int) -> NDArray[np.uint16]:
    """Pixels of 10 or 12 bits, (H, W, C), over the full range of 16; not turned upright.

    Raises:
        Exception: the file is damaged.
    """
    from imagecodecs import avif_decode

    file.seek(0)
    pixels = np.asarray(avif_decode(file.read()))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return over_full_range(pixels, bits)


def over_full_range(pixels: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Values of 10 or 12 bits as 16, so that white is 65535: their upper bits are repeated below."""
    full = pixels << np.uint16(16 - bits)
    full |= pixels >> np.uint16(2 * bits - 16)
    return full
