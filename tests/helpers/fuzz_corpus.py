"""Small photos of every format and kind that is read, and what is done to them."""

import io
import random

import numpy as np
import tifffile
from imagecodecs import avif_encode
from PIL import Image

from anyir.model.photo.encoder import Encoding, encode
from anyir.model.photo.metadata import Extras
from anyir.model.photo.reader import Photo
from tests.helpers.photo_files import SRGB, camera_exif, values

SHAPE = (24, 40)
XMP = b'<rdf:Description tiff:Orientation="6" GCamera:MotionPhoto="1" hdrgm:Version="1.0"/>'
EXTRAS = Extras(xmp=XMP, iptc=b"\x1c\x02\x05\0\5title", comment=b"comment", dpi=(300, 300))
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


def make_corpus() -> dict[str, bytes]:
    """Name -> file."""
    made = {}
    for format_ in ("PNG", "TIFF", "JPEG", "WEBP", "HEIF", "AVIF", "BMP"):
        for channels in (1, 2, 3, 4):
            for dtype in (np.uint8, np.uint16):
                pixels = values((*SHAPE, channels), dtype)
                if channels in (2, 4):
                    pixels[..., -1] = np.iinfo(dtype).max
                photo = Photo(pixels, SRGB, camera_exif(6), extras=EXTRAS)
                made[f"{format_}-{channels}-{dtype.__name__}"] = encode(photo, format_)[0]
    made["WEBP-lossless"] = encode(Photo(values((*SHAPE, 4))), "WEBP", Encoding(lossless=True))[0]
    made |= {f"pillow-{name}": _by_pillow(**how) for name, how in _PILLOW.items()}
    made |= {f"tiff-{name}": _by_tifffile(**how) for name, how in _TIFF.items()}
    for bits in (10, 12):
        made[f"AVIF-{bits}"] = avif_encode(values((*SHAPE, 3), np.uint16) >> (16 - bits), bitspersample=bits)
        made[f"HEIF-{bits}"] = encode(Photo(values((*SHAPE, 3), np.uint16), bits=bits), "HEIF")[0]
    made["film"] = made["JPEG-3-uint8"] + b"MotionPhoto_Data\0\0\0\x18ftypmp42" + bytes(99)
    return made


_PILLOW = {
    "palette": {"mode": "P", "format_": "PNG", "transparency": 3},
    "one-bit": {"mode": "1", "format_": "PNG"},
    "interlaced-gif": {"mode": "P", "format_": "GIF", "interlace": True},
    "animated-gif": {"mode": "P", "format_": "GIF", "frames": 3},
    "apng": {"mode": "RGB", "format_": "PNG", "frames": 3},
    "progressive": {"mode": "RGB", "format_": "JPEG", "progressive": True},
    "cmyk": {"mode": "CMYK", "format_": "JPEG"},
    "mpo": {"mode": "RGB", "format_": "MPO", "frames": 2, "xmp": XMP},
    "animated-webp": {"mode": "RGB", "format_": "WEBP", "frames": 2},
    "lzw": {"mode": "RGB", "format_": "TIFF", "compression": "tiff_lzw"},
    "fax": {"mode": "1", "format_": "TIFF", "compression": "group4"},
    "jpeg-tiff": {"mode": "RGB", "format_": "TIFF", "compression": "jpeg"},
    "rle": {"mode": "P", "format_": "BMP"},
}
_TIFF = {
    "big-endian": {"dtype": np.uint16, "channels": 3, "byteorder": ">"},
    "bigtiff": {"dtype": np.uint16, "channels": 3, "bigtiff": True},
    "tiled": {"dtype": np.uint8, "channels": 3, "tile": (16, 16), "compression": "zlib"},
    "float": {"dtype": np.float32, "channels": 1},
    "white-is-0": {"dtype": np.uint16, "channels": 1, "photometric": "miniswhite"},
    "grey-alpha": {"dtype": np.uint16, "channels": 2, "extrasamples": ["unassalpha"]},
}


def _by_pillow(mode: str, format_: str, frames: int = 1, **options: object) -> bytes:
    image = Image.fromarray(values((*SHAPE, 3))).convert(mode)
    file = io.BytesIO()
    several = {"save_all": True, "append_images": [image.rotate(90 * i) for i in range(1, frames)]}
    image.save(file, format_, **options, **(several if frames > 1 else {}))
    return file.getvalue()


def _by_tifffile(dtype: type, channels: int, **options: object) -> bytes:
    shape = SHAPE if channels == 1 else (*SHAPE, channels)
    pixels = np.ones(shape, dtype) if dtype is np.float32 else values(shape, dtype)
    file = io.BytesIO()
    kind = {"photometric": "rgb" if channels > 2 else "minisblack", "planarconfig": "contig", **options}
    tifffile.imwrite(file, pixels, **kind)
    return file.getvalue()


def mutated(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """A file with a few changes, half of them in its first 300 bytes."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if not changed:
            break
        end = min(len(changed), 300) if rng.random() < 0.5 else len(changed)
        at = rng.randrange(end)
        kind = rng.randrange(8)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at] = rng.randrange(256)
        elif kind == 2:
            number, size = rng.choice(NUMBERS), rng.choice((2, 4))
            order = rng.choice(("big", "little"))
            changed[at : at + size] = (number & (256**size - 1)).to_bytes(size, order)
        elif kind == 3:
            del changed[at : at + rng.randint(1, 64)]
        elif kind == 4:
            changed[at:at] = rng.randbytes(rng.randint(1, 64))
        elif kind == 5:
            piece = changed[at : at + rng.randint(1, 200)]
            place = rng.randrange(len(changed))
            changed[place:place] = piece
        elif kind == 6:
            other = rng.choice(others)
            begin = rng.randrange(len(other))
            changed[at : at + 64] = other[begin : begin + rng.randint(1, 300)]
        else:
            del changed[rng.randint(1, len(changed)) :]
    return bytes(changed)
