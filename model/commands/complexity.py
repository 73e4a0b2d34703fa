"""``anyir complexity``: parameters and multiply-adds beside the paper's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from anyir.model.config import SIZE_MULTIPLE

if TYPE_CHECKING:
    from anyir.model.evaluation.complexity import Complexity
    from anyir.model.evaluation.memory import Memory

    TableRow = tuple[Complexity, list[Memory]]

TABLE_PRESETS = ("anyir", "phone", "small")
"""What --table measures: the paper's network and the two that are meant to be used."""
SIDE = f"Of the input, a multiple of {SIZE_MULTIPLE}."
LARGEST_TABLE = 2048
"""Pixels a side: more takes hours, and more memory than computers have."""


def run(
    preset: Annotated[str | None, typer.Option(help="Which network; default: all presets.")] = None,
    height: Annotated[int, typer.Option(min=SIZE_MULTIPLE, max=16384, help=SIDE)] = 224,
    width: Annotated[int, typer.Option(min=SIZE_MULTIPLE, max=16384, help=SIDE)] = 224,
    table: Annotated[
        bool, typer.Option("--table", help="The paper's Table 6, with peak memory measured on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print parameters and multiply-adds of a preset, at 224x224 as in the paper's Table 6.

    Example: [bold]anyir complexity --preset anyir --json[/bold]
    """
    from anyir.model.config import PRESETS
    from anyir.model.errors import unknown

    if preset is not None and preset not in PRESETS:
        raise typer.BadParameter(unknown("preset", preset, PRESETS))
    if height % SIZE_MULTIPLE or width % SIZE_MULTIPLE:
        raise typer.BadParameter(f"{width}x{height}: width and height must be multiples of {SIZE_MULTIPLE}")

    if table and max(height, width) > LARGEST_TABLE:
        raise typer.BadParameter(
            f"--table runs the networks: {width}x{height} is too large, {LARGEST_TABLE} a side is the limit"
        )

    import json

    from anyir.model.evaluation.complexity import (
        CONVENTION,
        PAPER_MULTIPLY_ADDS,
        PAPER_PARAMETERS,
        measure_complexity,
    )

    names = [preset] if preset else list(TABLE_PRESETS if table else PRESETS)
    results = [measure_complexity(name, PRESETS[name], height, width) for name in names]
    if table:
        rows = measure_table(results)
        (print_table_as_json if as_json else print_table)(rows)
        return
    if as_json:
        counts = [r.to_dict() for r in results]
        print(json.dumps(counts[0] if preset else counts, indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    listing = Table("preset", "parameters", "multiply-adds", title=f"{width}x{height}")
    for r in results:
        listing.add_row(r.preset, f"{r.parameters / 1e6:.2f} M", f"{r.multiply_adds / 1e9:.2f} G")
    listing.add_row(
        "paper, Table 6 (224x224)", f"{PAPER_PARAMETERS / 1e6:.2f} M", f"{PAPER_MULTIPLY_ADDS / 1e9:.0f} G"
    )
    console = Console()
    console.print(listing)
    console.print(f"Counted: {CONVENTION}.", highlight=False)


def measure_table(results: list[Complexity]) -> list[TableRow]:
    """Memory of every network in ``results``, each mode in a process of its own."""
    from rich.console import Console

    from anyir.model.evaluation.memory import MODES, measure_memory

    with Console(stderr=True).status("measuring memory"):
        return [(r, [measure_memory(r.preset, mode, r.height, r.width) for mode in MODES]) for r in results]


def print_table_as_json(rows: list[TableRow]) -> None:
    """The measured rows and the paper's, as JSON."""
    import json

    from anyir.model.evaluation.complexity import PAPER_TABLE_6

    keys = ("method", "memory_m", "parameters_m", "flops_g")
    table = {
        "rows": [{**result.to_dict(), "memory": [m.to_dict() for m in memory]} for result, memory in rows],
        "paper": [dict(zip(keys, row, strict=True)) for row in PAPER_TABLE_6],
    }
    print(json.dumps(table, indent=2))


def print_table(rows: list[TableRow]) -> None:
    """The paper's Table 6 with the measured rows under its own."""
    from rich.console import Console
    from rich.table import Table

    from anyir.model.evaluation.complexity import CONVENTION, PAPER_TABLE_6

    size = f"{rows[0][0].width}x{rows[0][0].height}"
    columns = ("memory", "inference", "training", "parameters", "multiply-adds")
    table = Table("", *columns, title=f"Table 6: {size}, batch 1; memory of ours in MiB")
    for method, used, parameters, flops in PAPER_TABLE_6:
        table.add_row(method, f"{used} M", "", "", f"{parameters:.2f} M", f"{flops} G")
    for result, memory in rows:
        peaks = (f"{m.peak_mib:.0f}" for m in memory)
        counts = (f"{result.parameters / 1e6:.2f} M", f"{result.multiply_adds / 1e9:.2f} G")
        table.add_row(f"{result.preset} (here)", "", *peaks, *counts)
    console = Console()
    console.print(table)
    one = rows[0][1][0]
    note = f"Memory here: peak on {one.device}, {one.measure}, in a process of its own"
    if one.before_mib:
        note += f"; {one.before_mib:.0f} MiB of it are Python and torch"
    console.print(f"{note}. The paper measured on an A100 and does not say what.", highlight=False)
    console.print(f"Counted: {CONVENTION}.", highlight=False)
