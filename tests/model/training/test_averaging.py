"""A mean of two weights files, and what its card says."""

import json
from functools import partial

import pytest
import torch

from anyir.model import AnyIR, load_weights
from anyir.model.checkpoint import read_header, save_weights
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.model_card import Run, Training, read_training, start_card
from anyir.model.training.averaging import average
from tests.helpers.command_checks import fails, files


def weights(path, *, seed=0, preset="tiny", steps=None):
    """A weights file of random numbers; with a card if it has steps."""
    torch.manual_seed(seed)
    save_weights(AnyIR(PRESETS[preset]), path, notes={} if steps is None else {"steps": steps})
    if steps is not None:
        run = Run.model_validate({"last_step": steps, "config": {"seed": seed}})
        start_card(path, Training(steps=steps, samples=8 * steps, hours=0.5, runs=[run]))
    return path


def end(path, share):
    return {"sha256": sha256(path), "share": share}


@pytest.fixture
def run(folder, anyir):
    """``anyir average`` in a folder of two files: (exit code, stdout, stderr)."""
    weights(folder / "a.safetensors", seed=1, steps=100)
    weights(folder / "b.safetensors", seed=2, steps=300)
    return partial(anyir, "average")


def test_every_number_is_the_mean(run, tmp_path):
    code, out, _ = run("a.safetensors", "b.safetensors", "--share", 0.25, "--out", "mean.safetensors")
    assert (code, out) == (0, "mean.safetensors\n")
    one, other, mean = (load_weights(tmp_path / f"{name}.safetensors") for name in ("a", "b", "mean"))
    for name, value in mean.state_dict().items():
        expected = 0.75 * one.state_dict()[name] + 0.25 * other.state_dict()[name]
        torch.testing.assert_close(value, expected.half().float(), rtol=0, atol=0)


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_training_counts_on_from_the_longer_trained(tmp_path, run, order):
    paths = [tmp_path / f"{name}.safetensors" for name in order]
    mean = average(*paths, 0.25, tmp_path / "mean.safetensors")
    training = read_training(mean)
    assert (training.steps, training.samples) == (300, 2400)
    ends = [end(paths[0], 0.75), end(paths[1], 0.25)]
    assert training.plain()["runs"] == [{"means": [ends], "last_step": 300, "config": {"seed": 2}}]
    assert read_header(mean)["steps"] == 300
    assert json.loads((tmp_path / "mean.json").read_text())["sha256"] == sha256(mean)


def test_a_mean_of_a_mean_names_both(tmp_path, run):
    a, b = (tmp_path / f"{name}.safetensors" for name in "ab")
    c = weights(tmp_path / "c.safetensors", seed=3, steps=200)
    first = average(a, b, 0.5, tmp_path / "first.safetensors")
    training = read_training(average(first, c, 0.1, tmp_path / "second.safetensors"))
    assert training.runs[-1].means == [[end(a, 0.5), end(b, 0.5)], [end(first, 0.9), end(c, 0.1)]]


def test_without_cards_there_is_no_record(tmp_path):
    paths = [weights(tmp_path / f"{seed}.safetensors", seed=seed) for seed in (1, 2)]
    assert read_training(average(*paths, 0.5, tmp_path / "mean.safetensors")) == Training()


@pytest.mark.parametrize("steps", ["many", float("nan")])
def test_weights_trained_for_no_number_of_steps_are_one_line(run, tmp_path, steps):
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "odd.safetensors", notes={"steps": steps})
    before = files(tmp_path)
    result = run("a.safetensors", "odd.safetensors", "--out", "mean.safetensors")
    fails(result, tmp_path, before, f"odd.safetensors has a damaged header: steps is {steps!r}")


def test_what_cannot_be_averaged_is_one_line(run, tmp_path):
    weights(tmp_path / "wide.safetensors", preset="ablation-a")
    (tmp_path / "damaged.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:-9])
    (tmp_path / "same.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes())
    (tmp_path / "taken.json").write_text("{}")
    (tmp_path / "link.safetensors").symlink_to("nowhere.safetensors")
    weights(tmp_path / "bare.safetensors", seed=4, steps=900)
    (tmp_path / "bare.json").unlink()
    weights(tmp_path / "odd.safetensors", seed=5, steps=900)
    card = json.loads((tmp_path / "odd.json").read_text())
    (tmp_path / "odd.json").write_text(json.dumps(card | {"training": card["training"] | {"runs": [1]}}))
    before = files(tmp_path)
    mean = ("--out", "mean.safetensors")
    bare = run("a.safetensors", "bare.safetensors", *mean)
    fails(
        bare, tmp_path, before, "bare.safetensors was trained for 900 steps, and no card beside it says how"
    )
    fails(run("a.safetensors", "odd.safetensors", *mean), tmp_path, before, "odd.json is no model card")
    fails(run("a.safetensors", "wide.safetensors", *mean), tmp_path, before, "different networks: tiny and")
    fails(run("a.safetensors", "damaged.safetensors", *mean), tmp_path, before, "damaged.safetensors")
    fails(run("a.safetensors", "same.safetensors", *mean), tmp_path, before, "are the same weights")
    fails(run("a.safetensors", "none.safetensors", *mean), tmp_path, before, "no weights at none.safetensors")
    two = ("a.safetensors", "b.safetensors")
    fails(run(*two, "--out", "b.safetensors"), tmp_path, before, "b.safetensors is there already, and kept")
    fails(run(*two, "--out", "taken.safetensors"), tmp_path, before, "taken.json is there already")
    fails(run(*two, "--out", "link.safetensors"), tmp_path, before, "link.safetensors is there already")
    fails(run(*two, "--out", "no/mean.safetensors"), tmp_path, before, "no is no folder")
    fails(run(*two, "--out", "mean.pt"), tmp_path, before, "does not end in .safetensors")


def test_weights_whose_card_cannot_be_written_are_not_left_behind(tmp_path, run, monkeypatch):
    def full(path, record):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("anyir.model.training.averaging.start_card", full)
    before = files(tmp_path)
    result = run("a.safetensors", "b.safetensors", "--out", "mean.safetensors")
    fails(result, tmp_path, before, "No space left on device")


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_a_share_that_is_no_mean_is_refused(tmp_path, run, share):
    with pytest.raises(UserError, match="is no mean"):
        average(tmp_path / "a.safetensors", tmp_path / "b.safetensors", share, tmp_path / "mean.safetensors")


@pytest.mark.parametrize("share", [0, 1, -1, "half"])
def test_a_share_lies_between_nothing_and_all(run, tmp_path, share):
    before = files(tmp_path)
    code, _, err = run("a.safetensors", "b.safetensors", "--share", share, "--out", "mean.safetensors")
    assert code == 2
    assert err.count("\n") == 1
    assert "--share" in err
    assert files(tmp_path) == before
