"""EXIF that cannot be carried over as it is: BigTIFF's, and what a TIFF does not take."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from anyir.model.photo.reader import read_photo
from anyir.model.photo.writer import write_photo
from tests.helpers.photo_files import CAMERA, MAKE, ORIENTATION, WIDE, exif_of, values


@pytest.mark.parametrize("suffix", ["tif", "png", "jpg", "webp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bigtiff_becomes_classic_exif(tmp_path, dtype, suffix):
    pixels = values((37, 53, 3), dtype)
    tag = (MAKE, "s", 0, "Maker", True)
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="rgb", bigtiff=True, extratags=[tag])
    photo = read_photo(tmp_path / "in.tif")
    assert photo.notes == []
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert photo.exif.startswith(b"Exif\0\0II*\0")
    write_photo(tmp_path / f"out.{suffix}", photo)
    with Image.open(tmp_path / f"out.{suffix}") as image:
        assert image.getexif()[MAKE] == "Maker"


def test_bigtiff_keeps_the_cameras_directory(tmp_path):
    """An EXIF directory and an orientation, put into a BigTIFF of 8 by 4 pixels by hand."""
    pixels = values((4, 8, 1))
    camera = struct.pack("<Q", 1) + struct.pack("<HHQQ", WIDE, 4, 1, 8) + bytes(8)
    directory_at = 16 + len(camera)
    directory = [
        *((256, 4, 8), (257, 4, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1)),
        *((273, 4, directory_at + 8 + 11 * 20 + 8), (ORIENTATION, 3, 3), (277, 3, 1), (278, 4, 4)),
        *((279, 4, 32), (CAMERA, 16, 16)),
    ]
    entries = b"".join(struct.pack("<HHQQ", tag, kind, 1, value) for tag, kind, value in directory)
    (tmp_path / "in.tif").write_bytes(
        struct.pack("<2sHHHQ", b"II", 43, 8, 0, directory_at)
        + camera
        + struct.pack("<Q", len(directory))
        + entries
        + bytes(8)
        + pixels.tobytes()
    )
    write_photo(tmp_path / "out.tif", read_photo(tmp_path / "in.tif"))
    photo = read_photo(tmp_path / "out.tif")
    np.testing.assert_array_equal(photo.pixels, pixels[::-1, ::-1])
    assert exif_of(photo).get_ifd(CAMERA)[WIDE] == 8
