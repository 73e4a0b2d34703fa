"""Other papers' networks: their sizes are their authors', their layers what the papers write."""

import pytest
import torch
import torch.nn.functional as F

from anyir.profiling.bench.peers import PEERS, count_multiply_adds
from anyir.profiling.bench.peers.layers import PixelNorm, TransposedAttention, shuffle, unshuffle
from anyir.profiling.bench.peers.moceir import EXPERTS, DecoderBlock, MoCEIR, Router
from anyir.profiling.bench.peers.nafnet import NAFNet
from anyir.profiling.bench.peers.promptir import PromptIR
from anyir.profiling.bench.peers.restormer import Restormer


@pytest.mark.parametrize("name", PEERS)
def test_parameters_and_multiply_adds_are_the_authors_within_a_hundredth(name, monkeypatch):
    # MoCE-IR's authors give the mean of what their trained router chose; here the costliest expert counts.
    monkeypatch.setattr(Router, "forward", lambda self, *_: (torch.ones((), device="meta"), EXPERTS - 1))
    peer = PEERS[name]
    with torch.device("meta"):
        network = peer.make()
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(peer.parameters, rel=0.01)
    counted = count_multiply_adds(network, peer.side, peer.side, products=peer.products)
    assert counted == pytest.approx(peer.multiply_adds, rel=0.01)
    with_products = count_multiply_adds(network, peer.side, peer.side)
    without = count_multiply_adds(network, peer.side, peer.side, products=False)
    assert (with_products > without) == (name != "nafnet-w32")  # which has no attention


SMALL = [
    NAFNet(8, (1, 1), 1, (1, 1)),
    Restormer(8, (1, 1, 1, 1), 1, (1, 1, 2, 2)),
    PromptIR(16, (1, 1, 1, 1), 1, (1, 1, 2, 2), ((16, 8), (16, 4), (16, 2))),
    MoCEIR(8, (1, 1, 1, 1), (1, 1, 1), 1, (1, 1, 2, 2)),
]


@pytest.mark.parametrize("network", SMALL, ids=lambda network: type(network).__name__)
def test_they_give_what_they_take(network):
    image = torch.rand(1, 3, 32, 16)
    with torch.inference_mode():
        output = network(image)
    assert output.shape == image.shape
    assert output.isfinite().all()
    assert (output - image).abs().max() > 1e-3


def test_moceir_s_router_sends_images_to_different_experts():
    block = DecoderBlock(8, 1, 8).eval()
    with torch.no_grad():
        block.router.features.weight.zero_()
        block.router.frequencies.weight.copy_(torch.eye(EXPERTS, 8))
    x, embeddings = torch.rand(1, 8, 40, 24), torch.eye(EXPERTS, 8)  # no multiple of the largest window
    with torch.inference_mode():
        outputs = [block(x, embedding[None]) for embedding in embeddings]
    assert all(a.shape == x.shape and not torch.equal(a, b) for a in outputs for b in outputs if a is not b)


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_what_restormer_s_paper_writes(heads):
    attention = TransposedAttention(8, heads).eval()
    x = torch.rand(1, 8, 6, 4)
    with torch.inference_mode():
        query, key, value = (
            m(x).reshape(heads, 8 // heads, 24) for m in (attention.query, attention.key, attention.value)
        )
        query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)
        weights = (query @ key.transpose(1, 2) * attention.temperature).softmax(-1)
        due = attention.project((weights @ value).reshape(1, 8, 6, 4))
        torch.testing.assert_close(attention(x), due, rtol=1e-4, atol=1e-6)


def test_norm_is_layer_norm_over_the_channels():
    norm, x = PixelNorm(6), torch.rand(1, 6, 4, 4)
    due = F.layer_norm(x.permute(0, 2, 3, 1), (6,), eps=1e-6).permute(0, 3, 1, 2)
    with torch.inference_mode():
        torch.testing.assert_close(norm(x), due, rtol=1e-4, atol=1e-5)


def test_shuffling_is_pixel_shuffle_but_for_the_order_of_channels():
    x = torch.rand(1, 12, 4, 6)
    # (i, j, c), where pixel_shuffle has (c, i, j)
    reordered = x.reshape(1, 4, 3, 4, 6).transpose(1, 2).reshape(x.shape)
    assert torch.equal(shuffle(x), F.pixel_shuffle(reordered, 2))
    assert torch.equal(unshuffle(shuffle(x)), x)
