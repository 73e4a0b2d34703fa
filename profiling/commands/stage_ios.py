"""``anyir ios stage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.profiling.commands.stage import ARTIFACTS, REFERENCE, Artifacts, Only, Reference, stage_into


def run(
    artifacts: Artifacts = ARTIFACTS,
    reference: Reference = REFERENCE,
    only: Only = "*",
    out: Annotated[Path, typer.Option(help="The folder that the Xcode project copies into the app.")] = Path(
        "ios_demo/Staged"
    ),
) -> None:
    """Copy artifacts, their manifests and the reference's tiles to where the Xcode project takes them.

    All are checked by their sha256. The folders models and reference in it are replaced whole.

    Example: [bold]anyir ios stage --only '*_coreml_*'[/bold]
    """
    from anyir.profiling.device_assets import IOS

    stage_into(IOS, artifacts, reference, only, out)
