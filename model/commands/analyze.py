"""``anyir analyze``: the paper's figures 6 to 9 for a photo and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    photo: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="A clean photo with --kind; else a degraded one.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for figure6.png ... figure9.png and figures.json.")],
    weights: Annotated[str | None, typer.Option(help="A file or a shipped preset; default: small.")] = None,
    block: Annotated[
        str | None,
        typer.Option(help="Which block, such as latent.3; default: encoder.1.0."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Degrade PHOTO: noise, rain, ..., or a mixture such as haze+rain.")
    ] = None,
    severity: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="How strong, with --kind; default: 0.6.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**62, help="What --kind draws its random parts from; default: 0."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="The clean photo that PHOTO should be, for the error map.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace figures that are in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures' numbers as JSON.")] = False,
) -> None:
    """Look inside one block: feature maps of GatedDA (figure 6), channel activations of skip-split against
    half-split (7), singular values of attention, GatedDA and fused features (8), and the error map beside
    GatedDA's output (9, which needs --kind or --truth).

    At most the middle 512x512 pixels of the photo are looked at.

    Example: [bold]anyir analyze photo.jpg --kind rain --out figures[/bold]
    """
    import json

    from anyir.model.data.degradations import parse_kind

    if kind is not None and truth is not None:
        raise typer.BadParameter("--kind degrades a clean PHOTO, --truth belongs to a degraded one: give one")
    for name, value in (("--severity", severity), ("--seed", seed)):
        if kind is None and value is not None:
            raise typer.BadParameter(f"{name} means nothing without --kind")
    if kind is not None:
        try:
            parse_kind(kind)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    from anyir.model.evaluation.figures import analyze

    result = analyze(
        photo, out, weights=weights, block=block, kind=kind, severity=0.6 if severity is None else severity,
        seed=seed or 0, truth=truth, overwrite=overwrite,
    )  # fmt: skip
    if as_json:
        print(json.dumps(result, indent=1))
        return
    for name in result["files"]:
        print(out / name)
    if result["figure9"] is None:
        print("figure 9 was left out: it needs --kind or --truth")
