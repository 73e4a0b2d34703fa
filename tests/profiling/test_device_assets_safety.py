"""What `anyir android stage` does to files that change meanwhile, or that somebody else put there."""

import json
import os
import shutil

import pytest

from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.profiling import device_assets as staging
from anyir.profiling.device_assets import stage

FP32 = "tiny_litert_cpu_fp32_64x64"
OTHER = "tiny_litert_cpu_fp16_64x64"
PROGRAM = f"models/{FP32}.tflite"


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def artifacts(tiny_artifacts, tmp_path):
    return shutil.copytree(tiny_artifacts, tmp_path / "artifacts")


@pytest.fixture
def out(artifacts, reference, tmp_path):
    """A folder with one program staged."""
    stage(artifacts, reference, tmp_path / "assets", FP32)
    return tmp_path / "assets"


def program(artifacts):
    """Another build's program, with a manifest in the artifacts' folder that fits it."""
    (artifacts / f"{FP32}.tflite").write_bytes(b"of another build")
    manifest(artifacts, sha256=sha256(artifacts / f"{FP32}.tflite"), bytes=16)


def manifest(artifacts, **values):
    path = artifacts / f"{FP32}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


CHANGES = {
    "program": program,
    "weights": lambda folder: manifest(folder, source={**SOURCE, "sha256": "1" * 64}),
    "tile": lambda folder: manifest(folder, tile=128),
    "half a manifest": lambda folder: (folder / f"{FP32}.json").write_text("{"),
}
SOURCE = {"file": "tiny.safetensors", "preset": "tiny", "config": {}}


@pytest.mark.parametrize("before", [f"{FP32}.tflite", f"{FP32}.json"])
@pytest.mark.parametrize("what", CHANGES)
def test_an_artifact_that_is_replaced_while_it_is_copied(
    what, before, artifacts, reference, out, monkeypatch
):
    """Before either of its two files is copied: the program and its manifest are of one build or refused."""
    copyfile = shutil.copyfile

    def copy(source, target):
        if source.name == before and source.parent == artifacts:
            CHANGES[what](artifacts)
        copyfile(source, target)

    there = contents(out)
    monkeypatch.setattr(staging.shutil, "copyfile", copy)
    with pytest.raises(UserError, match=rf"{FP32}\.tflite changed while it was copied"):
        stage(artifacts, reference, out, FP32)
    assert contents(out) == there


def change(out, what, elsewhere):
    if what == "edited":
        (out / PROGRAM).write_bytes(b"mine")
    elif what == "a folder":
        (out / PROGRAM).unlink()
        (out / PROGRAM).mkdir()
        (out / PROGRAM / "note.txt").write_text("mine")
    elif what == "a link":
        (out / PROGRAM).rename(elsewhere / "program")
        (out / PROGRAM).symlink_to(elsewhere / "program")
    elif what == "a link to nothing":
        (out / PROGRAM).unlink()
        (out / PROGRAM).symlink_to(elsewhere / "nothing")
    elif what == "models a link":
        (out / "models").rename(elsewhere / "models")
        (out / "models").symlink_to(elsewhere / "models")
    else:
        shutil.rmtree(out / "models")
        (out / "models").write_text("mine")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("edited", f"{PROGRAM} is in the way: it was changed since"),
        ("a folder", f"{PROGRAM} is in the way: it was changed since"),
        ("a link", f"{PROGRAM} is in the way: it is a link"),
        ("a link to nothing", f"{PROGRAM} is in the way: it is a link"),
        ("models a link", "assets/models is in the way: it is a link"),
        ("models a file", "assets/models is in the way: it is no folder"),
    ],
)
@pytest.mark.parametrize("only", [FP32, OTHER])
def test_what_was_changed_since_is_kept(only, what, message, artifacts, reference, out, tmp_path):
    """Nothing of the folder, nor of where a link leads, is changed before all was looked at."""
    (tmp_path / "elsewhere").mkdir()
    change(out, what, tmp_path / "elsewhere")
    before = contents(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        stage(artifacts, reference, out, only)
    assert "\n" not in str(caught.value)
    assert contents(tmp_path) == before
    assert (out / PROGRAM).is_symlink() == (what in ("a link", "a link to nothing"))


@pytest.mark.parametrize("moved", range(6))
def test_a_stage_that_is_cut_short_can_be_done_again(moved, artifacts, reference, out, monkeypatch):
    replace = os.replace
    places = []

    def fail(source, target):
        if "/.staging-" in str(source):
            places.append(target)
            if len(places) > moved:
                raise OSError("cut short")
        replace(source, target)

    manifest(artifacts, seconds=7.0)  # of one of the files there are two kinds now
    with monkeypatch.context() as patched:
        patched.setattr(staging.os, "replace", fail)
        with pytest.raises(OSError, match="cut short"):
            stage(artifacts, reference, out)
    if moved == 1:  # what was changed even then is kept
        (changed,) = places[:1]
        data = changed.read_bytes()
        changed.write_bytes(b"mine")
        with pytest.raises(UserError, match="it was changed since"):
            stage(artifacts, reference, out, OTHER)
        changed.write_bytes(data)
    stage(artifacts, reference, out, OTHER)
    assert {name for name in contents(out) if name.startswith("models/")} == {
        f"models/{OTHER}.tflite",
        f"models/{OTHER}.json",
    }
    index = json.loads((out / "staged.json").read_text())
    assert set(index) == {"schema", "files"}
