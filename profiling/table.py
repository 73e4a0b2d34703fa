"""Results as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyir.profiling.schema import Results, Row
from anyir.profiling.summary import gain, worst_reference_psnr

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = (
    *("program", "status", "p50 ms", "p90 ms", "load ms", "first ms", "memory MB", "size MB"),
    *("delegated", "calls", "vs PyTorch dB", "gain dB"),
)


def results_table(results: Results) -> Table:
    """One line a row; docs/profile.md explains the columns."""
    from rich.table import Table

    host = results.environment
    table = Table(title=f"{results.reference.tile}x{results.reference.tile} tiles on {host.device}")
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if index < 2 else "right", overflow="fold")
    for row in results.rows:
        table.add_row(*_cells(row, results))
    return table


def _cells(row: Row, results: Results) -> list[str]:
    size = f"{row.artifact.bytes / 1e6:.1f}" if row.artifact else ""
    share = f"{row.delegated}/{row.operators}" if row.operators else ""
    calls = "" if row.partitions is None else str(row.partitions)
    if row.latency is None:
        return [row.name, row.status, "", "", "", "", "", size, share, calls, "", ""]
    worst = worst_reference_psnr(row)
    return [
        row.name,
        row.status,
        f"{row.latency.p50_ms:.1f}",
        f"{row.latency.p90_ms:.1f}",
        f"{row.load_ms:.0f}",
        f"{row.first_run_ms:.0f}",
        f"{(row.peak_memory_bytes or 0) / 1e6:.0f}",
        size,
        share,
        calls,
        "identical" if worst is None else f"{worst:.1f}",
        f"{gain(row, results.reference):+.2f}",
    ]
