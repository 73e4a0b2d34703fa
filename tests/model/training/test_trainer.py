import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from lightning.fabric import Fabric
from PIL import Image
from skimage import data
from torch._dynamo.exc import BackendCompilerFailed

from anyir.model import AnyIR, load_weights
from anyir.model.checkpoint import save_weights
from anyir.model.config import PRESETS
from anyir.model.data.mixture import Sampler
from anyir.model.data.photo_bank import PhotoBank, hold_out, list_photos
from anyir.model.data.sources import MIXED, Ingredient
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.training.checkpoint import INDEX, PIECE_BYTES, load_state, save_state
from anyir.model.training.data import Supply
from anyir.model.training.loss import restoration_loss
from anyir.model.training.run import train
from anyir.model.training.schedule import learning_rate
from anyir.model.training.trainer import Settings, Trainer
from tests.helpers import photo_files

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder with three photos of different sizes."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "chelsea", "coffee"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return folder


def make_trainer(folder, photos, clock, minutes=1.0, preset="tiny", **options):
    bank = PhotoBank.load(list_photos([photos]), device=CPU, at_least=32)
    sampler = Sampler(bank, batch=2, crop=32, seed=0)
    settings = Settings(preset, minutes, 2, 32, **options)
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return Trainer(settings, sampler, bank.centre_crops(32)[:1], folder, fabric, clock=clock)


class Clock:
    """Seconds that pass one at a time, so that a run by the clock can be repeated exactly."""

    now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def weights_of(trainer):
    return torch.cat([p.flatten() for p in trainer.network.parameters()])


@pytest.mark.slow
def test_resuming_goes_on_exactly(tmp_path, photos):
    """Two chunks in one process, or in two with a checkpoint between them: the same weights."""
    straight = make_trainer(tmp_path / "a", photos, Clock(), minutes=0.2)
    straight.run()
    resumed = make_trainer(tmp_path / "b", photos, Clock(), minutes=0.2)
    resumed.resume(tmp_path / "a")
    assert torch.equal(weights_of(straight), weights_of(resumed))
    assert resumed.progress.step == straight.progress.step > 3
    straight.progress.begin_chunk(straight.settings)
    for trainer in (straight, resumed):
        for _ in range(4):
            trainer._step(0.5)
    assert torch.equal(weights_of(straight), weights_of(resumed))
    for a, b in zip(straight.ema.parameters(), resumed.ema.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_an_interrupted_chunk_is_finished_not_restarted(tmp_path, photos):
    trainer = make_trainer(tmp_path, photos, clock := Clock(), minutes=1.0)
    assert not trainer.run(asked_to_stop=lambda: clock.now >= 25)
    spent = trainer.progress.chunk_seconds
    assert 10 < spent < 30
    again = make_trainer(tmp_path, photos, Clock(), minutes=7.0)
    again.resume(tmp_path)
    assert again.progress.step == trainer.progress.step > 5
    assert again.progress.chunk_seconds == spent
    assert again.progress.chunk_minutes == 1.0
    assert again.run()
    assert again.progress.step < 61
    assert load_weights(tmp_path / "tiny.safetensors", preset="tiny")


def test_nan_stops_the_run_and_keeps_the_last_checkpoint(tmp_path, photos):
    trainer = make_trainer(tmp_path, photos, Clock(), minutes=10.0)
    trainer.save()
    before = (tmp_path / INDEX).read_bytes()
    with torch.no_grad():
        trainer.network.output.weight.fill_(float("nan"))
    with pytest.raises(UserError, match=r"the loss is nan near step 10; the last good checkpoint"):
        trainer.run()
    assert (tmp_path / INDEX).read_bytes() == before
    load_state(tmp_path)


@pytest.mark.slow
def test_killed_without_warning_loses_nothing_that_was_saved(tmp_path, photos):
    """kill -9 in the middle of rapid saving always leaves one whole checkpoint."""
    code = f"""
import torch
from pathlib import Path
from anyir.model.training.checkpoint import save_state
n = 0
while True:
    n += 1
    save_state(Path({str(tmp_path / "run")!r}), {{"a": torch.full((2_000_000,), float(n)),
               "b": torch.full((6_000_000,), float(n))}}, {{"save": n}})
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    for wait in (6.0, 0.0):
        time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    tensors, meta = load_state(tmp_path / "run")
    assert (tensors["a"] == meta["save"]).all()
    assert (tensors["b"] == meta["save"]).all()


def test_pieces_are_small_enough_to_carry(tmp_path):
    tensors = {f"t{i}": torch.randn(1_000_000) for i in range(9)}
    save_state(tmp_path, tensors, {"save": 1})
    pieces = list(tmp_path.glob("state-*"))
    assert len(pieces) == 3
    assert max(p.stat().st_size for p in pieces) <= 15 * 2**20
    assert PIECE_BYTES < 15 * 2**20
    loaded, _ = load_state(tmp_path)
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_damaged_checkpoints_are_refused(tmp_path):
    save_state(tmp_path, {"a": torch.ones(3)}, {"save": 1})
    good = (tmp_path / INDEX).read_text()
    (piece,) = tmp_path.glob("state-*")
    with pytest.raises(UserError, match=r"no checkpoint.json"):
        load_state(tmp_path / "elsewhere")
    (tmp_path / INDEX).write_text(good[: len(good) // 2])
    with pytest.raises(UserError, match="is damaged"):
        load_state(tmp_path)
    (tmp_path / INDEX).write_text(good.replace(piece.name, f"../{piece.name}"))
    with pytest.raises(UserError, match="not in its folder"):
        load_state(tmp_path)
    (tmp_path / INDEX).write_text(good)
    damage(piece)
    with pytest.raises(UserError, match="sha256"):
        load_state(tmp_path)
    save_state(tmp_path, {"a": torch.tensor([1.0, float("nan")])}, {"save": 2})
    with pytest.raises(UserError, match="NaN or infinity in a"):
        load_state(tmp_path)


def test_resuming_from_another_preset_is_refused(tmp_path, photos):
    save_weights(AnyIR(PRESETS["small"]), tmp_path / "small.safetensors")
    trainer = make_trainer(tmp_path / "run", photos, Clock())
    with pytest.raises(UserError, match="holds weights of preset 'small', not of 'tiny'"):
        trainer.resume(tmp_path / "small.safetensors")
    trainer.save()
    other = make_trainer(tmp_path / "other", photos, Clock(), preset="small")
    with pytest.raises(UserError, match="trains preset 'tiny', not 'small'"):
        other.resume(tmp_path / "run")


def test_a_little_training_lowers_the_loss(tmp_path, photos):
    trainer = make_trainer(tmp_path, photos, Clock())
    degraded, clean = trainer.batches.take(0)
    with torch.inference_mode():
        before = restoration_loss(trainer.network(degraded), clean, degraded)
    trainer.batches.take = lambda step: (degraded, clean)
    for _ in range(15):
        trainer._step(0.2)
    with torch.inference_mode():
        assert restoration_loss(trainer.network(degraded), clean, degraded) < 0.95 * before


def test_a_chunk_of_steps_ends_by_them_and_the_next_begins_anew(tmp_path, photos):
    trainer = make_trainer(tmp_path, photos, Clock(), minutes=0.0, steps=3)
    assert trainer.run()
    assert trainer.progress.step == 3
    assert trainer.progress.chunks[0]["steps"] == 3
    assert trainer.progress.chunks[0]["minutes"] > 0
    again = make_trainer(tmp_path, photos, Clock(), minutes=0.0, steps=2)
    again.resume(tmp_path)
    assert again.progress.share() == 0
    assert again.run()
    assert again.progress.step == 5
    assert len(again.progress.chunks) == 2


def test_steps_that_were_interrupted_are_finished(tmp_path, photos):
    trainer = make_trainer(tmp_path, photos, Clock(), minutes=0.0, steps=4)
    asked = iter([False, False, True])
    assert not trainer.run(asked_to_stop=lambda: next(asked))
    again = make_trainer(tmp_path, photos, Clock(), minutes=0.0, steps=9)
    again.resume(tmp_path)
    assert (again.progress.chunk_step, again.progress.chunk_steps) == (2, 4)
    assert again.run()
    assert again.progress.step == 4


def test_a_schedule_that_ends_before_its_cosine():
    """PromptIR's: 15 epochs up, a cosine over 150, of which 120 are run."""

    def rate(epoch):
        return learning_rate(epoch / 120, 2e-4, warm_up=15 / 120, cosine_end=150 / 120, floor=0.0)

    assert rate(7.5) == pytest.approx(1e-4)
    assert rate(15) == pytest.approx(2e-4)
    assert rate(82.5) == pytest.approx(1e-4)
    assert rate(120) == pytest.approx(1e-4 * (1 + math.cos(math.pi * 105 / 135)))


def test_learning_rate_warms_up_and_falls():
    rates = [learning_rate(share, 1.0) for share in (0.0, 0.015, 0.03, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == 1.0 > rates[3] > rates[4] == pytest.approx(0.02)


def test_batches_depend_on_seed_and_step_alone(photos):
    bank = PhotoBank.load(list_photos([photos]), device=CPU, at_least=32)
    sampler = Sampler(bank, batch=16, crop=32, seed=1)
    first, again, other = sampler(5), Sampler(bank, batch=16, crop=32, seed=1)(5), sampler(6)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])


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


def test_held_out_photos_are_not_trained_on():
    paths = [Path(f"{i:03d}.png") for i in range(480)]
    train, held_out = hold_out(paths, 12)
    assert len(held_out) == 12
    assert not set(train) & set(held_out)
    assert hold_out(paths, 12) == (train, held_out)
    assert len(hold_out(paths[:5], 12)[1]) == 1
    with pytest.raises(UserError, match="at least two"):
        hold_out(paths[:1], 12)


@pytest.mark.slow
def test_the_command_trains_stops_by_the_clock_and_resumes(tmp_path, photos):
    def anyir(*arguments):
        command = [sys.executable, "-m", "anyir.model.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    common = ["train", "--preset", "tiny", "--data", photos, "--out", tmp_path / "run", "--batch", 2]
    first = anyir(*common, "--minutes", 0.3, "--crop", 32)
    assert first.returncode == 0, first.stderr
    steps = json.loads((tmp_path / "run" / INDEX).read_text())["progress"]["step"]
    refused = anyir(*common, "--minutes", 0.1)
    assert refused.returncode == 1
    assert "holds a training run" in refused.stderr
    second = anyir(*common, "--steps", 3, "--crop", 32, "--resume", tmp_path / "run")
    assert second.returncode == 0, second.stderr
    assert json.loads((tmp_path / "run" / INDEX).read_text())["progress"]["step"] == steps + 3 > 3
    assert list((tmp_path / "run" / "logs").iterdir())
    unknown = anyir("train", "--preset", "huge", "--data", photos, "--out", tmp_path / "x")
    assert unknown.returncode == 2
    assert "unknown preset 'huge'" in unknown.stderr


def test_a_cosine_that_ends_with_the_warm_up_drops_to_the_floor():
    rates = [learning_rate(share, 1.0, warm_up=0.2, cosine_end=0.2) for share in (0.1, 0.2, 0.21, 1.0)]
    assert rates == pytest.approx([0.5, 1.0, 0.02, 0.02])


@pytest.mark.slow
def test_weights_with_a_card_go_on_from_its_record(tmp_path, photos):
    first = make_trainer(tmp_path / "first", photos, Clock())
    first.run()
    weights = tmp_path / "first" / "tiny.safetensors"
    second = make_trainer(tmp_path / "second", photos, Clock())
    second.resume(weights)
    assert second.progress.step == first.progress.step > 0
    assert second.progress.samples == first.progress.samples
    assert [c["last_step"] for c in second.progress.chunks] == [first.progress.step]
    assert second.progress.share() == 0
    # A card of other weights says nothing about these.
    other = make_trainer(tmp_path / "third", photos, Clock())
    (tmp_path / "bare.json").write_text((tmp_path / "first" / "tiny.json").read_text())
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "bare.safetensors")
    assert sha256(tmp_path / "bare.safetensors") != sha256(weights)
    other.resume(tmp_path / "bare.safetensors")
    assert other.progress.step == 0


def test_a_compiler_that_fails_is_one_line(tmp_path, photos, monkeypatch):
    def run(trainer, *arguments):
        raise BackendCompilerFailed("inductor", RuntimeError("no C++ compiler"), None)

    monkeypatch.setattr(Trainer, "compile_ahead", run)
    supply = Supply((Ingredient("photos", degrade=MIXED),), [photos])
    settings = Settings("tiny", 1.0, 2, 32, compile=True)
    with pytest.raises(UserError, match=r"torch.compile failed .*no C\+\+ compiler.* leave out --compile"):
        train(settings, supply, tmp_path / "run", None, precision="32-true")
