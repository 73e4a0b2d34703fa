"""``anyir dim-parts``: parts of clean photos from which a network learns that what is dark may be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTOS... OUT", help="Folders of clean photos.")],
    most: Annotated[int, typer.Option(min=1, help="Parts of one photo, at most.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the places that are looked at.")] = 0,
) -> None:
    """Cut parts out of clean photos that look under-exposed and are not, as clean photos to train on.

    OUT must not exist, or be empty. Name only photos that training may see: parts of those that you judge
    by would be learnt.

    Example: [bold]anyir dim-parts data/photos data/often data/dim[/bold]
    """
    import os
    from tempfile import TemporaryDirectory

    import numpy as np
    from PIL import Image
    from rich.console import Console
    from rich.progress import track

    from anyir.model.commands.new_folder import split_paths
    from anyir.model.data.decode import read_pixels
    from anyir.model.data.dim_parts import dim_parts
    from anyir.model.data.photo_bank import list_photos
    from anyir.model.errors import UserError
    from anyir.model.photo.pixels import to_8_bits

    folders, out = split_paths(photos)
    paths = list_photos(folders)
    console = Console(stderr=True)
    quiet = not console.is_terminal
    generator, count = np.random.default_rng(seed), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=".dim-parts-") as place:  # a broken photo leaves nothing
        for number, path in enumerate(
            track(paths, "looking", console=console, transient=True, disable=quiet)
        ):
            for part in dim_parts(to_8_bits(read_pixels(path)), generator, most):
                count += 1
                Image.fromarray(part).save(Path(place, f"{number:05}-{path.stem}-{count}.png"))
        if not count:
            raise UserError(f"none of {len(paths)} photos has a part that looks under-exposed")
        out.mkdir(exist_ok=True)
        for part_file in Path(place).iterdir():
            os.replace(part_file, out / part_file.name)
    print(f"{count} parts of {len(paths)} photos -> {out}")
