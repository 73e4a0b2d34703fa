"""``anyir reference``: what PyTorch makes of the fixed set, to compare programs with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.conversion.options import RestoreSizeOption
from anyir.model.config import DEFAULT_TILE, SIZE_MULTIPLE


def run(
    weights: Annotated[str | None, typer.Option(help="A file or a shipped preset; default: small.")] = None,
    tile: Annotated[
        int,
        typer.Option(min=16, max=1024, help=f"Side of the tiles in pixels, a multiple of {SIZE_MULTIPLE}."),
    ] = DEFAULT_TILE,
    restore_size: RestoreSizeOption = None,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("build/reference"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Record the PyTorch network's outputs on fixed photos and degradations, with hashes.

    Runs the literal float32 network, on the GPU where there is one, else on the CPU, and says which.

    Example: [bold]anyir reference --tile 256 --out build/reference[/bold]
    """
    if tile % SIZE_MULTIPLE:
        raise typer.BadParameter(f"--tile {tile} is not a multiple of {SIZE_MULTIPLE}")

    import json

    from rich.console import Console
    from rich.progress import Progress

    from anyir.profiling.reference import make_reference

    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("reference", total=None)
        reference = make_reference(
            weights,
            tile,
            out,
            restore_size=None if restore_size == (tile, tile) else restore_size,
            on_start=lambda total: bar.update(task, total=total),
            on_case=lambda: bar.advance(task),
        )
    if as_json:
        print(json.dumps(reference.to_dict(), indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    kinds = len({case.kind for case in reference.cases})
    console.print(
        f"{len(reference.cases)} tiles of {reference.tile_size}, {kinds} kinds, by {reference.weights} "
        f"({reference.weights_sha256[:12]}) on {reference.accelerator}: {out}"
    )
