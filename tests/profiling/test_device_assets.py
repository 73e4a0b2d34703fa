"""What `anyir android stage` and `anyir ios stage` put into the apps, and what they refuse."""

import hashlib
import json
import os
import shutil

import numpy as np
import pytest

from anyir.model.errors import UserError
from anyir.profiling import device_assets
from anyir.profiling.device_assets import ANDROID
from anyir.profiling.reference import make_reference
from anyir.profiling.schema import ReferenceSummary
from tests.helpers.builds import retile
from tests.helpers.command_line import anyir

FP32 = "tiny_litert_cpu_fp32_64x64"
OTHER = "tiny_litert_cpu_fp16_64x64"


def stage(*arguments):
    return device_assets.stage(ANDROID, *arguments)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def artifacts(tiny_artifacts, tmp_path):
    return shutil.copytree(tiny_artifacts, tmp_path / "artifacts")


@pytest.mark.parametrize(
    ("app", "patterns"),
    [("android", ("*.tflite", "*_xnnpack_*.pte")), ("ios", ("*.mlpackage", "*_xnnpack_*.pte"))],
)
def test_the_command_stages_what_the_app_runs(app, patterns, tiny_artifacts, reference, tmp_path):
    out = tmp_path / "assets"
    process = anyir(
        *(app, "stage", "--artifacts", tiny_artifacts, "--reference", reference.folder, "--out", out)
    )
    assert process.returncode == 0, process.stderr
    names = {path.name for path in (out / "models").iterdir()}
    expected = {path.name for pattern in patterns for path in tiny_artifacts.glob(pattern)}
    assert len({name.rpartition(".")[2] for name in expected}) == 2
    assert names == expected | {name.rpartition(".")[0] + ".json" for name in expected}
    made = contents(out / "models")
    assert made == {name: data for name, data in contents(tiny_artifacts).items() if name in made}
    assert {name.partition("/")[0] for name in made} == names
    assert process.stdout.splitlines()[:-1] == sorted(expected)
    assert process.stdout.splitlines()[-1].startswith(f"{len(expected)} models and 27 tiles, ")
    files = json.loads((out / "staged.json").read_text())["files"]
    found = contents(out)
    del found["staged.json"]
    assert files == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def test_the_tiles_are_the_references(tiny_artifacts, reference, tmp_path):
    stage(tiny_artifacts, reference, tmp_path, FP32)
    folder = tmp_path / "reference"
    index = json.loads((folder / "reference.json").read_text())
    assert index["tile"] == reference.tile
    assert ReferenceSummary.model_validate(index["summary"]).cases_sha256 == reference.digest()
    shape = (-1, 3, reference.tile, reference.tile)
    inputs = np.fromfile(folder / "inputs.u8", np.uint8).reshape(shape)
    truths = np.fromfile(folder / "truths.u8", np.uint8).reshape(shape)
    outputs = np.fromfile(folder / "outputs.f32", "<f4").reshape(shape)
    assert len(truths) == 3
    assert (inputs == reference.array("inputs")).all()
    assert (truths[[case["truth"] for case in index["cases"]]] == reference.array("truths")).all()
    assert (outputs == reference.array("outputs")).all()
    for case, tile in zip(index["cases"], outputs, strict=True):
        assert case["output_sha256"] == hashlib.sha256(tile.tobytes()).hexdigest()


def test_an_earlier_stage_is_replaced_whole_and_nothing_else_is(tiny_artifacts, reference, tmp_path):
    (tmp_path / "sample.jpg").write_text("kept")
    stage(tiny_artifacts, reference, tmp_path, "*_litert_*")
    (tmp_path / "models" / "put_there.tflite").write_text("of no stage")
    stage(tiny_artifacts, reference, tmp_path, FP32)
    found = {name for name in contents(tmp_path) if not name.startswith("reference/")}
    assert found == {"sample.jpg", "staged.json", f"models/{FP32}.tflite", f"models/{FP32}.json"}


def test_what_a_link_leads_to_is_not_touched(tiny_artifacts, reference, tmp_path):
    out, elsewhere = tmp_path / "assets", tmp_path / "elsewhere"
    stage(tiny_artifacts, reference, out, FP32)
    (out / "models").rename(elsewhere)
    (out / "models").symlink_to(elsewhere)
    before = contents(elsewhere)
    stage(tiny_artifacts, reference, out, OTHER)
    assert contents(elsewhere) == before
    assert set(contents(out / "models")) == {f"{OTHER}.tflite", f"{OTHER}.json"}
    assert not (out / "models").is_symlink()


@pytest.mark.parametrize("written", ["program", "manifest"])
def test_an_artifact_that_is_built_anew_meanwhile(written, artifacts, reference, tmp_path, monkeypatch):
    """A program is staged with the manifest that it was checked against, or refused."""
    out = tmp_path / "assets"
    stage(artifacts, reference, out, FP32)
    before = contents(out)
    copyfile = shutil.copyfile

    def copy(source, target):
        if written == "program":
            source.write_bytes(b"of another build")
        else:
            source.with_suffix(".json").write_text("{")
        copyfile(source, target)

    monkeypatch.setattr(shutil, "copyfile", copy)
    if written == "program":
        with pytest.raises(UserError, match=rf"{FP32}\.tflite changed while it was copied"):
            stage(artifacts, reference, out, FP32)
    else:
        stage(artifacts, reference, out, FP32)
    assert contents(out) == before


@pytest.mark.parametrize("moved", range(4))
def test_a_stage_that_is_cut_short_can_be_done_again(moved, artifacts, reference, tmp_path, monkeypatch):
    out = tmp_path / "assets"
    replace = os.replace
    places = []

    def fail(source, target):
        if "/.staging-" in f"{source} {target}":
            places.append(target)
            if len(places) > moved:
                raise OSError("cut short")
        replace(source, target)

    for again in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(device_assets.os, "replace", fail)
            if not again and moved >= 2:  # the first time there are but two folders to move
                stage(artifacts, reference, out, FP32)
            else:
                with pytest.raises(OSError, match="cut short"):
                    stage(artifacts, reference, out, FP32)
        places.clear()
    stage(artifacts, reference, out, OTHER)
    assert set(contents(out / "models")) == {f"{OTHER}.tflite", f"{OTHER}.json"}
    assert sorted(path.name for path in out.iterdir()) == ["models", "reference", "staged.json"]


def test_what_a_killed_stage_left_is_swept(tiny_artifacts, reference, tmp_path):
    left = tmp_path / ".staging-killed" / "models"
    left.mkdir(parents=True)
    (left / "unfinished.tflite").write_text("half a program")
    (tmp_path / ".staging-killed.lock").touch()
    stage(tiny_artifacts, reference, tmp_path, FP32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "reference", "staged.json"]


def damage(artifacts, what):
    """Spoils one thing; returns the pattern to ask for and what the message says."""
    if what == "changed":
        with (artifacts / f"{FP32}.tflite").open("ab") as file:
            file.write(b"!")
        return "*", "changed since it was built"
    if what == "no manifest":
        (artifacts / f"{FP32}.json").unlink()
        return FP32, "no manifest at"
    if what in ("weights", "tile", "backend"):
        path = artifacts / f"{FP32}.json"
        manifest = json.loads(path.read_text())
        if what == "weights":
            manifest["source"]["sha256"] = "1" * 64
        elif what == "tile":
            retile(manifest, 128)
        else:
            manifest["backend"] = "gpu"
        path.write_text(json.dumps(manifest))
        messages = {"weights": "made from weights 111111111111", "tile": "takes tiles of 128"}
        return FP32, messages.get(what, "Android runs none")
    if what == "unknown name":
        return "nonesuch*", "is named nonesuch*"
    for path in (*artifacts.glob("*.tflite"), *artifacts.glob("*.pte")):
        path.unlink()
    return "*", "there is no .tflite or .pte"


def test_what_was_not_built_last_time_is_left_out(artifacts, reference, tmp_path):
    report = artifacts / "conversion.json"
    build = json.loads(report.read_text())
    (row,) = (row for row in build["rows"] if row["file"] == f"{FP32}.tflite")
    row |= {"status": "failed", "reason": "no space"}
    report.write_text(json.dumps(build))
    out = tmp_path / "assets"
    options = ("--artifacts", artifacts, "--reference", reference.folder, "--out", out)
    process = anyir("android", "stage", *options, "--only", "*_litert_cpu_*")
    assert process.returncode == 0, process.stderr
    assert f"note: {FP32} is left out: not built: no space" in process.stderr
    assert not (out / "models" / f"{FP32}.tflite").exists()
    assert len(list((out / "models").iterdir())) >= 2
    before = contents(out)
    with pytest.raises(UserError, match=f"{FP32} was not built: no space; run `anyir convert` again"):
        stage(artifacts, reference, out, FP32)
    assert contents(out) == before


@pytest.mark.parametrize(
    "what",
    ["changed", "no manifest", "weights", "tile", "backend", "unknown name", "empty"],
)
def test_what_cannot_be_staged_is_one_line_and_the_earlier_stage_stays(what, artifacts, reference, tmp_path):
    out = tmp_path / "assets"
    stage(artifacts, reference, out, "*_litert_cpu_*")
    before = contents(out)
    only, message = damage(artifacts, what)
    with pytest.raises(UserError) as caught:
        stage(artifacts, reference, out, only)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(out) == before


def test_a_reference_of_other_weights_is_refused(tiny_artifacts, tmp_path):
    from anyir.model import PRESETS, AnyIR
    from anyir.model.checkpoint import save_weights

    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "other.safetensors")
    other = make_reference(tmp_path / "other.safetensors", 64, tmp_path / "reference")
    with pytest.raises(UserError, match="make both from the same weights"):
        stage(tiny_artifacts, other, tmp_path / "assets")
    assert not (tmp_path / "assets").exists()


@pytest.mark.parametrize("folder", ["models", "reference"])
def test_folders_of_others_are_never_replaced(folder, tiny_artifacts, reference, tmp_path):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / f"{FP32}.tflite").write_text("mine")
    with pytest.raises(UserError, match=rf"{folder} is in the way: no stage wrote it; move it"):
        stage(tiny_artifacts, reference, tmp_path, FP32)
    assert set(contents(tmp_path)) == {f"{folder}/{FP32}.tflite"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--artifacts", "/nonexistent"), "there is no folder /nonexistent"),
        (("--reference", "/nonexistent"), "there is no reference in /nonexistent"),
        (("--out", "/dev/null"), "/dev/null is a file"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message, tiny_artifacts, reference, tmp_path):
    defaults = {"--artifacts": tiny_artifacts, "--reference": reference.folder, "--out": tmp_path / "assets"}
    defaults.update([arguments])
    process = anyir("android", "stage", *(part for pair in defaults.items() for part in pair))
    assert process.returncode == 1
    assert process.stderr.startswith("anyir: ")
    assert message in process.stderr
    assert process.stderr.strip().count("\n") == 0
    assert not (tmp_path / "assets").exists()
