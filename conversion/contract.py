"""What goes into an artifact and what comes out: stated once, read by exporters, tests and apps.

An artifact has two entries. ``look`` takes a sheet of a photo's crops and gives statistics, once a photo;
``restore`` takes a tile and these statistics, and gives the tile restored. Statistics leave ``look`` as
``restore`` takes them, one by one and byte by byte: whoever stands between copies them and knows no more.

Height and width are multiples of ``anyir.model.config.SIZE_MULTIPLE``; photos are padded to that by
reflection, outside the graph.
"""

from __future__ import annotations

from anyir.model.config import TileSize

LOOK, RESTORE = ENTRIES = ("look", "restore")
INPUT = "image"
"""The sheet, or the tile: the first input of both entries."""
OUTPUT = "restored"
STATISTICS = "statistics"
"""What the statistics' names begin with."""
CHANNELS = 3
LAYOUT = "NCHW"
OPAQUE = "opaque"
"""The statistics' layout: as ``look`` wrote them."""
DTYPE = "float32"
RANGE = (0.0, 1.0)
"""RGB values. The output is near this range and not clamped: clamp, scale and round once, at the end."""


def shape(tile: int | TileSize) -> tuple[int, int, int, int]:
    """Of a sheet, or of a tile and of the output, by its side in pixels or its height and width."""
    return (1, CHANNELS, *TileSize.of(tile))


def statistic_names(count: int) -> list[str]:
    """Of ``count`` statistics, such as ``statistics_07``: sorted by name they are in order, and after the
    image, as some runtimes sort what they list."""
    digits = len(str(count - 1))
    return [f"{STATISTICS}_{i:0{digits}}" for i in range(count)]
