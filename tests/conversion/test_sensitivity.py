"""What 8 bits cost, convolution by convolution, and the choice made from it."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from anyir.conversion import sensitivity
from anyir.conversion.choice import Choice, Cost, Gates, choice_path
from anyir.conversion.recipes import CHOSEN8
from anyir.conversion.samples import calibration_pairs, sensitivity_cases
from anyir.conversion.sensitivity import Bench, FakeQuantized, choose
from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoint import load_weights
from anyir.model.data.degradation_registry import kinds_of
from anyir.model.errors import UserError
from anyir.model.files import sha256
from tests.helpers.command_line import anyir

TILE = 8


@pytest.fixture
def few_photos(monkeypatch):
    """Four photos to measure on, two of them clean, and one to calibrate with."""
    chosen = [case for case in sensitivity_cases(TILE) if case.kind in ("noise", "clean")]
    monkeypatch.setattr(sensitivity, "sensitivity_cases", lambda tile: chosen)
    monkeypatch.setattr(sensitivity, "calibration_pairs", lambda tile: calibration_pairs(tile)[:1])


def test_the_cases_are_all_kinds_mild_and_severe_and_calibrate_nothing():
    cases = sensitivity_cases(TILE)
    assert (
        [case.kind for case in cases[::2]] == [case.kind for case in cases[1::2]] == list(kinds_of("parity"))
    )
    assert len({case.seed for case in cases}) == len(cases)
    calibrating = [pair[1].numpy() for pair in calibration_pairs(TILE)]
    for case in cases:
        assert not any(np.array_equal(case.degraded / np.float32(255), image[0]) for image in calibrating)


@pytest.mark.slow
def test_a_fake_quantized_convolution_is_what_pytorch_s_own_quantization_makes():
    from anyir.conversion.executorch.quantize import _quantized

    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3, padding=1).requires_grad_(False)
    inputs = [torch.randn(1, 3, 16, 16) for _ in range(3)]
    switch = FakeQuantized(conv).train()
    for image in inputs:
        switch(image)
    switch.eval().in_8_bits = True
    theirs, _ = _quantized(nn.Sequential(conv).eval(), [(image,) for image in inputs], [])
    for image in inputs:
        exact, mine, other = conv(image), switch(image), theirs(image)
        step = (switch.ranges["output"][1] - switch.ranges["output"][0]) / 255
        assert (mine - other).abs().max() <= 1.05 * step
        assert (mine - other).abs().mean() < 0.3 * (mine - exact).abs().mean()


def test_a_switched_off_bench_is_the_network(few_photos, tiny_weights):
    bench = Bench(load_weights(tiny_weights), TILE)
    nothing = bench.measure([])
    assert set(nothing.loss.values()) == {0.0}
    assert nothing.colour == nothing.banding == 0
    everything = bench.measure(bench.switches)
    assert any(everything.loss.values())
    assert everything.colour > 0
    assert everything.banding > 0
    assert bench.measure([]) == nothing


@pytest.fixture
def one_block(tmp_path, monkeypatch):
    """Weights of the smallest network, of whose convolutions four are candidates."""
    from anyir.model.checkpoint import save_weights

    torch.manual_seed(0)
    path = tmp_path / "w.safetensors"
    save_weights(AnyIR(PRESETS["tiny"]), path)
    monkeypatch.setattr(sensitivity, "NEVER", ("[!pm]*",))
    return path


def test_the_largest_set_in_the_gates_is_chosen_and_kept_as_data(few_photos, one_block):
    steps = []
    choice = choose(one_block, TILE, on_step=steps.append)
    names = [module.name for module in choice.modules]
    assert sorted(names) == ["merge.0", "merge.1", "merge.2", "patch_embed"]
    assert steps[:4] == [name for name in steps[:4] if name in names]
    prices = [module.cost.used(choice.gates) / module.macs for module in choice.modules]
    assert prices == sorted(prices)
    passing = [point.modules for point in choice.front if point.cost.passes(choice.gates)]
    assert choice.chosen == max(passing, default=0)
    assert set(names[: choice.chosen]).isdisjoint(choice.kept_float)
    assert set(names[choice.chosen :]) <= set(choice.kept_float)
    assert {"output", "down.0"} <= set(choice.kept_float)
    [patch] = [module for module in choice.modules if module.name == "patch_embed"]
    assert patch.saved_bytes == 3 * patch.values
    assert patch.macs == patch.values * TILE * TILE
    choice.save(choice_path(one_block))
    assert Choice.load(choice_path(one_block)) == choice
    assert choice.weights_sha256 == sha256(one_block)


def test_gates_that_nothing_passes_choose_nothing(few_photos, one_block):
    choice = choose(one_block, TILE, gates=Gates(loss=-1, clean=200, colour=0.25, banding=1))
    assert choice.chosen == 0
    assert [point.modules for point in choice.front] == [1, 2, 4]
    assert {module.name for module in choice.modules} < set(choice.kept_float)


@pytest.mark.parametrize(
    ("cost", "passes"),
    [
        (Cost(loss={"noise": 0.1, "clean": 3.0}, clean=47, colour=0.1, banding=0.1), True),
        (Cost(loss={"noise": 0.2, "clean": 0.0}, clean=47, colour=0.1, banding=0.1), False),
        (Cost(loss={"noise": 0.1, "clean": 3.0}, clean=44, colour=0.1, banding=0.1), False),
        (Cost(loss={"noise": 0.1, "clean": 0.1}, clean=30, colour=0.1, banding=0.1), True),
        (Cost(loss={"noise": 0.1, "clean": 0.1}, clean=47, colour=0.2, banding=0.1), False),
        (Cost(loss={"noise": 0.1, "clean": 0.1}, clean=47, colour=0.1, banding=0.8), False),
    ],
)
def test_gates(cost, passes):
    assert cost.passes(sensitivity.GATES) == passes


def test_what_is_used_is_the_tightest_gate_s_share():
    gates = Gates(loss=0.2, clean=45, colour=0.5, banding=2)
    cost = Cost(loss={"noise": 0.05, "clean": -0.1}, clean=46, colour=0.1, banding=1.0)
    assert cost.used(gates) == pytest.approx(0.5)
    assert cost.model_copy(update={"colour": 0.4}).used(gates) == pytest.approx(0.8)
    assert cost.model_copy(update={"loss": {"noise": 0.3}}).used(gates) == pytest.approx(1.5)


def test_the_choice_keeps_some_of_what_an_artifact_may_cost():
    assert CHOSEN8.worst > sensitivity.GATES.loss > 0
    assert CHOSEN8.clean < sensitivity.GATES.clean
    assert CHOSEN8.colour > sensitivity.GATES.colour > 0
    assert CHOSEN8.banding > sensitivity.GATES.banding > 0


def test_a_choice_that_is_none_or_damaged_is_one_line(few_photos, one_block):
    path = choice_path(one_block)
    with pytest.raises(UserError, match=r"no choice .* at w.mixed.json; `anyir sensitivity` makes one"):
        Choice.load(path)
    choose(one_block, TILE, gates=Gates(loss=-1, clean=200, colour=0.1, banding=1)).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "chosen": "most"}))
    with pytest.raises(UserError, match=r"w.mixed.json is damaged: chosen: "):
        Choice.load(path)


def test_a_tile_that_is_no_multiple_of_8_is_refused():
    process = anyir("sensitivity", "--tile", 20)
    assert process.returncode == 2
    assert "a positive multiple of 8 is due" in process.stderr


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, one_block):
    (tmp_path / "file").touch()
    for out, reason in (
        (tmp_path, "is a folder; name a file"),
        (tmp_path / "file/c.json", "Not a directory"),
    ):
        process = anyir("sensitivity", "--weights", one_block, "--out", out)
        assert process.returncode == 1
        assert str(out) in process.stderr
        assert reason in process.stderr
        assert len(process.stderr.splitlines()) == 1


def test_a_choice_replaces_nothing_but_a_choice(tmp_path, one_block):
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(one_block.read_bytes())
    refused = anyir("sensitivity", "--weights", weights, "--out", weights)
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "w.safetensors is there already, and no earlier choice; name another --out\n"
    )
    assert weights.read_bytes() == one_block.read_bytes()
