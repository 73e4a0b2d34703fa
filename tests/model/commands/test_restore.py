import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoint import save_weights
from anyir.model.photo.encoder import encode
from anyir.model.photo.reader import Photo, read_photo
from tests.helpers.command_checks import fails, files, save
from tests.helpers.photo_files import (
    AVIF_OF_10_BITS,
    BAD,
    MAKE,
    ORIENTATION,
    SRGB,
    camera_exif,
    exif_of,
    values,
)

pytestmark = pytest.mark.usefixtures("torch_threads")


def test_restores_and_says_what_ran(restore, folder):
    save(folder / "in.png", Photo(values((40, 50, 3))))
    code, out, err = restore("in.png", "made/out.jpg")
    assert (code, err) == (0, "")
    assert out.startswith("tiny on PyTorch C")
    assert "tiles of 32 that overlap by 8" in out
    assert "restored in.png -> made/out.jpg (50x40, 4 tiles," in out
    assert sorted(files(folder)) == ["in.png", "made/out.jpg"]
    assert read_photo(folder / "made/out.jpg").pixels.shape == (40, 50, 3)


def test_json(restore, folder):
    save(folder / "in.png", Photo(values((40, 50, 3))))
    code, out, _ = restore("in.png", "out.png", "--json")
    assert code == 0
    result = json.loads(out)
    assert (result["model"], result["tile"], result["overlap"], result["restored"]) == ("tiny", 32, 8, 1)
    assert result["accelerator"].startswith("PyTorch C")
    assert {k: result["files"][0][k] for k in ("output", "status", "width", "height", "tiles")} == {
        "output": "out.png", "status": "restored", "width": 50, "height": 40, "tiles": 4
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("one.png", (1, 1, 3), np.uint8),
        ("one.jpg", (1, 1, 1), np.uint8),
        ("small.png", (5, 7, 3), np.uint8),
        ("small.tif", (5, 7, 4), np.uint16),
        ("grey.png", (33, 40, 1), np.uint8),
        ("grey.jpg", (33, 40, 1), np.uint8),
        ("grey16.png", (33, 40, 1), np.uint16),
        ("grey-alpha.png", (33, 40, 2), np.uint8),
        ("grey-alpha16.png", (33, 40, 2), np.uint16),
        ("alpha.png", (33, 40, 4), np.uint8),
        ("alpha16.png", (33, 40, 4), np.uint16),
        ("deep.png", (33, 40, 3), np.uint16),
        ("deep.tif", (33, 40, 3), np.uint16),
    ],
)
def test_every_kind_of_photo_keeps_its_size_depth_and_channels(restore, folder, name, shape, dtype):
    photo = Photo(values(shape, dtype), SRGB, camera_exif())
    save(folder / name, photo)
    assert restore(name, f"out-{name}")[0] == 0
    result = read_photo(folder / f"out-{name}")
    assert result.pixels.shape == shape
    assert result.pixels.dtype == dtype
    assert result.icc == SRGB
    assert exif_of(result)[MAKE] == "Maker"
    if shape[2] in (2, 4):
        np.testing.assert_array_equal(result.pixels[..., -1], photo.pixels[..., -1])
    if min(shape[:2]) > 8:
        assert (result.pixels != read_photo(folder / name).pixels).any()  # something was done


@pytest.mark.slow
def test_strip_of_20000_by_30(anyir, tiny_weights, folder):
    save(folder / "strip.png", Photo(values((30, 20_000, 3))))
    options = ("--tile", 64, "--overlap", 0, "--threads", 1)
    code, out, _ = anyir("restore", "strip.png", "out.png", "--with", tiny_weights, *options)
    assert code == 0
    assert "20000x30, 313 tiles" in out
    assert read_photo(folder / "out.png").pixels.shape == (30, 20_000, 3)


def test_rotated_photo_comes_back_upright(restore, folder):
    Image.fromarray(values((33, 40, 3))).save(folder / "in.jpg", exif=camera_exif(6))
    assert restore("in.jpg", "out.jpg")[0] == 0
    result = read_photo(folder / "out.jpg")
    with Image.open(folder / "out.jpg") as image:
        assert image.size == (33, 40)
    assert exif_of(result)[ORIENTATION] == 1


def test_heic_and_avif_are_read_and_written(restore, anyir, folder):
    (folder / "in.avif").write_bytes(AVIF_OF_10_BITS)
    pixels = np.full((40, 48, 3), 30_000, np.uint16)
    (folder / "in.heic").write_bytes(encode(Photo(pixels, SRGB, camera_exif()), "HEIF")[0])
    code, _, err = restore("in.avif", "out.avif")
    assert (code, err) == (0, "note: in.avif: AVIF holds 8 bits a channel: 10 were rounded\n")
    assert restore("in.heic", "out.heic")[0] == 0
    assert restore("in.heic", "out.png")[0] == 0
    assert anyir("degrade", "in.avif", "rainy.png", "--kind", "rain")[0] == 0
    for name in ("out.avif", "rainy.png"):
        assert read_photo(folder / name).pixels.shape == (8, 8, 3)
    for name in ("out.heic", "out.png"):
        photo = read_photo(folder / name)
        assert (photo.pixels.shape, photo.pixels.dtype) == ((40, 48, 3), np.uint16)
        assert (photo.icc, exif_of(photo)[MAKE]) == (SRGB, "Maker")


@pytest.mark.parametrize("words", [["restore"], ["degrade", "--kind", "rain"]])
def test_no_spelling_of_out_reaches_the_input(anyir, folder, words):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    (folder / "photos").mkdir()
    save(folder / "photos" / "a.png", Photo(values((8, 8, 3))))
    before = files(folder)
    for out in ("new/../in.png", "new/deep/../../in.png", "./in.png"):
        for extra in ([], ["--overwrite"]):
            fails(anyir(*words, "in.png", out, *extra), folder, before, "never overwritten")
    if words == ["restore"]:
        fails(anyir(*words, "photos", "photos/out/.."), folder, before, "is the input folder")
    assert sorted(path.name for path in folder.iterdir()) == ["in.png", "photos"]


def test_what_out_cannot_hold_is_said_before_the_model_is_opened(anyir, folder):
    save(folder / "clear.png", Photo(values((8, 8, 4))))
    save(folder / "long.png", Photo(values((1, 17_000, 3))))
    save(folder / "in.png", Photo(values((8, 8, 3))))
    before = files(folder)
    for photo, out, *extra, words in (
        ("clear.png", "out.jpg", "JPEG has no transparency"),
        ("long.png", "out.webp", "a side has 16383 pixels at most"),
        ("in.png", "out.jpg", "--lossless", "JPEG always loses something"),
        ("in.png", "n" * 252 + ".png", "File name too long"),
    ):
        fails(anyir("restore", photo, out, *extra, "--with", "no such weights"), folder, before, words)
    for extra in (["--quality", 0], ["--quality", 101], ["--quality", 90, "--lossless"], ["--resume"]):
        assert anyir("restore", "in.png", "out.jpg", *extra)[0] == 2
    assert anyir("restore", "in.png", "out.png", "--quality", 90)[0] == 2


def test_quality_and_losslessness_reach_the_file(restore, folder):
    save(folder / "in.png", Photo(values((64, 64, 3))))
    sizes = []
    for quality in (50, 95, 100):
        assert restore("in.png", "out.jpg", "--quality", quality, "--overwrite")[0] == 0
        sizes.append((folder / "out.jpg").stat().st_size)
    assert sizes == sorted(set(sizes))
    for name, extra, lossless in (
        ("plain.webp", [], True),  # as the PNG was
        ("lossy.webp", ["--quality", 95], False),
        ("asked.webp", ["--lossless"], True),
        ("asked.heic", ["--lossless"], True),
        ("lossy.heic", [], False),
    ):
        assert restore("in.png", name, "--strength", 0, *extra)[0] == 0
        same = (read_photo(folder / name).pixels == values((64, 64, 3))).all()
        assert same == lossless, name


def test_metadata_is_stripped_on_request(restore, folder):
    save(folder / "in.jpg", Photo(values((8, 8, 3)), SRGB, camera_exif()))
    assert restore("in.jpg", "out.jpg", "--strip-metadata")[0] == 0
    result = read_photo(folder / "out.jpg")
    assert (result.icc, result.exif) == (None, None)


def test_conversions_are_noted(restore, folder):
    Image.new("CMYK", (8, 8)).save(folder / "in.jpg")
    code, _, err = restore("in.jpg", "out.jpg")
    assert code == 0
    assert err == "note: in.jpg: CMYK was converted to RGB without a profile: colours may shift\n"


@pytest.mark.parametrize("name", BAD)
def test_bad_inputs(anyir, folder, name, tmp_path_factory):
    make, message = BAD[name]
    (folder / "in.png").write_bytes(make(tmp_path_factory.mktemp("made")))
    before = files(folder)
    fails(anyir("restore", "in.png", "out.png"), folder, before, "in.png", message)
    fails(anyir("degrade", "in.png", "out.png", "--kind", "rain"), folder, before, "in.png", message)


def test_truncated_jpeg(restore, folder):
    data = encode(Photo(values((64, 64, 3))), "JPEG")[0]
    (folder / "in.jpg").write_bytes(data[: len(data) // 2])
    fails(restore("in.jpg", "out.jpg"), folder, files(folder), "in.jpg", "cut short")


def test_bad_paths(restore, folder):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    save(folder / "other.png", Photo(values((8, 8, 3))))
    (folder / "folder").mkdir()
    (folder / "link.png").symlink_to("in.png")
    (folder / "hard.png").hardlink_to(folder / "in.png")
    before = files(folder)
    fails(restore("missing.png", "out.png"), folder, before, "no file or folder missing.png")
    fails(restore("in.png", "folder"), folder, before, "folder is a folder")
    fails(restore("folder", "out"), folder, before, "no photo in folder")
    fails(restore("folder", "in.png"), folder, before, "name a folder")
    fails(restore(".", "folder/.."), folder, before, "input folder")
    fails(restore("in.png", "other.png"), folder, before, "other.png exists", "--overwrite")
    fails(restore("in.png", "out.gif"), folder, before, ".png, .jpg")
    fails(restore("in.png", "other.png/out.png"), folder, before, "is a file, not a folder")
    fails(restore("in.png", "/proc/out.png"), folder, before, "cannot be made in /proc")
    for same in ("in.png", "link.png", "hard.png", "folder/../in.png", folder / "in.png"):
        fails(restore("in.png", same, "--overwrite"), folder, before, "never overwritten")


def test_overwrite_on_request(restore, folder):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    (folder / "out.png").write_bytes(b"old")
    assert restore("in.png", "out.png", "--overwrite")[0] == 0
    assert read_photo(folder / "out.png").pixels.shape == (8, 8, 3)


def test_bad_models(anyir, tiny_weights, folder):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    data = tiny_weights.read_bytes()
    (folder / "cut.safetensors").write_bytes(data[: len(data) // 2])
    (folder / "text.safetensors").write_text("no weights")
    before = files(folder)
    for model, message in {
        "cut.safetensors": "cut.safetensors",
        "text.safetensors": "not a readable safetensors file",
        "missing.safetensors": "no weights at",
        "missing.pte": "there is no artifact",
        "missing.tflite": "there is no artifact",
        "missing.mlpackage": "there is no artifact",
    }.items():
        fails(anyir("restore", "in.png", "out.png", "--with", model), folder, before, message)


def test_weights_that_blow_up_write_nothing(anyir, folder):
    network = AnyIR(PRESETS["tiny"])
    torch.nn.init.constant_(network.output.weight, 3e38)
    save_weights(network, folder / "huge.safetensors", half=False)
    save(folder / "in.png", Photo(values((8, 8, 3))))
    before = files(folder)
    result = anyir("restore", "in.png", "out.png", "--with", "huge.safetensors", "--tile", 32, "--threads", 1)
    fails(result, folder, before, "NaN or infinity")


def test_bad_usage(anyir, tiny_weights, folder):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    before = files(folder)
    for extra in (["--tile", 100], ["--tile", 0], ["--overlap", -1], ["--threads", 0], ["--nonsense"]):
        assert anyir("restore", "in.png", "out.png", "--with", tiny_weights, *extra)[0] == 2
    for extra in (
        ["--kind", "fog"],
        ["--kind", "rain", "--severity", 1.5],
        ["--kind", "rain", "--seed", -1],
        [],
    ):
        assert anyir("degrade", "in.png", "out.png", *extra)[0] == 2
    assert "noise" in anyir("degrade", "in.png", "out.png", "--kind", "fog")[2]
    result = anyir("restore", "in.png", "out.png", "--with", tiny_weights, "--tile", 32, "--overlap", 17)
    fails(result, folder, before, "half the tile")


def in_process_of_its_own(folder, tiny_weights, *arguments, limit=None):
    def small_disk():
        if limit is not None:  # what a full disk does: the write fails half-way
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "anyir.model.cli", "restore", *map(str, arguments)]
    options = ["--with", str(tiny_weights), "--tile", "32", "--threads", "1"]
    done = subprocess.run(
        [*command, *options], cwd=folder, capture_output=True, text=True, preexec_fn=small_disk
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_full_disk(tiny_weights, folder):
    save(folder / "in.png", Photo(values((60, 60, 3))))
    before = files(folder)
    assert len(before["in.png"]) > 8000
    result = in_process_of_its_own(folder, tiny_weights, "in.png", "out.png", limit=4000)
    fails(result, folder, before, "out.png could not be written", "large")
    assert in_process_of_its_own(folder, tiny_weights, "in.png", "out.png")[0] == 0


def test_read_only_folder(restore, folder):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    (folder / "locked").mkdir(mode=0o555)
    assert restore("in.png", "first.png")[0] == 0  # imports everything, which another user could not
    before = files(folder)
    folder.chmod(0o755)
    user = os.geteuid()
    if user == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        result = restore("in.png", "locked/out.png")
    finally:
        os.seteuid(user)
    fails(result, folder, before, "cannot be made in locked (Permission denied)")
