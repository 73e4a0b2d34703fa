"""``anyir degrade``: make a degradation visible on any photo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anyir.model.data.degradation_registry import parse_kind, single_kinds
from anyir.model.errors import UserError

if TYPE_CHECKING:
    import numpy as np


def run(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A photo.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="The degraded photo; its suffix is its format.")
    ],
    kind: Annotated[
        str,
        typer.Option(help=f"{', '.join(single_kinds())}, or a mixture such as low_light+rain."),
    ],
    severity: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How strong: 0 is hardly, 1 the worst.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(min=0, max=2**62, help="What the random parts are drawn from.")] = 0,
    strip_metadata: Annotated[bool, typer.Option(help="Leave EXIF and the ICC profile out.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace OUT if it exists; never the input.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Degrade a photo as the training does, to see a kind or to have something to restore.

    Size, depth, alpha and metadata stay. A grey photo stays grey.

    Example: [bold]anyir degrade photo.jpg rainy.png --kind rain --severity 0.6 --seed 1[/bold]
    """
    import json
    import sys
    from dataclasses import replace

    from anyir.model.photo.encoder import Encoding
    from anyir.model.photo.writer import Inputs, write_photo
    from anyir.model.restore.batch import Output, read_job
    from anyir.model.restore.jobs import PhotoJob

    try:
        parse_kind(kind)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if source.is_dir():
        raise UserError(f"{source} is a folder; name a photo")
    output = Output(Inputs([source]), Encoding(keep_metadata=not strip_metadata), overwrite)
    photo = read_job(PhotoJob(source, target), output)
    try:
        degraded = replace(photo, pixels=_degrade(photo.pixels, kind, severity, seed))
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise UserError(f"{source}: not enough memory to degrade so large a photo") from error
    notes = photo.notes + write_photo(
        target, degraded, output.encoding, inputs=output.inputs, overwrite=overwrite
    )
    for note in notes:
        print(f"note: {source}: {note}", file=sys.stderr)
    height, width = photo.pixels.shape[:2]
    done = {"input": str(source), "output": str(target), "width": width, "height": height}
    done |= {"kind": kind, "severity": severity, "seed": seed, "notes": notes}
    if as_json:
        print(json.dumps(done, indent=2))
    else:
        print(f"degraded {source} -> {target} ({width}x{height}, {kind}, severity {severity:g}, seed {seed})")


def _degrade(pixels: np.ndarray, kind: str, severity: float, seed: int) -> np.ndarray:
    """(H, W, C) of uint8 or uint16 -> the same; alpha stays, grey takes the green of three channels."""
    import numpy as np
    import torch

    from anyir.model.data.degradations import degrade

    scale = np.iinfo(pixels.dtype).max
    colours = 1 if pixels.shape[2] < 3 else 3
    image = torch.from_numpy(pixels[..., :colours].astype(np.float32) / scale).permute(2, 0, 1)[None]
    result = degrade(image.expand(1, 3, -1, -1).contiguous(), kind, severity=severity, seed=seed)
    channels = result[0, 1:2] if colours == 1 else result[0]
    output = pixels.copy()
    output[..., :colours] = np.rint(channels.clamp(0, 1).permute(1, 2, 0).numpy() * scale)
    return output
