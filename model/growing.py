"""A larger network that begins where a trained smaller one is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anyir.model.config import AnyIRConfig
from anyir.model.errors import UserError
from anyir.model.network import DAB, AnyIR

_FREE = ("blocks", "decoder", "refinement", "ffn_expansion")
"""What may be larger; everything else of the config shapes all of the weights."""


@torch.no_grad()
def grow(trained: AnyIR, network: AnyIR) -> None:
    """Give ``network`` the function of ``trained``, which has fewer blocks or narrower feed-forward networks.

    As in Net2Net (Chen et al., ICLR 2016), what is new leaves no trace at first: blocks after a level's
    trained ones add zero to the residual stream, as the 1x1 convolutions that end their two branches are
    zero, and hidden channels of a feed-forward network are read with weight zero. All of them have
    gradients there, so that training brings them in.

    Args:
        trained: of any preset with the same ``dim``, heads and parts.
        network: freshly made; what is new keeps its random weights but for those zeros.

    Raises:
        UserError: the one does not fit into the other.
    """
    check_growth(trained.config, network.config)
    source = trained.state_dict()
    for level, blocks in _levels(network).items():
        count = len(_levels(trained)[level])
        for index, block in enumerate(blocks):
            if index >= count:
                block.fuse.weight.zero_()
                block.ffn.project.weight.zero_()
    for name, weight in network.state_dict().items():
        if name in source:  # its numbers are the same tensor as the parameter's
            _copy(source[name], weight, name)


def check_growth(small: AnyIRConfig, large: AnyIRConfig) -> None:
    """Raises UserError: a network of the one config cannot begin as one of the other."""
    if small == large:
        raise UserError("these weights are of that preset already: go on from them with --resume")
    before, after = small.to_dict(), large.to_dict()
    for key, value in before.items():
        fits = after[key] == value
        if key in _FREE:
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


def _copy(source: Tensor, target: Tensor, name: str) -> None:
    """Fill a weight, of a feed-forward network perhaps, whose hidden channels are more than there were."""
    if source.shape == target.shape:
        target.copy_(source)
    elif name.endswith("ffn.project.weight"):  # (channels, hidden, 1, 1)
        target.zero_()
        target[:, : source.shape[1]].copy_(source)
    else:  # gate and value, one above the other: (2 hidden, ...)
        for new, old in zip(target.chunk(2), source.chunk(2), strict=True):
            new[: len(old)].copy_(old)
