"""A recorded step against the same step one kernel at a time."""

import pytest
import torch
from lightning_fabric import Fabric

import anyir.model.training.trainer
from anyir.model.training.acceleration import EAGER_STEPS, RecordedStep
from anyir.model.training.trainer import Trainer
from tests.helpers.training import FixedData, make_trainer, tiny_config

STEPS = EAGER_STEPS + 5


def sampler(step):
    """A noisy batch of its own for every step."""
    generator = torch.Generator().manual_seed(step)
    clean = torch.rand(2, 3, 32, 32, generator=generator)
    noise = 0.1 * torch.randn(2, 3, 32, 32, generator=generator)
    return (clean + noise).cuda(), clean.cuda()


def run(folder, compile, optimizer):
    config = tiny_config(max_steps=STEPS, compile=compile, optim={"name": optimizer, "even_upsampling": True})
    fabric = Fabric(accelerator="cuda", devices=1, precision="32-true")
    trainer = Trainer(config, FixedData(sampler), folder, fabric)
    losses = [float(trainer.step()) for _ in range(STEPS)]
    return trainer, losses


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_recorded_step_does_what_single_kernels_do(tmp_path, monkeypatch, optimizer):
    monkeypatch.setattr(anyir.model.training.trainer, "compile_blocks", lambda network: None)
    alone, losses = run(tmp_path / "a", False, optimizer)
    recorded, again = run(tmp_path / "b", True, optimizer)
    assert isinstance(recorded.learn, RecordedStep)
    assert recorded.learn._graph is not None
    assert losses == pytest.approx(again, rel=1e-3)
    assert losses[EAGER_STEPS] != losses[-1]  # every step has its own batch and rate
    for one, other in zip(alone.network.parameters(), recorded.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4)


def test_a_cpu_records_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(anyir.model.training.trainer, "compile_blocks", lambda network: None)
    assert not isinstance(make_trainer(tmp_path, compile=True).learn, RecordedStep)
