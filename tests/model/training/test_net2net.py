"""A network grown from a smaller one: the same function, and gradients in all that is new."""

import json
import sys
from dataclasses import replace

import pytest
import torch

from anyir.model import AnyIR, cli, load_weights
from anyir.model.checkpoint import save_weights
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.training.config import LossConfig
from anyir.model.training.loss import restoration_loss
from anyir.model.training.net2net import grow
from anyir.model.training.run import train
from tests.helpers.random_weights import randomised
from tests.helpers.training import make_trainer, tiny_config, write_photos

TINY = PRESETS["tiny"]
LARGER = replace(TINY, blocks=(2, 1, 3, 2), decoder=(1, 2, 1), refinement=2, ffn_expansion=2.66)


def test_the_function_is_the_same():
    small, large = randomised(AnyIR(TINY)), randomised(AnyIR(LARGER))
    image = torch.rand(2, 3, 32, 40, dtype=torch.float64)
    assert (large(image) - small(image)).abs().max() > 0.1
    grow(small, large)
    expected = small(image).detach()  # large numbers, from random weights
    torch.testing.assert_close(large(image), expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


@pytest.mark.parametrize("changes", [{}, {"dim": 16}, {"dim": 12, "gate_parts": (2, 0, 2)}])
def test_what_is_new_learns(changes):
    small = randomised(AnyIR(replace(TINY, gate_parts=changes.get("gate_parts", TINY.gate_parts))))
    large = randomised(AnyIR(replace(LARGER, **changes)))
    grow(small, large)
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    optimizer = torch.optim.SGD(large.parameters(), lr=1e-3)
    before = {name: weight.clone() for name, weight in large.named_parameters()}
    for _ in range(2):  # the zeros first, then what lies behind them
        optimizer.zero_grad()
        restoration_loss(large(image), 0.5 * image, image, LossConfig()).backward()
        optimizer.step()
    unmoved = [name for name, weight in large.named_parameters() if torch.equal(weight, before[name])]
    assert unmoved == []


def test_the_skip_split_alone_grows_wider():
    halves = replace(TINY, split="half")
    with pytest.raises(UserError, match="dim is 8, and there 16"):
        grow(AnyIR(halves), AnyIR(replace(halves, dim=16)))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dim": 4, "heads": (1, 1, 1, 1)}, "dim is 8, and there 4"),
        ({"gate_parts": (2, 2, 0)}, r"gate_parts is \[1, 1, 2\]"),
        ({"refinement": 0}, "refinement is 1, and there 0"),
        ({"ffn_expansion": 1.0}, "ffn_expansion is 2.0, and there 1.0"),
    ],
)
def test_other_shapes_are_refused(change, complaint):
    with pytest.raises(UserError, match=f"cannot grow into that: {complaint}"):
        grow(AnyIR(TINY), AnyIR(replace(TINY, **change)))


def test_weights_of_the_same_preset_are_taken_as_they_are():
    one, other = AnyIR(TINY), AnyIR(TINY)
    grow(one, other)
    for name, weight in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], weight)


@pytest.mark.slow
def test_a_run_that_grows_says_so_in_its_card(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "larger", LARGER)
    weights = tmp_path / "tiny.safetensors"
    save_weights(AnyIR(TINY), weights)
    trainer = make_trainer(tmp_path / "run", preset="larger", max_steps=1)
    trainer.begin_with(weights)
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        for grown in (trainer.network, trainer.average.module):
            expected = load_weights(weights)(image)
            torch.testing.assert_close(grown(image), expected, rtol=0, atol=1e-4)
    assert trainer.progress.total_steps == 0  # the steps of the smaller network are not its own
    trainer.fit()
    (run,) = json.loads((tmp_path / "run" / "larger.json").read_text())["training"]["runs"]
    assert run["began_with"] == f"tiny {sha256(weights)}"


def test_weights_that_do_not_fit_end_before_the_photos_are_read(tmp_path, capfd):
    config = tiny_config(data={"roots": [str(write_photos(tmp_path / "photos"))]})
    with pytest.raises(UserError, match="dim is 24, and there 8"):
        train(config, tmp_path / "run", init="small")
    assert "for validation" not in capfd.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--preset", "tiny"), 1, "anyir: these weights cannot grow into that: dim is 24, and there 8"),
        (("--preset", "anyir", "--resume", "runs"), 2, "leave out --init and --config"),
    ],
)
def test_the_command_refuses_in_a_line(tmp_path, capfd, monkeypatch, arguments, code, complaint):
    command = ["anyir", "train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--init", "small"]
    monkeypatch.setattr(sys, "argv", [*command, *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == code
    assert complaint in " ".join(capfd.readouterr().err.replace("│", " ").split())
