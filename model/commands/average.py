"""``anyir average``: a mean of two weights files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    first: Annotated[Path, typer.Argument(help="A weights file, or a shipped preset.")],
    second: Annotated[Path, typer.Argument(help="Another, of the same preset.")],
    out: Annotated[Path, typer.Option(help="The weights file to write.")],
    share: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Of the second in the mean; the first has the rest.")
    ] = 0.5,
) -> None:
    """Write the mean of two weights files, such as the ends of two runs of one training.

    Example: [bold]anyir average a/small.safetensors b/small.safetensors --out mean.safetensors[/bold]
    """
    from anyir.model.training.averaging import average

    print(average(first, second, share, out))
