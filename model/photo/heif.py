"""HEIC files, 8, 10 and 12 bits, through pillow-heif."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from anyir.model.errors import UserError
from anyir.model.photo.avif import SRGB, UNSPECIFIED, over_full_range
from anyir.model.photo.metadata import GAIN_MAP_LEFT_OUT

_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
_GAIN_MAPS = ("hdrgainmap",)


@dataclass(frozen=True)
class HeifImage:
    """The main picture of a HEIC, upright, and what goes with it.

    Attributes:
        pixels: (H, W, C), uint8, or uint16 over the full range.
        info: EXIF, XMP and ICC profile, under Pillow's names.
        cicp: colour primaries and transfer function by their numbers in H.273, where they are not sRGB's.
        bits: a channel's bits in the file.
        notes: what was left out.
    """

    pixels: NDArray[Any]
    info: dict[str, Any]
    cicp: tuple[int, int] | None
    bits: int
    notes: list[str]


def is_heif(head: bytes) -> bool:
    """Whether a file begins as HEIC; AVIF, whose first brand may be the same, does not count."""
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS and b"avif" not in head[8:64]


def read_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height of the main picture, upright; nothing is decoded."""
    return _open(file).size


def decode(file: BinaryIO, most_pixels: int) -> HeifImage:
    """The main picture of a HEIC.

    Raises:
        UserError: more pixels than ``most_pixels`` (nothing was decoded then), or premultiplied alpha.
        Exception: the file is damaged.
    """
    opened = _open(file)
    width, height = opened.size
    if width * height > most_pixels:
        raise UserError(f"{width}x{height} are more than {most_pixels // 10**6} million pixels, the limit")
    main = opened[opened.primary_index]
    if main.premultiplied_alpha:
        raise UserError("HEIC with premultiplied alpha is not supported; save it with plain alpha")
    values = np.asarray(main)  # decodes
    pixels = np.ascontiguousarray(values.reshape(*values.shape[:2], -1)[:height, :width])
    if pixels.dtype == np.uint16:
        pixels = over_full_range(pixels, main.info["bit_depth"])
    elif not pixels.flags.writeable:
        pixels = pixels.copy()
    info = {key: main.info.get(key) for key in ("exif", "xmp", "icc_profile")}
    return HeifImage(
        pixels, info, _cicp(main.info), main.info["bit_depth"], _what_is_left_out(opened, main.info)
    )


def _open(file: BinaryIO) -> Any:
    import pillow_heif

    return pillow_heif.open_heif(file, convert_hdr_to_8bit=False, hdr_to_16bit=False)


def _cicp(info: dict[str, Any]) -> tuple[int, int] | None:
    profile = info.get("nclx_profile") or {}
    named = (
        profile.get("color_primaries", UNSPECIFIED),
        profile.get("transfer_characteristics", UNSPECIFIED),
    )
    return None if UNSPECIFIED in named or named == SRGB or info.get("icc_profile") else named


def _what_is_left_out(opened: Any, info: dict[str, Any]) -> list[str]:
    notes = []
    kinds = list(info.get("aux") or {})
    if any(name in kind.lower() for kind in kinds for name in _GAIN_MAPS):
        notes.append(GAIN_MAP_LEFT_OUT)
    others = [kind for kind in kinds if not any(name in kind.lower() for name in _GAIN_MAPS)]
    if info.get("depth_images") or others:
        notes.append("the further pictures inside this HEIC (depth, mattes) are left out")
    if len(opened) > 1:
        notes.append(
            f"the file has {len(opened)} pictures: its main one is restored, the others are left out"
        )
    return notes


def encode(
    file: BinaryIO,
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    *,
    quality: int,
    bits: int,
    cicp: tuple[int, int] | None,
    metadata: dict[str, bytes],
) -> None:
    """A HEIC of (H, W, 1 | 2 | 3 | 4), uint16 with 10 or 12 bits.

    Colour has half the resolution, as the hardware of phones takes no other, and all of it without loss.

    Args:
        quality: 0..100, or -1 for lossless.
    """
    import pillow_heif

    height, width, channels = pixels.shape
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    options: dict[str, Any] = {"quality": quality, "chroma": "444" if quality < 0 and channels > 2 else "420"}
    if pixels.dtype == np.uint16:
        mode += ";16"
        options["bit_depth"] = bits
        most = 2**bits - 1
        pixels = ((pixels.astype(np.uint32) * most + 32767) // 65535).astype(np.uint16) << np.uint16(
            16 - bits
        )
    if quality < 0:
        options["matrix_coefficients"] = (
            0 if channels > 2 else 6
        )  # RGB as it is, not turned into luma and chroma
    if cicp:
        options |= {"color_primaries": cicp[0], "transfer_characteristics": cicp[1]}
        options.setdefault("matrix_coefficients", 6)
        options["full_range_flag"] = 1
    pillow_heif.encode(
        mode, (width, height), np.ascontiguousarray(pixels).tobytes(), file, **options, **metadata
    )
