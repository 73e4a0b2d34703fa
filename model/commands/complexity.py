"""``anyir complexity``: parameters and multiply-adds beside the paper's."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    preset: Annotated[str | None, typer.Option(help="Which network; default: all presets.")] = None,
    height: Annotated[int, typer.Option(min=8, max=16384, help="Of the input, a multiple of 8.")] = 224,
    width: Annotated[int, typer.Option(min=8, max=16384, help="Of the input, a multiple of 8.")] = 224,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print parameters and multiply-adds of a preset, at 224x224 as in the paper's Table 6.

    Example: [bold]anyir complexity --preset anyir --json[/bold]
    """
    from anyir.model.config import PRESETS

    if preset is not None and preset not in PRESETS:
        raise typer.BadParameter(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    if height % 8 or width % 8:
        raise typer.BadParameter(f"{width}x{height}: width and height must be multiples of 8")

    import json

    from anyir.model.complexity import (
        CONVENTION,
        PAPER_MULTIPLY_ADDS,
        PAPER_PARAMETERS,
        measure_complexity,
    )

    names = [preset] if preset else list(PRESETS)
    results = [measure_complexity(name, PRESETS[name], height, width) for name in names]
    if as_json:
        rows = [r.to_dict() for r in results]
        print(json.dumps(rows[0] if preset else rows, indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table("preset", "parameters", "multiply-adds", title=f"{width}x{height}")
    for r in results:
        table.add_row(r.preset, f"{r.parameters / 1e6:.2f} M", f"{r.multiply_adds / 1e9:.2f} G")
    table.add_row(
        "paper, Table 6 (224x224)", f"{PAPER_PARAMETERS / 1e6:.2f} M", f"{PAPER_MULTIPLY_ADDS / 1e9:.0f} G"
    )
    console = Console()
    console.print(table)
    console.print(f"Counted: {CONVENTION}.", highlight=False)
