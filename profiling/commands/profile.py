"""``anyir profile``: what each program costs on this machine, and how far its output is off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.model.config import MOST_THREADS
from anyir.model.errors import UserError


def run(
    artifacts: Annotated[Path, typer.Option(help="Folder that `anyir convert` wrote.")] = Path(
        "build/artifacts"
    ),
    reference: Annotated[Path, typer.Option(help="Folder that `anyir reference` wrote.")] = Path(
        "build/reference"
    ),
    out: Annotated[Path, typer.Option(help="Results file; pictures go beside it.")] = Path(
        "build/report/results.json"
    ),
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each program.")] = 20,
    warmup: Annotated[int, typer.Option(min=0, help="Runs before them that do not count.")] = 3,
    threads: Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="CPU threads of each program.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Time every artifact that this machine can run, interleaved, and compare outputs with the reference.

    Exit code 1 if a row failed; what this machine cannot run at all is no failure.

    Example: [bold]anyir profile --artifacts build/artifacts --reference build/reference --runs 20[/bold]
    """
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from anyir.model.files import check_replaceable, is_json_with, write_atomically
    from anyir.profiling.benchmark import BenchmarkSettings, profile
    from anyir.profiling.reference import load_reference
    from anyir.profiling.summary import results_table

    if out.is_dir():
        raise UserError(f"{out} is a folder; name a file, such as {out / 'results.json'}")
    check_replaceable(out, "results", is_json_with("schema", "rows"))
    out.parent.mkdir(parents=True, exist_ok=True)
    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("profile", total=None)
        results = profile(
            artifacts,
            load_reference(reference),
            out,
            BenchmarkSettings(runs, warmup, threads),
            on_start=lambda total: bar.update(task, total=total),
            on_step=lambda what: bar.update(task, advance=1, description=what),
        )
    write_atomically(out, results.to_json())
    if as_json:
        print(results.to_json().decode(), end="")
    else:
        console = Console(highlight=False)
        console.print(results_table(results))
        for row in results.rows:
            if row.error is not None:
                console.print(f"{row.status}: {row.name}: {row.error}", markup=False, soft_wrap=True)
        console.print(f"results: {out}", markup=False, soft_wrap=True)
    if any(row.status == "failed" for row in results.rows):
        sys.exit(1)
