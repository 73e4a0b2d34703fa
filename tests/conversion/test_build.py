"""Builds: failures are rows, what is up to date is kept, and no process outlives its parent."""

import json
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from typer.testing import CliRunner

from anyir.conversion.build import REPORT, build, plan, reason_of, run_jobs, work
from anyir.conversion.manifest import manifest_path
from anyir.conversion.pipeline import BuildRow
from anyir.conversion.recipes import RECIPES, Bounds, Recipe, select_recipes
from anyir.model.cli import build_app
from anyir.model.errors import UserError
from anyir.model.files import scratch_folder, sha256
from anyir.model.processes import start_process
from tests.helpers.builds import FP32, NAME, TILE, pair, rows_of
from tests.helpers.command_line import anyir
from tests.helpers.full_disk import files_end_at

UNREACHABLE = Recipe("litert", "cpu", "fp16", Bounds(max_error=0.0, psnr=500.0, loss=0.0))


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_recipes_that_share_a_conversion_share_a_process(tiny_weights, tmp_path):
    jobs = plan(tiny_weights, 64, tmp_path, tmp_path, select_recipes([]))
    assert [[r.runtime for r in job.recipes] for job in jobs] == [
        ["executorch"],
        ["executorch"],
        ["litert"] * 3,
        ["coreml"] * 3,
    ]


def test_a_process_that_dies_fails_its_recipes_and_no_others(tiny_weights, tmp_path):
    recipes = select_recipes(["*_fp32", "coreml_*_fp16"])
    rows: list[BuildRow] = []
    jobs = plan(tiny_weights, 64, tmp_path, tmp_path, recipes)
    # ``int`` takes no connection and no job: each process dies before it has said anything.
    run_jobs(jobs, rows.append, lambda recipe, text: None, target=int)
    assert sorted(row.recipe for row in rows) == sorted(recipe.name for recipe in recipes)
    assert {row.status for row in rows} == {"failed"}
    assert all("process died (exit code 1)" in row.reason for row in rows)


def test_what_is_up_to_date_is_reused_and_what_changed_is_built_again(tiny_artifacts, tiny_weights, tmp_path):
    """Beside a recipe whose bounds cannot be met: it fails with the figure and leaves no file."""
    good = tmp_path / NAME
    for path in (good, manifest_path(good)):
        shutil.copy(tiny_artifacts / path.name, path)
    [row] = build(tiny_weights, TILE, tmp_path, [FP32])
    assert (row.status, row.partitions) == ("reused", 1)

    before = good.read_bytes()
    good.write_bytes(before[:-1])
    (tmp_path / UNREACHABLE.file_name("tiny", TILE)).write_bytes(b"of an earlier build")
    seen = []
    again, failed = build(
        tiny_weights, TILE, tmp_path, [FP32, UNREACHABLE], on_progress=lambda *a: seen.append(a)
    )
    assert again.status == "built"
    assert len(good.read_bytes()) == len(before)
    assert failed.status == "failed"
    assert "is below the bound 500.0 dB" in failed.reason
    assert seen[-1] == (UNREACHABLE.name, "failed")
    assert json.loads((tmp_path / REPORT).read_text())["rows"][1]["reason"] == failed.reason
    assert names(tmp_path) == sorted([REPORT, "litert.log", NAME, manifest_path(good).name])


def test_weights_that_are_none_end_before_anything_is_made(tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"not safetensors")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        build(bad, 64, tmp_path / "out", list(RECIPES))
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_one_line_and_stays(tiny_weights, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="out is a file; name a folder for the artifacts"):
        build(tiny_weights, TILE, tmp_path / "out", [])
    assert (tmp_path / "out").read_text() == "mine"


def test_a_full_disk_is_said_of_the_folder_in_which_all_stays(tiny_weights, tmp_path):
    (tmp_path / REPORT).write_text("of an earlier build")
    with files_end_at(100_000):
        process = anyir("convert", "--weights", tiny_weights, "--tile", TILE, "--out", tmp_path)
    assert process.returncode == 1
    assert process.stderr.startswith(f"anyir: File too large: {tmp_path}")
    assert [path.name for path in tmp_path.iterdir()] == [REPORT]


def test_weights_that_change_meanwhile_are_not_those_that_are_built(tiny_weights, tmp_path, monkeypatch):
    weights = tmp_path / "best.safetensors"
    shutil.copy(tiny_weights, weights)
    built = []

    def run(jobs, finish, on_progress):
        weights.write_bytes(b"what a training that goes on has written")
        built.extend(job.weights for job in jobs)
        assert {sha256(path) for path in built} == {sha256(tiny_weights)}
        for job in jobs:
            for recipe in job.recipes:
                finish(BuildRow(recipe.name, "x", "built"))

    monkeypatch.setattr("anyir.conversion.build.run_jobs", run)
    build(weights, 64, tmp_path / "out", list(RECIPES))
    assert {path.name for path in built} == {weights.name}
    assert names(tmp_path / "out") == [REPORT]


def test_an_interrupted_build_leaves_no_earlier_report(tiny_weights, tmp_path, monkeypatch):
    def interrupt(jobs, finish, on_progress):
        raise KeyboardInterrupt

    (tmp_path / REPORT).write_text("of an earlier build")
    monkeypatch.setattr("anyir.conversion.build.run_jobs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(tiny_weights, 64, tmp_path, list(RECIPES))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ModuleNotFoundError("No module named 'x'", name="x"),
            "x is missing: pip install -c constraints.txt -e '.[convert]'",
        ),
        (ModuleNotFoundError("no y", name="anyir.y"), "ModuleNotFoundError: no y"),
        (UserError("too large"), "too large"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_a_failed_recipe_says_why(error, reason):
    assert reason_of(error) == reason


def test_the_command_s_exit_codes(tiny_weights, tmp_path, monkeypatch):
    run = CliRunner().invoke
    app = build_app()
    out = ["--weights", str(tiny_weights), "--out", str(tmp_path / "out")]
    unknown = run(app, ["convert", *out, "--only", "onnx_*"])
    assert unknown.exit_code == 2
    assert "coreml_mlprogram_fp16" in unknown.output
    for option, size, reason in (
        ("--tile", "100", "100: a multiple of 8 up to 1024 is due"),
        ("--tile", "0", "0: a multiple of 8 up to 1024 is due"),
        ("--tile", "1032", "1032: a multiple of 8 up to 1024 is due"),
        ("--tile", "64x128", "64x128: one number of pixels is due"),
        ("--restore-size", "192", "192: height and width"),
        ("--restore-size", "192x320x3", "192x320x3: height and width"),
        ("--restore-size", "192x-320", "192x-320: height and width"),
        ("--restore-size", "192x324", "324: a multiple of 8 up to 1024 is due"),
        ("--restore-size", "0x320", "0: a multiple of 8 up to 1024 is due"),
    ):
        refused = run(app, ["convert", *out, option, size])
        assert refused.exit_code == 2
        assert reason in " ".join(refused.output.split())
    assert not (tmp_path / "out").exists()

    failed = BuildRow("litert_cpu_fp32", "x.tflite", "failed", reason="the toolchain says no")
    monkeypatch.setattr("anyir.conversion.build.build", lambda *a, **k: [failed])
    result = run(app, ["convert", *out])
    assert result.exit_code == 1
    assert "litert_cpu_fp32: the toolchain says no" in result.output


def test_a_log_that_cannot_be_written_is_each_recipe_s_reason(tiny_weights, out, tmp_path):
    (out / "litert.log").mkdir()
    recipes = select_recipes(["litert_*"])
    rows = rows_of(plan(tiny_weights, TILE, out, tmp_path, recipes))
    assert [row.recipe for row in rows] == [recipe.name for recipe in recipes]
    assert {row.reason for row in rows} == {"the log cannot be written: Is a directory (log: litert.log)"}


def test_a_worker_that_nobody_listens_to_ends_and_discards_nothing(job, out):
    before = pair(out)
    process, ours = start_process(work, job)
    assert ours.recv() == ("progress", (FP32.name, "checking"))
    ours.close()
    process.join(300)
    assert process.exitcode == 1
    assert pair(out) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_a_build_that_is_ended_ends_its_workers_and_keeps_what_is_there(number, tiny_weights, out):
    before = pair(out)
    command = [sys.executable, "-m", "anyir.model.cli", "convert", "--weights", str(tiny_weights)]
    command += ["--tile", str(TILE), "--only", FP32.name, "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(lambda: (out / "litert.log").exists())  # a worker has begun
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    until(lambda: not any(alive(worker) for worker in workers))
    assert pair(out) == before
    left = [path for path in out.glob(".build-*") if path.is_dir()]
    if number == signal.SIGTERM:
        assert (process.returncode, said, left) == (130, "anyir: interrupted\n", [])
        return
    assert len(left) == 1
    with scratch_folder(out, ".build-"):  # as the next build has
        assert not left[0].exists()


def until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
