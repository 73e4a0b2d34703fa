"""Options that commands share: how tile sizes are read from the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from anyir.model.config import SIZE_MULTIPLE, TileSize

LARGEST_TILE = 1024


def tile_side(text: str) -> int:
    """What ``--tile`` says: height and width of a tile, which are the same.

    Raises:
        typer.BadParameter: anything else.
    """
    if not str(text).isdecimal():
        raise typer.BadParameter(
            f"{text}: one number of pixels is due, such as 256; for other tiles there is --restore-size"
        )
    return one_side(int(text))


def tile_size(text: str) -> TileSize:
    """What ``--restore-size`` says: height and width of a tile.

    Raises:
        typer.BadParameter: anything else.
    """
    sides = str(text).split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise typer.BadParameter(f"{text}: height and width in pixels are due, such as 192x320")
    return TileSize(*(one_side(int(side)) for side in sides))


def one_side(side: int) -> int:
    if not SIZE_MULTIPLE <= side <= LARGEST_TILE or side % SIZE_MULTIPLE:
        raise typer.BadParameter(f"{side}: a multiple of {SIZE_MULTIPLE} up to {LARGEST_TILE} is due")
    return side


def any_tile(text: str) -> TileSize:
    """What ``--also`` says: a side, or height and width.

    Raises:
        typer.BadParameter: anything else.
    """
    return tile_size(str(text)) if "x" in str(text) else TileSize.of(tile_side(text))


RestoreSizeOption = Annotated[
    TileSize | None,
    typer.Option(
        parser=tile_size,
        metavar="HEIGHTxWIDTH",
        help="Of tiles that are not as large as the one look at the photo, whose side is --tile.",
    ),
]
