"""HEIC: bits, colours, orientation and metadata; what phones put beside the photo."""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest

from anyir.model.errors import UserError
from anyir.model.photo.encoder import Encoding, encode
from anyir.model.photo.metadata import GAIN_MAP_LEFT_OUT, Extras
from anyir.model.photo.reader import Photo, read_photo, read_size
from tests.helpers.photo_files import MAKE, ORIENTATION, SRGB, camera_exif, exif_of, values

FORMATS = Path(__file__).parents[4] / "shared/data/formats"
LOSSLESS = Encoding(lossless=True)


def heic(tmp_path, pixels, **options):
    file = io.BytesIO()
    height, width, channels = pixels.shape
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels] + (";16" if pixels.dtype == np.uint16 else "")
    options = {"quality": -1, "chroma": "444", "matrix_coefficients": 0 if channels > 2 else 6, **options}
    pillow_heif.encode(mode, (width, height), pixels.tobytes(), file, **options)
    (tmp_path / "in.heic").write_bytes(file.getvalue())
    return tmp_path / "in.heic"


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_eight_bits_are_read_exactly(tmp_path, channels):
    pixels = values((40, 48, channels))
    photo = read_photo(heic(tmp_path, pixels))
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert (photo.bits, photo.notes) == (None, [])


@pytest.mark.parametrize("bits", [10, 12])
def test_ten_and_twelve_bits_are_read_exactly_and_white_is_white(tmp_path, bits):
    levels = (np.arange(40 * 48 * 3).reshape(40, 48, 3) % 2**bits).astype(np.uint16)
    levels[0, 0] = 2**bits - 1
    photo = read_photo(heic(tmp_path, levels << (16 - bits), bit_depth=bits))
    assert (photo.bits, photo.pixels.dtype) == (bits, np.uint16)
    np.testing.assert_array_equal(photo.pixels >> (16 - bits), levels)
    assert photo.pixels[0, 0].tolist() == [65535] * 3


@pytest.mark.parametrize(
    ("dtype", "bits", "expected", "notes"),
    [
        (np.uint8, None, None, []),
        (np.uint16, 10, 10, []),
        (np.uint16, 12, 12, []),
        (np.uint16, None, 12, ["HEIC holds 12 bits a channel: 16 were rounded"]),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_written_without_loss_comes_back(tmp_path, dtype, bits, expected, notes, channels):
    pixels = values((40, 48, channels), dtype)
    made, said = encode(Photo(pixels, SRGB, camera_exif(), bits=bits), "HEIF", LOSSLESS)
    (tmp_path / "x.heic").write_bytes(made)
    photo = read_photo(tmp_path / "x.heic")
    assert said == notes
    assert (photo.bits, photo.icc, exif_of(photo)[MAKE]) == (expected, SRGB, "Maker")
    apart = np.abs(photo.pixels.astype(int) - pixels)
    assert apart.max() <= (0 if dtype == np.uint8 else 65536 >> expected)


def test_the_default_is_a_file_that_phones_open(tmp_path):
    """Colour at half the resolution: the hardware of phones has no other."""
    smooth = np.linspace(0, 255, 48).astype(np.uint8)[None, :, None] * np.ones((40, 1, 3), np.uint8)
    made, _ = encode(Photo(smooth), "HEIF")
    assert pillow_heif.open_heif(io.BytesIO(made)).info["chroma"] == 420
    (tmp_path / "x.heic").write_bytes(made)
    assert np.abs(read_photo(tmp_path / "x.heic").pixels.astype(int) - smooth).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_once(tmp_path, orientation):
    """libheif turns the picture by its own boxes; EXIF says the same once more."""
    pixels = values((40, 48, 3))
    path = heic(tmp_path, pixels, exif=camera_exif(orientation))
    plain = pillow_heif.open_heif(path).to_pillow()
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, np.asarray(plain))
    height, width = photo.pixels.shape[:2]
    assert (height > width) == (orientation > 4)
    assert read_size(path) == (width, height)
    assert exif_of(photo)[ORIENTATION] == 1


def test_colours_without_a_profile_go_into_png(tmp_path):
    path = heic(tmp_path, values((40, 48, 3)), color_primaries=12, transfer_characteristics=13)
    photo = read_photo(path)
    assert photo.extras.cicp == (12, 13)
    made, notes = encode(photo, "PNG")
    assert (notes, b"cICP\x0c\x0d\x00\x01" in made) == ([], True)
    again = encode(Photo(photo.pixels, extras=Extras(cicp=(12, 13))), "HEIF")[0]
    profile = pillow_heif.open_heif(io.BytesIO(again)).info["nclx_profile"]
    assert (profile["color_primaries"], profile["transfer_characteristics"]) == (12, 13)


def test_several_pictures(tmp_path):
    file = pillow_heif.HeifFile()
    for shape in ((40, 48, 3), (20, 24, 3)):
        file.add_frombytes("RGB", (shape[1], shape[0]), values(shape).tobytes())
    file.save(tmp_path / "in.heic", quality=-1, chroma="444", matrix_coefficients=0)
    photo = read_photo(tmp_path / "in.heic")
    np.testing.assert_array_equal(photo.pixels, values((40, 48, 3)))
    assert photo.notes == ["the file has 2 pictures: its main one is restored, the others are left out"]


def test_damaged_and_too_large(tmp_path, monkeypatch):
    path = heic(tmp_path, values((40, 48, 3)))
    data = path.read_bytes()
    for keep in (20, 200, len(data) // 2, len(data) - 10):
        (tmp_path / "cut.heic").write_bytes(data[:keep])
        with pytest.raises(UserError, match="damaged or cut short"):
            read_photo(tmp_path / "cut.heic")
    monkeypatch.setattr("anyir.model.photo.reader.MOST_PIXELS", 1000)
    with pytest.raises(UserError, match="million pixels, the limit"):
        read_photo(path)


@pytest.mark.skipif(not FORMATS.is_dir(), reason="the photos of phones are not on this machine")
def test_photos_of_phones():
    photo = read_photo(FORMATS.parent / "full/iphone.heic")
    assert (photo.pixels.shape, photo.notes) == ((4032, 3024, 3), [GAIN_MAP_LEFT_OUT])
    assert b"Display P3" in photo.icc
    assert exif_of(photo)[MAKE] == "Apple"
    with_alpha = read_photo(FORMATS / "phone_tigranbs_heic_image4.heic")
    assert with_alpha.pixels.shape == (476, 700, 4)
    grey = read_photo(FORMATS / "phone_pillow_heif_other_L_exif_xmp_iptc.heic")
    assert grey.pixels.shape == (64, 64, 1)
    assert grey.extras.xmp.startswith(b"<?xpacket")
