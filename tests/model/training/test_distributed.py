"""Training in several processes, with two real ones that torchrun starts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model import load_weights
from anyir.model.data.sources import Ingredient, find_parts, hold_out_photos
from anyir.model.training import trainer as training
from anyir.model.training.checkpoint import INDEX, load_state
from anyir.model.training.distributed import Processes
from anyir.model.training.loss import restoration_loss
from anyir.model.training.validation import HELD_OUT
from tests.helpers import datasets as made
from tests.helpers import train_processes
from tests.helpers.train_processes import HAPPENS_AT, train_with_curve


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_an_interrupt_of_one_process_stops_all_with_a_checkpoint(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "SIGTERM")
    assert result.returncode == 1
    assert lines_of(result) == [line for line in lines_of(result) if "interrupted at step 5" in line]
    assert len(lines_of(result)) == 1
    assert step_of(tmp_path / "run") == HAPPENS_AT + 1
    load_state(tmp_path / "run")


@pytest.mark.slow
def test_nan_in_one_process_stops_all_and_writes_nothing(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "nan")
    assert result.returncode == 1
    assert len(lines_of(result)) == 1
    assert "the loss is nan near step 10" in lines_of(result)[0]
    assert not (tmp_path / "run" / INDEX).exists()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_muon_in_two_processes_ends_where_it_does_in_one(tmp_path, photos):
    """Its matrices, too, get the mean of both halves' gradients: half the batch ends 2e-3 away."""
    ends = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        arguments = ["train", "--preset", "tiny", "--data", photos, "--out", out, "--crop", 32, "--batch", 4]
        arguments += ["--steps", 6, "--optimizer", "muon", "--precision", "32-true"]
        result = torchrun("command", "nothing", *arguments, processes=processes)
        assert result.returncode == 0, result.stderr
        ends.append(load_weights(out / "tiny.safetensors").state_dict())
    for name, weight in ends[0].items():
        torch.testing.assert_close(ends[1][name], weight, atol=3e-4, rtol=0, msg=name)


@pytest.mark.slow
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


def write_rain(root, count=120):
    """Pairs just large enough to validate with; how many are left to train on, in the order they come."""
    names = [(f"rain-{number}.jpg", f"norain-{number}.jpg") for number in range(count)]
    made.write_pairs(root / "Train/Derain", "rainy", "gt", names, size=128)
    (part,), _ = hold_out_photos(find_parts([Ingredient("rain100l")], [root]), HELD_OUT)
    order = np.random.default_rng((0, 0)).permutation(len(part.pairs))  # the sampler's, of seed and epoch
    return [part.pairs[number].degraded for number in order]


@pytest.mark.slow
def test_bad_photos_are_named_and_counted_whichever_process_meets_them(tmp_path):
    """Of a batch of 4 the first process makes rows 0 and 1, the second rows 2 and 3."""
    degraded = write_rain(tmp_path / "data")
    recipe = tmp_path / "rain.yaml"
    recipe.write_text("about: x\npreset: tiny\nbatch: 4\ncrop: 32\nsteps: 12\nsources: [{dataset: rain100l}]")
    arguments = ["train", "--recipe", recipe, "--root", tmp_path / "data", "--precision", "32-true"]
    degraded[2].write_text("no photo")
    one = torchrun("command", "nothing", *arguments, "--out", tmp_path / "one")
    assert one.returncode == 0, one.stderr
    (line,) = (line for line in one.stderr.splitlines() if line.startswith("skipped"))
    assert f"{degraded[2]} is no image" in line
    assert line.endswith("(1 of 108 photos so far)")
    # One more in the other half: neither process has met more than 1 %, both together have.
    degraded[4].write_text("no photo")
    two = torchrun("command", "nothing", *arguments, "--out", tmp_path / "two")
    assert two.returncode == 1
    assert len(lines_of(two)) == 1
    assert "2 of 108 photos cannot be used, more than 1 %; they are named above" in lines_of(two)[0]
    named = [line for line in two.stderr.splitlines() if line.startswith("skipped")]
    assert len(named) == 2
    assert all(any(str(degraded[place]) in line for line in named) for place in (2, 4))
