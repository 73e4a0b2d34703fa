"""``anyir android stage`` and ``anyir ios stage``: artifacts and reference tiles into an app."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from anyir.profiling.device_assets import App

ARTIFACTS = Path("build/artifacts")
REFERENCE = Path("build/reference")

Artifacts = Annotated[Path, typer.Option(help="Folder that `anyir convert` wrote.")]
Reference = Annotated[Path, typer.Option(help="Folder that `anyir reference` wrote.")]
Only = Annotated[str, typer.Option(metavar="PATTERN", help="Artifacts whose name fits, such as '*_fp16_*'.")]


def stage_into(app: App, artifacts: Path, reference: Path, only: str, out: Path) -> None:
    """Stage, and print what was staged; what was left out is a note on stderr."""
    from rich.console import Console

    from anyir.profiling.device_assets import stage
    from anyir.profiling.reference import load_reference

    console = Console(stderr=True)
    with console.status("staging") as status:
        staged = stage(app, artifacts, load_reference(reference), out, only, on_file=status.update)
    for name, why in staged.left_out.items():
        console.print(f"note: {name} is left out: {why}", highlight=False, markup=False, soft_wrap=True)
    for name in staged.models:
        print(name)
    models = "1 model" if len(staged.models) == 1 else f"{len(staged.models)} models"
    print(f"{models} and {staged.tiles} tiles, {staged.bytes / 1e6:.1f} MB: {out}")
