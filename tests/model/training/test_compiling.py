"""Compiled blocks against the network as it is written."""

from functools import partial

import pytest
import torch

from anyir.model import AnyIR
from anyir.model.config import PRESETS
from anyir.model.training.acceleration import compile_blocks
from tests.helpers.training import make_trainer


@pytest.fixture
def programs(monkeypatch):
    """What torch.compile makes, none of it from before."""
    made = []

    def count(graph, inputs):
        made.append(graph)
        return graph.forward

    torch.compiler.reset()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=count))
    yield made
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.parametrize("pool", [1, 2])
def test_a_program_serves_all_blocks_of_a_level(programs, pool):
    network = AnyIR(PRESETS["small"]).use_additive_fusion()
    network.to(memory_format=torch.channels_last)  # as the trainer has it
    image = torch.rand(pool, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    network(image, pool=pool).square().mean().backward()
    plain = {name: weight.grad.clone() for name, weight in network.named_parameters()}
    network.zero_grad()
    compile_blocks(network)
    network(image, pool=pool).square().mean().backward()
    assert len(programs) == 4  # of twelve blocks
    for name, weight in network.named_parameters():
        torch.testing.assert_close(weight.grad, plain[name], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("crops", [1, 2])
def test_compiling_ahead_is_all_compiling_and_leaves_no_trace(tmp_path, programs, crops):
    trainer = make_trainer(tmp_path, compile=True, data={"crops_per_photo": crops})
    before = [weight.clone() for weight in trainer.network.parameters()]
    trainer.compile_ahead()
    for weight, was in zip(trainer.network.parameters(), before, strict=True):
        assert torch.equal(weight, was)
        assert weight.grad is None
    assert trainer.progress.step == 0
    assert len(programs) == 4
    trainer.step()
    assert len(programs) == 4  # nothing is left to compile when the steps begin
