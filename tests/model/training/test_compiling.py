"""Compiled blocks against the network as it is written."""

from functools import partial

import pytest
import torch
from lightning.fabric import Fabric

from anyir.model import AnyIR
from anyir.model.config import PRESETS
from anyir.model.training.acceleration import compile_blocks
from anyir.model.training.trainer import Settings, Trainer


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


def test_compiling_ahead_is_all_compiling_and_leaves_no_trace(tmp_path, programs):
    def sampler(step):
        return torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)

    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    settings = Settings("tiny", 1.0, 2, 32, compile=True)
    trainer = Trainer(settings, sampler, torch.rand(1, 3, 32, 32), tmp_path, fabric)
    before = [weight.clone() for weight in trainer.network.parameters()]
    trainer.compile_ahead()
    for weight, was in zip(trainer.network.parameters(), before, strict=True):
        assert torch.equal(weight, was)
        assert weight.grad is None
    assert trainer.progress.chunk_seconds == 0
    assert trainer.progress.step == 0
    assert len(programs) == 4
    trainer._step(0.5)
    assert len(programs) == 4  # nothing is left to compile when the clock runs
