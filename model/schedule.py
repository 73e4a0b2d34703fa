"""The learning rate over a chunk of training."""

from __future__ import annotations

import math

WARM_UP = 0.03
"""Share of a chunk in which the learning rate rises; AdamW's moments settle meanwhile."""
FLOOR = 0.02
"""Learning rate at a chunk's end, as a share of its peak."""


def learning_rate(share: float, peak: float) -> float:
    """Learning rate at ``share`` (0..1) of a chunk: a short warm-up, then a cosine."""
    if share < WARM_UP:
        return peak * max(share / WARM_UP, 1e-3)
    rest = min(1.0, (share - WARM_UP) / (1 - WARM_UP))
    return peak * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * rest)))
