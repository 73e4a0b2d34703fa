"""One file from Python, with all that the command keeps; and what a folder's run says of files left out."""

import numpy as np
import pytest
from PIL import Image

from anyir.model import Restorer, restore_file
from anyir.model.errors import UserError
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.photo.writer import write_photo
from anyir.model.restore.jobs import find_jobs, why_left_out
from tests.helpers.photo_files import MAKE, SRGB, camera_exif, exif_of, values
from tests.helpers.tile_models import Inverted


@pytest.fixture
def scan(tmp_path):
    """A 16-bit photo with alpha, an ICC profile and EXIF."""
    write_photo(tmp_path / "scan.png", Photo(values((9, 13, 4), np.uint16), SRGB, camera_exif()))
    return tmp_path / "scan.png"


@pytest.mark.parametrize("name", ["out.png", "out.tif"])
def test_a_file_keeps_what_the_command_keeps(scan, tmp_path, name):
    outcome = restore_file(scan, tmp_path / name, restorer=Restorer(Inverted()))
    before, after = read_photo(scan), read_photo(tmp_path / name)
    assert (after.icc, exif_of(after)[MAKE]) == (SRGB, "Maker")
    assert after.pixels.dtype == np.uint16
    np.testing.assert_array_equal(after.pixels[..., 3], before.pixels[..., 3])
    np.testing.assert_allclose(after.pixels[..., :3], 65535 - before.pixels[..., :3], atol=1)
    assert (outcome.status, outcome.output, outcome.width, outcome.height) == (
        "restored",
        str(tmp_path / name),
        13,
        9,
    )
    assert outcome.notes == []


def test_metadata_is_left_out_where_it_is_not_wanted(scan, tmp_path):
    restore_file(scan, tmp_path / "out.png", restorer=Restorer(Inverted()), keep_metadata=False)
    after = read_photo(tmp_path / "out.png")
    assert (after.icc, after.exif) == (None, None)


def test_weights_are_opened_and_strength_is_kept(scan, tmp_path, tiny_weights):
    restore_file(str(scan), str(tmp_path / "out.png"), restorer=tiny_weights, strength=0)
    np.testing.assert_array_equal(read_photo(tmp_path / "out.png").pixels, read_photo(scan).pixels)


def test_what_the_format_cannot_hold_is_noted(tmp_path):
    write_photo(tmp_path / "deep.png", Photo(values((9, 13, 3), np.uint16)))
    outcome = restore_file(tmp_path / "deep.png", tmp_path / "out.jpg", restorer=Restorer(Inverted()))
    assert outcome.notes == ["JPEG holds 8 bits a channel: 16 were rounded"]


def test_bad_files_are_refused_before_the_model_is_opened(scan, tmp_path):
    (tmp_path / "there.png").write_bytes(b"x")
    for source, target, message in (
        (scan, scan, "is the input"),
        (scan, tmp_path / "there.png", "exists"),
        (scan, tmp_path / "out.gif", "suffix"),
        (tmp_path, tmp_path / "out.png", "is a folder; name a photo"),
        (tmp_path / "there.png", tmp_path / "out.png", "there.png"),
    ):
        with pytest.raises(UserError, match=message):
            restore_file(source, target, restorer="no such weights")
    assert (tmp_path / "there.png").read_bytes() == b"x"
    restore_file(scan, tmp_path / "there.png", restorer=Restorer(Inverted()), overwrite=True)
    assert read_photo(tmp_path / "there.png").pixels.shape == (9, 13, 4)


def test_a_restorer_has_its_own_strength(scan, tmp_path):
    with pytest.raises(UserError, match="strength of its own"):
        restore_file(scan, tmp_path / "out.png", restorer=Restorer(Inverted()), strength=0.5)
    assert not (tmp_path / "out.png").exists()


def test_every_file_left_out_has_its_own_reason(tmp_path):
    source = tmp_path / "in"
    (source / ".thumbnails").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(source / "photo.png")
    for name in (".hidden.png", "notes.txt"):
        (source / name).write_text("x")
    (source / "link").symlink_to(tmp_path)
    jobs, others = find_jobs(source, tmp_path / "out")
    assert [job.source.name for job in jobs] == ["photo.png"]
    assert {path.name: why_left_out(path) for path in others} == {
        ".thumbnails": "hidden",
        ".hidden.png": "hidden",
        "link": "a link to a folder",
        "notes.txt": "not a photo",
    }
