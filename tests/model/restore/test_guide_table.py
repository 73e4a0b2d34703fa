"""Every row of "What happens to the photo" in docs/guides/restore.md, on a real file of that kind: restored
into another file, and looked at there. The details are tested in tests/model/photo."""

import io
import os
import re
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from anyir.model import Restorer
from anyir.model.errors import UserError
from anyir.model.photo.encoder import encode
from anyir.model.photo.metadata import FILM_LEFT_OUT, GAIN_MAP_LEFT_OUT, PICTURES_LEFT_OUT, Extras
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.restore.batch import restore_file
from tests.helpers.photo_files import (
    CAMERA,
    MAKE,
    ORIENTATION,
    SRGB,
    animated,
    bomb,
    camera_exif,
    exif_of,
    png,
    values,
)
from tests.helpers.tile_models import Inverted

GUIDE = Path(__file__).parents[3] / "docs/guides/restore.md"
RESTORER = Restorer(Inverted(), tile=16, overlap=4)
ROWS = {}


def row(cell):
    """The function stands for the row that begins so."""

    def add(function):
        ROWS[cell] = function
        return function

    return add


def restored(data, out="out.png"):
    """A file's bytes through ``restore_file``: the result, and the notes."""
    Path("in").write_bytes(data)
    outcome = restore_file("in", out, restorer=RESTORER, overwrite=True)
    assert Path("in").read_bytes() == data
    return read_photo(out), outcome.notes


def refused(data, *words):
    Path("in").write_bytes(data)
    with pytest.raises(UserError) as caught:
        restore_file("in", "out.png", restorer=RESTORER)
    assert all(word in str(caught.value) for word in words), caught.value
    assert not Path("out.png").exists()


def pillow(image, format_, **options):
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def tiff(pixels, **options):
    file = io.BytesIO()
    photometric = "minisblack" if pixels.ndim == 2 else "rgb"
    tifffile.imwrite(file, pixels, **{"photometric": photometric, **options})
    return file.getvalue()


def colour(mode="RGB"):
    return Image.fromarray(values((24, 40, 3))).convert(mode)


@row("EXIF")
def exif():
    for format_, out in (("JPEG", "out.jpg"), ("WEBP", "out.webp"), ("PNG", "out.png")):
        before = camera_exif(1, 40, 24)
        photo, _ = restored(pillow(colour(), format_, exif=before), out)
        assert photo.exif.removeprefix(b"Exif\0\0") == before.removeprefix(b"Exif\0\0")


@row("EXIF orientation")
def orientation():
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    image = colour()
    data = pillow(image, "TIFF", exif=camera_exif(6, 40, 24))
    photo, _ = restored(data)
    turned = Image.fromarray(255 - values((24, 40, 3)))
    turned.getexif()[ORIENTATION] = 6
    np.testing.assert_array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(turned)))
    photo, _ = restored(pillow(image, "JPEG", exif=camera_exif(6, 40, 24), xmp=xmp), "out.jpg")
    assert photo.pixels.shape == (40, 24, 3)
    assert (exif_of(photo)[ORIENTATION], exif_of(photo)[MAKE]) == (1, "Maker")
    assert exif_of(photo).get_ifd(CAMERA)[0xA002] == 24
    assert photo.extras.xmp == xmp.replace(b'"6"', b'"1"')


@row("ICC profile")
def profile():
    for format_, out in (("JPEG", "out.webp"), ("PNG", "out.jpg"), ("TIFF", "out.heic"), ("WEBP", "out.tif")):
        photo, _ = restored(pillow(colour(), format_, icc_profile=SRGB), out)
        assert photo.icc == SRGB


@row("XMP, IPTC, comment, resolution")
def texts():
    extras = Extras(xmp=b"<x/>", iptc=b"\x1c\x02\x05\0\5title", comment=b"hello", dpi=(300, 300))
    data = encode(Photo(values((24, 40, 3)), extras=extras), "JPEG")[0]
    photo, notes = restored(data, "out.jpg")
    after = photo.extras
    assert (after.xmp, after.iptc, after.comment, after.dpi) == (b"<x/>", extras.iptc, b"hello", (300, 300))
    assert notes == []
    assert restored(data, "out.webp")[1] == ["WebP cannot hold its IPTC, resolution, comment: left out"]


@row("PNG colour chunks and texts")
def chunks():
    gamma, text = (b"gAMA", struct.pack(">I", 100_000)), (b"tEXt", b"Author\0me")
    data = png(2, 1, 8, 2, b"\0abcdef", gamma, text)
    photo, notes = restored(data)
    assert (photo.extras.chunks, notes) == ((gamma, text), [])
    said = restored(data, "out.tif")[1]
    assert "TIFF cannot hold its description of colours (gAMA): they may look different" in said
    assert restored(png(2, 1, 8, 2, b"\0abcdef", (b"sRGB", b"\0")), "out.tif")[1] == []


@row("alpha")
def alpha():
    pixels = values((24, 40, 4))
    for format_ in ("PNG", "TIFF"):
        photo, _ = restored(encode(Photo(pixels), format_)[0])
        np.testing.assert_array_equal(photo.pixels[..., 3], pixels[..., 3])
        np.testing.assert_array_equal(photo.pixels[..., :3], 255 - pixels[..., :3])


@row("16-bit PNG and TIFF")
def sixteen_bits():
    pixels = values((24, 40, 3), np.uint16)
    for data, out in ((encode(Photo(pixels), "PNG")[0], "out.tif"), (tiff(pixels, byteorder=">"), "out.png")):
        photo, notes = restored(data, out)
        assert (photo.pixels.dtype, notes) == (np.uint16, [])
        assert np.abs(photo.pixels.astype(int) - (65535 - pixels.astype(int))).max() <= 1
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x01])  # 12 bits: 0, 4095, 2048, 1
    tags = [(256, 4), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 6)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = b"II*\0" + struct.pack("<I", 14) + packed + struct.pack("<H", len(tags)) + entries + bytes(4)
    assert restored(data)[0].pixels[0, :, 0].tolist() == [65535, 0, 32759, 65519]


@row("HEIC and AVIF of 10 and 12 bits")
def ten_bits():
    for bits in (10, 12):
        pixels = values((24, 40, 3), np.uint16)
        heic = encode(Photo(pixels, bits=bits), "HEIF")[0]
        made = imagecodecs.avif_encode(pixels >> (16 - bits), bitspersample=bits)
        for data in (heic, made):
            photo, _ = restored(data)
            assert (photo.pixels.dtype, photo.bits) == (np.uint16, None)
            assert restored(data, "out.heic")[0].bits == bits


@row("HDR in PQ or HLG")
def hdr():
    pixels = values((24, 40, 3), np.uint16) >> 6
    data = imagecodecs.avif_encode(pixels, bitspersample=10, primaries=9, transfer=16, matrix=9)
    for out in ("out.png", "out.heic", "out.avif"):
        photo, notes = restored(data, out)
        assert photo.extras.cicp == (9, 16)
        assert "it is an HDR photo (PQ), which is restored as it is coded; training saw none" in notes


@row("grey")
def grey():
    for format_ in ("PNG", "JPEG"):
        photo, notes = restored(pillow(colour("L"), format_))
        assert (photo.pixels.shape, notes) == ((24, 40, 1), [])
    np.testing.assert_array_equal(
        restored(pillow(colour("L"), "PNG"))[0].pixels[..., 0], 255 - np.asarray(colour("L"))
    )


@row("black-and-white stored in colour")
def no_colour():
    class Tinting(Inverted):
        def __call__(self, tile):
            return tile + np.array([0.25, 0, -0.25], np.float32).reshape(1, 3, 1, 1)

    pixels = np.repeat(values((20, 30, 1)) // 2 + 64, 3, axis=2)
    Path("in.png").write_bytes(encode(Photo(pixels), "PNG")[0])
    restore_file("in.png", "tinted.png", restorer=Restorer(Tinting(), tile=16, overlap=4))
    np.testing.assert_array_equal(read_photo("tinted.png").pixels, pixels)


@row("grey TIFF where 0 is white")
def white_is_0():
    pixels = values((24, 40))
    photo, _ = restored(tiff(pixels, photometric="miniswhite"), "out.tif")
    np.testing.assert_array_equal(photo.pixels[..., 0], pixels)  # two negatives
    with tifffile.TiffFile("out.tif") as file:
        assert file.pages[0].photometric.name == "MINISBLACK"


@row("CMYK")
def cmyk():
    for format_ in ("JPEG", "TIFF"):
        photo, notes = restored(pillow(Image.new("CMYK", (40, 24), (0, 255, 255, 0)), format_))
        assert notes == ["CMYK was converted to RGB without a profile: colours may shift"]
        assert photo.pixels[0, 0].tolist() == pytest.approx([0, 255, 255], abs=60)


@row("palette, 1-bit")
def palette():
    _, notes = restored(pillow(colour("P"), "PNG"))
    assert notes == ["palette colours were converted to RGB"]
    photo, notes = restored(pillow(colour("1"), "TIFF", compression="group4"))
    assert (photo.pixels.shape, notes) == ((24, 40, 1), ["1-bit pixels were converted to grey"])


@row("a TIFF's thumbnail or mask on a page of its own")
def thumbnail():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(values((24, 40, 3)), photometric="rgb", metadata=None)
        writer.write(values((6, 10, 3)), photometric="rgb", subfiletype=1, metadata=None)
    photo, notes = restored(file.getvalue())
    assert photo.pixels.shape == (24, 40, 3)
    assert notes == ["the other pages of this TIFF, its thumbnails or masks, are left out"]


@row("HDR gain map")
def gain_map():
    xmp = b'<rdf:Description hdrgm:Version="1.0"/>'
    data = pillow(colour(), "MPO", save_all=True, append_images=[colour("L")], xmp=xmp)
    photo, notes = restored(data, "out.jpg")
    assert notes == [GAIN_MAP_LEFT_OUT]
    assert b"hdrgm" not in (photo.extras.xmp or b"")


@row("preview, depth map, film of a motion photo")
def beside():
    assert restored(pillow(colour(), "MPO", save_all=True, append_images=[colour()]))[1] == [
        PICTURES_LEFT_OUT
    ]
    film = pillow(colour(), "JPEG") + b"MotionPhoto_Data\0\0\0\x18ftypmp42" + bytes(99)
    assert restored(film)[1] == [FILM_LEFT_OUT]
    assert b"MotionPhoto_Data" not in Path("out.png").read_bytes()


@row("animation, several pages")
def animation():
    for suffix in ("gif", "webp", "avif", "png"):
        refused(animated(Path(), suffix), "3 frames; animated")
    refused(animated(Path(), "tif"), "3 pages")
    with Image.open("animated.gif") as image:
        image.seek(1)
        assert RESTORER(image.copy()).size == (8, 8)


@row("32-bit and floating-point TIFF, 12-bit JPEG")
def deep():
    refused(tiff(np.ones((8, 8), np.float32)), "32-bit floating-point TIFF")
    refused(tiff(np.ones((8, 8), np.uint32)), "32-bit TIFF")
    refused(imagecodecs.jpeg8_encode(values((8, 8), np.uint16) >> 4, bitspersample=12), "12-bit JPEG")


@row("camera raw, JPEG XL, JPEG 2000, PSD, PDF, SVG, video")
def foreign():
    refused(imagecodecs.jpegxl_encode(values((24, 40, 3))), "JPEG XL; convert it")
    refused(pillow(colour(), "JPEG2000"), "JPEG 2000; convert it")
    refused(pillow(colour(), "PDF"), "a PDF; export")
    refused(b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>', "SVG, a drawing")
    # The rest has no writer here: a PSD of one pixel, a raw file's and a film's beginning.
    psd = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 1, 1, 8, 3) + bytes(12) + b"\0\0abc"
    refused(psd, "a Photoshop file")
    refused(b"II\x2a\0\x10\0\0\0CR\2\0" + bytes(99), "a camera raw file; develop it")
    refused(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08mdat", "a video; export")


@row("16-bit TIFF with separate planes or premultiplied alpha")
def planes():
    refused(tiff(values((3, 8, 8), np.uint16), planarconfig="separate"), "separate colour planes")
    refused(tiff(values((8, 8, 4), np.uint16), extrasamples=["assocalpha"]), "premultiplied")


@row("more than 500 million pixels")
def many():
    refused(bomb(), "declares more than 500 million pixels")
    head = struct.pack(">IIBBBBB", 25_000, 20_001, 8, 2, 0, 0, 0)
    image = b"\0\0\0\x0dIHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    refused(b"\x89PNG\r\n\x1a\n" + image + b"\0\0\0\0IDAT\x35\xaf\x06\x1e", "more than 500 million pixels")


@row("a file that changes while it is read")
def changes():
    data = pillow(colour(), "PNG")

    def load(image):
        Path("in").write_bytes(data + b"more")
        return Image.Image.load(image)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
        Path("in").write_bytes(data)
        with pytest.raises(UserError, match="in was changed by another program while it was read"):
            restore_file("in", "out.png", restorer=RESTORER)
    assert not os.path.exists("out.png")


def rows_of_the_guide():
    text = GUIDE.read_text(encoding="utf-8")
    table = text[text.index("| in the file |") :].split("\n\n")[0]
    return [re.match(r"\| (.*?) \|", line)[1] for line in table.splitlines()[2:]]


def test_every_row_has_a_test():
    assert sorted(rows_of_the_guide()) == sorted(ROWS)


@pytest.mark.parametrize("cell", ROWS)
def test_row(folder, cell):
    ROWS[cell]()
