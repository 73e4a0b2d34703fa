"""A larger network that begins where a trained smaller one is (Net2Net): deeper and wider."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anyir.model.config import AnyIRConfig
from anyir.model.errors import UserError
from anyir.model.network import DAB, AnyIR, Attention, ChannelNorm, GatedDA

_FREE = ("dim", "blocks", "decoder", "refinement", "ffn_expansion")
"""What may be larger, ``dim`` with the skip-split alone, whose halves keep their places; everything else of
the config shapes all of the weights."""

_BETWEEN = {"patch_embed": (1, 2), "down": (1, 1), "up": (1, 0), "merge": (2, 2), "output": (1, 0)}
"""The convolutions outside of blocks: maps that they read, and ``sides`` of ``follow_means``."""


@torch.no_grad()
def grow(trained: AnyIR, network: AnyIR) -> None:
    """Give ``network`` the function of ``trained``, which may have fewer blocks, fewer channels or narrower
    feed-forward networks.

    As in Net2Net (Chen et al., ICLR 2016), what is new leaves no trace at first: blocks after a level's
    trained ones add zero to the residual stream, as the 1x1 convolutions that end their two branches are
    zero, and new channels are read with weight zero. All of them have gradients there, so that training
    brings them in. With more channels (``dim``) the function is nearly the same (``embed``).

    Args:
        trained: of the same preset, or of any smaller one with the same heads and parts.
        network: freshly made; what is new keeps its random weights but for those zeros.

    Raises:
        UserError: the one does not fit into the other.
    """
    check_growth(trained.config, network.config)
    if trained.config == network.config:
        network.load_state_dict(trained.state_dict())
        return
    before = _levels(trained)
    for level, blocks in _levels(network).items():
        for index, block in enumerate(blocks):
            if index < len(before[level]):
                embed_block(before[level][index], block)
            else:
                block.fuse.weight.zero_()
                block.ffn.project.weight.zero_()
    for name, old in trained.named_modules():
        if isinstance(old, nn.Conv2d) and name.partition(".")[0] in _BETWEEN:
            columns, sides = _BETWEEN[name.partition(".")[0]]
            new = network.get_submodule(name)
            assert isinstance(new, nn.Conv2d)
            embed(old.weight, new.weight, columns=columns)
            follow_means(new.weight, len(old.weight), sides)


def check_growth(small: AnyIRConfig, large: AnyIRConfig) -> None:
    """Raises UserError: a network of the one config cannot begin as one of the other."""
    before, after = small.to_dict(), large.to_dict()
    for key, value in before.items():
        fits = after[key] == value
        if key in _FREE and (key != "dim" or small.split == "skip"):
            pairs = zip(_many(value), _many(after[key]), strict=True)
            fits = all(a <= b for a, b in pairs)
        if not fits:
            raise UserError(f"these weights cannot grow into that: {key} is {value}, and there {after[key]}")


def _many(value: float | list[float]) -> list[float]:
    return value if isinstance(value, list) else [value]


def _levels(network: AnyIR) -> dict[str, list[DAB]]:
    """Every run of blocks by its place in the network."""
    return {
        name: [block for block in module if isinstance(block, DAB)]
        for name, module in network.named_modules()
        if isinstance(module, nn.Sequential)
    }


APART = 0.1
"""Share of their random weights that the new channels keep, so that they do not stay each other's copies."""


def embed(old: Tensor, new: Tensor, *, rows: int = 1, columns: int = 1) -> None:
    """Copy a convolution's weight (O, I, k, k) into a larger one, whose old outputs read new inputs with
    zero; its rows for new outputs stay as they are.

    Args:
        rows, columns: how many maps lie one after the other in the outputs and inputs. Each has grown by
            itself: 2 for the halves that algorithm 2 joins, say.
    """
    new_rows, old_rows = new.chunk(rows), old.chunk(rows)
    for target, source in zip(new_rows, old_rows, strict=True):
        for to, of in zip(target.chunk(columns, dim=1), source.chunk(columns, dim=1), strict=True):
            to[: len(of), of.shape[1] :].zero_()
            to[: len(of), : of.shape[1]].copy_(of)


def follow_means(weight: Tensor, old: int, sides: int = 2) -> None:
    """Let outputs from ``old`` on be the mean of those before, plus the share ``APART`` of what they are.

    Args:
        weight: (O, I, k, k), of a convolution that writes to the residual stream.
        old: an even number where there are two sides.
        sides: 2: even and odd outputs by themselves, as the skip-split takes them; 1: all alike, before pixel
            unshuffle, which makes both sides of each; 0: nothing is changed.
    """
    for side in range(sides):
        new = weight[old + side :: sides]
        new.mul_(APART).add_(weight[side:old:sides].mean(dim=0))


def embed_block(old: DAB, new: DAB) -> None:
    """Give a block the function of one with as many channels or fewer."""
    _embed_norm(old.attention_norm, new.attention_norm)
    _embed_attention(old.attention, new.attention)
    if isinstance(old.gated_da, GatedDA) and isinstance(new.gated_da, GatedDA):
        _embed_gated_da(old.gated_da, new.gated_da)
    new.fusion.load_state_dict(old.fusion.state_dict())
    embed(old.fuse.weight, new.fuse.weight, columns=2)
    _embed_norm(old.ffn_norm, new.ffn_norm)
    embed(old.ffn.expand.weight, new.ffn.expand.weight, rows=2)
    embed(old.ffn.depthwise.weight, new.ffn.depthwise.weight, rows=2)
    embed(old.ffn.project.weight, new.ffn.project.weight)
    channels = len(old.ffn_norm.weight)
    follow_means(new.fuse.weight, channels)
    follow_means(new.ffn.project.weight, channels)


def _embed_norm(old: ChannelNorm, new: ChannelNorm) -> None:
    count = len(old.weight)
    # As the new channels lie at the mean, the deviation is smaller by this.
    new.weight[:count] = old.weight * (count / len(new.weight)) ** 0.5
    new.bias[:count] = old.bias


def _embed_attention(old: Attention, new: Attention) -> None:
    """Heads stay as many and grow wider. New keys are copies of old ones, with values of zero, so that they
    take a share of every sum of the softmax: about theirs by number, which the projection gives back."""
    new.temperature.copy_(old.temperature)
    parts = 3 * old.heads
    embed(old.qkv.weight, new.qkv.weight, rows=parts)
    embed(old.qkv_depthwise.weight, new.qkv_depthwise.weight, rows=parts)
    embed(old.project.weight, new.project.weight, columns=old.heads)
    each, wider = len(old.qkv.weight) // parts, len(new.qkv.weight) // parts
    if wider == each:
        return
    _, keys, values = new.qkv.weight.unflatten(0, (3, old.heads, wider))
    _, filters, _ = new.qkv_depthwise.weight.unflatten(0, (3, old.heads, wider))
    for index in range(each, wider):
        keys[:, index], filters[:, index] = keys[:, index - each], filters[:, index - each]
        values[:, index] = 0
    new.project.weight[: len(old.project.weight)] *= wider / each


def _embed_gated_da(old: GatedDA, new: GatedDA) -> None:
    half = len(old.tau)
    _embed_norm(old.norm, new.norm)
    new.tau[:half] = old.tau
    parts = (old.alpha + old.beta + old.gamma) // half
    embed(old.expand.weight, new.expand.weight, rows=parts)
    if old.depthwise is not None and new.depthwise is not None:
        embed(old.depthwise.weight, new.depthwise.weight, rows=old.alpha // half)
    embed(old.gate.weight, new.gate.weight, columns=(old.alpha + old.beta) // half)
    embed(old.project.weight, new.project.weight)
