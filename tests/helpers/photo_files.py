"""Photos and broken files that several tests use."""

import base64
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKE, ORIENTATION, CAMERA, TAKEN, WIDE, HIGH = 0x010F, 0x0112, 0x8769, 0x9003, 0xA002, 0xA003


AVIF_OF_10_BITS = base64.b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAA"
    "AAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAIgAAAChpaW5mAAAAAAABAAAAGmluZmUC"
    "AAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAACAAAAAgAAAAQcGl4aQAAAAADCgoKAAAA"
    "DGF2MUOBIEAAAAAAE2NvbHJuY2x4AAIAAgAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAKm1kYXQSAAoIOAi/YwICBpAy"
    "FBGAAggghAAAaNIbLvxCLfX9IUvQ"
)
"""Red 1023, green 512 and blue 0 on 8x8 pixels, by imagecodecs 2025.3.30: Pillow writes 8 bits only."""


def values(shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def exif_of(photo):
    exif = Image.Exif()
    exif.load(photo.exif)
    return exif


def camera_exif(orientation=1, width=53, height=37):
    exif = Image.Exif()
    exif[MAKE], exif[ORIENTATION] = "Maker", orientation
    exif.get_ifd(CAMERA).update({TAKEN: "2026:01:02 03:04:05", WIDE: width, HIGH: height})
    return exif.tobytes()


def png(width, height, depth, colour, rows, *chunks):
    """A PNG from rows that already carry their filter bytes."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


def bomb():
    return png(100_000, 100_000, 8, 2, b"\0")


def animated(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    path = tmp_path / f"animated.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path.read_bytes()


BAD = {
    "text": (lambda _: b"this is a text file\n" * 20, "no image that can be read"),
    "empty": (lambda _: b"", "is empty"),
    "bomb": (lambda _: bomb(), "million pixels"),
    "gif": (lambda p: animated(p, "gif"), "frames; animated"),
    "webp": (lambda p: animated(p, "webp"), "frames; animated"),
    "avif": (lambda p: animated(p, "avif"), "frames; animated"),
    "apng": (lambda p: animated(p, "png"), "frames; animated"),
    "pages": (lambda p: animated(p, "tif"), "3 pages"),
    "float": (lambda p: tiff_bytes(p, np.ones((8, 8), np.float32)), "32-bit floating-point TIFF"),
    "planes": (
        lambda p: tiff_bytes(p, values((3, 8, 8), np.uint16), planarconfig="separate"),
        "separate colour planes",
    ),
    "premultiplied": (
        lambda p: tiff_bytes(p, values((8, 8, 4), np.uint16), extrasamples=["assocalpha"]),
        "premultiplied",
    ),
}


def tiff_bytes(tmp_path, array, **options):
    photometric = "minisblack" if array.ndim == 2 else "rgb"
    tifffile.imwrite(tmp_path / "x.tif", array, photometric=photometric, **options)
    return (tmp_path / "x.tif").read_bytes()
