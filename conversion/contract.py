"""What goes into an artifact and what comes out: stated once, read by exporters, tests and apps.

Height and width are multiples of ``anyir.model.config.SIZE_MULTIPLE``; photos are padded to that by
reflection, outside the graph.
"""

from __future__ import annotations

INPUT = "image"
OUTPUT = "restored"
CHANNELS = 3
LAYOUT = "NCHW"
DTYPE = "float32"
RANGE = (0.0, 1.0)
"""RGB values. The output is near this range and not clamped: clamp, scale and round once, at the end."""


def shape(tile: int) -> tuple[int, int, int, int]:
    """Of the input and of the output, for a square tile of ``tile`` pixels a side."""
    return (1, CHANNELS, tile, tile)
