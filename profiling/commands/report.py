"""``anyir report``: results as a page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    results: Annotated[
        list[Path] | None,
        typer.Argument(help="What `anyir profile` or the app wrote; default: build/report/results.json."),
    ] = None,
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("build/report/index.html"),
) -> None:
    """Write one HTML file with the table, the plot, before and after, and what failed. It needs no network.

    Several files, such as a computer's and a phone's, become one page if they have the same reference.

    Example: [bold]anyir report build/report/results.json --out build/report/index.html[/bold]
    """
    from anyir.profiling.report.page import write_report

    write_report(results or [Path("build/report/results.json")], out)
    print(f"report: {out}")
