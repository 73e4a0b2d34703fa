"""Photos and raw frames through pipes."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from anyir.model import Restorer
from anyir.model.errors import UserError
from anyir.model.photo.encoder import Encoding, encode
from anyir.model.photo.reader import Photo, read_photo_from
from anyir.model.restore.pipes import frame_size, pipe_format, read_pipe, restore_frames, restore_pipe
from tests.helpers.photo_files import MAKE, SRGB, camera_exif, exif_of, values
from tests.helpers.tile_models import Inverted


class Trickle(io.BytesIO):
    """A pipe that gives a few bytes at a time."""

    def read(self, size=-1):
        return super().read(min(size, 100) if size >= 0 else size)


RESTORER = Restorer(Inverted(), tile=16, overlap=4)


@pytest.mark.parametrize(("name", "format_"), [("png", "PNG"), (".TIF", "TIFF"), ("heic", "HEIF")])
def test_a_photo_keeps_what_it_keeps_in_a_file(name, format_):
    photo = Photo(values((24, 40, 3), np.uint16), SRGB, camera_exif())
    out = io.BytesIO()
    assert pipe_format(name) == format_
    encoding = Encoding(lossless=True)
    read = read_pipe(io.BytesIO(encode(photo, "PNG")[0]), format_, encoding)
    restore_pipe(RESTORER, read, out, format_, encoding)
    result = read_photo_from(out, "out")
    assert (result.icc, exif_of(result)[MAKE]) == (SRGB, "Maker")
    assert np.abs(result.pixels.astype(int) - (65535 - photo.pixels)).max() < 20


def test_frames_come_out_as_they_go_in():
    frames = values((3, 24, 40, 3))
    out = io.BytesIO()
    assert restore_frames(RESTORER, Trickle(frames.tobytes()), out, 40, 24) == (3, [])
    np.testing.assert_array_equal(np.frombuffer(out.getvalue(), np.uint8).reshape(frames.shape), 255 - frames)


def test_what_is_cut_short_or_missing_is_said():
    frames, out = values((2, 24, 40, 3)).tobytes(), io.BytesIO()
    with pytest.raises(UserError, match="ends in frame 2: 2780 bytes of 2880; is --size 40x24 right"):
        restore_frames(RESTORER, io.BytesIO(frames[:-100]), out, 40, 24)
    assert len(out.getvalue()) == len(frames) // 2
    with pytest.raises(UserError, match="standard input is empty"):
        restore_frames(RESTORER, io.BytesIO(), out, 40, 24)
    with pytest.raises(UserError, match="standard input is empty"):
        read_pipe(io.BytesIO(), "PNG", Encoding())
    with pytest.raises(UserError, match="standard input is no image that can be read"):
        read_pipe(io.BytesIO(b"text" * 99), "PNG", Encoding())
    with pytest.raises(UserError, match="JPEG has no transparency"):
        read_pipe(io.BytesIO(encode(Photo(values((9, 9, 4))), "PNG")[0]), "JPEG", Encoding())
    for name in (None, "gif", ""):
        with pytest.raises(UserError, match="give --format, one of png, jpg"):
            pipe_format(name)
    for size in ("40", "40x", "0x9", "-1x9", "4 x 4", "99999x99999", 5000 * "9" + "x4"):
        with pytest.raises(UserError, match="is no size such as 1280x720"):
            frame_size(size)
    assert frame_size("1280x720") == (1280, 720)


def test_a_reader_that_went_away_is_one_line():
    class Closed(io.BytesIO):
        def write(self, data):
            raise BrokenPipeError

    with pytest.raises(UserError, match="nobody reads standard output any more"):
        restore_frames(RESTORER, io.BytesIO(values((24, 40, 3)).tobytes()), Closed(), 40, 24)


def test_usage(anyir):
    for arguments in (
        ["-", "out.png"],
        ["in.png", "-"],
        ["-", "-", "--format", "png", "--size", "4x4"],
        ["-", "-", "--resume"],
        ["in.png", "out.png", "--size", "4x4"],
        ["in.png", "out.png", "--format", "png"],
    ):
        assert anyir("restore", *arguments)[0] == 2, arguments


@pytest.mark.slow
def test_through_real_pipes(tiny_weights):
    command = [sys.executable, "-m", "anyir.model.cli", "restore", "-", "-", "--with", str(tiny_weights)]
    options = ["--tile", "32", "--threads", "1", "--strength", "0"]
    data = encode(Photo(values((24, 40, 3))), "PNG")[0]
    done = subprocess.run([*command, *options, "--format", "png"], input=data, capture_output=True)
    assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(done.stdout))), values((24, 40, 3)))
    frames = values((2, 24, 40, 3)).tobytes()
    done = subprocess.run([*command, *options, "--size", "40x24"], input=frames, capture_output=True)
    assert (done.returncode, done.stdout) == (0, frames)
    assert b"restored 2 frames of 40x24" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [
        ("2>&-", 0, b""),
        ("<&-", 1, b"anyir: standard input is closed; both are needed where IN and OUT are -\n"),
        (">&-", 1, b"anyir: standard output is closed; both are needed where IN and OUT are -\n"),
    ],
)
def test_what_the_caller_has_closed(tiny_weights, closed, code, said):
    command = [sys.executable, "-m", "anyir.model.cli", "restore", "-", "-", "--with", str(tiny_weights)]
    options = ["--tile", "32", "--threads", "1", "--strength", "0", "--format", "png"]
    data = encode(Photo(values((24, 40, 3))), "PNG")[0]
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *command, *options]
    done = subprocess.run(shell, input=data, capture_output=True)
    assert (done.returncode, done.stderr) == (code, said)
    if closed == "2>&-":  # no word is in the photo
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(done.stdout))), values((24, 40, 3)))
