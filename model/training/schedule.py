"""What changes over a chunk of training: the learning rate, and how far back the averaged weights reach."""

from __future__ import annotations

import math

WARM_UP = 0.03
"""Share of a chunk in which the learning rate rises; AdamW's moments settle meanwhile."""
FLOOR = 0.02
"""Learning rate at a chunk's end, as a share of its peak."""
LONGEST_DECAY = 0.999


def learning_rate(
    share: float, peak: float, *, warm_up: float = WARM_UP, cosine_end: float = 1.0, floor: float = FLOOR
) -> float:
    """Learning rate at ``share`` (0..1) of a chunk: a warm-up along a line, then a cosine.

    Args:
        share: of the chunk that is done.
        peak: the highest rate.
        warm_up: share of the chunk in which the rate rises.
        cosine_end: share at which the cosine reaches its floor; above 1 the chunk ends before.
        floor: the lowest rate, as a share of the peak.
    """
    if share < warm_up:
        return peak * max(share / warm_up, 1e-3)
    falling = max(cosine_end - warm_up, 1e-9)  # none: the rate drops to its floor after the warm-up
    rest = min(1.0, (share - warm_up) / falling) if share > warm_up else 0.0
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * rest)))


def average_decay(step: int) -> float:
    """Decay of the averaged weights at a step of the chunk, from 0: they reach back over the last tenth of
    its steps, 1,000 at most.

    Counted from the chunk's start, not the training's: a chunk of 1,000 steps would else end with a third of
    the weights it began with. What longer averages gave and cost: docs/lab/training.md.
    """
    return min(LONGEST_DECAY, (1 + step) / (10 + step))
