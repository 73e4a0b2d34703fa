"""Results as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyir.profiling.names import label
from anyir.profiling.schema import Results, Row
from anyir.profiling.summary import gain, worst_reference_psnr

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("program", "p50\nms", "p90\nms", "peak\nMB", "file\nMB", "calls", "vs torch\ndB", "gain\ndB")
"""Few enough for a terminal of 80 columns; results.json has the rest."""


def results_table(results: Results) -> Table:
    """One line a row; docs/guides/profile.md explains the columns."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    tile = results.reference.tile
    title = f"{tile}x{tile} tiles on {results.environment.device}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in results.rows:
        table.add_row(Text(label(row)), *_figures(row, results))  # a name is no markup
    return table


def _figures(row: Row, results: Results) -> list[str]:
    size = f"{row.artifact.bytes / 1e6:.1f}" if row.artifact else ""
    calls = "" if row.partitions is None else str(row.partitions)
    if row.status != "ok" or row.latency is None:
        return [row.status, "", "", size, calls, "", ""]
    worst = worst_reference_psnr(row)
    return [
        f"{row.latency.p50_ms:.1f}",
        f"{row.latency.p90_ms:.1f}",
        "" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e6:.0f}",
        size,
        calls,
        "identical" if worst is None else f"{worst:.1f}",
        f"{gain(row, results.reference):+.2f}",
    ]
