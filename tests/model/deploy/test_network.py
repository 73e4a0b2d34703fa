"""The deploy form against the literal one: every rewrite alone, and the whole network."""

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from anyir.model import PRESETS, AnyIR, load_weights, to_deploy
from anyir.model.checkpoint import shipped_presets
from anyir.model.config import AnyIRConfig
from anyir.model.deploy.attention import LONGEST_SUM, DeployAttention, short_parts
from anyir.model.deploy.network import (
    DeployDAB,
    DeployFeedForward,
    DeployGate,
    DeployNorm,
    DeployUpsample,
    to_deploy_pair,
)
from anyir.model.deploy.rewrites import (
    bounded_rows,
    copying_mask,
    fold_affine,
    fold_fusion,
    fold_merge,
    halves_first,
    rows_first,
    strided_downsample,
)
from anyir.model.errors import UserError
from anyir.model.network import (
    Attention,
    ChannelNorm,
    Downsample,
    FeedForward,
    Fusion,
    GatedDA,
    Upsample,
    conv1x1,
)

EXACT = 1e-9


def slow_but(presets, *quick):
    """Every preset, those marked slow that are not ``quick``."""
    return [preset if preset in quick else pytest.param(preset, marks=pytest.mark.slow) for preset in presets]


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def randomised(module, seed=0):
    """In float64, with norms, tau, lambda and temperature random: none hides at its initial value."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    for parameter in module.parameters():
        # Convolutions keep their initial spread: more would make a deep network's output explode.
        scale = 0.3 if parameter.ndim < 4 else 0.02
        parameter += scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return module


def feature(channels, height=6, width=10, seed=1, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(1, channels, height, width, generator=generator, dtype=torch.float64)


def difference(a, b):
    assert a.shape == b.shape
    return (a - b).abs().max().item()


def test_channel_order_makes_the_skip_split_two_halves():
    x = feature(12)
    permuted = x[:, halves_first(12, "skip")]
    assert torch.equal(permuted[:, :6], x[:, 0::2])
    assert torch.equal(permuted[:, 6:], x[:, 1::2])
    assert torch.equal(halves_first(12, "half"), torch.arange(12))


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_norm_as_constant_convolutions(gain):
    norm, x = randomised(ChannelNorm(6)), feature(6, scale=5) + 3
    normed = DeployNorm(norm, gain)(x) / gain
    assert difference(normed * norm.weight[:, None, None] + norm.bias[:, None, None], norm(x)) < EXACT


def test_norm_of_a_black_patch_is_zero():
    assert DeployNorm(ChannelNorm(6).double())(torch.zeros(1, 6, 2, 2).double()).abs().max() == 0


def test_scale_and_shift_fold_into_the_next_convolution():
    norm, conv, x = randomised(ChannelNorm(6)), randomised(conv1x1(6, 9)), feature(6)
    weight, bias = fold_affine(conv.weight, norm.weight, norm.bias)
    affine = x * norm.weight[:, None, None] + norm.bias[:, None, None]
    assert difference(F.conv2d(x, weight, bias), conv(affine)) < EXACT


@pytest.mark.parametrize(("height", "width"), [(6, 10), (5, 9), (6, 7), (7, 6)])
def test_fusion_and_its_projection_are_linear_in_four_maps(height, width):
    fusion, conv = randomised(Fusion()), randomised(conv1x1(12, 12))
    a, g = feature(6, height, width), feature(6, height, width, seed=2)
    parts = torch.cat([a, g, a.sigmoid(), g.sigmoid()], dim=1)
    folded = F.conv2d(parts, fold_fusion(conv.weight, fusion.weight))
    assert difference(folded, conv(fusion(a, g))) < EXACT


def test_downsample_is_one_strided_convolution():
    down, x = randomised(Downsample(6)), feature(6)
    assert difference(F.conv2d(x, strided_downsample(down.conv.weight), stride=2, padding=1), down(x)) < EXACT


def test_upsample_shuffles_whole_rows():
    up, x = randomised(Upsample(6)), feature(6)
    assert difference(DeployUpsample(rows_first(up.conv.weight))(x), up(x)) < EXACT


def test_merge_folds_into_the_upsampling():
    up, merge, x = randomised(Upsample(6)), randomised(conv1x1(3, 4)), feature(6)
    folded = fold_merge(rows_first(up.conv.weight), merge.weight)
    assert difference(DeployUpsample(folded)(x), merge(up(x))) < EXACT


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize(("height", "width"), [(6, 10), (5, 9), (1, 1), (45, 47)])
def test_attention_over_parts_of_the_pixels(heads, height, width):
    attention, norm = randomised(Attention(8, heads)), randomised(ChannelNorm(8))
    x = feature(8, height, width)
    deployed, normed = DeployAttention(attention, norm, height, width), DeployNorm(norm)(x)
    assert difference(deployed(normed, deployed.matrix(normed)), attention(norm(x))) < EXACT


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize(("height", "width"), [(6, 10), (5, 9), (1, 1)])
def test_attention_with_a_given_matrix_is_one_product(heads, height, width):
    attention, norm = randomised(Attention(8, heads)), randomised(ChannelNorm(8))
    sheet, x = feature(8, 8, 8, seed=2), feature(8, height, width)
    matrix = DeployAttention(attention, norm, 8, 8).matrix(DeployNorm(norm)(sheet))
    assert matrix.shape == (2, 8, 8)
    given = DeployAttention(attention, norm, height, width, given=True)
    expected = attention(norm(x), attention.statistics(norm(sheet), 1))
    assert difference(given(DeployNorm(norm)(x), matrix), expected) < EXACT
    assert {name.split(".")[0] for name in given.state_dict()} == {"value"}


def test_mask_separates_heads_in_both_copies():
    mask = copying_mask(8, 2)
    assert mask.shape == (2, 8, 8)
    assert torch.equal(mask[0] == 0, torch.block_diag(torch.ones(4, 4), torch.ones(4, 4)).bool())
    logits = feature(1, 8, 8)[0]
    copies = (logits + copying_mask(8, 1)).softmax(-1)
    assert difference(copies, logits.softmax(-1).expand(2, 8, 8)) < EXACT


@pytest.mark.parametrize("parts", [(1, 1, 2), (0, 2, 2), (2, 0, 2), (2, 2, 0)])
@pytest.mark.parametrize("gain", [1.0, 0.07])
def test_gate_on_the_normalised_map(parts, gain):
    gate, x = randomised(GatedDA(6, parts, 3)), feature(6)
    deployed, normed = DeployGate(gate, gain), DeployNorm(gate.norm, gain)(x)
    factor = (deployed.factor(normed),) if parts[0] else ()
    assert difference(deployed(normed, x, *factor), gate(x)) < EXACT


@pytest.mark.parametrize("parts", [(1, 1, 2), (2, 0, 2)])
@pytest.mark.parametrize("gain", [1.0, 0.07])
def test_gate_with_a_given_factor(parts, gain):
    gate, sheet, x = randomised(GatedDA(6, parts, 3)), feature(6, 8, 8, seed=2), feature(6)
    factor = DeployGate(gate, gain).factor(DeployNorm(gate.norm, gain)(sheet))
    assert factor.shape == (1, parts[0] * 6, 1, 1)
    given = DeployGate(gate, 1.0, given=True)
    expected = gate(x, gate.statistics(sheet, 1))
    assert difference(given(DeployNorm(gate.norm)(x), x, factor), expected) < EXACT
    assert not {"tau", "scale", "shift"} & set(given.state_dict())


def test_feed_forward_in_the_permuted_stream():
    ffn, norm, x = randomised(FeedForward(12, 2.0)), randomised(ChannelNorm(12)), feature(12)
    order = halves_first(12, "skip")
    deployed = DeployFeedForward(ffn, norm, order)(DeployNorm(norm)(x[:, order]))
    assert difference(deployed, ffn(norm(x))[:, order]) < EXACT


def test_sums_over_pixels_stay_inside_float16_for_any_input():
    pixels = 256 * 256
    weight, bias, kernel = (
        feature(24, 1, 1),
        torch.tensor([0.3]),
        torch.ones(1, 1, 3, 3),
    )
    factor = bounded_rows(weight, bias.double(), kernel.double(), pixels)
    # The normalised pixel that excites this channel most, everywhere.
    worst = (weight / weight.norm() * 24**0.5).expand(1, 24, 8, 8)
    q = F.conv2d(F.conv2d(worst, weight, bias.double()), (kernel * factor).double(), padding=1)
    assert q[..., 4, 4].square() * pixels == pytest.approx(255**2)
    assert bounded_rows(weight * 0, bias.double() * 0, kernel.double(), pixels) == 1


@pytest.mark.parametrize("preset", slow_but(PRESETS, "tiny", "small"))
def test_whole_network_in_float64(preset):
    network = randomised(AnyIR(PRESETS[preset]))
    image = torch.rand(1, 3, 24, 40, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    literal = network(image)
    assert difference(to_deploy(network, 24, 40)(image), literal) < EXACT * max(1, literal.abs().max().item())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"split": "half", "gated_da": False, "fusion": False},  # Table 7 (a)
        {"fusion": False, "gate_parts": (0, 2, 2)},  # Table 8: no alpha, nothing to multiply
        {"fusion": False, "gate_parts": (2, 0, 2)},
        {"fusion": False, "gate_parts": (2, 2, 0)},
    ],
)
def test_two_entries_are_the_network_with_the_sheets_statistics(changes):
    network = randomised(AnyIR(replace(PRESETS["tiny"], **changes)))
    generator = torch.Generator().manual_seed(3)
    sheet, tile = (torch.rand(1, 3, 24, 40, generator=generator, dtype=torch.float64) for _ in range(2))
    look, restore = to_deploy_pair(network, 24, 40)
    literal = network(tile, network.statistics(sheet))
    assert difference(restore(tile, *look(sheet)), literal) < EXACT * max(1, literal.abs().max().item())
    assert difference(restore(sheet, *look(sheet)), network(sheet)) < EXACT * max(1, literal.abs().max())


def test_tiles_may_have_another_size_than_the_sheet():
    network = randomised(AnyIR(PRESETS["tiny"]))
    sheet, tile = (torch.rand(1, 3, *size, dtype=torch.float64) for size in ((24, 24), (16, 40)))
    look, restore = to_deploy_pair(network, 24, 24, (16, 40))
    literal = network(tile, network.statistics(sheet))
    assert difference(restore(tile, *look(sheet)), literal) < EXACT * max(1, literal.abs().max().item())


def test_restore_has_nothing_that_couples_far_pixels():
    """A pixel changes what its convolutions reach; with its own statistics it changes all."""
    network = randomised(AnyIR(PRESETS["tiny"]))
    look, restore = to_deploy_pair(network, 8, 1024)
    image = torch.rand(1, 3, 8, 1024, dtype=torch.float64)
    other = image.clone()
    other[..., 0] = 0
    statistics = look(image)
    assert torch.equal(restore(image, *statistics)[..., -64:], restore(other, *statistics)[..., -64:])
    assert difference(network(image)[..., -64:], network(other)[..., -64:]) > EXACT
    assert not any("query" in name or "key" in name for name in restore.state_dict())


def test_statistics_are_two_tensors_a_block():
    look, _ = to_deploy_pair(AnyIR(PRESETS["tiny"]), 16, 16)
    blocks = [module for module in look.modules() if isinstance(module, DeployDAB)]
    shapes = [tuple(tensor.shape) for tensor in look(torch.rand(1, 3, 16, 16))]
    expected = [((2, n, n), (1, n, 1, 1)) for n in (block.half_width for block in blocks)]
    assert shapes == [shape for pair in expected for shape in pair]


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 72), (64, 64), (8, 104)])
def test_odd_sizes(height, width):
    network = randomised(AnyIR(PRESETS["tiny"]), seed=height)
    # Not any image: 8x8 is one pixel at the lowest scale, and a channel that happens to be below 1/60,000
    # there meets the clamp of the inverse norm, which float16 needs: one image in a thousand, by 1e-5.
    image = torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert difference(to_deploy(network, height, width)(image), network(image)) < EXACT


def test_depthwise_kernel_and_wide_heads():
    config = AnyIRConfig(**{**PRESETS["tiny"].to_dict(), "depthwise_kernel": 5, "heads": (2, 4, 8, 16)})
    network, image = randomised(AnyIR(config)), torch.rand(1, 3, 16, 24, dtype=torch.float64)
    assert difference(to_deploy(network, 16, 24)(image), network(image)) < EXACT


@pytest.mark.parametrize("preset", ["tiny", "small"])
def test_whole_network_in_float32(preset):
    network = randomised(AnyIR(PRESETS[preset])).float()
    image = torch.rand(1, 3, 40, 72)
    assert difference(to_deploy(network, 40, 72)(image), network(image)) < 1e-4


@pytest.mark.parametrize("preset", slow_but(shipped_presets(), "small"))
def test_shipped_weights(preset):
    network = load_weights(preset)
    image = torch.rand(1, 3, 40, 72)
    assert difference(to_deploy(network, 40, 72)(image), network(image)) < 1e-4
    network = network.double()
    assert difference(to_deploy(network, 40, 72)(image.double()), network(image.double())) < EXACT


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 30.0])
def test_float16_follows_float32_for_dark_and_bright_inputs(scale):
    network = randomised(AnyIR(PRESETS["tiny"])).float()
    image = scale * torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(4))
    exact = to_deploy(network, 128, 128)(image)
    half = to_deploy(network, 128, 128).half()(image.half()).float()
    assert torch.isfinite(half).all()
    assert difference(half, exact) < 0.02 * max(exact.abs().max().item(), 1.0)


@pytest.mark.parametrize("tile", [256, 512])
def test_float16_can_count_the_pixels_of_large_tiles(tile):
    """256 x 256 = 65,536 is infinity in float16."""
    deployed = to_deploy(randomised(AnyIR(PRESETS["tiny"])).float(), tile, tile)
    assert all(torch.isfinite(tensor.half()).all() for tensor in deployed.state_dict().values())
    attention = deployed.encoder[0][0].attention
    x = torch.randn(1, attention.query[0].in_channels, tile, tile, generator=torch.Generator().manual_seed(5))
    exact = attention(x, attention.matrix(x))
    half = attention.half()
    rounded = half(x.half(), half.matrix(x.half())).float()
    assert difference(rounded, exact) < 0.02 * exact.abs().max().item()


@pytest.mark.parametrize(
    ("pixels", "parts"), [(2, 2), (2048, 2), (65536, 64), (36, 2), (2 * 1031, 1031), (6 * 1031, 1031)]
)
def test_a_gram_matrix_is_summed_in_short_parts(pixels, parts):
    assert short_parts(pixels) == parts
    assert pixels % parts == 0
    assert pixels // parts <= LONGEST_SUM


def test_the_network_itself_is_untouched():
    network = AnyIR(PRESETS["tiny"])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    deployed = to_deploy(network, 16, 16)
    for parameter in deployed.parameters():
        parameter += 1
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.training
    assert not deployed.training


def test_the_form_carries_no_gradients_and_can_be_copied():
    with torch.enable_grad():
        deployed = to_deploy(AnyIR(PRESETS["tiny"]), 16, 16)
        assert not any(t.requires_grad for t in deployed.state_dict(keep_vars=True).values())
        assert not copy.deepcopy(deployed)(torch.rand(1, 3, 16, 16)).requires_grad


@pytest.mark.parametrize(("height", "width"), [(12, 16), (16, 0), (-8, 8)])
def test_size_that_is_no_multiple_of_8(height, width):
    for rewrite in (to_deploy, to_deploy_pair):
        with pytest.raises(UserError, match="multiples of 8"):
            rewrite(AnyIR(PRESETS["tiny"]), height, width)
    with pytest.raises(UserError, match="multiples of 8"):
        to_deploy_pair(AnyIR(PRESETS["tiny"]), 16, 16, (height, width))
