"""A mean of two weights files, and what its card says."""

import json
import sys

import pytest
import torch

from anyir.model import AnyIR, cli, load_weights
from anyir.model.averaging import average
from anyir.model.card import read_training, start_card
from anyir.model.checkpoints import save_weights, sha256
from anyir.model.config import PRESETS

from .command_checks import fails, files


def weights(path, *, seed=0, preset="tiny", steps=None):
    """A weights file of random numbers; with a card if it has steps."""
    torch.manual_seed(seed)
    save_weights(AnyIR(PRESETS[preset]), path)
    if steps is not None:
        chunks = [{"last_step": steps, "seed": seed}]
        start_card(path, {"steps": steps, "samples": 8 * steps, "hours": 0.5, "chunks": chunks})
    return path


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """``anyir average`` in a folder of two files: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "COMMANDS", {"average": cli.COMMANDS["average"], "eval": cli.COMMANDS["eval"]})
    weights(tmp_path / "a.safetensors", seed=1, steps=100)
    weights(tmp_path / "b.safetensors", seed=2, steps=300)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["anyir", "average", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return call


def test_every_number_is_the_mean(run, tmp_path):
    code, out, _ = run("a.safetensors", "b.safetensors", "--share", 0.25, "--out", "mean.safetensors")
    assert (code, out) == (0, "mean.safetensors\n")
    one, other, mean = (load_weights(tmp_path / f"{name}.safetensors") for name in ("a", "b", "mean"))
    for name, value in mean.state_dict().items():
        expected = 0.75 * one.state_dict()[name] + 0.25 * other.state_dict()[name]
        torch.testing.assert_close(value, expected.half().float(), rtol=0, atol=0)


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_training_counts_on_from_the_longer_trained(tmp_path, run, order):
    paths = [tmp_path / f"{name}.safetensors" for name in order]
    mean = average(*paths, 0.25, tmp_path / "mean.safetensors")
    record = read_training(mean)
    assert (record["steps"], record["samples"]) == (300, 2400)
    share = 0.75 if order == ("a", "b") else 0.25
    with_ = {"sha256": sha256(tmp_path / "a.safetensors"), "share": share}
    assert record["chunks"] == [{"last_step": 300, "seed": 2, "averaged_with": with_}]
    assert json.loads((tmp_path / "mean.json").read_text())["sha256"] == sha256(mean)


def test_without_cards_there_is_no_record(tmp_path):
    paths = [weights(tmp_path / f"{seed}.safetensors", seed=seed) for seed in (1, 2)]
    assert read_training(average(*paths, 0.5, tmp_path / "mean.safetensors")) == {}


def test_what_cannot_be_averaged_is_one_line(run, tmp_path):
    weights(tmp_path / "wide.safetensors", preset="ablation-a")
    (tmp_path / "damaged.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:-9])
    (tmp_path / "same.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes())
    (tmp_path / "taken.json").write_text("{}")
    before = files(tmp_path)
    mean = ("--out", "mean.safetensors")
    fails(run("a.safetensors", "wide.safetensors", *mean), tmp_path, before, "different networks: tiny and")
    fails(run("a.safetensors", "damaged.safetensors", *mean), tmp_path, before, "damaged.safetensors")
    fails(run("a.safetensors", "same.safetensors", *mean), tmp_path, before, "are the same weights")
    fails(run("a.safetensors", "none.safetensors", *mean), tmp_path, before, "no weights at none.safetensors")
    two = ("a.safetensors", "b.safetensors")
    fails(run(*two, "--out", "b.safetensors"), tmp_path, before, "b.safetensors is there already, and kept")
    fails(run(*two, "--out", "taken.safetensors"), tmp_path, before, "taken.json is there already")
    fails(run(*two, "--out", "no/mean.safetensors"), tmp_path, before, "no is no folder")
    fails(run(*two, "--out", "mean.pt"), tmp_path, before, "does not end in .safetensors")


@pytest.mark.parametrize("share", [0, 1, -1, "half"])
def test_a_share_lies_between_nothing_and_all(run, tmp_path, share):
    before = files(tmp_path)
    code, _, err = run("a.safetensors", "b.safetensors", "--share", share, "--out", "mean.safetensors")
    assert code == 2
    assert err.count("\n") == 1
    assert "--share" in err
    assert files(tmp_path) == before
