import io

import numpy as np
import pytest
import tifffile
from imagecodecs import avif_encode
from PIL import AvifImagePlugin, Image, ImageOps

from anyir.model.errors import UserError
from anyir.model.photo.encoder import Encoding, encode
from anyir.model.photo.reader import Photo, from_pillow, read_photo, read_photo_from
from anyir.model.photo.writer import write_photo
from tests.helpers.photo_files import (
    AVIF_OF_10_BITS,
    BAD,
    CAMERA,
    HIGH,
    MAKE,
    ORIENTATION,
    SRGB,
    TAKEN,
    WIDE,
    camera_exif,
    exif_of,
    png,
    values,
)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_lossless_formats_keep_everything(tmp_path, suffix, dtype, channels):
    photo = Photo(values((37, 53, channels), dtype), SRGB, camera_exif())
    assert write_photo(tmp_path / f"photo{suffix}", photo) == []
    again = read_photo(tmp_path / f"photo{suffix}")
    np.testing.assert_array_equal(again.pixels, photo.pixels)
    assert again.pixels.dtype == dtype
    assert again.icc == SRGB
    assert exif_of(again)[MAKE] == "Maker"
    assert exif_of(again).get_ifd(CAMERA)[TAKEN] == "2026:01:02 03:04:05"
    assert again.notes == []


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_reset(tmp_path, suffix, orientation):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(values((37, 53, 3))).save(path, exif=camera_exif(orientation))
    photo = read_photo(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(image)))
    exif = exif_of(photo)
    assert exif.get(ORIENTATION, 1) == 1
    assert exif[MAKE] == "Maker"
    if suffix != "tif":  # Pillow's TIFF writer leaves the camera's directory out
        height, width = photo.pixels.shape[:2]
        assert (exif.get_ifd(CAMERA)[WIDE], exif.get_ifd(CAMERA)[HIGH]) == (width, height)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "tif"])
def test_metadata_is_kept_or_stripped(tmp_path, suffix):
    photo = Photo(values((8, 8, 3)), SRGB, camera_exif())
    path = tmp_path / f"photo.{suffix}"
    write_photo(path, photo)
    kept = read_photo(path)
    assert kept.icc == SRGB
    assert exif_of(kept)[MAKE] == "Maker"
    write_photo(path, photo, Encoding(keep_metadata=False), overwrite=True)
    stripped = read_photo(path)
    assert stripped.icc is None
    assert stripped.exif is None


def test_tags_about_the_old_pixels_are_not_carried_over(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", values((37, 53, 3)), photometric="rgb", resolution=(300, 300))
    photo = read_photo(tmp_path / "in.tif")
    assert set(exif_of(photo)) <= {270, 282, 283, 296, 305}
    write_photo(tmp_path / "out.tif", photo)
    np.testing.assert_array_equal(read_photo(tmp_path / "out.tif").pixels, photo.pixels)


def test_unreadable_exif_is_a_note(tmp_path):
    (tmp_path / "photo.png").write_bytes(
        png(1, 1, 8, 0, b"\0\7", (b"eXIf", b"II*\0\x08\0\0\0\x05\0" + b"\xff" * 7))
    )
    photo = read_photo(tmp_path / "photo.png")
    assert photo.pixels.tolist() == [[[7]]]
    assert photo.exif is None


@pytest.mark.parametrize(
    ("mode", "shape", "note"),
    [
        ("1", (8, 8, 1), "1-bit"),
        ("L", (8, 8, 1), None),
        ("LA", (8, 8, 2), None),
        ("RGBA", (8, 8, 4), None),
        ("P", (8, 8, 3), "palette"),
        ("CMYK", (8, 8, 3), "CMYK"),
        ("I;16", (8, 8, 1), None),
    ],
)
def test_modes(mode, shape, note):
    image = Image.new(mode, (8, 8), 1 if mode in ("1", "I;16") else None)
    photo = from_pillow(image)
    assert photo.pixels.shape == shape
    assert [note in n for n in photo.notes] == ([True] if note else [])


def test_palette_with_transparency(tmp_path):
    image = Image.fromarray(values((8, 8), np.uint8) % 4).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 3])
    image.save(tmp_path / "photo.png", transparency=2)
    photo = read_photo(tmp_path / "photo.png")
    indices = np.asarray(image)
    np.testing.assert_array_equal(photo.pixels[..., 3], np.where(indices == 2, 0, 255))
    np.testing.assert_array_equal(photo.pixels[indices == 1][:, :3], [[40, 50, 60]] * (indices == 1).sum())


def test_cmyk_profile_does_not_end_up_in_the_rgb_file(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "photo.jpg", icc_profile=b"broken")
    photo = read_photo(tmp_path / "photo.jpg")
    assert photo.icc is None
    assert any("CMYK" in note for note in photo.notes)
    assert photo.pixels[0, 0, 0] > 200 > 60 > photo.pixels[0, 0, 1]


def test_phone_jpeg_with_a_second_picture_is_no_animation(tmp_path):
    first = Image.fromarray(values((16, 16, 3)))
    first.save(tmp_path / "photo.jpg", format="MPO", save_all=True, append_images=[first.resize((8, 8))])
    photo = read_photo(tmp_path / "photo.jpg")
    assert photo.pixels.shape == (16, 16, 3)
    assert any("left out" in note for note in photo.notes)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
def test_avif_is_read_with_its_colours_and_metadata(tmp_path, mode, channels):
    image = Image.fromarray(values((16, 24, 3))).resize((48, 32)).convert(mode)
    if mode == "RGBA":
        image.putalpha(200)
    colours = "4:0:0" if mode == "L" else "4:4:4"
    metadata = {"icc_profile": SRGB, "exif": camera_exif()}
    image.save(tmp_path / "photo.avif", quality=100, subsampling=colours, **metadata)
    photo = read_photo(tmp_path / "photo.avif")
    assert photo.pixels.shape == (32, 48, channels)
    apart = photo.pixels.astype(int) - np.asarray(image).reshape(photo.pixels.shape)
    assert np.abs(apart).max() < 16
    assert (photo.icc, exif_of(photo)[MAKE], photo.notes) == (SRGB, "Maker", [])


@pytest.mark.parametrize("bits", [10, 12])
def test_avif_keeps_more_than_8_bits(tmp_path, bits):
    ramp = (np.arange(64 * 48).reshape(48, 64, 1) % 2**bits).astype(np.uint16).repeat(3, axis=2)
    ramp[0, :2] = [[0, 0, 0], [2**bits - 1] * 3]
    data = avif_encode(ramp, bitspersample=bits, level=100, pixelformat="444")
    (tmp_path / "photo.avif").write_bytes(data)
    photo = read_photo(tmp_path / "photo.avif")
    assert (photo.bits, photo.notes, photo.pixels.dtype) == (bits, [], np.uint16)
    apart = photo.pixels.astype(float) / 65535 - ramp / (2**bits - 1)
    assert np.abs(apart).max() < 2.1 / 2**bits
    assert photo.pixels[0, 1].max() == 65535


def test_avif_of_other_colours_says_so_in_png(tmp_path):
    """The picture that says nothing of its primaries and transfer function, made one of Display P3."""
    (tmp_path / "photo.avif").write_bytes(
        AVIF_OF_10_BITS.replace(b"\x00\x02\x00\x02\x00\x06\x80", b"\x00\x0c\x00\x0d\x00\x06\x80")
    )
    photo = read_photo(tmp_path / "photo.avif")
    assert photo.extras.cicp == (12, 13)
    assert np.abs(photo.pixels / 65535 - [1, 512 / 1023, 0]).max() < 0.003
    made, notes = encode(photo, "PNG")
    assert notes == []
    assert b"cICP\x0c\x0d\x00\x01" in made
    assert encode(photo, "JPEG")[1] == [
        "JPEG holds 8 bits a channel: 10 were rounded",
        "JPEG cannot hold its description of colours (cICP): they may look different",
    ]


def test_avif_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.avif")
    monkeypatch.setattr("anyir.model.photo.reader.MOST_PIXELS", 1000)
    monkeypatch.setattr(AvifImagePlugin.AvifImageFile, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(UserError, match="million pixels"):
        read_photo(tmp_path / "photo.avif")


@pytest.mark.parametrize("format", ["GIF", "WEBP", "AVIF", "PNG", "TIFF"])
def test_a_pillow_image_of_several_frames_is_refused_as_its_file_is(tmp_path, format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "frames", format, save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "frames") as image:
        with pytest.raises(UserError, match=r"^the image has 2 (frames; animated|pages); only"):
            from_pillow(image)
        assert from_pillow(image.copy()).pixels.shape[:2] == (8, 8)


def test_a_pillow_image_that_was_loaded_and_closed_is_read(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "still.gif")
    with Image.open(tmp_path / "still.gif") as image:
        image.load()
    with pytest.raises(ValueError, match="closed"):
        _ = image.n_frames
    assert from_pillow(image).pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_line(tmp_path, name):
    make, message = BAD[name]
    path = tmp_path / f"{name}.png"
    path.write_bytes(make(tmp_path))
    with pytest.raises(UserError, match=message) as caught:
        read_photo(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_photo(tmp_path / "missing.png")
    with pytest.raises(UserError, match="is a folder"):
        read_photo(tmp_path)
    with pytest.raises(UserError, match="not a regular file"):
        read_photo("/dev/null")


def made(photo, format):
    """A file's bytes; AVIF, which is read and not written, with 8 bits by Pillow."""
    if format != "AVIF":
        return encode(photo, format)[0]
    file = io.BytesIO()
    metadata = {"exif": photo.exif or b"", "icc_profile": photo.icc or b""}
    Image.fromarray(photo.pixels.astype(np.uint8)).save(file, "AVIF", **metadata)
    return file.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP"])
def test_truncated_files_are_refused(tmp_path, format):
    for dtype in (np.uint8, np.uint16):
        data = made(Photo(values((64, 64, 3), dtype)), format)
        for keep in (1, 20, 100, len(data) // 2, int(len(data) * 0.95)):
            (tmp_path / "cut").write_bytes(data[:keep])
            with pytest.raises(UserError):
                read_photo(tmp_path / "cut")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "BMP"])
def test_damaged_files_raise_nothing_but_a_user_error(tmp_path, format):
    rng = np.random.default_rng(1)
    for dtype in (np.uint8, np.uint16):
        photo = Photo(values((16, 16, 3), dtype), SRGB[:200], camera_exif(6))
        data = np.frombuffer(made(photo, format), np.uint8)
        for _ in range(150):
            damaged = data.copy()
            places = rng.integers(0, len(data), rng.integers(1, 8))
            damaged[places] = rng.integers(0, 256, len(places))
            (tmp_path / "damaged").write_bytes(damaged.tobytes())
            try:
                read_photo(tmp_path / "damaged")
            except UserError:
                continue


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg", ".webp", ".bmp"])
def test_pillow_s_own_limit_is_not_ours(tmp_path, monkeypatch, suffix):
    """Pillow asks for it when it opens a file, and of TIFF once more when it decodes."""
    path = tmp_path / f"photo{suffix}"
    write_photo(path, Photo(values((40, 50, 3))))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert read_photo(path).pixels.shape == (40, 50, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_large_and_long_photos_are_no_bombs(tmp_path):
    Image.new("L", (8700, 5800), 9).save(tmp_path / "fifty.png")  # 50 megapixels
    assert read_photo(tmp_path / "fifty.png").pixels.shape == (5800, 8700, 1)
    Image.new("RGB", (20_000, 30)).save(tmp_path / "strip.png")
    assert read_photo(tmp_path / "strip.png").pixels.shape == (30, 20_000, 3)


def test_what_formats_cannot_hold():
    grey = values((8, 8, 1))
    opaque = np.dstack([values((8, 8, 3)), np.full((8, 8), 255, np.uint8)])
    assert encode(Photo(opaque), "JPEG")[1] == []
    for format in ("JPEG", "BMP"):
        with pytest.raises(UserError, match="no transparency"):
            encode(Photo(values((8, 8, 4))), format)
    assert "8 bits" in encode(Photo(values((8, 8, 3), np.uint16)), "JPEG")[1][0]
    for format, kind in (
        ("WEBP", grey),
        ("AVIF", grey),
        ("AVIF", values((8, 8, 2))),
        ("HEIF", values((8, 8, 2))),
    ):
        assert "has no grey" in encode(Photo(kind), format)[1][0]
    assert encode(Photo(grey), "HEIF")[1] == []
    assert encode(Photo(grey, SRGB), "BMP")[1] == ["BMP cannot hold its ICC profile: left out"]
    profile = SRGB[:16] + b"GRAY" + SRGB[20:]
    for photo, format in ((grey, "WEBP"), (grey, "AVIF"), (values((8, 8, 2)), "HEIF"), (opaque, "PNG")):
        made, notes = encode(Photo(photo, profile), format)
        assert "one of grey" in notes[-1]
        assert read_photo_from(io.BytesIO(made), "made").icc is None
    assert Image.open(io.BytesIO(encode(Photo(grey, SRGB), "WEBP")[0])).info["icc_profile"] == SRGB
    assert Image.open(io.BytesIO(encode(Photo(grey, profile), "PNG")[0])).info["icc_profile"] == profile
    assert "too long" in encode(Photo(grey, None, b"Exif\0\0" + b"x" * 70_000), "JPEG")[1][0]
    with pytest.raises(UserError, match="20000x1"):
        encode(Photo(np.zeros((1, 20_000, 3), np.uint8)), "WEBP")


def test_rounding_16_to_8_bits(tmp_path):
    deep = (np.arange(256, dtype=np.uint16) * 257)[None, :, None]
    write_photo(tmp_path / "x.bmp", Photo(deep))
    assert read_photo(tmp_path / "x.bmp").pixels[0, :, 0].tolist() == list(range(256))
