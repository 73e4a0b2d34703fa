"""Statistics of a photo: pooled over its crops, given back, and refused where they do not belong."""

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from anyir.model import PRESETS, AnyIR
from anyir.model.errors import UserError
from anyir.model.network import DAB, Attention, GatedDA
from anyir.model.statistics import as_one_image
from tests.helpers.random_weights import randomised


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def network_of(preset="tiny", seed=0):
    """In float64; convolutions keep their spread, so that outputs stay of the order of 1."""
    torch.manual_seed(seed)
    network = AnyIR(PRESETS[preset]).double().eval()
    for parameter in network.parameters():
        parameter += (0.3 if parameter.ndim < 4 else 0.02) * torch.randn_like(parameter)
    return network


def images(count, height=24, width=16, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, height, width, generator=generator, dtype=torch.float64)


def close(a, b, tolerance=1e-12):
    assert a.shape == b.shape
    assert (a - b).abs().max() < tolerance


def test_crops_one_above_the_other():
    crops = torch.arange(2 * 3 * 4).reshape(2, 3, 2, 2)
    assert torch.equal(as_one_image(crops, 2)[0], torch.cat([crops[0], crops[1]], dim=1))
    assert torch.equal(as_one_image(crops, 1), crops)


@pytest.mark.parametrize("heads", [1, 2])
def test_pooled_attention_by_hand(heads):
    attention, size = randomised(Attention(4, heads)), 4 // heads
    crops = torch.randn(3, 4, 6, 5, dtype=torch.float64)
    qkv = attention.qkv_depthwise(attention.qkv(crops)).numpy()
    found = attention.statistics(crops, 3)
    assert found.shape == (1, heads, size, size)
    for head in range(heads):
        q, k = (qkv[:, first + head * size :][:, :size] for first in (0, 4))
        gram = sum(np.einsum("ihw,jhw->ij", q[n], k[n]) for n in range(3))
        norm_q, norm_k = (np.sqrt(sum((t[n] ** 2).sum((1, 2)) for n in range(3))) for t in (q, k))
        logits = gram / norm_q[:, None] / norm_k * attention.temperature[head, 0, 0].item()
        np.testing.assert_allclose(found[0, head], softmax(logits, axis=1), rtol=0, atol=1e-12)


def test_pooled_gate_by_hand():
    gate = randomised(GatedDA(4, (1, 1, 2), 3))
    crops = torch.randn(3, 4, 6, 5, dtype=torch.float64)
    crops[1] *= 7  # crops that differ: their deviations' mean is not the deviation
    normed = gate.norm(crops).numpy()
    mean = normed.mean((0, 2, 3))
    square = (normed**2).mean((0, 2, 3))
    expected = expit(mean + np.sqrt(square - mean**2))
    np.testing.assert_allclose(gate.statistics(crops, 3)[0, :, 0, 0], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("preset", ["tiny", "ablation-a", "ablation-c", "ratio-1", "ratio-3"])
def test_an_image_with_its_own_statistics_is_the_papers_network(preset):
    network, image = network_of(preset), images(1)
    close(network(image, network.statistics(image)), network(image))


def test_crops_of_one_photo_are_pooled_block_by_block():
    """As each block's input depends on the pooled statistics of the block before."""
    network, crops = network_of(), images(4)
    blocks = [block for block in network.modules() if isinstance(block, DAB)]
    inputs = {}
    hooks = [block.register_forward_pre_hook(lambda b, i: inputs.update({b: i[0]})) for block in blocks]
    restored = network(crops, pool=4)
    for hook in hooks:
        hook.remove()
    found = network.statistics(crops)
    for block, own in zip(blocks, found.blocks, strict=True):
        x = inputs[block]
        by_hand = block.statistics(torch.cat(list(x), dim=1)[None], 1)  # one above the other
        assert len(own.attention) == len(own.gate) == 1
        # The 3x3 convolution of queries and keys sees other neighbours at the seams: not by_hand's.
        assert not torch.equal(own.attention, by_hand.attention)
        close(own.gate, by_hand.gate)
    close(network(crops, found), restored)
    assert (network(crops) - restored).abs().max() > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["tiny", "ablation-a", "ratio-1"])
def test_a_batch_of_photos_in_crops_is_photo_by_photo(preset):
    network, crops = network_of(preset), images(6)
    together = network(crops, pool=3)
    for photo in (slice(0, 3), slice(3, 6)):
        close(together[photo], network(crops[photo], network.statistics(crops[photo])))
    found = network.statistics(crops, pool=3)
    close(network(crops, found), together)
    tiles = images(4, 16, 32, seed=2)  # two tiles of each photo, of another size than its crops
    first = network.statistics(crops[:3])
    close(network(tiles, found)[:2], network(tiles[:2], first))


def test_equal_crops_are_one():
    network, crop = network_of(), images(1)
    close(network(crop.repeat(3, 1, 1, 1), pool=3), network(crop).expand(3, -1, -1, -1))


def test_gradients_flow_through_pooled_statistics():
    network, crops = network_of(), images(4)
    with torch.enable_grad():
        crops.requires_grad_()
        # The second crop reaches the first one's result through the statistics alone.
        (gradient,) = torch.autograd.grad(network(crops, pool=2)[0].square().sum(), crops)
        assert gradient[1].abs().max() > 0
        assert gradient[2:].abs().max() == 0
        given = network(crops, network.statistics(crops, pool=2))[0].square().sum()
        (other,) = torch.autograd.grad(given, crops)
    close(gradient, other, 1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("given", [False, True])
def test_compiled_and_exported_as_it_is(given):
    network = network_of().float().use_additive_fusion()
    crops = images(4).float()
    statistics = network.statistics(crops, pool=2) if given else None
    arguments = (crops, statistics, 2)
    expected = network(*arguments)
    exported = torch.export.export(network, arguments).module()
    close(exported(*arguments), expected, 1e-5)
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    close(compiled(*arguments), expected, 1e-5)


def without(statistics, block, **changes):
    blocks = list(statistics.blocks)
    blocks[block] = blocks[block]._replace(**changes)
    return statistics._replace(blocks=tuple(blocks))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda s: s._replace(blocks=s.blocks[1:]), "statistics of 7 blocks were given to a network of 8"),
        (lambda s: without(s, 2, gate=None), "gate statistics of block 3: missing; this network has"),
        (
            lambda s: without(s, 0, attention=s.blocks[1].attention),
            r"attention .* block 1: \(1, 2,",
        ),
        (lambda s: without(s, 1, gate=s.blocks[1].gate.float()), "float32 cpu; this network has .*float64"),
        (
            lambda s: without(s, 0, attention=s.blocks[0].attention.expand(2, -1, -1, -1)),
            "of 2 photos do",
        ),
        (lambda s: network_of(seed=1).statistics(images(1)), "were taken with other weights"),
        (lambda s: network_of("ablation-a").statistics(images(1)), "of 44 blocks"),
    ],
)
def test_statistics_that_do_not_belong_are_one_line(change, line):
    network = network_of()
    with pytest.raises(UserError, match=line) as error:
        network(images(1), change(network.statistics(images(1))))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("pool", [0, -1, 2, 4])
def test_a_batch_of_another_size_is_one_line(pool):
    network = network_of()
    for run in (network.statistics, lambda crops, pool: network(crops, pool=pool)):
        with pytest.raises(UserError, match=f"a batch of 3 is not {pool} crops of each photo"):
            run(images(3), pool)
