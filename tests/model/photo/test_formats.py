"""Files that are no photos, or of formats that are not read, are called by their names."""

import io
import zipfile

import pytest
from PIL import Image

from anyir.model.errors import UserError
from anyir.model.photo.reader import read_photo


def pillow(format_, mode="RGB", **options):
    file = io.BytesIO()
    Image.new(mode, (16, 16)).save(file, format_, **options)
    return file.getvalue()


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("photo.jpg", "x")
    return file.getvalue()


def deep_jpeg():
    data = bytearray(pillow("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 1] = 0xC1  # extended sequential, which may have 12 bits
    data[frame + 4] = 12
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pillow("JPEG2000"), "JPEG 2000; convert it to PNG or TIFF first"),
        (pillow("JPEG2000", no_jp2=True), "JPEG 2000; convert"),
        (b"\xff\x0a\xfa\x1f\x00" + bytes(99), "JPEG XL; convert it to PNG or TIFF first"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL; convert"),
        (pillow("PDF"), "a PDF; export its page as PNG"),
        (pillow("ICO"), "an icon file"),
        (pillow("PPM"), "a Netpbm file"),
        (b"8BPS\0\1" + bytes(99), "a Photoshop file; export it as TIFF or PNG"),
        (b"II\x2a\0\x10\0\0\0CR\2\0" + bytes(99), "a camera raw file; develop it"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(99), "a camera raw file; develop it"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(99), "a camera raw file; develop it"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0" + bytes(99), "a video"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(99), "no WebP, but another RIFF file"),
        (
            b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
            "SVG, a drawing; export it as PNG",
        ),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page, not a photo; save the photo itself"),
        (archive(), "a ZIP archive; unpack it first"),
        (deep_jpeg(), "a 12-bit JPEG, which cannot be read"),
        (b"\x76\x2f\x31\x01" + bytes(99), "OpenEXR, which has floating-point values"),
        (b"nothing that anyone knows", "is no image that can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_format_is_named_and_what_can_be_done(tmp_path, data, words):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_photo(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
