"""``results.json``, one or several, as one HTML file that needs nothing else: every picture is inside."""

from __future__ import annotations

import base64
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.model.errors import UserError
from anyir.model.restore.need import Need
from anyir.profiling.environment import Environment, Reading
from anyir.profiling.report.plots import Point, pareto_svg, slowdown, sustained_svg
from anyir.profiling.schema import PYTORCH, NeedFigures, ReferenceSummary, Results, Row, load_results
from anyir.profiling.summary import (
    PHOTO,
    case_title,
    gain,
    label,
    look_share,
    mean_input_psnr,
    mean_truth_psnr,
    pareto,
    photo_seconds,
    worst_reference_psnr,
)

if TYPE_CHECKING:
    from markupsafe import Markup

HERE = Path(__file__).parent
SHORT_TRAINING = 1_000_000
"""Fewer training patches than this are called a short training: a GPU sees as many in a few hours."""


@dataclass(frozen=True)
class ResultsFile:
    """One results file, with the folder in which its pictures' paths begin."""

    results: Results
    folder: Path


@dataclass(frozen=True)
class Device:
    """What the page shows of one results file.

    Attributes:
        measured: rows with all figures.
        compared: those, and those whose output alone is known.
        missing: rows without times, with their reasons.
    """

    results: Results
    measured: list[Row]
    compared: list[Row]
    missing: list[Row]
    plots: list[Markup]
    sustained: list[tuple[Row, Markup, float]]

    @property
    def host(self) -> Environment:
        return self.results.environment


def write_report(paths: list[Path], out: Path) -> None:
    """Render results files, of a host and of phones, as one page.

    Args:
        paths: at least one ``results.json``, each with its ``pictures/``, if it names any, beside it.
        out: the HTML file.

    Raises:
        UserError: unusable results, results against different references, or a picture that is missing;
            or something else than a page lies at ``out``.
    """
    from anyir.model.files import check_replaceable, write_atomically

    if out.is_dir():
        raise UserError(f"{out} is a folder; name a file, such as {out / 'index.html'}")
    if any(out.exists() and path.exists() and out.samefile(path) for path in paths):
        raise UserError(f"{out} is the results file, which is never overwritten; name another --out")
    check_replaceable(out, "page of AnyIR", is_page)
    loaded = [ResultsFile(load_results(path), path.parent) for path in paths]
    for path, file in zip(paths[1:], loaded[1:], strict=True):
        if _identity(file.results.reference) != _identity(loaded[0].results.reference):
            raise UserError(
                f"{path} was compared with another reference than {paths[0]}; "
                "one page shows figures against one reference"
            )
    write_atomically(out, render(loaded).encode())


def is_page(data: bytes) -> bool:
    """Whether a file's bytes are a page that this package wrote."""
    return b"<title>AnyIR on device:" in data[:4096]


def _identity(reference: ReferenceSummary) -> tuple[Any, ...]:
    """What must be the same for figures to be of one reference."""
    sizes = reference.tile, reference.tile_size
    return reference.cases_sha256, reference.weights_sha256, sizes, sorted(reference.inputs)


def render(files: list[ResultsFile]) -> str:
    """The page's text. The first file's reference is shown; the others have the same."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(label=label, kind=case_title, db=decibels, battery=battery)
    environment.filters.update(span=span, photo=photo_seconds, share=look_share)
    environment.filters.update(p50=statistics.median, largest_error=largest_error)
    devices = [show_device(file.results) for file in files]
    reference = files[0].results.reference
    return environment.get_template("report.html").render(
        devices=devices,
        reference=reference,
        facts=key_facts(devices[0].results, devices[0].measured),
        training=training_note(reference),
        comparison=comparison_data(files),
        gain=gain,
        worst=worst_reference_psnr,
        mean_input=mean_input_psnr,
        photo_size=PHOTO,
        style=(HERE / "report.css").read_text(),
        script=(HERE / "report.js").read_text(),
    )


def show_device(results: Results) -> Device:
    """One results file's rows, sorted into measured and not, with their plots."""
    measured = [row for row in results.rows if row.status == "ok"]
    best = pareto(measured)
    points = [
        Point(label(row), row.latency.p50_ms, mean_truth_psnr(row), row.key in best)
        for row in measured
        if row.latency is not None
    ]
    return Device(
        results=results,
        measured=measured,
        compared=[row for row in results.rows if row.is_compared],
        missing=[row for row in results.rows if row.status != "ok"],
        plots=[pareto_svg(points, 860, 360), pareto_svg(points, 328, 380)] if points else [],
        sustained=[
            (row, sustained_svg(row.sustained, label(row), 328, 200), slowdown(row.sustained))
            for row in measured
            if row.sustained is not None
        ],
    )


def decibels(value: float | None) -> str:
    """With two digits; None means that the images are identical."""
    return "identical" if value is None else f"{value:.2f}"


def significant(value: float) -> str:
    """With no digit after the point from 10 on, else with as many as make two digits in all."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.995 else f"{value:.2g}"


def span(counts: Iterable[int]) -> str:
    """The number that all are, or the least and the largest."""
    low, high = min(listed := list(counts)), max(listed)
    return str(low) if low == high else f"{low} to {high}"


def battery(reading: Reading) -> str:
    """Level, temperature and what charges it, as far as the phone tells."""
    parts = [
        f"{reading.battery_percent:.0f} %" if reading.battery_percent is not None else "",
        f"{reading.battery_celsius:.1f} \u00b0C" if reading.battery_celsius is not None else "",
        f"on {reading.plugged}" if reading.plugged not in (None, "none") else "",
    ]
    return " ".join(part for part in parts if part) or "not told"


def largest_error(row: Row) -> float:
    """Of all outputs against the reference's, before clipping."""
    return max(quality.max_error_reference for quality in row.quality.values())


def key_facts(results: Results, measured: list[Row]) -> list[tuple[str, str, str]]:
    """The few figures at the top: (figure, what it is, of what). Empty where nothing was measured."""
    programs = [row for row in measured if row.runtime != PYTORCH]
    if not programs:
        return []
    fastest = min(programs, key=lambda row: row.latency.p50_ms if row.latency else 0)
    assert fastest.latency is not None
    facts = [
        (f"{significant(fastest.latency.p50_ms)} ms", "for a tile, median", f"{label(fastest)}, the fastest")
    ]
    baseline = next((row for row in measured if row.runtime == PYTORCH), None)
    if baseline is not None and baseline.latency is not None:
        ratio = baseline.latency.p50_ms / fastest.latency.p50_ms
        facts.append(
            (f"{significant(ratio)}\u00d7", "the speed of PyTorch on the CPU", "on the same machine")
        )
    nearer = gain(fastest, results.reference)
    direction = "nearer to the truth" if nearer >= 0 else "further from the truth"
    facts.append((f"{abs(nearer):.2f} dB", direction, f"{label(fastest)}, mean"))
    worst = min(programs, key=lambda row: worst_reference_psnr(row) or float("inf"))
    lowest = worst_reference_psnr(worst)
    agreement = "identical" if lowest is None else f"{lowest:.1f} dB"
    facts.append((agreement, "PSNR against PyTorch, lowest", label(worst)))
    return facts


def training_note(reference: ReferenceSummary) -> str | None:
    """What to know of weights that were hardly trained; None for well-trained ones."""
    steps, samples, hours = (reference.notes.get(key) for key in ("steps", "samples", "hours"))
    if not isinstance(steps, int):
        return "The weights do not say how they were trained: judge quality by the pictures."
    if steps == 0:
        return "These weights are untrained: latency and agreement mean something, quality nothing."
    if isinstance(samples, int) and samples >= SHORT_TRAINING:
        return None
    seen = f"{samples:,} patches" if isinstance(samples, int) else "an unknown number of patches"
    took = f" in {hours:g} hours" if isinstance(hours, int | float) else ""
    return (
        f"Short-trained weights: {steps:,} steps on {seen}{took}. Quality and pictures show what these "
        "weights do, not what the method can do."
    )


def comparison_data(files: list[ResultsFile]) -> dict[str, Any]:
    """What the slider shows: pictures as data URIs and their figures, of the first file that has pictures.

    Raises:
        UserError: a picture is missing.
    """
    for file in files:
        data = _pictures(file.results, file.folder)
        if data["programs"]:
            return data
    return {"inputs": {}, "programs": {}}


def _pictures(results: Results, folder: Path) -> dict[str, Any]:
    inputs = {
        kind: {
            "title": case_title(kind),
            "degraded": data_uri(folder, entry.degraded),
            "truth": data_uri(folder, entry.truth),
            "psnr": entry.psnr_truth,
        }
        for kind, entry in results.reference.inputs.items()
        if entry.degraded and entry.truth
    }
    programs = {
        row.key: {
            "title": label(row),
            "kinds": {
                kind: {
                    "picture": data_uri(folder, row.quality[kind].picture),
                    "psnr": row.quality[kind].psnr_truth,
                    "agreement": row.quality[kind].psnr_reference,
                    "need": in_words(row.quality[kind].need),
                }
                for kind in inputs
            },
        }
        for row in results.rows
        if row.is_compared and all(row.quality[kind].picture for kind in inputs)
    }
    return {"inputs": inputs, "programs": programs if inputs else {}}


def in_words(figures: NeedFigures | None) -> str | None:
    """How much a picture needs to be restored, with the number and the threshold."""
    return None if figures is None else Need(**figures.model_dump()).in_words()


def data_uri(folder: Path, name: str | None) -> str:
    assert name is not None
    path = folder / name
    if not path.is_file():
        raise UserError(f"{path} is missing; it belongs to the results: run `anyir profile` again")
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"
