"""``anyir android stage``: artifacts and reference tiles into the Android app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    artifacts: Annotated[Path, typer.Option(help="Folder that `anyir convert` wrote.")] = Path(
        "build/artifacts"
    ),
    reference: Annotated[Path, typer.Option(help="Folder that `anyir reference` wrote.")] = Path(
        "build/reference"
    ),
    only: Annotated[
        str, typer.Option(metavar="PATTERN", help="Artifacts whose name fits, such as '*_litert_*'.")
    ] = "*",
    out: Annotated[Path, typer.Option(help="The app's assets.")] = Path("android_demo/app/src/main/assets"),
) -> None:
    """Copy artifacts, their manifests and the reference's tiles to where the app's builds take them.

    All are checked by their sha256. The folders models and reference of the assets are replaced whole.

    Example: [bold]anyir android stage --only '*_litert_cpu_*'[/bold]
    """
    from rich.console import Console

    from anyir.profiling.device_assets import ANDROID, stage
    from anyir.profiling.reference import load_reference

    console = Console(stderr=True)
    with console.status("staging") as status:
        staged = stage(ANDROID, artifacts, load_reference(reference), out, only, on_file=status.update)
    for name, why in staged.left_out.items():
        console.print(f"note: {name} is left out: {why}", highlight=False, markup=False, soft_wrap=True)
    for name in staged.models:
        print(name)
    models = "1 model" if len(staged.models) == 1 else f"{len(staged.models)} models"
    print(f"{models} and {staged.tiles} tiles, {staged.bytes / 1e6:.1f} MB: {out}")
