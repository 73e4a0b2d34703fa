"""Training in several processes, with two real ones that torchrun or its agent starts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from anyir.model import load_weights
from anyir.model.data.dataset_spec import DatasetSpec
from anyir.model.data.training_set import find_training_set, split_off_validation
from anyir.model.restore.alone import alone_in
from anyir.model.training import trainer as training
from anyir.model.training.checkpoint import INDEX, load_tensors, read_checkpoint
from anyir.model.training.config import LossConfig
from anyir.model.training.distributed import Processes
from anyir.model.training.loss import restoration_loss
from anyir.model.training.validation import VALIDATION_PHOTOS
from tests.helpers import datasets as made
from tests.helpers.train_processes import HAPPENS_AT, forked, torchrun, train_with_curve
from tests.helpers.training import write_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    return write_photos(folder, "astronaut", "chelsea", "coffee", side=600)


def run_command(photos, out, happening="nothing", *more, processes=2, start=forked):
    arguments = ["train", "--preset", "tiny", "--data", photos, "--out", out, "--crop", 32, "--batch-size", 4]
    return start("command", happening, *arguments, "--max-steps", 1000, *more, processes=processes)


def lines_of(result):
    return [line for line in result.stderr.splitlines() if line.startswith("anyir: ")]


def step_of(folder):
    return read_checkpoint(folder).progress.step


def tensors_of(folder):
    return load_tensors(folder, read_checkpoint(folder))


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_go_on_from_each_others_checkpoints(
    tmp_path, photos, monkeypatch
):
    """The same batches, weighted per sample, give the same losses; so does a run that changes half-way."""
    monkeypatch.setattr(training, "CHECK_EVERY", 1)
    whole = train_with_curve(photos, tmp_path / "one", None)
    assert train_with_curve(photos, tmp_path / "one-begun", None, stop_at=8) == whole[:8]
    result = forked("curves", photos, tmp_path, tmp_path / "one-begun")
    assert result.returncode == 0, result.stderr
    two = json.loads((tmp_path / "curves.json").read_text())
    assert len(whole) > 12
    assert two["whole"] == pytest.approx(whole, abs=1e-5)
    assert two["begun"] == pytest.approx(whole[:8], abs=1e-5)
    on_one = train_with_curve(photos, tmp_path / "one-resumed", tmp_path / "one-begun")
    assert on_one == whole[8:]
    assert two["resumed"] == pytest.approx(on_one, abs=1e-5)
    from_two = train_with_curve(photos, tmp_path / "one-from-two", tmp_path / "begun")
    assert from_two == pytest.approx(on_one, abs=1e-5)
    weights = [tensors_of(tmp_path / run)["average.module.output.weight"] for run in ("one", "whole")]
    torch.testing.assert_close(*weights, atol=1e-5, rtol=0)


def test_the_loss_of_a_batch_is_the_mean_over_its_halves():
    """What averaging the gradients of processes rests on."""
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(4, 3, 16, 16, generator=generator) for _ in range(3)]

    def loss(rows):
        return restoration_loss(*(i[rows] for i in images), LossConfig(balance=0.7))

    halves = (loss(slice(0, 2)) + loss(slice(2, 4))) / 2
    torch.testing.assert_close(loss(slice(0, 4)), halves, atol=1e-7, rtol=0)


@pytest.mark.slow
def test_an_interrupt_of_one_process_stops_all_with_a_checkpoint(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "SIGTERM")
    assert result.returncode == 1
    assert lines_of(result) == [line for line in lines_of(result) if "interrupted at step 5 of 1000" in line]
    assert len(lines_of(result)) == 1
    assert step_of(tmp_path / "run") == HAPPENS_AT + 1
    tensors_of(tmp_path / "run")


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
    result = run_command(photos, tmp_path / "run", "nothing", "--max-steps", 12, start=torchrun)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("tiny.safetensors") == 1
    assert len(list((tmp_path / "run" / "logs").iterdir())) == 1
    assert load_weights(tmp_path / "run" / "tiny.safetensors", preset="tiny")
    (run,) = json.loads((tmp_path / "run" / "tiny.json").read_text())["training"]["runs"]
    assert run["processes"] == 2
    assert run["samples_per_second"] > 0
    assert 0 < run["waiting_for_data"] < 1
    assert run["samples"] == 4 * run["last_step"] == 48

    odd = run_command(photos, tmp_path / "odd", "nothing", "--batch-size", 5)
    assert lines_of(odd) == [
        "anyir: Invalid value: --batch-size 5 does not divide by 2 processes (see anyir train --help)"
    ]
    assert "exitcode  : 2" in odd.stderr
    missing = run_command(tmp_path / "nowhere", tmp_path / "odd")
    assert len(lines_of(missing)) == 1
    assert "nowhere is not a folder" in lines_of(missing)[0]
    assert not (tmp_path / "odd").exists()


@pytest.mark.slow
def test_a_folder_that_another_run_writes_into_is_refused_once(tmp_path, photos):
    with alone_in(tmp_path / "run"):
        result = run_command(photos, tmp_path / "run", start=torchrun)
    assert result.returncode == 1
    assert len(lines_of(result)) == 1
    assert "another run writes into" in lines_of(result)[0]


@pytest.mark.slow
def test_a_cap_of_minutes_ends_all_processes_without_a_failure(tmp_path, photos):
    """Whichever looks at the clock first; a later resume goes on, here in one process."""
    out = tmp_path / "run"
    result = run_command(photos, out, "nothing", "--max-steps", 10**6, "--max-minutes", 0.05)
    assert result.returncode == 0, result.stderr
    steps = step_of(out)
    assert f"stopped after 0.05 minutes at step {steps} of 1000000" in result.stderr
    assert not (out / "tiny.safetensors").exists()
    more = ("train", "--resume", out, "--max-steps", steps + 2)
    assert forked("command", "nothing", *more, processes=1).returncode == 0
    assert step_of(out) == steps + 2


@pytest.mark.slow
def test_muon_in_two_processes_ends_where_it_does_in_one(tmp_path, photos):
    """Its matrices, too, get the mean of both halves' gradients: half the batch ends 2e-3 away."""
    ends = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        arguments = [
            "train",
            "--preset",
            "tiny",
            "--data",
            photos,
            "--out",
            out,
            "--crop",
            32,
            "--batch-size",
            4,
        ]
        arguments += ["--max-steps", 6, "--set", "optim.name=muon", "--precision", "32-true"]
        result = forked("command", "nothing", *arguments, processes=processes)
        assert result.returncode == 0, result.stderr
        ends.append(load_weights(out / "tiny.safetensors").state_dict())
    for name, weight in ends[0].items():  # stored in half precision: a step of that is 2**-10 of it at most
        torch.testing.assert_close(ends[1][name], weight, atol=3e-4, rtol=2**-10, msg=name)


@pytest.mark.slow
def test_one_process_under_torchrun_is_as_without(tmp_path, photos):
    result = run_command(photos, tmp_path / "run", "nothing", "--max-steps", 2, processes=1, start=torchrun)
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
    (part,), _ = split_off_validation(find_training_set([DatasetSpec("rain100l")], [root]), VALIDATION_PHOTOS)
    order = np.random.default_rng((0, 0)).permutation(len(part.pairs))  # the sampler's, of seed and epoch
    return [part.pairs[number].degraded for number in order]


@pytest.mark.slow
def test_bad_photos_are_named_and_counted_whichever_process_meets_them(tmp_path):
    """Of a batch of 4 the first process makes rows 0 and 1, the second rows 2 and 3."""
    degraded = write_rain(tmp_path / "data")
    config = tmp_path / "rain.yaml"
    config.write_text(
        "preset: tiny\nmax_steps: 12\ndata: {batch_size: 4, crop: 32, datasets: [{dataset: rain100l}]}"
    )
    arguments = ["train", "--config", config, "--data", tmp_path / "data", "--precision", "32-true"]
    degraded[2].write_text("no photo")
    one = forked("command", "nothing", *arguments, "--out", tmp_path / "one")
    assert one.returncode == 0, one.stderr
    (line,) = (line for line in one.stderr.splitlines() if line.startswith("skipped"))
    assert f"{degraded[2]} is no image" in line
    assert line.endswith("(1 of 108 photos so far)")
    # One more in the other half: neither process has met more than 1 %, both together have.
    degraded[4].write_text("no photo")
    two = forked("command", "nothing", *arguments, "--out", tmp_path / "two")
    assert two.returncode == 1
    assert len(lines_of(two)) == 1
    assert "2 of 108 photos cannot be used, more than 1 %; they are named above" in lines_of(two)[0]
    named = [line for line in two.stderr.splitlines() if line.startswith("skipped")]
    assert len(named) == 2
    assert all(any(str(degraded[place]) in line for line in named) for place in (2, 4))
