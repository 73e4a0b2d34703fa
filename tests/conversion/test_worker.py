"""A build's processes: no failure costs an earlier artifact, and none of them outlives its parent."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from anyir.conversion.base import Export
from anyir.conversion.build import Job, Row, run_jobs
from anyir.conversion.manifest import Manifest, manifest_path, verify_artifact
from anyir.conversion.recipes import select_recipes
from anyir.conversion.source import Source
from anyir.conversion.worker import build_one, put_in_place, up_to_date, work
from anyir.model.errors import UserError
from anyir.model.files import scratch_folder

TILE = 64
[FP32] = select_recipes(["litert_cpu_fp32"])
NAME = FP32.file_name("tiny", TILE)


def pair(folder):
    """The bytes of an artifact and of its manifest."""
    return (folder / NAME).read_bytes(), manifest_path(folder / NAME).read_bytes()


@pytest.fixture
def out(tiny_artifacts, tmp_path):
    """A folder with a good artifact of an earlier version of the code, which is due to be built again."""
    data, described = pair(tiny_artifacts)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / NAME).write_bytes(data)
    manifest_path(folder / NAME).write_text(json.dumps({**json.loads(described), "code_sha256": "older"}))
    return folder


@pytest.fixture
def job(tiny_weights, out, tmp_path):
    (tmp_path / "scratch").mkdir()
    return Job(tiny_weights, TILE, out, tmp_path / "scratch", (FP32,), 1)


def rows_of(*jobs):
    rows: list[Row] = []
    run_jobs(list(jobs), rows.append, lambda recipe, text: None)
    return rows


def test_a_recipe_that_fails_for_another_reason_than_its_figures_keeps_the_earlier_artifact(
    tiny_weights, out, tmp_path
):
    empty = tmp_path / "empty.safetensors"
    with safe_open(tiny_weights, framework="pt") as file:
        save_file({"x": torch.ones(1)}, empty, file.metadata())
    before = pair(out)
    [row] = rows_of(Job(empty, TILE, out, tmp_path, (FP32,), 1))
    assert row.status == "failed"
    assert "empty.safetensors" in row.reason
    assert pair(out) == before


class Copier:
    """An exporter that has the artifact ready."""

    def __init__(self, artifact):
        self.artifact = artifact

    def export(self, precision, path):
        path.write_bytes(self.artifact.read_bytes())
        return Export(verify_artifact(self.artifact).operators)


def test_a_disk_that_is_full_at_the_last_step_keeps_the_earlier_artifact(
    tiny_artifacts, tiny_weights, job, out, monkeypatch
):
    def full(manifest):
        raise OSError(errno.ENOSPC, "No space left on device")

    shared = {"source": Source(tiny_weights, TILE), "exporter": Copier(tiny_artifacts / NAME)}
    before = pair(out)
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "to_json", full)
        with pytest.raises(OSError, match="No space"):
            build_one(job, FP32, shared, lambda text: None)
    assert pair(out) == before
    assert build_one(job, FP32, shared, lambda text: None).status == "built"
    assert verify_artifact(out / NAME).code_sha256 != "older"
    assert list(job.scratch.iterdir()) == []


def test_a_process_that_ends_between_the_two_moves_is_noticed(job, out, monkeypatch):
    (job.scratch / NAME).write_bytes(b"new")
    manifest = verify_artifact(out / NAME)
    real = os.replace

    def ended(source, target):
        if str(target).endswith(".json"):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", ended)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(job.scratch / NAME, manifest, out / NAME)
    with pytest.raises(UserError, match="changed since it was built"):
        verify_artifact(out / NAME)


def test_a_package_takes_the_place_of_an_earlier_one(tiny_artifacts, job, out):
    target = out / "p.mlpackage"
    for folder, text in ((target, "old"), (job.scratch / target.name, "new")):
        (folder / "Data").mkdir(parents=True)
        (folder / "Data" / text).write_text(text)
    put_in_place(job.scratch / target.name, verify_artifact(tiny_artifacts / NAME), target)
    assert [path.name for path in (target / "Data").iterdir()] == ["new"]
    assert manifest_path(target).exists()


def test_what_was_not_measured_is_built_again_where_it_can_be(tiny_artifacts, tiny_weights, monkeypatch):
    [recipe] = select_recipes(["coreml_mlprogram_fp16"])
    job = Job(tiny_weights, TILE, tiny_artifacts, tiny_artifacts, (recipe,), 1)
    target = tiny_artifacts / recipe.file_name("tiny", TILE)
    assert up_to_date(target, job, recipe).parity.status == "not measured"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert up_to_date(target, job, recipe) is None


def test_a_log_that_cannot_be_written_is_each_recipe_s_reason(tiny_weights, out, tmp_path):
    (out / "litert.log").mkdir()
    recipes = tuple(select_recipes(["litert_*"]))
    rows = rows_of(Job(tiny_weights, TILE, out, tmp_path, recipes, 1))
    assert [row.recipe for row in rows] == [recipe.name for recipe in recipes]
    assert {row.reason for row in rows} == {"the log cannot be written: Is a directory (log: litert.log)"}


def test_a_worker_that_nobody_listens_to_ends_and_discards_nothing(job, out):
    before = pair(out)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(theirs, job))
    process.start()
    theirs.close()
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
