"""``anyir restore``: odd names, and what is no plain file: pipes, devices, links that lead back."""

import os

import pytest

from anyir.model.photo.reader import Photo
from tests.helpers.command_checks import files, save
from tests.helpers.photo_files import values


def test_names_are_shown_as_they_are(restore, anyir, folder, photos):
    (photos / "two  spaces   and\ta tab.png").write_text("no photo")
    save(photos / "three   spaces.png", Photo(values((8, 9, 3))))
    save(photos / "two\nlines.png", Photo(values((8, 9, 3))))
    (photos / "no\nphoto.png").write_text("no photo")
    code, out, err = restore("photos", "out")
    assert code == 1
    assert "failed: photos/two  spaces   and\\ta tab.png is no image" in err
    assert "restored photos/three   spaces.png -> out/three   spaces.png" in out
    assert "restored photos/two\\nlines.png -> out/two\\nlines.png" in out
    assert "failed: photos/no\\nphoto.png is no image" in err
    assert err.count("\n") == 3
    assert anyir("restore", "photo.png\r", "out.png")[2] == "anyir: there is no file or folder photo.png\\r\n"
    assert "a  b\x1b[31m.png" not in anyir("restore", "a  b\x1b[31m.png", "out.png")[2]


@pytest.mark.parametrize("name", ["-photo.png", "-p.jpg", "-1 (2).png"])
def test_a_name_that_begins_with_a_dash_gets_a_hint(restore, anyir, folder, name):
    save(folder / "in.png", Photo(values((8, 9, 3))))
    os.rename(folder / "in.png", folder / name)
    code, _, err = anyir("restore", name, "out.png")
    assert (code, err.count("\n")) == (2, 1)
    assert f"if {name} is a file, write ./{name}" in err
    assert restore(f"./{name}", "out.png")[0] == 0
    assert restore(f"./{name}", f"./-out{name}")[0] == 0


def test_an_empty_name_is_not_the_working_folder(restore, folder):
    """What a shell makes of a variable that is not set."""
    save(folder / "in.png", Photo(values((8, 9, 3))))
    before = files(folder)
    for names in (("", "out"), ("in.png", "")):
        code, _, err = restore(*names)
        assert (code, err.count("\n")) == (2, 1)
        assert "a name is empty" in err
    assert restore("in.png", "a\0b.png")[0] == 2
    assert files(folder) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_links_and_devices_in_a_folder(restore, folder, photos):
    """Nothing hangs: what is no file is a failure, a link to a photo is a photo, a pipe is not replaced."""
    save(photos / "real.png", Photo(values((8, 9, 3))))
    (photos / "link.png").symlink_to("real.png")
    (photos / "hard.png").hardlink_to(photos / "real.png")
    (photos / "loop.png").symlink_to("loop.png")
    (photos / "null.png").symlink_to("/dev/null")
    (photos / "memory.png").symlink_to("/proc/self/mem")
    os.mkfifo(photos / "pipe.jpg")
    code, out, err = restore("photos", "out")
    assert code == 1
    assert out.endswith("3 restored, 0 skipped, 4 failed\n")
    assert err.count("\n") == 5
    assert sorted(files(folder / "out")) == ["hard.png", "link.png", "real.png"]
    for options in ([], ["--overwrite"]):
        code, _, err = restore("photos/real.png", "photos/pipe.jpg", *options)
        assert (code, err.count("\n")) == (1, 1)
        assert "photos/pipe.jpg is a pipe or a device, which is not replaced" in err
    assert (photos / "pipe.jpg").is_fifo()


def test_an_output_folder_that_leads_back_to_the_input_loses_nothing(restore, folder, photos):
    (photos / "sub").mkdir()
    save(photos / "sub" / "a.png", Photo(values((8, 9, 3))))
    (folder / "out").mkdir()
    (folder / "out" / "sub").symlink_to("../photos/sub")
    before = files(photos)
    for options in ([], ["--overwrite"], ["--resume"], ["--resume", "--overwrite"]):
        code, _, err = restore("photos", "out", *options)
        assert (code, files(photos)) == (1, before)
        assert "out/sub/a.png is the input photos/sub/a.png, which is never overwritten" in err


def test_links_in_a_circle_are_named(restore, folder, photos):
    save(folder / "in.png", Photo(values((8, 9, 3))))
    save(photos / "a.png", Photo(values((8, 9, 3))))
    for link, to in (("there", "back"), ("back", "there"), ("self.png", "self.png")):
        (folder / link).symlink_to(to)
    before = files(folder)
    for source, target, said in (
        ("in.png", "self.png", "self.png is a link in a circle; give --overwrite to replace it"),
        ("in.png", "there/out.png", "there is a link in a circle; name another folder"),
        ("photos", "there", "the folder there cannot be made (a link in a circle)"),
    ):
        assert restore(source, target)[::2] == (1, f"anyir: {said}\n")
    assert files(folder) == before
    assert restore("in.png", "self.png", "--overwrite")[0] == 0
