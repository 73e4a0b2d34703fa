"""A larger network that begins where a trained smaller one is."""

from __future__ import annotations

import torch
from torch import nn

from anyir.model.config import AnyIRConfig
from anyir.model.errors import UserError
from anyir.model.network import DAB, AnyIR
from anyir.model.training.widening import embed, embed_block, follow_means

_FREE = ("dim", "blocks", "decoder", "refinement", "ffn_expansion")
"""What may be larger, ``dim`` with the skip-split alone, whose halves keep their places; everything else of
the config shapes all of the weights."""

_BETWEEN = {"patch_embed": (1, 2), "down": (1, 1), "up": (1, 0), "merge": (2, 2), "output": (1, 0)}
"""The convolutions outside of blocks: maps that they read, and ``sides`` of ``follow_means``."""


@torch.no_grad()
def grow(trained: AnyIR, network: AnyIR) -> None:
    """Give ``network`` the function of ``trained``, which has fewer blocks, fewer channels or narrower
    feed-forward networks.

    As in Net2Net (Chen et al., ICLR 2016), what is new leaves no trace at first: blocks after a level's
    trained ones add zero to the residual stream, as the 1x1 convolutions that end their two branches are
    zero, and new channels are read with weight zero. All of them have gradients there, so that training
    brings them in. With more channels (``dim``) the function is nearly the same: ``anyir.model.training.widening``.

    Args:
        trained: of any preset with the same heads and parts.
        network: freshly made; what is new keeps its random weights but for those zeros.

    Raises:
        UserError: the one does not fit into the other.
    """
    check_growth(trained.config, network.config)
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
    if small == large:
        raise UserError("these weights are of that preset already: go on from them with --resume")
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
