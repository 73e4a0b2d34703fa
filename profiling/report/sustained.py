"""The plot of a series of runs without a pause, as SVG that the report's style sheet colours."""

from __future__ import annotations

from markupsafe import Markup, escape

from anyir.profiling.environment import Sustained
from anyir.profiling.report.pareto import Axis, nice_step

BUCKETS = 120
"""Runs are gathered into at most so many medians, so that an hour of them stays a small picture."""


def sustained_svg(series: Sustained, name: str, width: int, height: int) -> Markup:
    """Milliseconds for a tile over the minutes, from zero, so that a slow-down looks as large as it is.

    Args:
        series: at least one run.
        name: the program's, for those who hear the page.
        width, height: in CSS pixels at natural size.
    """
    points = medians(series)
    x = _axis(max(series.runs[-1].at_s, 1.0), 46, width - 14)
    y = _axis(max(ms for _, ms in points) * 1.15, height - 34, 22)
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(name)}: time for a tile while it runs without a pause">'
    ]
    for tick in y.ticks:
        parts.append(
            f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
            f'<text class="tick" x="{x.start - 7}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for tick in x.ticks:
        parts.append(
            f'<text class="tick" x="{x(tick):.1f}" y="{y.start + 16}" text-anchor="middle">{tick:g}</text>'
        )
    parts.append('<text class="axis" x="4" y="11">ms for a tile</text>')
    parts.append(f'<text class="axis" x="{x.end}" y="{height - 4}" text-anchor="end">seconds</text>')
    line = " ".join(f"{x(at):.1f},{y(ms):.1f}" for at, ms in points)
    parts.append(f'<polyline class="front" points="{line}"/>')
    if len(points) == 1:
        at, ms = points[0]
        parts.append(f'<circle class="dot best" cx="{x(at):.1f}" cy="{y(ms):.1f}" r="4"/>')
    return Markup("".join([*parts, "</svg>"]))


def medians(series: Sustained) -> list[tuple[float, float]]:
    """(seconds, median milliseconds) of at most ``BUCKETS`` stretches of the series."""
    size = -(-len(series.runs) // BUCKETS)
    groups = [series.runs[start : start + size] for start in range(0, len(series.runs), size)]
    return [(group[-1].at_s, sorted(run.ms for run in group)[len(group) // 2]) for group in groups]


def slowdown(series: Sustained) -> float:
    """The last tenth's median over the first tenth's: 1.3 is 30 % slower at the end."""
    times = [run.ms for run in series.runs]
    share = max(1, len(times) // 10)
    first, last = (sorted(part)[share // 2] for part in (times[:share], times[-share:]))
    return last / first if first else 1.0


def _axis(high: float, start: float, end: float) -> Axis:
    high = max(high, 1e-3)  # of runs that took no time
    step = nice_step(high / 5)
    return Axis(0.0, high, start, end, [step * i for i in range(int(high / step) + 1)])
