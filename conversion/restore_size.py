"""Tiles that are not as large as the sheet of the one look: how manifests and results name their size."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from anyir.model.config import SIZE_MULTIPLE, TileSize


def _check_side(side: int) -> int:
    if side < SIZE_MULTIPLE or side % SIZE_MULTIPLE:
        raise ValueError(f"{side} is not a positive multiple of {SIZE_MULTIPLE}")
    return side


Side = Annotated[int, AfterValidator(_check_side), WithJsonSchema({"type": "integer"})]
"""Of a sheet or a tile, in pixels."""


class RestoreSize(BaseModel):
    """Height and width of the tiles that ``restore`` takes, in pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    height: Side
    width: Side

    @property
    def size(self) -> TileSize:
        return TileSize(self.height, self.width)

    @classmethod
    def of(cls, size: TileSize | None) -> RestoreSize | None:
        return None if size is None else cls(height=size.height, width=size.width)


def tile_size(tile: int, restore_size: RestoreSize | None) -> TileSize:
    """Of tiles: as large as the sheet of side ``tile`` where they have no size of their own."""
    return TileSize.of(tile) if restore_size is None else restore_size.size
