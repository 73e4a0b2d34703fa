"""What ``anyir eval`` prints: tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyir.model.evaluation.benchmark import HARM_SHIFT
from anyir.model.evaluation.conditions import UNCHANGED
from anyir.model.evaluation.suite import WHOLE
from anyir.model.metrics import HARM_DB, WORSE_DB
from anyir.model.model_card import row_name

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST = 1000
PHOTO_COLUMNS = ("photos", "input dB", "dB", "gain", "worst", "worse", "shift", "spread")
NOTES = (
    f"worse: lost more than {WORSE_DB} dB; of photos that were fine, below {HARM_DB:g} dB to themselves, or "
    f"brighter or darker by more than {HARM_SHIFT:g} of 255.",
    "worst: the least gain; of photos that were fine, the least PSNR to itself. shift: largest change of a "
    "photo's mean brightness against the truth's, spread: of a black-and-white photo's colours; of 255.",
)


def show_benchmarks(result: dict[str, Any]) -> None:
    """Print the rows as a table, and under it what is not as the paper has it."""
    from rich.table import Table

    console = table_console()
    how = "whole photos" if result["tile"] is None else f"tiles of {result['tile']}"
    table = Table(title=f"{result['with']}, {result['accelerator']}, {how}", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column in ("photos", "input dB", "dB", "SSIM", "paper", "gap"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in result["rows"]:
        name = row_name(row["dataset"], row["condition"], row["stored"])
        photos = f"{row['photos']}/{row['expected']}" if partial(row) else str(row["photos"])
        figures = (f"{row['input_psnr']:.2f}", f"{row['psnr']:.2f}", f"{row['ssim']:.4f}")
        paper = row["paper"] or {"psnr": None, "ssim": None}
        gaps = (_figure(row["gap_psnr"], "+.2f"), _figure(row["gap_ssim"], "+.3f"))
        table.add_row(name, photos, *figures, _paper(paper), " ".join(gaps))
    if mean := result.get("average"):
        paper = mean["paper"] or {"psnr": None, "ssim": None}
        gap = "" if mean["paper"] is None else f"{mean['psnr'] - paper['psnr']:+.2f}"
        table.add_row("average", "", "", f"{mean['psnr']:.2f}", f"{mean['ssim']:.4f}", _paper(paper), gap)
    console.print(table)
    tables = sorted({row["paper"]["table"] for row in result["rows"] if row["paper"]})
    if tables:
        numbers = ", ".join(map(str, tables))
        console.print(f"Paper: AnyIR in Table {numbers}. Gap: restored minus paper.", highlight=False)
    if any(partial(row) for row in result["rows"]):
        console.print("Not the whole benchmark: its gap says little.", highlight=False)


def show_photos(result: dict[str, Any]) -> None:
    """Print the rows as a table of what became of the photos: the mean, the worst, and how many lost."""
    from rich.table import Table

    console = table_console()
    how = "whole photos" if result["tile"] in (None, WHOLE) else f"tiles of {result['tile']}"
    table = Table(title=f"{result['with']}, {result['accelerator']}, {how}", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column in PHOTO_COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for row in result["rows"]:
        table.add_row(*photo_cells(row))
    console.print(table)
    for line in (*NOTES, *(f"Not there: {line}" for line in result["missing"])):
        console.print(line, highlight=False, soft_wrap=True)


def photo_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row's cells under its name and ``PHOTO_COLUMNS``."""
    fine = row["condition"] == UNCHANGED
    name = row_name(row["dataset"], "" if fine else row["condition"], row["stored"])
    of = f" (1 in {row['every']})" if row["every"] > 1 else ""
    return (
        name,
        f"{row['photos']}{of}",
        "" if fine else f"{row['input_psnr']:.2f}",
        f"{row['psnr']:.2f}",
        "" if fine else f"{row['psnr'] - row['input_psnr']:+.2f}",
        f"{row['worst_psnr']:.2f} dB" if fine else f"{row['worst_gain']:+.2f}",
        f"{row['worse']} of {row['photos']}",
        f"{row['largest_shift']:+.1f}",
        f"{row['largest_spread']:.1f}" if row["condition"].startswith("bw") else "",
    )


def show_diagnostics(found: dict[str, Any]) -> None:
    """Print colour cast, grid, flat surfaces and tile agreement, a line each."""
    cast, grid, flat, tiles = (found[key] for key in ("colour_cast", "grid", "flat_surfaces", "tiles"))
    shift = ", ".join(f"{v:+.2f}" for v in cast["shift"])
    print(f"colour cast at sigma {cast['sigma']}: {shift} of 255 (red, green, blue)")
    print(
        f"grid in flat areas: {grid['mean_db']:+.2f} dB in the mean, {grid['largest_db']:+.2f} dB at most, "
        f"an amplitude of {grid['amplitude']:.2f} of 255"
    )
    changes = ", ".join(f"{level}: {shift:+.1f}" for level, shift in flat["shift"].items())
    print(f"flat grey surfaces change by: {changes} of 255")
    for kind, row in tiles["kinds"].items():
        sizes = ", ".join(f"{size}: {row[size]:.2f}" for size in row if size != "spread")
        print(f"tiles, {kind}: {sizes} dB (apart by {row['spread']:.2f})")


def table_console() -> Console:
    """Standard output. Where it is no terminal, a table is as wide as it is, and no figure is cut."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_WIDEST, highlight=False)


def partial(row: dict[str, Any]) -> bool:
    """Whether photos of the published benchmark are missing, or it has others as well."""
    return bool(row["expected"]) and row["photos"] != row["expected"]


def _paper(figures: dict[str, float | None]) -> str:
    return f"{_figure(figures['psnr'], '.2f')} {_figure(figures['ssim'], '.3f')}"


def _figure(value: float | None, spec: str) -> str:
    return "" if value is None else format(value, spec)
