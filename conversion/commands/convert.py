"""``anyir convert``: weights to programs for phones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.conversion.options import LARGEST_TILE, RestoreSizeOption, any_tile, tile_side
from anyir.model.config import DEFAULT_TILE, SIZE_MULTIPLE, TileSize


def run(
    weights: Annotated[str | None, typer.Option(help="A file or a shipped preset; default: small.")] = None,
    tile: Annotated[
        int,
        typer.Option(
            parser=tile_side,
            metavar="PIXELS",
            help=f"Height and width of the input, a multiple of {SIZE_MULTIPLE} up to {LARGEST_TILE}.",
        ),
    ] = DEFAULT_TILE,
    restore_size: RestoreSizeOption = None,
    also: Annotated[
        list[TileSize] | None,
        typer.Option(
            parser=any_tile,
            metavar="PIXELS",
            help="Other tiles that one Core ML program takes, too, such as 384, or 192x320; repeatable.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the artifacts.")] = Path("build/artifacts"),
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Recipes to build, e.g. 'litert_*' or '*_mixed'; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build ExecuTorch, LiteRT, Core ML and Core AI programs with manifests, and compare each with PyTorch.

    A pattern that fits recipes of the default set selects these alone; others it selects where it fits none
    of those. What is up to date is kept. A recipe that fails is a row with its reason; the others are still
    built, and the exit code is 1.

    Example: [bold]anyir convert --weights small --tile 256 --out build/artifacts --only 'litert_*'[/bold]
    """
    from anyir.conversion.recipes import select_recipes

    if restore_size == (tile, tile):
        restore_size = None
    try:
        recipes = select_recipes(only or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

    other_sizes = sorted({*(also or [])} - {restore_size or TileSize.of(tile)})
    if other_sizes and any(recipe.runtime != "coreml" for recipe in recipes):
        raise typer.BadParameter("only Core ML programs take several sizes: --also needs --only 'coreml_*'")

    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from anyir.conversion.build import build

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    terminal = Console(stderr=True)
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        tasks = {r.name: bar.add_task(f"{r.name}: waiting", total=1, start=False) for r in recipes}

        def show(recipe: str, text: str) -> None:
            bar.start_task(tasks[recipe])
            done = text in ("built", "reused", "failed")
            bar.update(tasks[recipe], description=f"{recipe}: {text}", completed=int(done))

        rows = build(
            weights, tile, out, recipes, tile_size=restore_size, other_sizes=other_sizes, on_progress=show
        )
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print_table(rows, out)
    if any(row.status == "failed" for row in rows):
        raise typer.Exit(1)


def _print_table(rows: list, out: Path) -> None:  # type: ignore[type-arg]
    from rich import box
    from rich.console import Console
    from rich.table import Table

    # 80 columns: headings of two words go over two lines, and a recipe's name is never cut.
    table = Table(title=str(out), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("recipe", no_wrap=True)
    table.add_column("status")
    for heading in ("MB", "delegated", "calls", "parity dB", "loss dB", "s"):
        table.add_column(heading, justify="right", no_wrap=heading == "delegated")
    for row in rows:
        if row.status == "failed":
            table.add_row(row.recipe, "[red]failed[/red]")
            continue
        parity = "equal" if row.psnr is None else f"{row.psnr:.1f}"
        parity = {"measured": parity, "evaluated": f"{parity}*"}.get(row.parity, "no")
        table.add_row(
            row.recipe,
            row.status,
            f"{row.bytes / 1e6:.2f}",
            f"{'?' if row.delegated is None else row.delegated}/{row.total}",
            "?" if row.partitions is None else f"{row.look_partitions}+{row.partitions}",
            parity,
            "" if row.loss is None else f"{row.loss:.3f}",
            f"{row.seconds:.0f}",
        )
    console = Console()
    console.print(table)
    built = {row.parity for row in rows if row.status != "failed"}
    if "evaluated" in built:
        console.print("* evaluated: computed operator by operator, as its runtime does not exist here")
    if "not measured" in built:
        console.print("parity no: this machine cannot run the program; its manifest says what was checked")
    for row in rows:
        if row.note:
            console.print(f"{row.recipe}: {row.note}", markup=False, soft_wrap=True)
        if row.reason:
            console.print(f"{row.recipe}: {row.reason}", style="red", markup=False, soft_wrap=True)
