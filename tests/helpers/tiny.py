"""The network that the tests convert: small enough to build every artifact of it in a minute."""

from __future__ import annotations

from pathlib import Path

import torch

TILE = 64
"""Pixels a side, of every program and reference that the tests share."""
RUNS = 3
"""Timed runs of each program in the profile that the tests share."""


def save_tiny_weights(path: Path) -> None:
    """Write a weights file of preset ``tiny`` with random norms, tau, lambda and temperature."""
    from anyir.model import PRESETS, AnyIR
    from anyir.model.checkpoint import save_weights

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = AnyIR(PRESETS["tiny"])
        for parameter in network.parameters():
            if parameter.ndim < 4:
                parameter += 0.1 * torch.randn(parameter.shape)
    save_weights(network, path)
