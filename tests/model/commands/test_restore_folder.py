"""``anyir restore`` with folders: what is taken for a photo, what is left out, kept, and done twice."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from anyir.model import PRESETS, AnyIR, Restorer
from anyir.model.photo.encoder import encode
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.photo.writer import Inputs
from anyir.model.restore.batch import Output, count_tiles, restore_jobs
from anyir.model.restore.jobs import find_jobs
from anyir.model.restore.tile_bar import TileBar
from tests.helpers.command_checks import fails, files, save
from tests.helpers.photo_files import values


def test_folder(restore, folder):
    photos = folder / "photos"
    (photos / "sub").mkdir(parents=True)
    save(photos / "a.PNG".lower(), Photo(values((8, 9, 3))))
    save(photos / "b.jpg", Photo(values((10, 8, 1))))
    save(photos / "sub" / "c.tif", Photo(values((8, 8, 3), np.uint16)))
    (photos / "notes.txt").write_text("text")
    before = files(photos)
    code, out, err = restore("photos", "photos/restored")
    assert (code, err) == (0, "")
    assert "skipped photos/notes.txt" in out
    assert out.endswith("3 restored, 1 skipped, 0 failed\n")
    made = files(photos / "restored")
    assert sorted(made) == ["a.png", "b.jpg", "sub/c.tif"]
    assert {k: v for k, v in files(photos).items() if not k.startswith("restored/")} == before
    assert read_photo(photos / "restored/sub/c.tif").pixels.dtype == np.uint16
    # A second time: what was made is no input, and is not overwritten unasked.
    code, out, err = restore("photos", "photos/restored")
    assert code == 1
    assert err.count("--overwrite") == 3
    assert files(photos / "restored") == made
    assert restore("photos", "photos/restored", "--overwrite")[0] == 0


def test_folders_that_are_not_gone_into_are_named(restore, folder, monkeypatch):
    """A hidden folder, a link, which may lead round in a circle, and a folder that may not be listed."""
    (folder / "photos" / ".thumbnails").mkdir(parents=True)
    save(folder / "photos" / ".thumbnails" / "a.png", Photo(values((8, 8, 3))))
    (folder / "photos" / "circle").symlink_to(".")
    save(folder / "photos" / "a.png", Photo(values((8, 8, 3))))
    code, out, err = restore("photos", "out")
    assert (code, err) == (0, "")
    assert "skipped photos/circle" in out
    assert "skipped photos/.thumbnails" in out
    assert sorted(files(folder / "out")) == ["a.png"]

    (folder / "photos" / "locked").mkdir()
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    before = files(folder)
    monkeypatch.setattr(os, "scandir", refusing)
    result = restore("photos", "out", "--overwrite")
    monkeypatch.undo()
    fails(result, folder, before, "Permission denied: photos/locked")


def test_one_bad_photo_does_not_stop_the_others(restore, folder):
    (folder / "photos").mkdir()
    save(folder / "photos" / "a.png", Photo(values((8, 8, 3))))
    (folder / "photos" / "b.png").write_text("text")
    save(folder / "photos" / "c.png", Photo(values((8, 8, 3))))
    code, out, err = restore("photos", "out", "--json")
    assert code == 1
    assert "failed: photos/b.png" in err
    assert "1 of 3 photos failed" in err
    assert sorted(files(folder / "out")) == ["a.png", "c.png"]
    result = json.loads(out)
    assert (result["restored"], result["failed"], result["skipped"]) == (2, 1, 0)
    assert [f["status"] for f in result["files"]] == ["restored", "failed", "restored"]
    assert "no image" in result["files"][1]["error"]


def test_a_folder_run_overwrites_no_other_input(restore, folder):
    """An output that is a link to one of the inputs stays, though --overwrite is given."""
    (folder / "photos").mkdir()
    (folder / "out").mkdir()
    save(folder / "photos" / "a.png", Photo(values((8, 8, 3))))
    save(folder / "photos" / "b.png", Photo(values((9, 9, 3))))
    (folder / "out" / "a.png").hardlink_to(folder / "photos" / "b.png")
    before = files(folder / "photos")
    code, _, err = restore("photos", "out", "--overwrite")
    assert code == 1
    assert "never overwritten" in err
    assert files(folder / "photos") == before


def test_every_suffix_that_is_read_is_a_photo(restore, folder, photos):
    grey = Photo(values((8, 9, 1)))
    for suffix, format_ in (
        ("png", "PNG"), ("jpg", "JPEG"), ("jpeg", "JPEG"), ("jpe", "JPEG"), ("jfif", "JPEG"), ("JPG", "JPEG"),
        ("tif", "TIFF"), ("tiff", "TIFF"), ("webp", "WEBP"), ("avif", "AVIF"), ("bmp", "BMP"),
        ("heic", "HEIF"), ("heif", "HEIF"), ("hif", "HEIF"),
    ):  # fmt: skip
        (photos / f"of-{suffix}.{suffix}").write_bytes(encode(grey, format_)[0])
    image = Image.fromarray(grey.pixels[..., 0])
    image.save(photos / "still.gif")
    image.save(photos / "phone.mpo", "MPO", save_all=True, append_images=[image])
    before = files(photos)
    code, out, err = restore("photos", "out", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["restored"], result["failed"], result["skipped"]) == (16, 0, 0)
    made = files(folder / "out")
    expected = {"still.gif": "still.gif.png", "phone.mpo": "phone.mpo.jpg"}
    assert sorted(made) == sorted(expected.get(name, name) for name in before)
    for name in made:
        assert read_photo(folder / "out" / name).pixels.shape[:2] == (8, 9)
    assert files(photos) == before


def test_a_second_run_keeps_what_is_done(restore, folder, photos):
    for name in ("a.png", "b.png", "c.png"):
        save(photos / name, Photo(values((8, 9, 3))))
    assert restore("photos", "out")[0] == 0
    (folder / "out" / "b.png").unlink()
    save(photos / "d.png", Photo(values((8, 9, 3))))
    stamps = {path.name: path.stat().st_mtime_ns for path in (folder / "out").iterdir()}
    code, out, err = restore("photos", "out", "--resume")
    assert (code, err) == (0, "")
    assert "kept out/a.png, which an earlier run has restored" in out
    assert out.endswith("2 restored, 2 kept, 0 skipped, 0 failed\n")
    for name, stamp in stamps.items():
        assert (folder / "out" / name).stat().st_mtime_ns == stamp
    code, out, err = restore("photos", "out", "--resume", "--json")
    assert (code, json.loads(out)["kept"], json.loads(out)["restored"]) == (0, 4, 0)


def test_what_only_looks_done_is_not_kept(restore, folder, photos):
    for name in ("other.png", "text.png", "edited.png", "half.png"):
        save(photos / name, Photo(values((8, 9, 3))))
    (folder / "out").mkdir()
    save(folder / "out" / "other.png", Photo(values((8, 8, 3))))
    (folder / "out" / "text.png").write_text("text")
    (folder / "out" / "half.png").write_bytes(b"")
    save(folder / "out" / "edited.png", Photo(values((8, 9, 3))))
    past = time.time() - 100
    os.utime(folder / "out" / "edited.png", (past, past))
    before = files(folder)
    code, _, err = restore("photos", "out", "--resume")
    assert code == 1
    for words in (
        "out/other.png exists and has another size than photos/other.png",
        "out/text.png exists and cannot be compared",
        "out/half.png exists and cannot be compared",
        "out/edited.png exists and is older than photos/edited.png",
        "4 of 4 photos failed",
    ):
        assert words in err
    assert files(folder) == before
    assert restore("photos", "out", "--resume", "--overwrite")[0] == 0
    assert read_photo(folder / "out" / "text.png").pixels.shape == (8, 9, 3)


def test_a_finished_photo_is_not_decoded_to_be_refused(restore, folder, photos):
    (photos / "a.png").write_text("no photo at all")
    (folder / "out").mkdir()
    (folder / "out" / "a.png").write_text("there")
    assert "out/a.png exists; give --overwrite" in restore("photos", "out")[2]


def test_a_second_run_at_the_same_time_is_refused(restore, folder, photos):
    save(photos / "a.png", Photo(values((8, 9, 3))))
    code = """
import sys
from pathlib import Path
from anyir.model.restore.alone import alone_in
with alone_in(Path("out")):
    print("locked", flush=True)
    sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "locked\n"
        fails(restore("photos", "out"), folder, files(folder), "another run writes into out")
        fails(restore("photos", "new/../out"), folder, files(folder), "another run writes into")
    finally:
        other.kill()
        other.communicate()
    assert restore("photos", "out")[0] == 0


def test_a_folder_that_nothing_came_of_goes_again(restore, folder, photos):
    (photos / "a.png").write_text("no photo")
    assert restore("photos", "out")[0] == 1
    assert not (folder / "out").exists()
    assert restore("photos", "new/sub/out")[0] == 1
    assert not (folder / "new").exists()
    (folder / "mine").mkdir()
    assert restore("photos", "mine")[0] == 1
    assert (folder / "mine").exists()


def test_time_left_counts_the_tiles_of_all_photos(folder, photos):
    for name, size in (("a.png", (32, 32)), ("b.png", (40, 50)), ("c.png", (60, 60))):
        save(photos / name, Photo(values((*size, 3))))
    (photos / "bad.png").write_text("no photo")
    jobs, _ = find_jobs(photos, folder / "out")
    restorer = Restorer(AnyIR(PRESETS["tiny"]), tile=32)
    tiles = count_tiles(restorer.setting, jobs)
    assert [tiles[job] for job in jobs] == [1, 4, 0, 9]
    seen = []
    with TileBar(tiles) as bar:

        def started(job):
            advance = bar.start(job)

            def both(done, total):
                advance(done, total)
                everything = bar.progress.tasks[0]
                seen.append((everything.completed, everything.total))

            return both

        restore_jobs(restorer, jobs, Output(Inputs([])), started=started, finished=bar.finish)
    assert seen == [(i + 1, 14) for i in range(14)]


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed(folder, photos, tiny_weights):
    """kill -9 after the second photo: what is there is whole, nothing else is, and a second run goes on."""
    for i in range(6):
        save(photos / f"{i}.png", Photo(values((64, 64, 3))))
    before = files(photos)
    command = [
        sys.executable,
        "-m",
        "anyir.model.cli",
        "restore",
        "photos",
        "out",
        "--with",
        str(tiny_weights),
    ]
    run = subprocess.Popen(
        [*command, "--tile", "32", "--threads", "1"], cwd=folder, stdout=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while not (folder / "out" / "1.png").exists():
        assert run.poll() is None or (folder / "out" / "1.png").exists()
        assert time.monotonic() < end
        time.sleep(0.001)
    run.kill()
    run.wait()
    done = files(folder / "out")
    assert {"0.png", "1.png"} <= set(done) <= {f"{i}.png" for i in range(6)}
    for name in done:
        assert read_photo(folder / "out" / name).pixels.shape == (64, 64, 3)
    resumed = subprocess.run(
        [*command, "--tile", "32", "--threads", "1", "--resume"], cwd=folder, capture_output=True, text=True
    )
    assert resumed.returncode == 0
    assert f"{6 - len(done)} restored, {len(done)} kept, 0 skipped, 0 failed" in resumed.stdout
    after = files(folder / "out")
    assert {name: after[name] for name in done} == done
    assert len(after) == 6
    assert files(photos) == before
