"""Keeps pixel shuffle from printing a grid on even surfaces."""

from __future__ import annotations

import torch

from anyir.model.network import AnyIR, Upsample

_PHASES = 4
"""Pixels of the finer map that pixel shuffle makes of one, each from a kernel of its own."""


@torch.no_grad()
def even_out_upsampling(network: AnyIR) -> None:
    """Let the four kernels behind every shuffled channel answer alike to a map that does not vary.

    Where the features are even, the four pixels differ by what the kernels' sums differ, and a grid of 2, 4
    or 8 pixels shows. Each kernel is moved, by the same number in all its places, to the mean of the four
    sums; what they make of edges and texture stays. Called after every step it is a projected gradient.
    """
    for module in network.modules():
        if not isinstance(module, Upsample):
            continue
        weight = module.conv.weight  # (4 N, C, k, k); pixel shuffle takes its outputs four by four
        sums = weight.unflatten(0, (-1, _PHASES)).sum(dim=(-1, -2), keepdim=True)
        excess = (sums - sums.mean(dim=1, keepdim=True)) / weight[0, 0].numel()
        weight.sub_(excess.flatten(0, 1).expand_as(weight))
