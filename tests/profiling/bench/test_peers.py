"""Other papers' networks: their sizes are those that their authors give."""

import pytest
import torch

from anyir.profiling.bench.peers import PEERS, NAFNet, Restormer, count_multiply_adds


@pytest.mark.parametrize("name", PEERS)
def test_parameters_and_multiply_adds_are_the_paper_s_within_a_hundredth(name):
    peer = PEERS[name]
    with torch.device("meta"):
        network = peer.make()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(peer.parameters, rel=0.01)
    counted = count_multiply_adds(network, 256, 256, products=False)
    assert counted == pytest.approx(peer.multiply_adds, rel=0.01)
    with_products = count_multiply_adds(network, 256, 256)
    assert (with_products > counted) == (name == "restormer")  # its attention; NAFNet has no products


@pytest.mark.parametrize(
    "network", [NAFNet(8, (1, 1), 1, (1, 1)), Restormer(8, (1, 1, 1, 1), 1, (1, 1, 2, 2))]
)
def test_they_give_what_they_take(network):
    image = torch.rand(1, 3, 32, 16)
    with torch.inference_mode():
        output = network(image)
    assert output.shape == image.shape
    assert output.isfinite().all()
