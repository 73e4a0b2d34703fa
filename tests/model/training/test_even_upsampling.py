"""An even map stays even through the upsampling, and training keeps it so."""

import json

import pytest
import torch

from anyir.model import AnyIR
from anyir.model.config import PRESETS
from anyir.model.training.optim import even_out_upsampling
from tests.helpers.training import make_trainer


def unevenness(network):
    """Largest difference between neighbours that upsampling makes of even maps, borders aside."""
    found = []
    for up in network.up:
        channels = up.conv.weight.shape[1]
        even = torch.rand(1, channels, 1, 1, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            inside = up(even.expand(1, channels, 8, 8))[..., 2:-2, 2:-2]
        found.append(float((inside - inside[..., :1, :1]).abs().max()))
    return max(found)


def test_even_maps_stay_even():
    network = AnyIR(PRESETS["tiny"])
    assert unevenness(network) > 0.01
    even_out_upsampling(network)
    assert unevenness(network) < 1e-5


def test_only_the_mean_of_a_kernel_changes_and_the_mean_of_the_four_stays():
    network = AnyIR(PRESETS["tiny"])
    before = [up.conv.weight.detach().clone() for up in network.up]
    even_out_upsampling(network)
    for up, old in zip(network.up, before, strict=True):
        change = up.conv.weight.detach() - old
        assert change.abs().max() > 1e-4
        assert torch.allclose(change, change[..., :1, :1].expand_as(change), atol=1e-6)
        assert change.unflatten(0, (-1, 4)).sum(dim=1).abs().max() < 1e-6
    once = [up.conv.weight.detach().clone() for up in network.up]
    even_out_upsampling(network)
    assert all(torch.allclose(up.conv.weight, w, atol=1e-7) for up, w in zip(network.up, once, strict=True))


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_training_keeps_them_even_and_records_it(tmp_path, optimizer):
    plain = make_trainer(tmp_path / "plain", max_steps=3, optim={"name": optimizer})
    assert plain.fit()
    assert unevenness(plain.network) > 0.01
    optim = {"name": optimizer, "even_upsampling": True}
    trainer = make_trainer(tmp_path / "even", max_steps=3, optim=optim)
    assert trainer.fit()
    assert unevenness(trainer.network) < 1e-5
    assert unevenness(trainer.average.module) < 1e-5  # what is shipped, though it began uneven
    (run,) = json.loads((tmp_path / "even/tiny.json").read_text())["training"]["runs"]
    assert run["config"]["optim"]["even_upsampling"] is True
