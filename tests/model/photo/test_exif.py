"""EXIF keeps its bytes: only orientation, size and thumbnail change."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from anyir.model.photo import exif as exif_block
from anyir.model.photo.encoder import encode
from anyir.model.photo.reader import Photo, read_photo
from tests.helpers.photo_files import values

DESCRIPTION, ARTIST, MAKER_NOTE = 0x010E, 0x013B, 0x927C
TEXT = "Café Ωmega 写真".encode()
NOTE = b"Nikon\0\2" + bytes(range(200, 256))
THUMBNAIL = b"\xff\xd8 a thumbnail \xff\xd9"


def block(order, orientation=6, *, tail=b""):
    """A camera's EXIF by hand: text outside ASCII, a maker note, a thumbnail, bytes that nothing names."""
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    first_at, camera_at, second_at = 8, 200, 300
    text_at, note_at, thumbnail_at = 400, 440, 520
    data = bytearray(b"\x55" * thumbnail_at)
    data[:8] = start

    def directory(at, entries, after=0):
        packed = struct.pack(f"{order}H", len(entries))
        for tag, kind, count, value in entries:
            number = struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
            packed += struct.pack(f"{order}HHI", tag, kind, count) + number
        packed += struct.pack(f"{order}I", after)
        data[at : at + len(packed)] = packed

    directory(
        first_at,
        [(DESCRIPTION, 2, len(TEXT), text_at), (0x0112, 3, 1, orientation), (0x8769, 4, 1, camera_at)],
        second_at,
    )
    directory(camera_at, [(MAKER_NOTE, 7, len(NOTE), note_at), (0xA002, 3, 1, 53), (0xA003, 4, 1, 37)])
    directory(second_at, [(0x0201, 4, 1, thumbnail_at), (0x0202, 4, 1, len(THUMBNAIL))])
    data[text_at : text_at + len(TEXT)] = TEXT
    data[note_at : note_at + len(NOTE)] = NOTE
    return bytes(data) + THUMBNAIL + tail


@pytest.mark.parametrize("order", "<>")
def test_only_orientation_size_and_thumbnail_change(order):
    before = block(order)
    after = exif_block.mended(exif_block.PREFIX + before, 37, 53).removeprefix(exif_block.PREFIX)
    assert len(after) == len(before) - len(THUMBNAIL)
    changed = {i for i in range(len(after)) if before[i] != after[i]}
    orientation, width, height, chain = range(22, 34), range(214, 226), range(226, 238), range(46, 50)
    assert changed <= {*orientation, *width, *height, *chain}
    parsed = Image.Exif()
    parsed.load(after)
    assert parsed[exif_block.ORIENTATION] == 1
    camera = parsed.get_ifd(0x8769)
    assert (camera[0xA002], camera[0xA003], camera[MAKER_NOTE]) == (37, 53, NOTE)
    assert not parsed.get_ifd(1)


def test_a_thumbnail_in_the_middle_becomes_zeros_and_nothing_moves():
    before = block("<", tail=b"behind it")
    after = exif_block.mended(before, 1, 1).removeprefix(exif_block.PREFIX)
    assert len(after) == len(before)
    assert after[520:] == bytes(len(THUMBNAIL)) + b"behind it"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_text_and_maker_note_come_through_every_format(tmp_path, order, format_):
    Image.fromarray(values((37, 53, 3))).save(tmp_path / "in.jpg", exif=exif_block.PREFIX + block(order))
    photo = read_photo(tmp_path / "in.jpg")
    assert photo.pixels.shape == (53, 37, 3)
    made, notes = encode(photo, format_)
    assert notes == []
    assert TEXT in made
    assert NOTE in made
    if format_ == "TIFF":
        with tifffile.TiffFile(io.BytesIO(made)) as file:
            page = file.pages[0]
            assert page.tags[DESCRIPTION].value.encode() == TEXT
            assert page.tags[0x8769].value["MakerNote"] == NOTE
            assert made[440 : 440 + len(NOTE)] == NOTE  # where it was: offsets in it stay true
            np.testing.assert_array_equal(page.asarray(), photo.pixels)
    (tmp_path / "out").write_bytes(made)
    again = read_photo(tmp_path / "out")
    assert again.pixels.shape == (53, 37, 3)
    assert TEXT in again.exif
    if format_ not in ("TIFF", "AVIF"):
        assert again.exif == photo.exif


def test_text_of_a_tiff_comes_through(tmp_path):
    tags = [(DESCRIPTION, 2, len(TEXT) + 1, TEXT + b"\0", True), (ARTIST, 2, 5, b"J\xfcrg\0", True)]
    tifffile.imwrite(
        tmp_path / "in.tif",
        values((5, 7, 3)),
        photometric="rgb",
        extratags=tags,
        metadata=None,
        byteorder=">",
    )
    photo = read_photo(tmp_path / "in.tif")
    for format_ in ("JPEG", "TIFF", "PNG"):
        made, _ = encode(photo, format_)
        assert TEXT in made
        assert b"J\xfcrg\0" in made


@pytest.mark.parametrize("kind", [3, 2, 77, 0xFFFF])
def test_an_orientation_of_a_wrong_type_is_reset_too(kind):
    """There are programs that read its value whatever its type."""
    data = bytearray(block("<"))
    struct.pack_into("<H", data, 24, kind)
    after = exif_block.mended(bytes(data), 1, 1).removeprefix(exif_block.PREFIX)
    assert after[22:34] == struct.pack("<HHIHH", 0x0112, 3, 1, 1, 0)


def test_sizes_that_need_more_bits_get_them():
    after = exif_block.mended(block("<"), 70_000, 80_000)
    parsed = Image.Exif()
    parsed.load(after)
    assert (parsed.get_ifd(0x8769)[0xA002], parsed.get_ifd(0x8769)[0xA003]) == (70_000, 80_000)


def test_directories_that_point_to_themselves_end(tmp_path):
    data = bytearray(block("<"))
    struct.pack_into("<I", data, 10 + 24 + 8, 8)  # the camera's directory is the first one
    after = exif_block.mended(bytes(data), 3, 3)
    made, _ = encode(Photo(values((3, 3, 3)), exif=after), "TIFF")
    (tmp_path / "x.tif").write_bytes(made)
    assert read_photo(tmp_path / "x.tif").pixels.shape == (3, 3, 3)


def test_a_tag_that_is_taken_out_leaves_the_others_readable():
    without = exif_block.without_orientation(exif_block.PREFIX + block(">"))
    parsed = Image.Exif()
    parsed.load(without)
    assert 0x0112 not in parsed
    assert parsed.get_ifd(0x8769)[MAKER_NOTE] == NOTE
