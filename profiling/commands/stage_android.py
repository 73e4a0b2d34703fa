"""``anyir android stage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.profiling.commands.stage import ARTIFACTS, REFERENCE, Artifacts, Only, Reference, stage_into


def run(
    artifacts: Artifacts = ARTIFACTS,
    reference: Reference = REFERENCE,
    only: Only = "*",
    out: Annotated[Path, typer.Option(help="The app's assets.")] = Path("android_demo/app/src/main/assets"),
) -> None:
    """Copy artifacts, their manifests and the reference's tiles to where the app's builds take them.

    All are checked by their sha256. The folders models and reference of the assets are replaced whole.

    Example: [bold]anyir android stage --only '*_litert_cpu_*'[/bold]
    """
    from anyir.profiling.device_assets import ANDROID

    stage_into(ANDROID, artifacts, reference, only, out)
