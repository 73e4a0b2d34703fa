"""What changes over a run: the learning rate, and how far back the averaged weights reach.

Both depend on the steps alone, so that a run repeats whatever the machine's speed.
"""

from __future__ import annotations

import math

from anyir.model.training.config import ScheduleConfig

LONGEST_DECAY = 0.999


def learning_rate(progress: float, peak: float, schedule: ScheduleConfig) -> float:
    """Learning rate at a place of a run: a warmup along a line, then a cosine.

    Args:
        progress: steps done over the steps of the run, 0..1.
        peak: the highest rate.
    """
    warmup, lowest = schedule.warmup_ratio, schedule.min_lr_ratio
    if progress < warmup:
        return peak * max(progress / warmup, 1e-3)
    falling = max(schedule.cosine_end - warmup, 1e-9)  # none: the rate drops to its lowest after the warmup
    rest = min(1.0, (progress - warmup) / falling) if progress > warmup else 0.0
    return peak * (lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * rest)))


def average_decay(step: int) -> float:
    """Decay of the averaged weights at a step of the run, from 0: they reach back over the last tenth of
    its steps, 1,000 at most.

    Counted from the run's start, not from that of the runs before: 1,000 steps would else end with a third
    of the weights that they began with. What longer averages gave and cost: docs/lab/optimizer.md.
    """
    return min(LONGEST_DECAY, (1 + step) / (10 + step))
