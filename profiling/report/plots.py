"""The report's two plots as SVG, which its style sheet colours in light and dark.

Drawn here rather than by matplotlib: programs of equal quality lie on one another, on a phone's screen too.
adjustText, tried with twelve of them, laid labels over labels and across the edge, took 3 s a plot, and
matplotlib's SVG needs its colours, ids and style element rewritten to be one of several in a page.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from markupsafe import Markup, escape

from anyir.profiling.environment import Sustained

BUCKETS = 120
"""Runs of a series are gathered into at most so many medians, so that an hour stays a small picture."""
LETTER, LINE = 6.4, 15.0
"""Rough width of a letter and height of a line of labels, in SVG units, to keep labels apart."""


@dataclass(frozen=True)
class Point:
    """One program: where it lies, and whether none is both faster and nearer to the truth."""

    label: str
    milliseconds: float
    decibels: float
    best: bool


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Shared area."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0


@dataclass(frozen=True)
class Axis:
    """A scale from values to SVG units, with its ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: list[float]
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return self.start + (self.end - self.start) * (value - low) / (high - low)


def pareto_svg(points: list[Point], width: int, height: int) -> Markup:
    """The plot for one width; a page holds a wide and a narrow one, so that letters keep their size.

    Args:
        points: at least one.
        width, height: in CSS pixels at natural size.
    """
    x = _latency_axis([p.milliseconds for p in points], 46, width - 14)
    y = _quality_axis([p.decibels for p in points], height - 38, 26)
    digits = 2 if y.ticks[1] - y.ticks[0] < 0.1 else 1
    upright = [
        f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{y.end}" y2="{y.start}"/>'
        for tick in x.ticks
    ]
    names = ("Median latency for a tile, ms (logarithmic)", "Mean PSNR against the truth, dB")
    inside = [*upright, *_axes(x, y, names, f".{digits}f"), _front(points, x, y), *_marks(points, x, y)]
    return _svg(width, height, "Latency of each program against its quality", inside)


def sustained_svg(series: Sustained, name: str, width: int, height: int) -> Markup:
    """Milliseconds for a tile over the minutes, from zero, so that a slow-down looks as large as it is.

    Args:
        series: at least one run.
        name: the program's, for those who hear the page.
        width, height: in CSS pixels at natural size.
    """
    points = medians(series)
    x = _axis_from_zero(max(series.runs[-1].at_s, 1.0), 46, width - 14)
    y = _axis_from_zero(max(ms for _, ms in points) * 1.15, height - 38, 26)
    line = " ".join(f"{x(at):.1f},{y(ms):.1f}" for at, ms in points)
    inside = [*_axes(x, y, ("seconds", "ms for a tile"), "g"), f'<polyline class="front" points="{line}"/>']
    if len(points) == 1:
        at, ms = points[0]
        inside.append(f'<circle class="dot best" cx="{x(at):.1f}" cy="{y(ms):.1f}" r="4"/>')
    return _svg(width, height, f"{name}: time for a tile while it runs without a pause", inside)


def medians(series: Sustained) -> list[tuple[float, float]]:
    """(seconds, median milliseconds) of at most ``BUCKETS`` stretches of the series."""
    size = -(-len(series.runs) // BUCKETS)
    groups = [series.runs[start : start + size] for start in range(0, len(series.runs), size)]
    return [(group[-1].at_s, statistics.median(run.ms for run in group)) for group in groups]


def slowdown(series: Sustained) -> float:
    """The last tenth's median over the first tenth's: 1.3 is 30 % slower at the end."""
    times = [run.ms for run in series.runs]
    share = max(1, len(times) // 10)
    first, last = (statistics.median(part) for part in (times[:share], times[-share:]))
    return last / first if first else 1.0


def _svg(width: int, height: int, title: str, inside: list[str]) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(inside)}</svg>'
    )


def _axes(x: Axis, y: Axis, names: tuple[str, str], y_format: str) -> list[str]:
    """A line and a figure at each tick of y, a figure at each of x, and what the two are."""
    parts = []
    for tick in y.ticks:
        parts.append(
            f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
            f'<text class="tick" x="{x.start - 7}" y="{y(tick) + 4:.1f}" text-anchor="end">'
            f"{tick:{y_format}}</text>"
        )
    for tick in x.ticks:
        parts.append(
            f'<text class="tick" x="{x(tick):.1f}" y="{y.start + 16}" text-anchor="middle">{tick:g}</text>'
        )
    parts.append(f'<text class="axis" x="4" y="{y.end - 12}">{names[1]}</text>')
    parts.append(f'<text class="axis" x="{x.end}" y="{y.start + 32}" text-anchor="end">{names[0]}</text>')
    return parts


def _front(points: list[Point], x: Axis, y: Axis) -> str:
    """Steps through the best points: what quality is to be had for at most so much time."""
    best = sorted((p for p in points if p.best), key=lambda p: (p.milliseconds, -p.decibels))
    path = f"M{x(best[0].milliseconds):.1f} {y.start}V{y(best[0].decibels):.1f}"
    for point in best[1:]:
        path += f"H{x(point.milliseconds):.1f}V{y(point.decibels):.1f}"
    return f'<path class="front" d="{path}H{x.end}"/>'


def _marks(points: list[Point], x: Axis, y: Axis) -> list[str]:
    """Dots, and labels where they cover neither a dot nor one another, tied to their dot."""
    dots = {p: (x(p.milliseconds), y(p.decibels)) for p in points}
    taken = [Box(cx - 7, cy - 7, cx + 7, cy + 7) for cx, cy in dots.values()]
    frame = Box(x.start, y.end, x.end, y.start)
    parts = []
    for point in sorted(points, key=lambda p: dots[p][0]):
        cx, cy = dots[point]
        box = min(
            _places(cx, cy, len(point.label) * LETTER),
            key=lambda b: 50 * (sum(b.overlap(o) for o in taken) + _outside(b, frame)) + _distance(b, cx, cy),
        )
        taken.append(box)
        name = "dot best" if point.best else "dot"
        middle, base = (box.left + box.right) / 2, box.bottom - 4
        if _distance(box, cx, cy) > 16:
            anchor = min(max(cx, box.left + 4), box.right - 4)
            edge = box.top if box.top > cy else box.bottom
            parts.append(
                f'<line class="leader" x1="{cx:.1f}" y1="{cy:.1f}" x2="{anchor:.1f}" y2="{edge:.1f}"/>'
            )
        title = escape(f"{point.label}: {point.milliseconds:.1f} ms, {point.decibels:.2f} dB")
        parts.append(
            f'<circle class="{name}" cx="{cx:.1f}" cy="{cy:.1f}" r="5"><title>{title}</title></circle>'
        )
        parts.append(
            f'<text class="label" x="{middle:.1f}" y="{base:.1f}" text-anchor="middle">'
            f"{escape(point.label)}</text>"
        )
    return parts


def _places(cx: float, cy: float, width: float) -> list[Box]:
    """Where a label may lie: above or below its dot, at several distances; the front runs beside it."""
    places = []
    for lift in range(9):
        for sign in (-1, 1):
            middle = cy + sign * (15 + lift * (LINE + 1))
            for left in (cx - width / 2, cx - 10, cx + 10 - width):
                places.append(Box(left, middle - LINE / 2, left + width, middle + LINE / 2))
    return places


def _outside(box: Box, frame: Box) -> float:
    """Area of a label beyond the frame."""
    return (box.right - box.left) * (box.bottom - box.top) - box.overlap(frame)


def _distance(box: Box, cx: float, cy: float) -> float:
    """From a dot to the nearest edge of a label."""
    across = max(box.left - cx, cx - box.right, 0)
    down = max(box.top - cy, cy - box.bottom, 0)
    return math.hypot(across, down)


def _latency_axis(values: list[float], start: float, end: float) -> Axis:
    low, high = min(values) / 1.25, max(values) * 1.25
    if high / low < 5:  # wide enough for two ticks at the least
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(5), middle * math.sqrt(5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    steps = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return Axis(low, high, start, end, [s for s in steps if low <= s <= high], logarithmic=True)


def _quality_axis(values: list[float], start: float, end: float) -> Axis:
    middle, span = (min(values) + max(values)) / 2, max(max(values) - min(values), 0.15) * 1.5
    step = nice_step(max(span / 6, 0.05))
    low, high = middle - span / 2, middle + span / 2
    first = math.ceil(low / step)
    return Axis(low, high, start, end, [step * i for i in range(first, math.floor(high / step) + 1)])


def _axis_from_zero(high: float, start: float, end: float) -> Axis:
    high = max(high, 1e-3)  # of runs that took no time
    step = nice_step(high / 5)
    return Axis(0.0, high, start, end, [step * i for i in range(int(high / step) + 1)])


def nice_step(least: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below ``least``, which is positive."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step for factor in (1, 2, 5, 10) if (step := factor * power) >= least * (1 - 1e-9))
