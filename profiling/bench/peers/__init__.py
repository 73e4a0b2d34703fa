"""Networks of other papers, in their shapes and with random weights: what the same converters make of them.

Written from the papers, for their speed alone. They restore nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyir.profiling.bench.peers.moceir import MoCEIR
from anyir.profiling.bench.peers.nafnet import NAFNet
from anyir.profiling.bench.peers.promptir import PromptIR
from anyir.profiling.bench.peers.restormer import Restormer

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Peer:
    """A paper's network.

    Attributes:
        parameters, multiply_adds: that its authors count.
        side: of the image of which they count them.
        products: whether they count the matrix products of attention, or convolutions alone.
    """

    make: Callable[[], nn.Module]
    parameters: float
    multiply_adds: float
    side: int
    products: bool


PEERS = {
    "nafnet-w32": Peer(NAFNet, 17.11e6, 16.0e9, 256, products=False),
    "restormer": Peer(Restormer, 26.13e6, 140.99e9, 256, products=False),
    "promptir": Peer(PromptIR, 35.59e6, 132e9, 224, products=True),
    "moce-ir-s": Peer(MoCEIR, 11.48e6, 36.93e9, 224, products=True),
}


def build_peer(name: str) -> nn.Module:
    """A peer with random weights, the same each time, in eval mode."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PEERS[name].make().eval()


def count_multiply_adds(network: nn.Module, height: int, width: int, *, products: bool = True) -> int:
    """Of convolutions and matrix products, as ``anyir complexity`` counts them.

    Args:
        network: its parameters may be on the meta device, where nothing is computed.
        products: count matrix products too.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    device = next(network.parameters()).device
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, height, width, device=device))
    counts = counter.get_flop_counts()["Global"]
    return sum(flops for kind, flops in counts.items() if products or "convolution" in str(kind)) // 2
