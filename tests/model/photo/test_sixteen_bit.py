import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from anyir.model.photo.encoder import encode
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.photo.writer import write_photo
from tests.helpers.photo_files import (
    CAMERA,
    ORIENTATION,
    TAKEN,
    camera_exif,
    exif_of,
    png,
    values,
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_is_read_by_an_independent_reader(tmp_path, dtype, channels):
    pixels = values((700, 531, channels), dtype)  # several strips
    write_photo(tmp_path / "photo.tif", Photo(pixels))
    with tifffile.TiffFile(tmp_path / "photo.tif") as file:
        assert len(file.pages[0].dataoffsets) > (1 if pixels.nbytes > 2**20 else 0)
        np.testing.assert_array_equal(file.asarray().reshape(pixels.shape), pixels)


@pytest.mark.parametrize(
    "layout",
    [
        {"byteorder": ">"},
        {"byteorder": "<"},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "byteorder": ">"},
        {"tile": (16, 32)},
        {"rowsperstrip": 5},
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_tiff_of_other_writers(tmp_path, layout, channels):
    pixels = values((37, 53, channels), np.uint16)
    kind = {"photometric": "minisblack" if channels == 1 else "rgb"}
    if channels == 4:
        kind["extrasamples"] = ["unassalpha"]
    tifffile.imwrite(tmp_path / "photo.tif", pixels.squeeze(), **kind, **layout)
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.tif").pixels, pixels)


def filtered(pixels):
    """Rows filtered by each of PNG's five filters in turn, byte by byte as the specification says."""
    step = pixels.shape[2] * 2
    lines = pixels.astype(">u2").reshape(len(pixels), -1).view(np.uint8).astype(int)
    out = b""
    above = np.zeros(lines.shape[1], int)
    for y, line in enumerate(lines):
        a = np.concatenate([np.zeros(step, int), line[:-step]])
        c = np.concatenate([np.zeros(step, int), above[:-step]])
        p = a + above - c
        distances = np.stack([abs(p - a), abs(p - above), abs(p - c)])
        paeth = np.choose(distances.argmin(0), [a, above, c])
        guess = [np.zeros_like(a), a, above, (a + above) // 2, paeth][y % 5]
        out += bytes([y % 5]) + ((line - guess) % 256).astype(np.uint8).tobytes()
        above = line
    return out


@pytest.mark.parametrize(("channels", "colour"), [(1, 0), (2, 4), (3, 2), (4, 6)])
def test_deep_png_with_every_filter(tmp_path, channels, colour):
    pixels = values((11, 7, channels), np.uint16)
    (tmp_path / "photo.png").write_bytes(png(7, 11, 16, colour, filtered(pixels)))
    np.testing.assert_array_equal(read_photo(tmp_path / "photo.png").pixels, pixels)


@pytest.mark.parametrize(("channels", "colour"), [(1, 0), (3, 2)])
def test_deep_png_with_a_transparent_colour(tmp_path, channels, colour):
    pixels = values((11, 7, channels), np.uint16)
    key = struct.pack(f">{channels}H", *(int(v) for v in pixels[4, 5]))
    (tmp_path / "photo.png").write_bytes(png(7, 11, 16, colour, filtered(pixels), (b"tRNS", key)))
    result = read_photo(tmp_path / "photo.png").pixels
    np.testing.assert_array_equal(result[..., :channels], pixels)
    assert (result[..., channels] == 0).sum() == 1
    assert result[4, 5, channels] == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_deep_files(tmp_path, orientation):
    pixels = values((37, 53, 3), np.uint16)
    for format in ("PNG", "TIFF"):
        (tmp_path / "photo").write_bytes(encode(Photo(pixels, exif=camera_exif(orientation)), format)[0])
        photo = read_photo(tmp_path / "photo")
        with Image.open(tmp_path / "photo") as image:
            upright = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_array_equal(photo.pixels >> 8, upright)
        assert exif_of(photo).get(ORIENTATION, 1) == 1
        assert exif_of(photo).get_ifd(CAMERA)[TAKEN] == "2026:01:02 03:04:05"
