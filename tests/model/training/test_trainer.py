"""Runs of the trainer: exact resumption, and the photos that it trains on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from skimage import data
from torch._dynamo.exc import BackendCompilerFailed

from anyir.model import AnyIR, load_weights
from anyir.model.checkpoint import save_weights
from anyir.model.config import PRESETS
from anyir.model.data.mixture import Sampler
from anyir.model.data.photo_bank import PhotoBank, list_photos, validation_split
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.training.checkpoint import (
    INDEX,
    load_tensors,
    read_checkpoint,
)
from anyir.model.training.config import LossConfig
from anyir.model.training.data import PhotosInMemory
from anyir.model.training.loss import restoration_loss
from anyir.model.training.run import train
from anyir.model.training.trainer import SAVE_EVERY, Trainer
from tests.helpers import photo_files
from tests.helpers.training import CPU, Clock, FixedData, make_trainer, tiny_config, weights_of, write_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder with three photos of different sizes."""
    return write_photos(tmp_path_factory.mktemp("photos"), "astronaut", "chelsea", "coffee", side=600)


class Photos(FixedData):
    """Batches of degraded crops, another at every step."""

    def __init__(self, folder):
        bank = PhotoBank.load(list_photos([folder]), device=CPU, at_least=32)
        super().__init__(Sampler(bank, batch=2, crop=32, seed=0))


@pytest.mark.slow
def test_resuming_goes_on_exactly(tmp_path, photos):
    """A run in one piece, or in two with a checkpoint between them: the same weights, moments and mean."""
    straight = make_trainer(tmp_path / "a", Photos(photos), max_steps=7)
    assert straight.fit()
    begun = make_trainer(tmp_path / "b", Photos(photos), max_steps=7)
    assert not begun.fit(asked_to_stop=lambda: begun.progress.step == 4)
    assert not (tmp_path / "b/tiny.safetensors").exists()
    resumed = make_trainer(tmp_path / "c", Photos(photos), max_steps=7)
    resumed.resume(tmp_path / "b")
    assert resumed.progress.step == 4
    assert resumed.fit()
    assert torch.equal(weights_of(straight), weights_of(resumed))
    assert sha256(tmp_path / "a/tiny.safetensors") == sha256(tmp_path / "c/tiny.safetensors")
    tensors = [load_tensors(tmp_path / run, read_checkpoint(tmp_path / run)) for run in "ac"]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0] | tensors[1])
    for a, b in zip(straight.history.entries, resumed.history.entries, strict=True):
        assert (a["step"], a["samples"], a["scores"]) == (b["step"], b["samples"], b["scores"])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_repeats_bit_for_bit_whatever_the_machines_speed(tmp_path, photos, optimizer):
    """On a machine that is fast, on one that takes a minute for every look at the clock, and in pieces."""
    options = {"max_steps": 6, "optim": {"name": optimizer, "even_upsampling": True}, "validate_every": 2}
    files = []
    for name, seconds in (("fast", 0.0), ("slow", SAVE_EVERY)):
        trainer = make_trainer(tmp_path / name, Photos(photos), Clock(seconds), **options)
        assert trainer.fit()
        files.append((tmp_path / name / "tiny.safetensors").read_bytes())
    assert files[0] == files[1]
    run = tmp_path / "pieces"
    for end in (1, 3, 6):
        trainer = make_trainer(run, Photos(photos), Clock(7.0), **options)
        if end > 1:
            trainer.resume(run)
        trainer.fit(asked_to_stop=lambda end=end, trainer=trainer: trainer.progress.step == end < 6)
    assert (run / "tiny.safetensors").read_bytes() == files[0]
    assert [entry["step"] for entry in trainer.history.entries] == [0, 2, 4, 6]


def test_another_seed_is_another_run(tmp_path, photos):
    ends = [make_trainer(tmp_path / str(seed), Photos(photos), seed=seed, max_steps=2) for seed in (0, 1)]
    assert all(trainer.fit() for trainer in ends)
    assert not torch.equal(*map(weights_of, ends))


def test_a_run_ends_by_its_steps_and_says_how_it_went(tmp_path, photos):
    trainer = make_trainer(tmp_path, Photos(photos), Clock(), max_steps=3)
    assert trainer.fit()
    assert trainer.progress.step == 3
    training = json.loads((tmp_path / "tiny.json").read_text())["training"]
    assert (training["steps"], training["samples"]) == (3, 6)
    (run,) = training["runs"]
    assert (run["last_step"], run["validation_split"], run["config"]["max_steps"]) == (3, "first", 3)
    assert run["minutes"] > 0
    assert "history" not in training
    history = json.loads((tmp_path / "history.json").read_text())
    assert [entry["step"] for entry in history] == [0, 3]
    assert history[-1]["scores"]["noise"]["psnr"] > 0


def test_another_run_begins_from_the_weights_of_the_one_before(tmp_path, photos):
    first = make_trainer(tmp_path / "first", Photos(photos), max_steps=3)
    first.fit()
    weights = tmp_path / "first" / "tiny.safetensors"
    seen = []
    batches = Photos(photos)
    make, batches.make = batches.make, lambda step: (seen.append(step), make(step))[1]
    second = make_trainer(tmp_path / "second", batches, max_steps=2)
    second.begin_with(weights)
    assert second.progress.step == 0
    assert second.fit()
    assert seen == [3, 4]  # batches that the first run has not seen
    training = json.loads((tmp_path / "second/tiny.json").read_text())["training"]
    assert (training["steps"], training["samples"]) == (5, 10)
    assert [run["last_step"] for run in training["runs"]] == [3, 5]
    assert training["runs"][1]["began_with"] == f"tiny {sha256(weights)}"
    # A card of other weights says nothing about these.
    (tmp_path / "bare.json").write_text((tmp_path / "first" / "tiny.json").read_text())
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "bare.safetensors")
    other = make_trainer(tmp_path / "third", Photos(photos))
    other.begin_with(tmp_path / "bare.safetensors")
    assert other.progress.total_steps == 0


def test_nan_stops_the_run_and_keeps_the_last_checkpoint(tmp_path, photos):
    trainer = make_trainer(tmp_path, Photos(photos), max_steps=20)
    trainer.save()
    before = (tmp_path / INDEX).read_bytes()
    with torch.no_grad():
        trainer.network.output.weight.fill_(float("nan"))
    with pytest.raises(UserError, match=r"the loss is nan near step 10; the last good checkpoint"):
        trainer.fit()
    assert (tmp_path / INDEX).read_bytes() == before
    load_tensors(tmp_path, read_checkpoint(tmp_path))


def test_a_little_training_lowers_the_loss(tmp_path, photos):
    trainer = make_trainer(tmp_path, Photos(photos), max_steps=60)
    degraded, clean = trainer.loader.take(0)
    with torch.inference_mode():
        before = restoration_loss(trainer.network(degraded), clean, degraded, LossConfig())
    trainer.loader.take = lambda step: (degraded, clean)
    for _ in range(20):
        trainer.step()
    with torch.inference_mode():
        assert restoration_loss(trainer.network(degraded), clean, degraded, LossConfig()) < 0.95 * before


def test_batches_depend_on_seed_and_step_alone(photos):
    bank = PhotoBank.load(list_photos([photos]), device=CPU, at_least=32)
    sampler = Sampler(bank, batch=16, crop=32, seed=1)
    first, again, other = sampler(5), Sampler(bank, batch=16, crop=32, seed=1)(5), sampler(6)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    assert torch.equal(sampler(5, slice(3, 7))[0], first[0][3:7])


def test_crops_are_parts_of_the_photos(photos):
    bank = PhotoBank.load(sorted(photos.iterdir())[:1], device=CPU, at_least=32)
    crops = bank.random_crops(24, 16, torch.Generator().manual_seed(0))
    photo = torch.from_numpy(data.astronaut()).permute(2, 0, 1).float() / 255
    windows = photo.unfold(1, 16, 1).unfold(2, 16, 1)  # (3, Y, X, 16, 16)
    ways = 0
    for crop in crops:
        views = [torch.rot90(v, k, (1, 2)) for v in (crop, crop.flip(2)) for k in range(4)]
        hits = [(windows[:, ::1, ::1, 0, 0] == v[:, 0, 0, None, None]).all(0) for v in views]
        found = [
            any(torch.equal(windows[:, y, x], view) for y, x in hit.nonzero().tolist())
            for view, hit in zip(views, hits, strict=True)
        ]
        assert any(found)
        ways |= 1 << found.index(True)
    assert bin(ways).count("1") >= 4  # flips and turns do occur


def test_unusable_photos_are_named(tmp_path, photos):
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(UserError, match=r"1 of 1 photos for training cannot be used; first: .*text.png"):
        PhotoBank.load([tmp_path / "text.png"], device=CPU, at_least=32)
    (tmp_path / "text.png").write_bytes(photo_files.bomb())
    with pytest.raises(UserError, match=r"text.png declares more than"):
        PhotoBank.load([tmp_path / "text.png"], device=CPU, at_least=32)
    with pytest.raises(UserError, match="is not a folder"):
        list_photos([tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no photos below"):
        list_photos([tmp_path / "empty"])


def test_validation_photos_are_not_trained_on():
    paths = [Path(f"{i:03d}.png") for i in range(480)]
    train, validation = validation_split(paths, 12)
    assert len(validation) == 12
    assert not set(train) & set(validation)
    assert validation_split(paths, 12) == (train, validation)
    assert len(validation_split(paths[:5], 12)[1]) == 1
    with pytest.raises(UserError, match="at least two"):
        validation_split(paths[:1], 12)


@pytest.mark.slow
def test_the_command_trains_stops_after_its_minutes_and_resumes(tmp_path, photos):
    def anyir(*arguments):
        command = [sys.executable, "-m", "anyir.model.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    run = tmp_path / "run"
    common = ["train", "--preset", "tiny", "--data", photos, "--out", run, "--batch-size", 2, "--crop", 32]
    first = anyir(*common, "--max-steps", 10**6, "--max-minutes", 0.1)
    assert first.returncode == 0, first.stderr
    assert "stopped after 0.1 minutes at step " in first.stderr
    assert f"go on with: anyir train --resume {run}" in first.stderr
    assert not (run / "tiny.safetensors").exists()
    steps = read_checkpoint(run).progress.step
    assert steps > 3
    refused = anyir(*common)
    assert refused.returncode == 1
    assert "holds a training run" in refused.stderr
    second = anyir("train", "--resume", run, "--max-steps", steps + 3)
    assert second.returncode == 0, second.stderr
    assert read_checkpoint(run).progress.step == steps + 3
    assert load_weights(run / "tiny.safetensors", preset="tiny")
    assert list((run / "logs").iterdir())


def test_a_compiler_that_fails_is_one_line(tmp_path, photos, monkeypatch):
    def fail(trainer):
        raise BackendCompilerFailed("inductor", RuntimeError("no C++ compiler"), None)

    monkeypatch.setattr(Trainer, "compile_ahead", fail)
    config = tiny_config(compile=True, data={"roots": [str(photos)]})
    with pytest.raises(UserError, match=r"torch.compile failed .*no C\+\+ compiler.* leave out --compile"):
        train(config, tmp_path / "run")


def test_the_data_module_keeps_its_validation_split_out_of_the_batches(photos):
    from rich.console import Console

    config = tiny_config(data={"roots": [str(photos)]}).data
    module = PhotosInMemory(config, 0, CPU, Console(quiet=True))
    assert (module.samples, len(module.validation)) == (2, 1)
    degraded, clean = module.batch(3, slice(0, 1))
    assert degraded.shape == clean.shape == (1, 3, 32, 32)
    again = PhotosInMemory(config, 0, CPU, Console(quiet=True))
    assert again.fingerprint == module.fingerprint
    assert torch.equal(again.batch(3, slice(0, 1))[0], degraded)
