"""Weights of a narrower network in a wider one: what stays exactly the same, and how near the rest comes."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from skimage import data

from anyir.model import AnyIR, load_weights
from anyir.model.config import PRESETS
from anyir.model.metrics import psnr
from anyir.model.network import DAB, ChannelNorm, Downsample
from anyir.model.training import net2net as widening
from anyir.model.training.net2net import _embed_norm, embed, follow_means, grow
from tests.helpers.random_weights import randomised

TINY = PRESETS["tiny"]


@pytest.fixture(autouse=True)
def seeded_without_gradients():
    torch.manual_seed(3)
    with torch.no_grad():
        yield


def test_new_inputs_are_not_read_by_the_old_outputs():
    old, new = torch.rand(4, 6, 3, 3), torch.rand(8, 10, 3, 3)
    before = new.clone()
    embed(old, new, rows=2, columns=2)
    for half in range(2):
        rows, kept = new[4 * half : 4 * half + 4], old[2 * half : 2 * half + 2]
        assert torch.equal(rows[:2, [0, 1, 2, 5, 6, 7]], kept)
        assert (rows[:2, [3, 4, 8, 9]] == 0).all()
        assert torch.equal(rows[2:], before[4 * half + 2 : 4 * half + 4])


def test_a_norm_gives_the_old_channels_as_before():
    old, new = ChannelNorm(6).double(), ChannelNorm(8).double()
    old.weight.copy_(torch.rand(6))
    old.bias.copy_(torch.rand(6))
    _embed_norm(old, new)
    x = torch.rand(1, 6, 4, 4, dtype=torch.float64)
    wider = torch.cat([x, x.mean(dim=1, keepdim=True).expand(1, 2, 4, 4)], dim=1)
    # Not exactly: the constant under the root, 1e-5, is a larger share of the smaller variance.
    torch.testing.assert_close(new(wider)[:, :6], old(x), rtol=1e-3, atol=1e-4)


def test_new_channels_of_the_stream_follow_their_side():
    weight = torch.rand(12, 5, 1, 1)
    before = weight.clone()
    follow_means(weight, 8)
    assert torch.equal(weight[:8], before[:8])
    assert weight[8:] == pytest.approx(
        0.1 * before[8:] + torch.stack([before[i % 2 : 8 : 2].mean(dim=0) for i in range(4)]), abs=1e-6
    )


def see_the_old_channels(wide, narrow):
    """Let every norm of the wide network take mean and variance from the old channels: widening cannot know
    from weights alone how far the means of both sides lie apart."""
    before = dict(narrow.named_modules())
    for name, norm in wide.named_modules():
        if isinstance(norm, ChannelNorm):
            norm.forward = partial(_norm_of_the_first, norm, len(before[name].weight))


def _norm_of_the_first(norm, count, x):
    mean = x[:, :count].mean(dim=1, keepdim=True)
    variance = (x[:, :count] - mean).square().mean(dim=1, keepdim=True)
    share = (len(norm.weight) / count) ** 0.5
    x = (x - mean) * torch.rsqrt(variance + norm.eps) * share
    return x * norm.weight[:, None, None] + norm.bias[:, None, None]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fusion": False, "gate_parts": (2, 2, 0)},
        {"gate_parts": (2, 0, 2)},
        {"gate_parts": (0, 2, 2)},
        {"gated_da": False, "fusion": False},
    ],
)
def test_but_for_norms_and_softmax_the_function_is_the_same(changes):
    """At twice the channels every key has one copy, so that the softmax is the same too."""
    config = replace(TINY, **changes)
    narrow, wide = randomised(AnyIR(config)), randomised(AnyIR(replace(config, dim=16)))
    grow(narrow, wide)
    see_the_old_channels(wide, narrow)
    image = torch.rand(1, 3, 16, 24, dtype=torch.float64)
    assert (narrow(image) - image).abs().max() > 0.1
    expected = narrow(image)  # large numbers, from random weights
    torch.testing.assert_close(wide(image), expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


def test_new_channels_lie_at_their_sides_mean_everywhere(monkeypatch):
    monkeypatch.setattr(widening, "APART", 0.0)
    # From 8 to 10: an odd number of new channels before every pixel unshuffle.
    narrow, wide = randomised(AnyIR(TINY)), randomised(AnyIR(replace(TINY, dim=10)))
    grow(narrow, wide)
    seen = []

    def look(module, inputs, output):
        old = output.shape[1] * 8 // 10
        for side in range(2):
            new = output[:, old + side :: 2].mean(dim=1)
            expected = output[:, side:old:2].mean(dim=1)
            torch.testing.assert_close(new, expected, rtol=0, atol=1e-9 * float(output.abs().max()))
        seen.append(module)

    for name, module in wide.named_modules():
        if isinstance(module, DAB | Downsample) or name == "patch_embed" or name.startswith("merge."):
            module.register_forward_hook(look)
    wide(torch.rand(1, 3, 16, 24, dtype=torch.float64))
    assert len(seen) == 1 + 8 + 3 + 3  # embedding, blocks, downsampling, merges


def test_phone_begins_near_small():
    small, phone = load_weights("small"), AnyIR(PRESETS["phone"])
    grow(small, phone)
    photo = torch.from_numpy(data.astronaut()[:128, :128]).permute(2, 0, 1)[None] / 255
    noisy = photo + 0.1 * torch.randn(photo.shape)
    raw, before, after = (
        psnr(image=image[0].clamp(0, 1), reference=photo[0], data_range=1.0)
        for image in (noisy, small(noisy), phone(noisy))
    )
    assert raw < before - 5
    assert after > before - 0.5
