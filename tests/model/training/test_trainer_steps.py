"""What a step of training does with the settings, on a fixed batch."""

import pytest
import torch

from anyir.model import load_weights
from anyir.model.training import trainer as training
from anyir.model.training.config import ScheduleConfig
from anyir.model.training.schedule import learning_rate
from tests.helpers.training import make_trainer


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_every_step_has_its_learning_rate(tmp_path, optimizer):
    schedule = {"warmup_ratio": 0.25, "min_lr_ratio": 0.1}
    trainer = make_trainer(tmp_path, optim={"name": optimizer, "learning_rate": 1e-3}, schedule=schedule)
    seen, learn = [], trainer.learn

    def watch(*batch):
        seen.append([group["lr"] for each in trainer.optimizers.values() for group in each.param_groups])
        return learn(*batch)

    trainer.learn = watch
    trainer.fit()
    expected = [learning_rate(step / 8, 1e-3, ScheduleConfig(**schedule)) for step in range(8)]
    assert len(set(expected)) == 8
    assert [set(rates) for rates in seen] == [{rate} for rate in expected]


def test_the_optimizers_have_the_betas_and_the_decay_that_are_asked_for(tmp_path):
    trainer = make_trainer(tmp_path, optim={"name": "muon", "betas": [0.8, 0.95], "weight_decay": 0.02})
    groups = {name: each.param_groups for name, each in trainer.optimizers.items()}
    assert [group["betas"] for group in groups["adamw"]] == [(0.8, 0.95)]
    assert [group["weight_decay"] for part in groups.values() for group in part] == [0.02, 0.02]


def test_a_large_gradient_is_cut_to_length_one(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path)
    loss = training.restoration_loss
    monkeypatch.setattr(training, "restoration_loss", lambda *given: 1e6 * loss(*given))
    trainer.learn(*trainer.loader.take(0))
    norms = [weight.grad.norm() for weight in trainer.network.parameters()]
    assert torch.stack(norms).norm() == pytest.approx(1.0, rel=1e-3)


def test_the_averaged_weights_are_validated_and_shipped(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, optim={"learning_rate": 1e-2})
    validated = []
    monkeypatch.setattr(training, "validate", lambda network, clean: validated.append(network) or {})
    trainer.fit()
    shipped = load_weights(tmp_path / "tiny.safetensors")
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        made, averaged, last = (
            net.eval()(image) for net in (shipped, trainer.average.module, trainer.network)
        )
    assert (averaged - last).abs().max() > 1e-2
    torch.testing.assert_close(made, averaged, rtol=0, atol=2e-3)
    assert len(validated) == 2
    assert all(network is trainer.average.module for network in validated)
