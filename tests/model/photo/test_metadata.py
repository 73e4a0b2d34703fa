"""XMP, IPTC, comments, resolution and PNG's chunks: carried where the format can, a note where not."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from anyir.model.photo.encoder import Encoding, encode
from anyir.model.photo.formats import WRITABLE
from anyir.model.photo.metadata import FILM_LEFT_OUT, GAIN_MAP_LEFT_OUT, PICTURES_LEFT_OUT, Extras
from anyir.model.photo.png import write_chunk, write_deep
from anyir.model.photo.reader import Photo, read_photo, read_size
from anyir.model.photo.writer import write_photo
from tests.helpers.photo_files import SRGB, png, values

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"'
    b' exif:PixelXDimension="53" dc:creator="J\xc3\xbcrg"><exif:PixelYDimension>37</exif:PixelYDimension>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
UPRIGHT = (
    XMP.replace(b'Orientation="6"', b'Orientation="1"').replace(b'"53"', b'"37"').replace(b">37<", b">53<")
)
IPTC = b"\x1c\x02\x05\x00\x05title\x1c\x02\x78\x00\x07caption"
EVERYTHING = Extras(xmp=UPRIGHT, iptc=IPTC, comment="naïve".encode(), dpi=(300, 300))
COLOURS = "JPEG cannot hold its description of colours (%s): they may look different"
GAMMA = (b"gAMA", struct.pack(">I", 100_000))
PRIMARIES = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))


def read(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    return read_photo(tmp_path / "file")


def photo_of(extras, **kinds):
    return Photo(values((53, 37, 3)), extras=extras, **kinds)


@pytest.mark.parametrize(
    ("format_", "lost"),
    [
        ("PNG", ""),
        ("JPEG", ""),
        ("TIFF", "comment"),
        ("WEBP", "IPTC, resolution, comment"),
        ("AVIF", "IPTC, resolution, comment"),
        ("HEIF", "IPTC, resolution, comment"),
        ("BMP", "XMP, IPTC, comment"),
    ],
)
def test_what_a_format_holds_comes_back_and_the_rest_is_named(tmp_path, format_, lost):
    made, notes = encode(photo_of(EVERYTHING), format_)
    name = {"WEBP": "WebP", "HEIF": "HEIC"}.get(format_, format_)
    assert notes == ([f"{name} cannot hold its {lost}: left out"] if lost else [])
    extras = read(tmp_path, made).extras
    assert (extras.xmp is None) == ("XMP" in lost)
    assert extras.xmp in (None, UPRIGHT)
    assert extras.iptc == (None if "IPTC" in lost else IPTC)
    assert extras.comment == (None if "comment" in lost else "naïve".encode())
    if "resolution" in lost:
        assert extras.dpi is None
    else:
        assert extras.dpi == pytest.approx((300, 300), abs=0.01)
    assert encode(photo_of(EVERYTHING), format_, Encoding(keep_metadata=False))[1] == []
    bare = read(tmp_path, encode(photo_of(EVERYTHING), format_, Encoding(keep_metadata=False))[0])
    assert (bare.extras.xmp, bare.extras.iptc, bare.extras.comment) == (None, None, None)


def test_xmp_of_a_turned_photo_says_it_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values((37, 53, 3))).save(tmp_path / "in.jpg", exif=exif, xmp=XMP)
    assert read_photo(tmp_path / "in.jpg").extras.xmp == UPRIGHT


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_keeps_its_chunks_byte_for_byte(tmp_path, dtype):
    chunks = (
        GAMMA,
        PRIMARIES,
        (b"cICP", bytes([12, 13, 0, 1])),
        (b"pHYs", struct.pack(">IIB", 3, 4, 0)),
        (b"tEXt", b"Author\0J\xfcrg"),
        (b"iTXt", "Title\0\0\0de\0Titel\0Größe".encode()),
    )
    depth = np.dtype(dtype).itemsize * 8
    rows = b"".join(b"\0" + row.tobytes() for row in values((5, 7, 3), dtype))
    photo = read(tmp_path, png(7, 5, depth, 2, rows, *chunks, (b"tIME", bytes(7))))
    assert photo.pixels.dtype == dtype
    made, notes = encode(photo, "PNG")
    assert notes == []
    assert read(tmp_path, made).extras.chunks == chunks
    order = [made.index(name) for name in (b"IHDR", b"gAMA", b"IDAT")]
    assert order == sorted(order)
    Image.open(io.BytesIO(made)).load()  # a strict reader: check sums and order are right


@pytest.mark.parametrize(
    ("chunks", "note"),
    [
        ((GAMMA,), COLOURS % "gAMA"),
        ((GAMMA, PRIMARIES), COLOURS % "gAMA, cHRM"),
        (((b"cICP", bytes([9, 16, 0, 1])),), COLOURS % "cICP"),
        (((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45455))), None),
        (((b"gAMA", struct.pack(">I", 45455)),), None),
        (((b"tEXt", b"Author\0me"),), "JPEG cannot hold its texts: left out"),
    ],
)  # fmt: skip
def test_colours_and_texts_that_a_jpeg_cannot_hold_are_named(chunks, note):
    assert encode(photo_of(Extras(chunks=chunks)), "JPEG")[1] == ([note] if note else [])


@pytest.mark.parametrize("suffix", sorted(set(WRITABLE) - {".png"}))
def test_a_linear_png_is_noted_wherever_its_curve_is_lost(tmp_path, suffix):
    photo = read(tmp_path, encode(photo_of(Extras(chunks=(GAMMA,))), "PNG")[0])
    notes = write_photo(tmp_path / f"out{suffix}", photo)
    assert any("cannot hold its description of colours (gAMA): they may look different" in n for n in notes)


def test_a_profile_says_it_better_than_chunks():
    assert encode(photo_of(Extras(chunks=(GAMMA,)), icc=SRGB), "JPEG")[1] == []


def test_a_comment_goes_from_jpeg_to_png_and_back(tmp_path):
    Image.fromarray(values((8, 8, 3))).save(tmp_path / "in.jpg", comment="Grüße".encode("latin-1"))
    photo = read(tmp_path, encode(read_photo(tmp_path / "in.jpg"), "PNG")[0])
    assert photo.extras.comment == "Grüße".encode()
    made, notes = encode(photo, "JPEG")
    assert notes == ["JPEG cannot hold its texts: left out"]
    assert Image.open(io.BytesIO(made)).info["comment"] == "Grüße".encode()


def test_what_is_too_long_for_a_jpeg_is_a_note():
    extras = Extras(xmp=b"x" * 70_000, iptc=b"y" * 70_000, comment=b"z" * 70_000)
    notes = encode(photo_of(extras), "JPEG")[1]
    assert notes == [
        f"its {name} is too long for a JPEG and was left out" for name in ("XMP", "IPTC", "comment")
    ]


def jpeg(xmp=b"", behind=b""):
    file = io.BytesIO()
    Image.fromarray(values((16, 16, 3))).save(file, "JPEG", xmp=xmp)
    return file.getvalue() + behind


def test_a_film_behind_the_photo_is_left_out_and_no_longer_promised(tmp_path):
    said = b'<rdf:Description GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1">'
    film = b"\0\0\0\x18ftypmp42" + bytes(100)
    photo = read(tmp_path, jpeg(said + b"<Container:Directory>a</Container:Directory>b", film))
    assert photo.notes == [FILM_LEFT_OUT]
    assert photo.extras.xmp == b'<rdf:Description GCamera:MotionPhoto="0" GCamera:MotionPhotoVersion="1">b'
    made, _ = encode(photo, "JPEG")
    assert b"ftyp" not in made
    assert read(tmp_path, made).notes == []
    assert read(tmp_path, jpeg(b"", b"MotionPhoto_Data" + film)).notes == [FILM_LEFT_OUT]


def test_gain_maps_are_told_from_other_pictures(tmp_path):
    first, second = Image.fromarray(values((16, 16, 3))), Image.fromarray(values((8, 8, 3)))
    said = b'<rdf:Description hdrgm:Version="1.0" dc:x="1"/>'
    for options, note in (({"xmp": said}, GAIN_MAP_LEFT_OUT), ({}, PICTURES_LEFT_OUT)):
        first.save(tmp_path / "in.jpg", "MPO", save_all=True, append_images=[second], **options)
        photo = read_photo(tmp_path / "in.jpg")
        assert photo.notes == [note]
        assert photo.pixels.shape == (16, 16, 3)
    first.save(tmp_path / "in.jpg", "MPO", save_all=True, append_images=[second], xmp=said)
    assert read_photo(tmp_path / "in.jpg").extras.xmp == b'<rdf:Description dc:x="1"/>'


@pytest.mark.parametrize(("transfer", "curve"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_noted_and_stays_described(tmp_path, transfer, curve):
    """10 bits of BT.2020 in, by another encoder, and all that can say so out."""
    data = imagecodecs.avif_encode(
        values((24, 40, 3), np.uint16) >> 6, bitspersample=10, primaries=9, transfer=transfer, matrix=9
    )
    (tmp_path / "hdr.avif").write_bytes(data)
    for name in ("out.avif", "out.heic", "out.png", "again.avif"):
        source = tmp_path / ("out.png" if name == "again.avif" else "hdr.avif")
        photo = read_photo(source)
        assert [note for note in photo.notes if "HDR" in note] == [
            f"it is an HDR photo ({curve}), which is restored as it is coded; training saw none"
        ]
        assert photo.extras.cicp == (9, transfer)
        notes = write_photo(tmp_path / name, photo)
        assert not any("colours" in note for note in notes)
        assert read_photo(tmp_path / name).extras.cicp == (9, transfer)
    with Image.open(tmp_path / "out.avif") as image:
        assert image.size == (40, 24)
    notes = write_photo(tmp_path / "out.jpg", read_photo(tmp_path / "hdr.avif"))
    assert "JPEG cannot hold its description of colours (cICP): they may look different" in notes
    write_photo(tmp_path / "bare.avif", read_photo(tmp_path / "hdr.avif"), Encoding(keep_metadata=False))
    assert read_photo(tmp_path / "bare.avif").extras.cicp is None


@pytest.mark.parametrize("place", ["before", "behind", "none"])
@pytest.mark.parametrize("kind", ["exif", "xmp"])
def test_the_size_of_a_png_is_read_without_its_pixels(tmp_path, monkeypatch, place, kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    chunk = (
        (b"eXIf", exif.tobytes()[6:]) if kind == "exif" else (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
    )
    with (tmp_path / "a.png").open("wb") as file:
        write_deep(file, values((37, 53, 3), np.uint16), [chunk] if place == "before" else [])
        if place == "behind":
            file.seek(-12, io.SEEK_CUR)
            write_chunk(file, *chunk)
            write_chunk(file, b"IEND", b"")
    turned = place != "none"
    assert read_photo(tmp_path / "a.png").pixels.shape[:2] == ((53, 37) if turned else (37, 53))
    if place != "behind":
        monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda image: pytest.fail("decoded"))
    assert read_size(tmp_path / "a.png") == ((37, 53) if turned else (53, 37))
