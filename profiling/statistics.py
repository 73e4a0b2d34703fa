"""Percentiles of latency samples."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which ``share`` percent of the samples lie, interpolated between neighbours.

    The same as numpy's default (linear, type 7). With fewer than 100 samples p99 lies between the two
    largest ones.

    Args:
        samples: at least one value, in any order.
        share: 0..100.

    Raises:
        ValueError: no samples, or a share outside 0..100.
    """
    if not samples or not 0 <= share <= 100:
        raise ValueError("percentile needs samples and a share in 0..100")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * share / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
