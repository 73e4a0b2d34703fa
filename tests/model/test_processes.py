"""Training in several processes, with two real ones that torchrun starts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model import load_weights, training
from anyir.model.loss import restoration_loss
from anyir.model.processes import Processes
from anyir.model.training_state import INDEX, load_state

from . import train_processes
from .train_processes import HAPPENS_AT, train_with_curve


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return folder


def torchrun(*arguments, processes=2):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command += [train_processes.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def run_command(photos, out, happening="nothing", *more, processes=2):
    arguments = ["train", "--preset", "tiny", "--data", photos, "--out", out, "--crop", 32, "--batch", 4]
    return torchrun("command", happening, *arguments, "--minutes", 5, *more, processes=processes)


def lines_of(result):
    return [line for line in result.stderr.splitlines() if line.startswith("anyir: ")]


def step_of(folder):
    return json.loads((folder / INDEX).read_text())["progress"]["step"]


def test_two_processes_train_as_one_does_and_go_on_from_each_others_checkpoints(
    tmp_path, photos, monkeypatch
):
    """The same batches, weighted per sample, give the same losses; so does a run that changes half-way."""
    monkeypatch.setattr(training, "CHECK_EVERY", 1)
    whole = train_with_curve(photos, tmp_path / "one", None)
    assert train_with_curve(photos, tmp_path / "one-begun", None, stop_at=8) == whole[:8]
    result = torchrun("curves", photos, tmp_path, tmp_path / "one-begun")
    assert result.returncode == 0, result.stderr
    two = json.loads((tmp_path / "curves.json").read_text())
    assert len(whole) > 12
    assert two["whole"] == pytest.approx(whole, abs=1e-5)
    assert two["begun"] == pytest.approx(whole[:8], abs=1e-5)
    # Its clock began anew, and with it the place in the learning rate's schedule moved a little.
    on_one = train_with_curve(photos, tmp_path / "one-resumed", tmp_path / "one-begun")
    assert two["resumed"] == pytest.approx(on_one, abs=1e-5)
    from_two = train_with_curve(photos, tmp_path / "one-from-two", tmp_path / "begun")
    assert from_two == pytest.approx(on_one, abs=1e-5)
    weights = [load_state(tmp_path / run)[0]["ema.output.weight"] for run in ("one", "whole")]
    torch.testing.assert_close(*weights, atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_loss_of_a_batch_is_the_mean_over_its_halves(scale):
    """What averaging the gradients of processes rests on."""
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(4, 3, 16, 16, generator=generator) for _ in range(3)]

    def loss(rows):
        return restoration_loss(*(i[rows] for i in images), scale=scale, balance=0.7)

    halves = (loss(slice(0, 2)) + loss(slice(2, 4))) / 2
    torch.testing.assert_close(loss(slice(0, 4)), halves, atol=1e-7, rtol=0)


def test_an_interrupt_of_one_process_stops_all_with_a_checkpoint(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "SIGTERM")
    assert result.returncode == 1
    assert lines_of(result) == [line for line in lines_of(result) if "interrupted at step 5" in line]
    assert len(lines_of(result)) == 1
    assert step_of(tmp_path / "run") == HAPPENS_AT + 1
    load_state(tmp_path / "run")


def test_nan_in_one_process_stops_all_and_writes_nothing(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "nan")
    assert result.returncode == 1
    assert len(lines_of(result)) == 1
    assert "the loss is nan near step 10" in lines_of(result)[0]
    assert not (tmp_path / "run" / INDEX).exists()


@pytest.mark.parametrize(
    ("happening", "words"),
    [
        ("error", "process 1: [Errno 5] Input/output error: 'photo.png'"),
        ("SIGKILL", "another process of this run has ended without a word"),
    ],
)
def test_the_end_of_one_process_ends_all_with_its_reason(tmp_path, photos, happening, words):
    result = run_command(photos, tmp_path / "run", happening)
    assert result.returncode == 1
    assert len(lines_of(result)) == 1
    assert words in lines_of(result)[0]


def test_the_command_under_torchrun(tmp_path, photos):
    """Photos in, weights out, by one writer; what is wrong is said once, too."""
    result = run_command(photos, tmp_path / "run", "nothing", "--minutes", 0.25)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("tiny.safetensors") == 1
    assert len(list((tmp_path / "run" / "logs").iterdir())) == 1
    assert load_weights(tmp_path / "run" / "tiny.safetensors", preset="tiny")
    (chunk,) = json.loads((tmp_path / "run" / "tiny.json").read_text())["training"]["chunks"]
    assert chunk["processes"] == 2
    assert chunk["samples_per_second"] > 0
    assert 0 < chunk["waiting_for_data"] < 1
    assert chunk["samples"] == 4 * chunk["last_step"] > 0

    odd = run_command(photos, tmp_path / "odd", "nothing", "--batch", 5)
    assert lines_of(odd) == [
        "anyir: Invalid value: --batch 5 does not divide by 2 processes (see anyir --help)"
    ]
    assert "exitcode  : 2" in odd.stderr
    missing = run_command(tmp_path / "nowhere", tmp_path / "odd")
    assert len(lines_of(missing)) == 1
    assert "nowhere is not a folder" in lines_of(missing)[0]
    assert not (tmp_path / "odd").exists()


def test_one_process_under_torchrun_is_as_without(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "nothing", "--minutes", 0.05, processes=1)
    assert result.returncode == 0, result.stderr
    assert Path(tmp_path / "run" / "tiny.safetensors").is_file()


def test_rows_of_all_processes_make_up_the_batch():
    alone = Processes()
    assert alone.rows(5) == slice(0, 5)
    assert alone.maximum(2, 3) == [2, 3]
    assert alone.mean(0.5) == 0.5
    alone.check_same("photos", 1, 2)
