"""Muon against torch's own, and how it and AdamW share a network."""

import copy

import pytest
import torch

from anyir.model import AnyIR
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.training.config import OptimConfig
from anyir.model.training.optim import Muon, hidden_matrices, make_optimizers, orthogonalize
from tests.helpers.training import make_trainer, weights_of

CPU = torch.device("cpu")
SHAPES = ((8, 24), (24, 8), (8, 8), (24, 8), (5, 7))


def test_orthogonal_means_singular_values_near_one():
    made = orthogonalize(torch.randn(6, 16, 40, generator=torch.Generator().manual_seed(0))).float()
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_steps_are_those_of_torchs_muon():
    """torch takes two dimensions only and one matrix after the other; the steps are the same."""
    generator = torch.Generator().manual_seed(1)
    ours = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]
    theirs = copy.deepcopy(ours)
    one = Muon(ours, lr=0.02, weight_decay=0.1)
    other = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    before = [weight.detach().clone() for weight in ours]
    for _ in range(3):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        one.step()
        other.step()
    for a, b, start in zip(ours, theirs, before, strict=True):
        # Both are rounded to bfloat16 on the way.
        assert (a - b).norm() < 0.03 * (b - start).norm()


def test_a_convolution_is_the_matrix_of_its_outputs():
    generator = torch.Generator().manual_seed(2)
    flat = torch.nn.Parameter(torch.randn(4, 18, generator=generator))
    layout = flat.detach().clone().reshape(4, 2, 3, 3).contiguous(memory_format=torch.channels_last)
    convolution = torch.nn.Parameter(layout)
    flat.grad = torch.randn(4, 18, generator=generator)
    convolution.grad = flat.grad.reshape(4, 2, 3, 3)
    for weight in (flat, convolution):
        Muon([weight], lr=0.1, weight_decay=0.0).step()
    assert torch.equal(convolution.detach().flatten(1), flat.detach())


def test_weights_without_a_gradient_stay():
    weight = torch.nn.Parameter(torch.ones(3, 4))
    Muon([weight], lr=0.1, weight_decay=0.1).step()
    assert torch.equal(weight, torch.ones(3, 4))


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_parameter_has_one_optimizer(name):
    network = AnyIR(PRESETS["tiny"])
    made = make_optimizers(network, OptimConfig(name=name), CPU)
    owned = [id(p) for one in made.values() for group in one.param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in network.parameters())
    assert set(made) == {"adamw", name}


def test_muon_has_what_mixes_channels_inside():
    network = AnyIR(PRESETS["tiny"])
    chosen = {id(weight) for weight in hidden_matrices(network)}
    names = {name for name, weight in network.named_parameters() if id(weight) in chosen}
    assert "latent.0.ffn.expand.weight" in names
    assert "up.0.conv.weight" in names
    assert not names & {"patch_embed.weight", "output.weight", "latent.0.ffn.depthwise.weight"}
    assert not any("norm" in name or "temperature" in name or "tau" in name for name in names)


def test_a_run_with_muon_goes_on_exactly(tmp_path):
    muon = {"name": "muon"}
    straight = make_trainer(tmp_path / "a", optim=muon)
    straight.fit(asked_to_stop=lambda: straight.progress.step == 3)
    resumed = make_trainer(tmp_path / "b", optim=muon)
    resumed.resume(tmp_path / "a")
    for trainer in (straight, resumed):
        for _ in range(3):
            trainer.step()
    assert torch.equal(weights_of(straight), weights_of(resumed))


@pytest.mark.parametrize(("first", "second"), [("adamw", "muon"), ("muon", "adamw")])
def test_a_run_goes_on_with_its_own_optimizer_alone(tmp_path, first, second):
    begun = make_trainer(tmp_path, optim={"name": first})
    begun.fit(asked_to_stop=lambda: begun.progress.step == 1)
    other = make_trainer(tmp_path, optim={"name": second})
    owned = "adamw, muon" if first == "muon" else "adamw"
    with pytest.raises(UserError, match=f"is of other optimizers: {owned}$"):
        other.resume(tmp_path)
