"""``anyir stay-pairs``: pairs from which a network learns that what looks hazy or dark may be meant."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """What the pairs show."""

    SKY = "sky"
    PALE = "pale"
    NIGHT = "night"


MISSED = {Kind.SKY: "shows much sky", Kind.PALE: "has a part that looks hazy", Kind.NIGHT: "is dark"}
"""What none of the photos has, where nothing was found."""


def run(
    kind: Annotated[Kind, typer.Argument(help="What to look for in the photos.", show_default=False)],
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTOS... OUT", help="Folders of clean photos.")],
    drawn: Annotated[int, typer.Option(min=0, help="Skies that are drawn besides; of sky alone.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of parts, drawn skies and JPEG qualities.")] = 0,
) -> None:
    """Make pairs of photos that look hazy or dark and are not: to train on, with themselves as targets.

    OUT/target has small copies and enlarged parts of photos with much sky, of pale and even things, or of
    dark photos; OUT/input has the same, half of them saved as JPEG. OUT must not exist, or be empty. Name
    only photos that training may see.

    Example: [bold]anyir stay-pairs pale data/photos data/pale[/bold]
    """
    import io
    import os
    from tempfile import TemporaryDirectory

    import numpy as np
    from PIL import Image
    from rich.console import Console
    from rich.progress import track

    from anyir.model.commands.new_folder import split_paths
    from anyir.model.data.decode import read_pixels
    from anyir.model.data.night_parts import night_parts
    from anyir.model.data.pale_parts import pale_parts
    from anyir.model.data.photo_bank import list_photos
    from anyir.model.data.sky_parts import drawn_sky, sky_parts
    from anyir.model.errors import UserError
    from anyir.model.photo.pixels import to_8_bits

    find = {Kind.SKY: sky_parts, Kind.PALE: pale_parts, Kind.NIGHT: night_parts}[kind]
    folders, out = split_paths(photos)
    paths = list_photos(folders)
    console = Console(stderr=True)
    generator, count = np.random.default_rng(seed), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=".stay-pairs-") as place:  # a broken photo leaves nothing
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
            parts = find(pixels, generator) if min(pixels.shape[:2]) >= 64 else []
            count += bool(parts)
            for part, found in enumerate(parts):
                add(found, f"{number:05}-{path.stem}-{part}.png")
        if not count:
            raise UserError(f"none of {len(paths)} photos {MISSED[kind]}")
        skies = drawn if kind is Kind.SKY else 0
        for number in range(skies):
            add(drawn_sky(generator), f"drawn-{number:03}.png")
        out.mkdir(exist_ok=True)
        for folder in (inputs, targets):
            os.replace(folder, out / folder.name)
    besides = f" and {skies} drawn skies" if skies else ""
    print(f"parts of {count} of {len(paths)} photos{besides} -> {out}")
