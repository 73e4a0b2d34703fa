"""``restore`` for tiles of every size, against the deploy form of each."""

import pytest
import torch

from anyir.conversion.coreml.any_size import any_size, export_for
from anyir.model import load_weights
from anyir.model.deploy.network import to_deploy_pair

SIZES = ((24, 24), (32, 16), (40, 40))


@pytest.fixture(scope="module")
def network(tiny_weights):
    return load_weights(tiny_weights)


@pytest.fixture(scope="module")
def statistics(network):
    look, _ = to_deploy_pair(network, 24, 24)
    with torch.no_grad():
        return look(torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1)))


@pytest.fixture(scope="module")
def exported(network, statistics):
    module = any_size(to_deploy_pair(network, 24, 24)[1])
    examples = (torch.zeros(1, 3, 24, 24), *statistics)
    return export_for(SIZES, module, examples)


@pytest.mark.parametrize("size", SIZES)
def test_each_size_is_as_by_a_form_of_its_own(network, statistics, exported, size):
    tile = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        own = to_deploy_pair(network, *size)[1](tile, *statistics)
        several = exported.module()(tile, *statistics)
    assert torch.allclose(several, own, atol=2e-6)


def test_nothing_computes_lengths(exported):
    targets = {str(node.target) for node in exported.graph.nodes if node.op == "call_function"}
    assert "aten.conv2d.default" in targets
    assert not [name for name in targets if "sym" in name or "view" in name or "reshape" in name]


def test_the_module_itself_stays_as_it_is(network, statistics):
    restore = to_deploy_pair(network, 24, 24)[1]
    tile = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        before = restore(tile, *statistics)
        any_size(restore)
        assert torch.equal(restore(tile, *statistics), before)
