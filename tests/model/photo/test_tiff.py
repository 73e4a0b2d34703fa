"""TIFF's many kinds: each comes back with the right values, or is named."""

import os
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image, TiffImagePlugin

from anyir.model.errors import UserError
from anyir.model.photo.reader import read_photo, read_size
from tests.helpers.photo_files import values


def written(tmp_path, array, **options):
    tifffile.imwrite(tmp_path / "in.tif", array, **options)
    return tmp_path / "in.tif"


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_min_is_white_is_no_negative(tmp_path, byteorder, dtype):
    pixels = values((5, 7), dtype)
    path = written(tmp_path, pixels, photometric="miniswhite", byteorder=byteorder)
    np.testing.assert_array_equal(read_photo(path).pixels[..., 0], np.iinfo(dtype).max - pixels)


@pytest.mark.parametrize("byteorder", "<>")
def test_big_endian_is_like_little_endian(tmp_path, byteorder):
    for shape, kind in (((5, 7), "minisblack"), ((5, 7, 3), "rgb")):
        pixels = values(shape, np.uint16)
        path = written(tmp_path, pixels, photometric=kind, byteorder=byteorder)
        np.testing.assert_array_equal(read_photo(path).pixels.squeeze(), pixels)


@pytest.mark.parametrize(
    "layout", [{"byteorder": "<"}, {"byteorder": ">"}, {"compression": "zlib", "byteorder": ">"}]
)
def test_grey_with_alpha_keeps_sixteen_bits(tmp_path, layout):
    pixels = values((5, 7, 2), np.uint16)
    options = {
        "photometric": "minisblack",
        "planarconfig": "contig",
        "extrasamples": ["unassalpha"],
        **layout,
    }
    np.testing.assert_array_equal(read_photo(written(tmp_path, pixels, **options)).pixels, pixels)


def test_twelve_bits_are_spread_over_sixteen(tmp_path):
    """Two values of 12 bits in three bytes: 0 and 4095, 2048 and 1."""
    path = written(tmp_path, np.array([[0, 4095, 2048, 1]], np.uint16), photometric="minisblack")
    with tifffile.TiffFile(path, mode="r+b") as file:
        page = file.pages[0]
        [offset] = page.dataoffsets
        page.tags["BitsPerSample"].overwrite(12)
        page.tags["StripByteCounts"].overwrite(6)
    data = bytearray(path.read_bytes())
    data[offset : offset + 6] = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x01])
    path.write_bytes(data)
    assert read_photo(path).pixels[0, :, 0].tolist() == [0, 65535, 32776, 16]


@pytest.mark.parametrize("thumbnail_first", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_page_that_is_a_thumbnail_is_no_second_photo(tmp_path, thumbnail_first, dtype):
    photo, thumbnail = values((40, 60, 3), dtype), values((4, 6, 3), dtype)
    pages = [(photo, 0), (thumbnail, 1)]
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for pixels, kind in reversed(pages) if thumbnail_first else pages:
            file.write(pixels, photometric="rgb", subfiletype=kind, metadata=None)
    read = read_photo(tmp_path / "in.tif")
    np.testing.assert_array_equal(read.pixels, photo)
    assert read.notes == ["the other pages of this TIFF, its thumbnails or masks, are left out"]
    assert read_size(tmp_path / "in.tif") == (60, 40)


def test_a_file_that_is_cut_while_it_is_decoded_is_no_crash(tmp_path, monkeypatch):
    """libtiff maps a file that has a number into memory, and the process dies if it is cut at that moment."""
    pixels = values((600, 600, 3))
    path = written(tmp_path, pixels, photometric="rgb", compression="zlib", rowsperstrip=100)
    decode = TiffImagePlugin.TiffImageFile._load_libtiff

    def cut(image):
        assert not hasattr(image.fp, "fileno")
        os.truncate(path, 5000)
        return decode(image)

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "_load_libtiff", cut)
    with pytest.raises(UserError, match="was changed by another program while it was read"):
        read_photo(path)
    assert path.stat().st_size == 5000


def test_two_photos_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for _ in range(2):
            file.write(values((8, 8)), photometric="minisblack", subfiletype=2, metadata=None)
    with pytest.raises(UserError, match="has 2 pages"):
        read_photo(tmp_path / "in.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_size_is_that_of_the_upright_photo(tmp_path, orientation, dtype):
    path = written(
        tmp_path, values((5, 7, 3), dtype), photometric="rgb", extratags=[(274, 3, 1, orientation, True)]
    )
    height, width = read_photo(path).pixels.shape[:2]
    assert read_size(path) == (width, height) == ((5, 7) if orientation > 4 else (7, 5))


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize(
    ("dtype", "shape", "kind"),
    [
        (np.float32, (5, 7), "32-bit floating-point TIFF of 1 channel"),
        (np.float32, (5, 7, 3), "32-bit floating-point TIFF of 3 channels"),
        (np.float16, (5, 7), "16-bit floating-point TIFF of 1 channel"),
        (np.float64, (5, 7), "64-bit floating-point TIFF of 1 channel"),
        (np.uint32, (5, 7), "32-bit TIFF of 1 channel"),
        (np.uint32, (5, 7, 3), "32-bit TIFF of 3 channels"),
        (np.int16, (5, 7), "16-bit signed TIFF of 1 channel"),
        (np.int8, (5, 7), "8-bit signed TIFF of 1 channel"),
        (np.int8, (5, 7, 3), "8-bit signed TIFF of 3 channels"),
    ],
)
def test_kinds_that_are_no_photos_are_named(tmp_path, byteorder, dtype, shape, kind):
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    path = written(tmp_path, np.ones(shape, dtype), photometric=photometric, byteorder=byteorder)
    with pytest.raises(UserError, match=f"in.tif is an? {kind}") as caught:
        read_photo(path)
    assert "save it" in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="libtiff is built into Pillow")
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
def test_of_a_damaged_file_only_the_error_or_the_note_is_heard(tmp_path, capfd, compression):
    path = tmp_path / "in.tif"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(
        path, compression=compression
    )
    assert read_photo(path).notes == []
    data = path.read_bytes()
    path.write_bytes(data[:300] + 3 * b"\xff\xd8\xff\x1e" + data[312:])
    if compression == "jpeg":  # libjpeg goes on
        assert read_photo(path).notes == ["this TIFF is damaged: parts of the photo may be wrong"]
    else:
        with pytest.raises(UserError, match=r"in.tif is damaged or cut short"):
            read_photo(path)
    assert tuple(capfd.readouterr()) == ("", "")
    path.write_bytes(data)
    assert read_photo(path).notes == []


def test_cmyk_and_one_bit(tmp_path):
    Image.fromarray(values((16, 16)) > 127).save(tmp_path / "one.tif", compression="group4")
    photo = read_photo(tmp_path / "one.tif")
    np.testing.assert_array_equal(photo.pixels[..., 0], np.where(values((16, 16)) > 127, 255, 0))
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "cmyk.tif")
    assert read_photo(tmp_path / "cmyk.tif").pixels[0, 0].tolist() == pytest.approx([255, 0, 0], abs=60)
