"""A row in short: what a person calls it, single figures of its qualities, and the table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyir.conversion.recipes import PRECISION_LABELS
from anyir.conversion.restore_size import tile_size
from anyir.conversion.runtimes import RUNTIMES
from anyir.conversion.samples import SEVERITY
from anyir.model.config import DEFAULT_TILE, default_overlap
from anyir.model.data.degradation_registry import CLEAN, kind_title
from anyir.model.metrics import EQUAL
from anyir.model.restore.tiling import TilePlan
from anyir.profiling.candidates import UNKNOWN
from anyir.profiling.schema import ReferenceSummary, Results, Row

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = (
    "program",
    "p50\nms",
    "look\nms",
    "12 MP\ns",
    "peak\nMB",
    "file\nMB",
    "calls",
    "vs torch\ndB",
    "gain\ndB",
)
"""Few enough for a terminal of 80 columns; results.json has the rest."""


def label(row: Row) -> str:
    """What a person calls a program: runtime, backend where it says more, precision, the app's engine."""
    runtime = RUNTIMES.get(row.runtime)
    backend = runtime and runtime.backends.get(row.backend)
    parts = (
        "PyTorch" if runtime is None else runtime.label,
        backend and backend.label,
        PRECISION_LABELS.get(row.precision, row.precision),
    )
    name = row.name if row.precision == UNKNOWN else " ".join(part for part in parts if part)
    return name if row.engine is None else f"{name}, {row.engine}"


def case_title(kind: str) -> str:
    """A degradation of the fixed set in words; its strength too, where that is a known figure."""
    more = {"noise": f", \u03c3 {SEVERITY * 50:g}", CLEAN: ", nothing to restore"}
    return kind_title(kind) + more.get(kind, "")


def worst_reference_psnr(row: Row) -> float | None:
    """The lowest PSNR against the reference among the degradations, in dB; None: all identical."""
    values = [quality.psnr_reference for quality in row.quality.values()]
    return min((value for value in values if value is not None), default=None)


def mean_truth_psnr(row: Row) -> float:
    """Mean PSNR against the truth over a row's degradations, in dB; clean tiles are left out."""
    return _mean({kind: quality.psnr_truth for kind, quality in row.quality.items()})


def mean_input_psnr(reference: ReferenceSummary) -> float:
    """The same of the degraded tiles themselves, where there are any."""
    return _mean({kind: tiles.psnr_truth for kind, tiles in reference.inputs.items()})


def _mean(psnr: dict[str, float | None]) -> float:
    """Over all degradations but ``CLEAN``: what is identical (None) counts as ``EQUAL``, as elsewhere, for
    left out it would lower the mean of whoever was perfect."""
    values = [EQUAL if value is None else value for kind, value in psnr.items() if kind != CLEAN]
    return sum(values) / len(values)


PHOTO = (4000, 3000)
"""Width and height of a photo of 12 megapixels, in pixels."""


def photo_seconds(row: Row) -> float:
    """What a photo of ``PHOTO``'s size takes by an ok row's medians: one look, and its tiles one by one."""
    assert row.latency is not None
    assert row.look is not None
    return (row.look.latency.p50_ms + photo_tiles(row) * row.latency.p50_ms) / 1000


def look_share(row: Row) -> float:
    """The look's part of that, 0..1."""
    assert row.look is not None
    return row.look.latency.p50_ms / 1000 / photo_seconds(row)


def photo_tiles(row: Row) -> int:
    """How many tiles such a photo has, with the overlap that ``Restorer`` takes."""
    size = tile_size(row.tile or DEFAULT_TILE, row.restore_size)
    return len(TilePlan(*PHOTO, size, default_overlap(min(size))))


def gain(row: Row, reference: ReferenceSummary) -> float:
    """By how many dB a program brings the degraded tiles nearer to the truth, on average."""
    return mean_truth_psnr(row) - mean_input_psnr(reference)


def pareto(rows: list[Row]) -> set[str]:
    """Keys of measured rows than which no other is both faster and nearer to the truth.

    Differences below 0.01 dB do not count: they are rounding, not quality.
    """
    points = [(row.key, row.latency.p50_ms, round(mean_truth_psnr(row), 2)) for row in rows if row.latency]
    return {
        key
        for key, ms, db in points
        if not any((a < ms and b >= db) or (a <= ms and b > db) for _, a, b in points)
    }


def results_table(results: Results) -> Table:
    """One line a row; docs/guides/profile.md explains the columns."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = f"{results.reference.tile_size} tiles on {results.environment.device}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in results.rows:
        table.add_row(Text(label(row)), *_figures(row, results))  # a name is no markup
    return table


def _figures(row: Row, results: Results) -> list[str]:
    size = f"{row.artifact.bytes / 1e6:.1f}" if row.artifact else ""
    calls = "" if row.partitions is None else str(row.partitions)
    if not row.is_compared:
        return [row.status, "", "", "", size, calls, "", ""]
    worst = worst_reference_psnr(row)
    quality = ["identical" if worst is None else f"{worst:.1f}", f"{gain(row, results.reference):+.2f}"]
    if row.latency is None:
        return [row.status, "", "", "", size, calls, *quality]
    return [
        f"{row.latency.p50_ms:.1f}",
        f"{row.look.latency.p50_ms:.1f}" if row.look else "",
        f"{photo_seconds(row):.0f}",
        "" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 1e6:.0f}",
        size,
        calls,
        *quality,
    ]
