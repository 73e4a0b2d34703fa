"""Single figures drawn from a row's qualities, the same for the terminal and the report."""

from __future__ import annotations

from anyir.model.metrics import EQUAL
from anyir.profiling.schema import CLEAN, ReferenceSummary, Row


def worst_reference_psnr(row: Row) -> float | None:
    """The lowest PSNR against the reference among the degradations, in dB; None: all identical."""
    values = [quality.psnr_reference for quality in row.quality.values()]
    return min((value for value in values if value is not None), default=None)


def mean_truth_psnr(row: Row) -> float:
    """Mean PSNR against the truth over the degradations of an ok row, in dB; clean tiles are left out."""
    return _mean({kind: quality.psnr_truth for kind, quality in row.quality.items()})


def mean_input_psnr(reference: ReferenceSummary) -> float:
    """The same of the degraded tiles themselves, where there are any."""
    return _mean({kind: tiles.psnr_truth for kind, tiles in reference.inputs.items()})


def _mean(psnr: dict[str, float | None]) -> float:
    """Over all degradations but ``CLEAN``: what is identical (None) counts as ``EQUAL``, as elsewhere, for
    left out it would lower the mean of whoever was perfect."""
    values = [EQUAL if value is None else value for kind, value in psnr.items() if kind != CLEAN]
    return sum(values) / len(values)


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
