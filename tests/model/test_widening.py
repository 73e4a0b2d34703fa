"""Weights of a narrower network in a wider one: what stays exactly the same, and how near the rest comes."""

from dataclasses import replace

import pytest
import torch

from anyir.model import AnyIR, load_weights
from anyir.model.config import PRESETS
from anyir.model.growing import grow
from anyir.model.metrics import psnr
from anyir.model.network import DAB, ChannelNorm
from anyir.model.widening import _embed_norm, embed, embed_block, follow_means

TINY = PRESETS["tiny"]


@pytest.fixture(autouse=True)
def nothing_is_trained():
    torch.manual_seed(3)
    with torch.no_grad():
        yield


def test_new_inputs_are_not_read_by_the_old_outputs():
    old, new = torch.rand(4, 6, 3, 3), torch.rand(8, 10, 3, 3)
    embed(old, new, rows=2, columns=2)
    for half in range(2):
        rows, kept = new[4 * half : 4 * half + 4], old[2 * half : 2 * half + 2]
        assert torch.equal(rows[:2, [0, 1, 2, 5, 6, 7]], kept)
        assert (rows[:2, [3, 4, 8, 9]] == 0).all()
        assert (rows[2:] != 0).all()


def test_a_norm_gives_the_old_channels_as_before():
    old, new = ChannelNorm(6).double(), ChannelNorm(8).double()
    old.weight.copy_(torch.rand(6))
    old.bias.copy_(torch.rand(6))
    _embed_norm(old, new)
    x = torch.rand(1, 6, 4, 4, dtype=torch.float64)
    wider = torch.cat([x, x.mean(dim=1, keepdim=True).expand(1, 2, 4, 4)], dim=1)
    # The constant under the root, 1e-5, is no smaller share of the variance than before.
    torch.testing.assert_close(new(wider)[:, :6], old(x), rtol=1e-3, atol=1e-4)
    assert new(wider)[:, 6:].abs().max() < 1e-9


def test_new_channels_of_the_stream_follow_their_side():
    weight = torch.rand(12, 5, 1, 1)
    before = weight.clone()
    follow_means(weight, 8)
    assert torch.equal(weight[:8], before[:8])
    assert weight[8:] == pytest.approx(
        0.1 * before[8:] + torch.stack([before[i % 2 : 8 : 2].mean(dim=0) for i in range(4)]), abs=1e-6
    )


@pytest.mark.parametrize("parts", [(1, 1, 2), (2, 0, 2), (0, 2, 2), (2, 2, 0)])
def test_a_block_does_what_it_did(parts):
    """Where every key counts alike and both sides have one mean; else the norms and the softmax differ."""
    config = replace(TINY, gate_parts=parts)
    old, new = DAB(8, 2, config).double(), DAB(12, 2, replace(config, dim=12)).double()
    old.attention.temperature.zero_()
    old.fuse.weight.zero_()  # the second norm sees the input
    embed_block(old, new)
    x = torch.randn(1, 8, 8, 8, dtype=torch.float64)
    sides = [x[:, side::2] - x[:, side::2].mean(dim=1, keepdim=True) for side in range(2)]
    x = torch.stack(sides, dim=2).flatten(1, 2)
    assert x[:, 0::2].mean(dim=1).abs().max() < 1e-12
    wider = torch.cat([x, torch.zeros(1, 4, 8, 8, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(new(wider)[:, :8], old(x), rtol=1e-2, atol=1e-2)
    half = replace(config, dim=12)
    assert (DAB(12, 2, half).double()(wider)[:, :8] - old(x)).abs().max() > 0.05


def test_phone_begins_near_small():
    small, phone = load_weights("small"), AnyIR(PRESETS["phone"])
    grow(small, phone)
    from skimage import data

    photo = torch.from_numpy(data.astronaut()[:128, :128]).permute(2, 0, 1)[None] / 255
    noisy = photo + 0.1 * torch.randn(photo.shape)
    raw, before, after = (
        psnr(image=image[0].clamp(0, 1), reference=photo[0], data_range=1.0)
        for image in (noisy, small(noisy), phone(noisy))
    )
    assert raw < before - 5
    assert after > before - 0.5
