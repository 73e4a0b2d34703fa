"""Going on with a run: how often it saves, and what it is asked to do the second time."""

import json
import subprocess
import sys
from contextlib import nullcontext
from itertools import pairwise

import pytest
from PIL import Image
from skimage import data

from anyir.model import PRESETS, AnyIR, cli
from anyir.model.checkpoint import save_weights
from anyir.model.errors import UserError
from anyir.model.training import run as training_run
from anyir.model.training.checkpoint import INDEX, Progress, read_checkpoint, save_checkpoint
from anyir.model.training.data import Fingerprint
from anyir.model.training.trainer import SAVE_EVERY
from tests.helpers.command_checks import files
from tests.helpers.training import Clock, make_trainer, tiny_config, write_photos

OPTIM = {"learning_rate": 1e-3, "betas": [0.9, 0.95]}


def begin(folder, at=0, **changes):
    """A run that is interrupted at a step."""
    trainer = make_trainer(folder, **{"optim": OPTIM, **changes})
    assert not trainer.fit(asked_to_stop=lambda: trainer.progress.step == at)
    return trainer


@pytest.mark.slow
def test_slow_steps_are_saved_within_a_minute_too(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, clock=(clock := Clock(9.0)), max_steps=60)
    saved, save = [0.0], trainer.save
    monkeypatch.setattr(trainer, "save", lambda: (saved.append(clock.now), save()))
    trainer.fit()
    gaps = [after - before for before, after in pairwise(saved)]
    assert len(gaps) > 7
    assert max(gaps) <= SAVE_EVERY + 4 * clock.step  # a step, and what tells the time around it


@pytest.fixture
def train(capfd, monkeypatch):
    """What the command would train with, and its lines; or its exit code and its lines."""

    def run(*arguments):
        asked = []
        monkeypatch.setattr(training_run, "_train", lambda config, *more: asked.append((config, more[:4])))
        monkeypatch.setattr(sys, "argv", ["anyir", "train", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return (*asked[0], capfd.readouterr().err) if asked else (exit_.value.code, capfd.readouterr().err)

    return run


def test_a_run_goes_on_with_its_own_config(tmp_path, train):
    run = tmp_path / "run"
    begun = begin(run, data={"roots": ["photos"]})
    config, (out, resume, init, max_minutes), err = train("--resume", run, "--max-minutes", 3)
    assert err == ""
    assert config == begun.config
    assert (out, resume, init, max_minutes) == (run, run, None, 3)
    config, (out, *_), _ = train(
        "--resume", run, "--out", tmp_path / "x", "--batch-size", 4, "--data", tmp_path
    )
    assert (config.data.batch_size, config.data.crop, config.optim) == (4, 32, begun.config.optim)
    assert (config.data.roots, out) == ((tmp_path,), tmp_path / "x")


def test_what_is_changed_is_noted_and_the_run_goes_on(tmp_path, capfd, no_validation):
    photos, run = write_photos(tmp_path / "photos"), tmp_path / "run"
    config = tiny_config(max_steps=3, data={"roots": [str(photos)]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "stop_requests", lambda processes: nullcontext(lambda: True))
        with pytest.raises(
            UserError, match=f"interrupted at step 0 of 3; go on with: anyir train --resume {run}"
        ):
            training_run.train(config, run)
        with pytest.raises(UserError, match="interrupted at step 0 of 3"):
            training_run.train(config, run, resume=run)
    assert "note:" not in capfd.readouterr().err
    changed = tiny_config(max_steps=3, data={"roots": [str(photos)], "batch_size": 1, "workers": 1})
    assert training_run.train(changed, run, resume=run).progress.step == 3
    notes = [line for line in capfd.readouterr().err.splitlines() if line.startswith("note:")]
    assert notes == ["note: data.batch_size was 2 and is now 1: the run does not go on exactly"]


def test_a_cap_of_minutes_saves_and_a_later_resume_goes_on(tmp_path, capfd, monkeypatch, no_validation):
    config = tiny_config(max_steps=4, data={"roots": [str(write_photos(tmp_path / "photos"))]})
    straight, run = tmp_path / "straight", tmp_path / "run"
    training_run.train(config, straight)
    with monkeypatch.context() as patch:
        clock = Clock(1.0)
        patch.setattr(training_run.time, "monotonic", clock)  # a look before every step
        trainer = training_run.train(config, run, max_minutes=2.5 / 60)
    assert 0 < trainer.progress.step < 4
    assert "after 0.0416667 minutes at step" in capfd.readouterr().err
    assert not (run / "tiny.safetensors").exists()
    training_run.train(read_checkpoint(run).config, run, resume=run)
    ends = [(folder / "tiny.safetensors").read_bytes() for folder in (straight, run)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("added", [0, 1])
def test_other_photos_are_noticed(tmp_path, capfd, monkeypatch, added):
    folder, run = tmp_path / "photos", tmp_path / "run"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(data.astronaut()[:128, : 128 + number]).save(folder / f"{number}.png")
    monkeypatch.setattr(training_run, "stop_requests", lambda processes: nullcontext(lambda: True))
    config = tiny_config(data={"roots": [str(folder)]})

    def train(resume):
        with pytest.raises(UserError, match="interrupted at step 0"):
            training_run.train(config, run, resume=resume)
        return capfd.readouterr().err

    assert "note:" not in train(None)
    for number in range(added):
        Image.fromarray(data.coffee()[:140, :140]).save(folder / f"more-{number}.png")
    assert ("note: the photos are others than before" in train(run)) == bool(added)


def test_a_run_that_is_over_says_how_another_begins(tmp_path, train):
    run = tmp_path / "my run"
    make_trainer(run, max_steps=1).fit()
    code, err = train("--resume", run)
    assert code == 1
    weights = run / "tiny.safetensors"
    line = f"anyir: the run in {run} is over, after step 1; another one begins from its weights with"
    assert err == f"{line} --init '{weights}'\n"
    config, (_, _, init, _), _ = train(
        "--init", weights, "--preset", "tiny", "--data", tmp_path, "--out", tmp_path / "next"
    )
    assert (init, config.data.batch_size, config.max_steps) == (weights, 16, 10_000)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--preset", "small", "preset 'tiny', not 'small'"),
        ("--set", "optim.name=muon", "optim.name 'adamw', not 'muon'"),
    ],
)
def test_another_network_or_optimizer_is_another_run(tmp_path, train, option, value, message):
    begin(tmp_path)
    code, err = train("--resume", tmp_path, option, value)
    assert (code, err) == (1, f"anyir: {tmp_path} trains {message}; --init begins another run\n")


def test_weights_that_lie_in_the_folder_are_kept(tmp_path, train):
    folder = tmp_path / "two words"
    folder.mkdir()
    weights = folder / "tiny.safetensors"
    save_weights(AnyIR(PRESETS["tiny"]), weights)
    before = weights.read_bytes()
    for more in ([], ["--init", weights]):
        code, err = train("--preset", "tiny", "--data", tmp_path, "--out", folder, *more)
        assert (code, err.count("\n")) == (1, 1)
        assert "holds tiny.safetensors, which is kept: choose another --out" in err
    assert weights.read_bytes() == before
    assert train("--preset", "tiny", "--data", tmp_path, "--out", tmp_path / "x", "--init", weights)[-1] == ""


def test_a_file_where_the_folder_is_due_is_refused_before_anything_is_read(tmp_path, train):
    (tmp_path / "notes.txt").write_text("mine")
    code, err = train("--preset", "tiny", "--data", tmp_path / "none", "--out", tmp_path / "notes.txt")
    assert (code, err) == (1, f"anyir: {tmp_path / 'notes.txt'} is a file; --out takes a folder\n")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("resumed", [False, True])
def test_a_second_run_at_the_same_time_is_refused(tmp_path, train, resumed):
    run = tmp_path / "run"
    asked = ("--resume", run) if resumed else ("--data", tmp_path, "--out", run)
    if resumed:
        begin(run)
    code = """
import sys
from pathlib import Path
from anyir.model.restore.alone import alone_in
with alone_in(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", code, run], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"locked\n"
        before = files(tmp_path)
        line = f"anyir: another run writes into {run}; wait for it, or name another folder\n"
        assert train(*asked) == (1, line)
        assert files(tmp_path) == before
    finally:
        other.kill()
        other.communicate()
    assert len(train(*asked)) == 3  # it would train


def test_what_a_killed_run_was_writing_is_removed_by_the_next_save(tmp_path):
    (tmp_path / ".checkpoint-0123.safetensors.123.part").write_bytes(b"half")
    save_checkpoint(tmp_path, {}, tiny_config(), Progress(), Fingerprint())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("progress", {"wings": 1}), ("progress", {"step": None}), ("progress", {"step": 10**30}),
        ("progress", {"step": -5}), ("progress", {"seconds": float("nan")}), ("progress", {"before": 5}),
        ("progress", {"before": {"steps": "x"}}), ("config", {"max_steps": None, "epochs": 3.0}),
        ("config", {"max_steps": 0}), ("config", {"precision": "64"}),
        ("config", {"loss": {"distance": "l3"}}),
        ("config", {"data": {"batch_size": "x"}}), ("fingerprint", {"training": "x"}),
    ],
)  # fmt: skip
def test_a_checkpoint_that_no_run_has_written_is_one_line(tmp_path, train, part, change):
    begin(tmp_path)
    index = json.loads((tmp_path / INDEX).read_text())
    index[part] |= change
    (tmp_path / INDEX).write_text(json.dumps(index))
    code, err = train("--resume", tmp_path)
    assert code == 1
    assert f"{INDEX} is damaged ({part}." in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_moments_lie_in_memory_as_their_weights_do(tmp_path, optimizer):
    """A GPU's fused AdamW takes no others."""
    begin(tmp_path, at=2, optim={"name": optimizer})
    resumed = make_trainer(tmp_path, optim={"name": optimizer})
    resumed.resume(tmp_path)
    found = 0
    for made in resumed.optimizers.values():
        for weight in made.param_groups[0]["params"]:
            for moment in made.state[weight].values():
                if moment.dim() == 4:
                    assert moment.stride() == weight.stride()
                    found += weight.shape[1] > 1 and weight.shape[2] > 1  # two layouts are possible
    assert found > 3
