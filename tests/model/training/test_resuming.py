"""Going on with a run: how often it saves, and what it is asked to do the second time."""

import json
import sys
from contextlib import nullcontext
from itertools import pairwise

import pytest
import torch
import yaml
from lightning.fabric import Fabric
from PIL import Image
from skimage import data

from anyir.model import PRESETS, AnyIR, cli
from anyir.model.checkpoint import read_header, save_weights
from anyir.model.data.sources import MIXED, Ingredient
from anyir.model.errors import UserError
from anyir.model.training import run as training_run
from anyir.model.training.checkpoint import INDEX, save_state, settings_of_interrupted
from anyir.model.training.clock import SAVE_EVERY
from anyir.model.training.data import Supply
from anyir.model.training.trainer import Settings, Trainer

SETTINGS = {"batch": 2, "crop": 32, "learning_rate": 1e-3, "betas": (0.9, 0.95), "warm_up": 0.1}


class Clock:
    """Seconds that pass so many at a time."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def make_trainer(folder, clock, **options):
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    settings = Settings("tiny", **{**SETTINGS, **options})
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return Trainer(settings, lambda step: (images, images), images[:1], folder, fabric, clock=clock)


def test_slow_steps_are_saved_within_a_minute_too(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, clock := Clock(9.0), minutes=10)
    saved, save = [0.0], trainer.save
    monkeypatch.setattr(trainer, "save", lambda: (saved.append(clock.now), save()))
    trainer.run()
    gaps = [after - before for before, after in pairwise(saved)]
    assert len(gaps) > 7
    assert max(gaps) <= SAVE_EVERY + 4 * clock.step  # a step, and what tells the time around it


@pytest.fixture
def train(capfd, monkeypatch):
    """What the command would train with, its exit code and its lines."""

    def run(*arguments):
        asked = []
        monkeypatch.setattr(training_run, "train", lambda *args, **how: asked.append((args[0], how)))
        monkeypatch.setattr(sys, "argv", ["anyir", "train", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return (*asked[0], capfd.readouterr().err) if asked else (exit_.value.code, capfd.readouterr().err)

    return run


def test_an_interrupted_chunk_goes_on_with_its_own_settings(tmp_path, train):
    run = tmp_path / "run"
    make_trainer(run, Clock(1.0), minutes=3).run(asked_to_stop=lambda: True)
    common = ("--data", tmp_path, "--out", run, "--resume", run)
    settings, how, err = train(*common)
    assert err == ""
    assert (settings.preset, how["precision"], settings.minutes) == ("tiny", "32-true", 3)
    assert all(getattr(settings, key) == value for key, value in SETTINGS.items())
    settings, _, err = train(*common, "--batch", 4, "--minutes", 7, "--crop", 32)
    assert (settings.batch, settings.crop, settings.minutes) == (4, 32, 3)
    assert err.splitlines() == [
        "note: the interrupted chunk keeps its length: --minutes is not used",
        "note: --batch was 2 and is now 4: the run does not go on exactly",
    ]


@pytest.mark.parametrize("added", [0, 1])
def test_other_photos_are_noticed(tmp_path, capfd, monkeypatch, added):
    folder, run = tmp_path / "photos", tmp_path / "run"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(data.astronaut()[:128, : 128 + number]).save(folder / f"{number}.png")
    supply = Supply((Ingredient("photos", degrade=MIXED),), [folder])
    monkeypatch.setattr(training_run, "stop_requests", lambda processes: nullcontext(lambda: True))

    def train(resume, settings):
        with pytest.raises(UserError, match="interrupted at step 0"):
            training_run.train(settings, supply, run, resume, precision="32-true")
        return capfd.readouterr().err

    assert "note:" not in train(None, Settings("tiny", 1.0, 2, 32))
    for number in range(added):
        Image.fromarray(data.coffee()[:140, :140]).save(folder / f"more-{number}.png")
    settings = settings_of_interrupted(run)
    settings.pop("precision")
    assert ("note: the photos are others than before" in train(run, Settings(**settings))) == bool(added)


def test_a_new_chunk_has_the_settings_that_are_asked_for(tmp_path, train):
    run = tmp_path / "run"
    make_trainer(run, Clock(20.0), minutes=0.3).run()
    settings, how, err = train("--data", tmp_path, "--out", run, "--resume", run, "--preset", "tiny")
    assert (settings.batch, settings.minutes, how["precision"], err) == (16, 9, None, "")


def test_weights_that_lie_in_the_folder_are_kept(tmp_path, train):
    folder = tmp_path / "two words"
    folder.mkdir()
    weights = folder / "tiny.safetensors"
    save_weights(AnyIR(PRESETS["tiny"]), weights)
    before = weights.read_bytes()
    for more in ([], ["--resume", weights]):
        code, err = train("--preset", "tiny", "--data", tmp_path, "--out", folder, *more)
        assert (code, err.count("\n")) == (1, 1)
        assert "holds tiny.safetensors, which is kept: choose another --out" in err
    assert weights.read_bytes() == before
    assert (
        train("--preset", "tiny", "--data", tmp_path, "--out", tmp_path / "x", "--resume", weights)[-1] == ""
    )


def test_a_file_where_the_folder_is_due_is_refused_before_anything_is_read(tmp_path, train):
    (tmp_path / "notes.txt").write_text("mine")
    code, err = train("--preset", "tiny", "--data", tmp_path / "none", "--out", tmp_path / "notes.txt")
    assert (code, err) == (1, f"anyir: {tmp_path / 'notes.txt'} is a file; --out takes a folder\n")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_interrupted_chunk_of_another_recipe_is_refused(tmp_path, train):
    run, recipe = tmp_path / "run", tmp_path / "mine.yaml"
    recipe.write_text(yaml.safe_dump({"about": "x", "base": "single-derain", "preset": "tiny"}))
    make_trainer(run, Clock(1.0), minutes=3).run(asked_to_stop=lambda: True)
    code, err = train("--recipe", recipe, "--root", tmp_path, "--out", run, "--resume", run)
    assert (code, err.count("\n")) == (1, 1)
    assert "is in the middle of a chunk of clean photos: name the same again" in err
    index = json.loads((run / INDEX).read_text())
    index["settings"]["recipe"] = "mine"
    (run / INDEX).write_text(json.dumps(index))
    settings, _, err = train("--recipe", recipe, "--root", tmp_path, "--out", run, "--resume", run)
    assert (settings.recipe, settings.batch, err) == ("mine", 2, "")


def test_a_chunk_too_short_for_a_step_says_so(tmp_path, capfd):
    Image.fromarray(data.astronaut()[:128, :128]).save(tmp_path / "a.png")
    Image.fromarray(data.coffee()[:128, :128]).save(tmp_path / "b.png")
    supply = Supply((Ingredient("photos", degrade=MIXED),), [tmp_path])
    for length, said in ({"minutes": 0.0001}, True), ({"minutes": 0.0, "steps": 1}, False):
        settings = Settings("tiny", **length, batch=2, crop=32)
        training_run.train(settings, supply, tmp_path / str(said), None, precision="32-true")
        assert ("no step fitted into the chunk" in capfd.readouterr().err) == said


def test_what_a_killed_run_was_writing_is_removed_by_the_next_save(tmp_path):
    (tmp_path / ".state-000001-0.safetensors.123.part").write_bytes(b"half")
    save_state(tmp_path, {"a": torch.ones(3)}, {"save": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == [INDEX, "state-000001-0.safetensors"]


@pytest.mark.parametrize(
    "change",
    [
        {"wings": 1}, {"chunk_minutes": 0.0}, {"chunk_seconds": None}, {"history": 5}, {"save": "x"},
        {"step": 10**30}, {"step": -5}, {"seconds": float("nan")}, {"chunk_seconds": float("inf")},
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_say_where_it_is_is_refused(tmp_path, change):
    trainer = make_trainer(tmp_path, Clock(1.0), minutes=3)
    trainer.save()
    index = json.loads((tmp_path / INDEX).read_text())
    index["progress"] |= change
    (tmp_path / INDEX).write_text(json.dumps(index))
    with pytest.raises(UserError, match="does not say where its training is"):
        trainer.resume(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("batch", "x"), ("distance", "l3"), ("betas", 0.9), ("precision", "64")]
)
def test_a_checkpoint_with_settings_that_nobody_can_ask_for_is_refused(tmp_path, train, key, value):
    make_trainer(tmp_path / "run", Clock(1.0), minutes=3).run(asked_to_stop=lambda: True)
    index = json.loads((tmp_path / "run" / INDEX).read_text())
    index["settings"][key] = value
    (tmp_path / "run" / INDEX).write_text(json.dumps(index))
    code, err = train("--data", tmp_path, "--out", tmp_path / "run", "--resume", tmp_path / "run")
    assert code == 1
    assert f"is damaged: {key} is {value!r}: it must be" in err or f"{key} is {value!r}: unknown value" in err
    assert err.count("\n") == 1


def test_weights_carry_the_preset_that_was_trained_and_go_on_as_its_equal(tmp_path, monkeypatch):
    """As with ``ratio-4`` and ``ablation-d``: configs are compared, names are not."""
    monkeypatch.setitem(PRESETS, "twin", PRESETS["tiny"])
    trainer = make_trainer(tmp_path / "run", Clock(20.0), minutes=0.3)
    trainer.settings.preset = "twin"
    trainer.run()
    weights = tmp_path / "run" / "twin.safetensors"
    assert read_header(weights)["preset"] == "twin"
    assert json.loads(weights.with_suffix(".json").read_text())["preset"] == "twin"
    again = make_trainer(tmp_path / "again", Clock(20.0), minutes=0.3)
    again.resume(weights)
    assert again.progress.step == trainer.progress.step


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_moments_lie_in_memory_as_their_weights_do(tmp_path, optimizer):
    """A GPU's fused AdamW takes no others."""
    trainer = make_trainer(tmp_path, Clock(1.0), minutes=0.2, optimizer=optimizer)
    trainer.run(asked_to_stop=lambda: trainer.progress.step == 2)
    resumed = make_trainer(tmp_path, Clock(1.0), minutes=0.2, optimizer=optimizer)
    resumed.resume(tmp_path)
    found = 0
    for made in resumed.optimizers.values():
        for weight in made.param_groups[0]["params"]:
            for moment in made.state[weight].values():
                if moment.dim() == 4:
                    assert moment.stride() == weight.stride()
                    found += weight.shape[1] > 1 and weight.shape[2] > 1  # two layouts are possible
    assert found > 3
