"""Tiles that are not as large as the sheet of the one look: how manifests and results name their size."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, NonNegativeInt, WithJsonSchema, model_validator

from anyir.model.config import SIZE_MULTIPLE, TileSize

Pixels = Annotated[NonNegativeInt, WithJsonSchema({"type": "integer"})]


class RestoreSize(BaseModel):
    """Height and width of the tiles that ``restore`` takes, in pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    height: Pixels
    width: Pixels

    @model_validator(mode="after")
    def _fits_the_network(self) -> RestoreSize:
        for side in (self.height, self.width):
            if side < SIZE_MULTIPLE or side % SIZE_MULTIPLE:
                raise ValueError(f"{side} is not a positive multiple of {SIZE_MULTIPLE}")
        return self

    @property
    def size(self) -> TileSize:
        return TileSize(self.height, self.width)

    @classmethod
    def of(cls, size: TileSize | None) -> RestoreSize | None:
        return None if size is None else cls(height=size.height, width=size.width)


def tile_size(tile: int, restore_size: RestoreSize | None) -> TileSize:
    """Of tiles: as large as the sheet of side ``tile`` where they have no size of their own."""
    return TileSize.of(tile) if restore_size is None else restore_size.size
