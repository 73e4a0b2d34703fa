"""``anyir sensitivity``: which convolutions may be computed in 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anyir.model.config import SIZE_MULTIPLE

if TYPE_CHECKING:
    from anyir.conversion.choice import Choice

WORST = 10
"""Convolutions that the table shows."""


def run(
    weights: Annotated[str | None, typer.Option(help="A file or a shipped preset; default: small.")] = None,
    tile: Annotated[
        int, typer.Option(min=SIZE_MULTIPLE, max=512, help="Height and width of the photos' tiles in pixels.")
    ] = 64,
    out: Annotated[
        Path | None, typer.Option(help="File for the data; default: beside the weights, where convert looks.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute one convolution after the other in 8 bits, on photos with every degradation, and choose the
    largest set that costs none of them more than 0.2 dB.

    `anyir convert --only '*_mixed'` builds by the file that this writes.

    Example: [bold]anyir sensitivity --weights small[/bold]
    """
    if tile % SIZE_MULTIPLE:
        raise typer.BadParameter(f"--tile {tile}: a positive multiple of {SIZE_MULTIPLE} is due")
    from rich.console import Console
    from rich.progress import Progress

    from anyir.conversion.choice import choice_path
    from anyir.conversion.sensitivity import choose
    from anyir.model.checkpoint import find_weights
    from anyir.model.files import check_replaceable, check_writable, is_json_with

    path = find_weights(weights)
    target = out or choice_path(path)
    if out is None:
        check_writable(target)  # a damaged choice is made anew
    else:
        check_replaceable(out, "choice", is_json_with("weights_sha256", "front", "kept_float"))
    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("calibrating", total=None)
        choice = choose(
            path,
            tile,
            on_start=lambda steps: bar.update(task, total=steps),
            on_step=lambda text: bar.update(task, advance=1, description=text),
        )
    choice.save(target)
    if as_json:
        print(choice.model_dump_json(indent=2))
    else:
        _print_table(choice, target)


def _print_table(choice: Choice, path: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="the costliest alone", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("convolution", no_wrap=True)
    for heading in ("loss dB", "of", "colour", "kB saved"):
        table.add_column(heading, justify="left" if heading == "of" else "right")
    for module in choice.modules[: -WORST - 1 : -1]:
        kind, loss = module.cost.worst
        row = f"{loss:.3f}", kind, f"{module.cost.colour:.3f}", f"{module.saved_bytes / 1e3:.1f}"
        table.add_row(module.name, *row)
    console.print(table)
    table = Table(title="the cheapest together", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("in 8 bits", "of MACs", "MB saved", "loss dB"):
        table.add_column(heading, justify="right")
    table.add_column("of")
    for heading in ("clean dB", "colour", ""):
        table.add_column(heading, justify="right")
    for point in choice.front:
        kind, loss = point.cost.worst
        table.add_row(
            str(point.modules),
            f"{point.macs_share:.0%}",
            f"{point.saved_bytes / 1e6:.2f}",
            f"{loss:.3f}",
            kind,
            f"{point.cost.clean:.1f}",
            f"{point.cost.colour:.3f}",
            "chosen" if point.modules == choice.chosen else "",
        )
    console.print(table)
    console.print(f"written to {path}", soft_wrap=True)
