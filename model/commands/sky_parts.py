"""``anyir sky-parts``: pairs from which a network learns that what is bright and pale may be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTOS... OUT", help="Folders of clean photos.")],
    drawn: Annotated[int, typer.Option(min=0, help="Skies that are drawn, beside those of the photos.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the parts, the drawn skies and the JPEG qualities.")] = 0,
) -> None:
    """Make pairs of skies that look hazy and are not: to train on, with themselves as targets.

    OUT/target has parts of photos with much sky, small and enlarged, and drawn skies; OUT/input has the
    same, half of them saved as JPEG. OUT must not exist, or be empty. Name only photos that training may see.

    Example: [bold]anyir sky-parts data/photos data/sky[/bold]
    """
    import io
    import os
    from tempfile import TemporaryDirectory

    import numpy as np
    from PIL import Image
    from rich.console import Console
    from rich.progress import track

    from anyir.model.commands.new_folder import split_paths
    from anyir.model.data.decode import read_pixels, to_8_bits
    from anyir.model.data.photo_bank import list_photos
    from anyir.model.data.sky_parts import LEAST_SHARE, drawn_sky, sky_parts, sky_share
    from anyir.model.errors import UserError

    folders, out = split_paths(photos)
    paths = list_photos(folders)
    console = Console(stderr=True)
    generator, count = np.random.default_rng(seed), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=".sky-parts-") as place:  # a broken photo leaves nothing
        inputs, targets = Path(place, "input"), Path(place, "target")
        inputs.mkdir()
        targets.mkdir()

        def add(pixels: np.ndarray, name: str) -> None:
            image = Image.fromarray(pixels)
            image.save(targets / name)
            if generator.random() < 0.5:
                quality = int(generator.integers(90, 99))
                image.save(
                    file := io.BytesIO(), "JPEG", quality=quality, subsampling=0 if quality > 94 else 2
                )
                image = Image.open(file)
            image.save(inputs / name)

        quiet = not console.is_terminal
        for number, path in enumerate(
            track(paths, "looking", console=console, transient=True, disable=quiet)
        ):
            pixels = to_8_bits(read_pixels(path))
            if min(pixels.shape[:2]) >= 64 and sky_share(pixels) >= LEAST_SHARE:
                count += 1
                for part, found in enumerate(sky_parts(pixels, generator)):
                    add(found, f"{number:05}-{path.stem}-{part}.png")
        if not count:
            raise UserError(f"none of {len(paths)} photos shows much sky")
        for number in range(drawn):
            add(drawn_sky(generator), f"drawn-{number:03}.png")
        out.mkdir(exist_ok=True)
        for folder in (inputs, targets):
            os.replace(folder, out / folder.name)
    print(f"parts of {count} of {len(paths)} photos and {drawn} drawn skies -> {out}")
