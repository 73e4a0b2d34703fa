"""Where photos are written: never over an input or what appeared meanwhile, only where there is room."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anyir.model.errors import UserError
from anyir.model.photo.encoder import Encoding
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.photo.writer import Inputs, check_output, check_room, write_photo
from tests.helpers.photo_files import values


def test_output_is_never_an_input(tmp_path, monkeypatch):
    source = tmp_path / "in.png"
    Image.new("L", (2, 2)).save(source)
    (tmp_path / "link.png").symlink_to(source)
    (tmp_path / "hard.png").hardlink_to(source)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in (
        "in.png",
        "link.png",
        "hard.png",
        "./in.png",
        "folder/../in.png",
        "new/../in.png",
        "new/deep/../../in.png",
        str(source),
    ):
        with pytest.raises(UserError, match="never overwritten"):
            check_output(Path(name), Inputs([source]), overwrite=True)
        with pytest.raises(UserError, match="never overwritten"):
            write_photo(Path(name), Photo(values((2, 2, 1))), inputs=Inputs([source]), overwrite=True)
    assert read_photo(source).pixels.tolist() == [[[0], [0]], [[0], [0]]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "hard.png", "in.png", "link.png"]


def test_output_checks(tmp_path):
    (tmp_path / "old.png").write_bytes(b"old")
    with pytest.raises(UserError, match="--overwrite"):
        check_output(tmp_path / "old.png", Inputs([]), overwrite=False)
    check_output(tmp_path / "old.png", Inputs([]), overwrite=True)
    assert (tmp_path / "old.png").read_bytes() == b"old"
    with pytest.raises(UserError, match="is a file, not a folder"):
        check_output(tmp_path / "old.png" / "new.png", Inputs([]), overwrite=False)
    with pytest.raises(UserError, match=r"old.png is a file, not a folder"):
        check_output(tmp_path / "old.png" / "deep" / "new.png", Inputs([]), overwrite=False)
    with pytest.raises(UserError, match="is a folder"):
        check_output(tmp_path, Inputs([]), overwrite=True)
    with pytest.raises(UserError, match="suffix must be one of"):
        check_output(tmp_path / "new.gif", Inputs([]), overwrite=False)
    check_output(tmp_path / "made" / "new.png", Inputs([]), overwrite=False)
    assert not (tmp_path / "made").exists()
    with pytest.raises(UserError, match="too long"):
        check_output(tmp_path / f"{'n' * 252}.png", Inputs([]), overwrite=False)


def test_an_input_that_was_replaced_meanwhile_is_still_an_input(tmp_path):
    source = tmp_path / "in.png"
    source.write_bytes(b"old")
    inputs = Inputs([source])
    source.unlink()
    source.write_bytes(b"new")
    with pytest.raises(UserError, match="never overwritten"):
        write_photo(source, Photo(values((2, 2, 1))), inputs=inputs, overwrite=True)
    assert source.read_bytes() == b"new"


def test_a_file_that_appeared_meanwhile_stays(tmp_path):
    check_output(tmp_path / "out.png", Inputs([]), overwrite=False)
    (tmp_path / "out.png").write_bytes(b"somebody else's")
    with pytest.raises(UserError, match="exists; give --overwrite"):
        write_photo(tmp_path / "out.png", Photo(values((2, 2, 1))))
    assert (tmp_path / "out.png").read_bytes() == b"somebody else's"
    assert len(list(tmp_path.iterdir())) == 1
    write_photo(tmp_path / "out.png", Photo(values((2, 2, 1))), overwrite=True)
    assert read_photo(tmp_path / "out.png").pixels.shape == (2, 2, 1)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("length", [244, 250, 255])
def test_the_longest_names(tmp_path, length, overwrite):
    path = tmp_path / ("n" * (length - 4) + ".png")
    write_photo(path, Photo(values((2, 2, 1))), overwrite=overwrite)
    assert os.listdir(tmp_path) == [path.name]


def test_a_link_as_output_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "there.png").write_bytes(b"kept")
    (tmp_path / "out.png").symlink_to("there.png")
    write_photo(tmp_path / "out.png", Photo(values((2, 2, 1))), overwrite=True)
    assert (tmp_path / "there.png").read_bytes() == b"kept"
    assert not (tmp_path / "out.png").is_symlink()


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    photo = Photo(values((600, 600, 3)))  # noise: a megabyte, whatever the format
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 10**5))
    for name in ("out.png", "new/out.tif", "out.bmp"):
        with pytest.raises(UserError, match=r"disk has 0.1 MB left, .* takes about 1.\d\d? MB"):
            check_room(tmp_path / name, photo, Encoding())
    check_room(tmp_path / "out.png", Photo(np.zeros((600, 600, 3), np.uint8)), Encoding())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 0, 10**9))
    check_room(tmp_path / "out.png", photo, Encoding())


def test_a_photo_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "in.png"
    Image.fromarray(values((64, 64, 3))).save(path)
    load = Image.Image.load

    def changed(image):
        with path.open("ab") as file:
            file.write(b"more")
        return load(image)

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", changed)
    with pytest.raises(UserError, match="was changed by another program while it was read"):
        read_photo(path)
