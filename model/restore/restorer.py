"""Restoring photos of any size with anything that maps a tile to a tile."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anyir.model.config import DEFAULT_TILE, SIZE_MULTIPLE, TileSize, default_overlap
from anyir.model.errors import UserError
from anyir.model.restore.at_once import restore_in_order
from anyir.model.restore.halving import Halving, memory_notes, smaller_sheets
from anyir.model.restore.look import make_sheet
from anyir.model.restore.need import Need, need_between
from anyir.model.restore.tile_models import (
    LookModel,
    TileModel,
    TorchModel,
    check_tile,
    open_model,
    own_tile,
)
from anyir.model.restore.tiling import Region, TilePlan, reflect_indices, with_margin
from anyir.model.restore.values import as_input, is_neutral, scale_of

if TYPE_CHECKING:
    from anyir.model.network import AnyIR

LEAST_SIDE = 128
"""Pixels a side that a network sees at least, in mirror images if there are no others: it judges haze and
darkness by all that it sees, and takes a bright patch of 8 pixels for haze. More would cost time, and quality
in rain and haze (docs/guides/restore.md)."""

MARGIN = 8
"""Mirrored pixels beyond the photo's own borders that tiles there see too, a multiple of 8. Without them the
outermost pixels stay noisy, as zeros are all that the network has on one side. 16 are no better."""

TileProgress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""


@dataclass(frozen=True)
class Setting:
    """What restores and how, as users read it; a ``Restorer`` says what the values mean."""

    model: str
    accelerator: str
    tile: int | TileSize
    overlap: int
    strength: float
    statistics: str

    def plan(self, width: int, height: int) -> TilePlan:
        """The tiles that a photo of this size is cut into."""
        return TilePlan(width, height, self.tile, self.overlap)


class Restorer:
    """Restores photos: cuts them into overlapping tiles, runs a model on each, and blends the results.

    ``Restorer("small")(image)`` returns an image of the same type, size and depth. Alpha passes through;
    grey goes in as three equal channels and comes out as their mean, so that black-and-white photos stored in
    colour stay so too. Beside the photo and its result,
    memory is taken for the tiles that are restored at once and for one row of tiles across the photo, in
    float32.

    Args:
        model: a ``TileModel``, an ``AnyIR`` network, or what ``open_model`` takes.
        tile: side in pixels, a multiple of 8; None for the model's own, or else ``DEFAULT_TILE``. A photo
            that is smaller is filled up by reflection: to a whole tile for a model of a fixed size, for any
            other to a multiple of 8 from 128 on.
        overlap: pixels that neighbouring tiles share, at most half a tile's shorter side; None for
            ``DEFAULT_OVERLAP`` (a quarter of that side where that is less).
        threads: CPU threads; None for all cores. Not for a ``TileModel``, which has its own.
        strength: share of the restoration in the result, 0..1; the photo as it was has the rest.
        statistics: what haze, darkness and the like are judged by: one look at the whole ``photo``, so
            that its tiles agree, or each ``tile`` by itself; None for the photo where the model can.

    Raises:
        UserError: the model cannot be opened or cannot look at a photo, tile and overlap do not fit it, or a
            strength out of its range.
    """

    def __init__(
        self,
        model: TileModel | AnyIR | str | Path | None = None,
        *,
        tile: int | None = None,
        overlap: int | None = None,
        threads: int | None = None,
        strength: float = 1.0,
        statistics: Literal["photo", "tile"] | None = None,
    ) -> None:
        if not 0 <= strength <= 1:  # NaN neither
            raise UserError(f"the strength {strength:g} is not in 0..1")
        self.strength = strength
        if model is None or isinstance(model, str | Path):
            model = open_model(model, threads=threads)
        elif not isinstance(model, TileModel):
            if not hasattr(model, "use_additive_fusion"):
                raise TypeError(f"{type(model).__name__} is neither a TileModel nor an AnyIR network")
            model = TorchModel(model, threads=threads)
        self.model: TileModel = model
        can_look = isinstance(model, LookModel)
        self.statistics = statistics or ("photo" if can_look else "tile")
        if self.statistics == "photo" and not can_look:
            raise UserError(f"{model.name} cannot look at a whole photo; take the statistics of each tile")
        self.tile = (own_tile(model) or DEFAULT_TILE) if tile is None else tile
        self.size = TileSize.of(self.tile)
        shorter = min(self.size)
        self.overlap = default_overlap(shorter) if overlap is None else overlap
        check_tile(model, self.tile)
        if shorter < SIZE_MULTIPLE or any(side % SIZE_MULTIPLE for side in self.size):
            raise UserError(f"the tile size {self.tile} is not a positive multiple of {SIZE_MULTIPLE}")
        if not 0 <= self.overlap <= shorter // 2:
            raise UserError(f"the overlap {self.overlap} is not in 0..{shorter // 2}, half the tile size")

    @property
    def _has_other_sheets(self) -> bool:
        """Whether the model looks at sheets of one size, and the tiles are not as large."""
        side = self.model.tile
        return side is not None and self.size != (side, side)

    @property
    def setting(self) -> Setting:
        """What restores and how."""
        model = self.model
        return Setting(model.name, model.accelerator, self.tile, self.overlap, self.strength, self.statistics)

    def plan(self, width: int, height: int) -> TilePlan:
        """The tiles that a photo of this size is cut into."""
        return self.setting.plan(width, height)

    @overload
    def __call__(self, image: Image.Image, *, progress: TileProgress | None = None) -> Image.Image: ...
    @overload
    def __call__(self, image: NDArray[Any], *, progress: TileProgress | None = None) -> NDArray[Any]: ...
    def __call__(self, image: Any, *, progress: TileProgress | None = None) -> Any:
        """Restore one photo.

        Args:
            image: a Pillow image, or an array (H, W) or (H, W, C) of uint8, uint16, or floats in 0..1;
                C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
            progress: called after every tile.

        Returns:
            A new image of the same type. A Pillow image comes back upright, with its profile and EXIF
            in ``info``; palettes and CMYK come back as RGB, with a warning.

        Raises:
            UserError: an image of another kind, or a model that returns NaN or infinity.
        """
        if isinstance(image, Image.Image):
            return self._restore_pillow(image, progress)
        image = np.asarray(image)
        result = np.empty_like(image, order="C")
        for note in self.restore_into(image, result, progress=progress):
            warnings.warn(note, stacklevel=2)
        return result

    def restore_into(
        self, source: NDArray[Any], target: NDArray[Any], *, progress: TileProgress | None = None
    ) -> list[str]:
        """Restore ``source`` into ``target``, arrays of one shape and type as ``__call__`` takes them.

        ``target`` may be ``source`` itself, which halves the memory: a row of pixels is written only
        when no tile needs it any more.

        Returns:
            Notes for the user: memory ran out, and tiles were made smaller.
        """
        scale = scale_of(source)
        if source.ndim == 2:
            source, target = source[..., None], target[..., None]
        if source.ndim != 3 or source.shape[2] not in (1, 2, 3, 4) or 0 in source.shape:
            raise UserError(f"an image is (H, W) or (H, W, 1..4), not {source.shape}")
        colours = 1 if source.shape[2] < 3 else 3
        target[..., colours:] = source[..., colours:]
        source, target = source[..., :colours], target[..., :colours]
        if colours == 3 and is_neutral(source):
            source = source[..., :1]

        plan = self.plan(source.shape[1], source.shape[0])
        height, width = min(plan.size.height, plan.height), min(plan.size.width, plan.width)
        band = np.zeros((height, plan.width, source.shape[2]), np.float32)  # rows y..y + height of the result
        restore, margin, side = self._look(source, scale, plan)

        def run(region: Region, tile: int) -> NDArray[np.float32]:
            return self._run(restore, source, region, tile, margin, scale)

        longer = max(self.size)
        restored_tile = Halving(run, longer, halves=self.model.tile is None)
        tiles = restore_in_order(self.model, restored_tile, plan)
        done = 0
        for j, y in enumerate(plan.rows):
            for x, weights in zip(plan.columns, plan.column_weights, strict=True):
                weight = plan.row_weights[j][:, None, None] * weights[None, :, None]
                band[:, x : x + width] += next(tiles) * weight.astype(np.float32)
                done += 1
                if progress is not None:
                    progress(done, len(plan))
            end = plan.rows[j + 1] if j + 1 < len(plan.rows) else plan.height
            finished = self._mixed(band[: end - y], source[y:end], scale) * np.float32(scale)
            target[y:end] = finished if source.dtype.kind == "f" else np.rint(finished)
            band[: height - (end - y)] = band[end - y :].copy()
            band[height - (end - y) :] = 0
        return memory_notes(longer, restored_tile.tile, side)

    def need(self, source: NDArray[Any]) -> Need:
        """How much a photo needs to be restored: one tile's work, on the sheet that stands for the photo.

        Args:
            source: as ``__call__`` takes it; a photo of one tile is its own sheet.

        Raises:
            UserError: as ``__call__``.
        """
        scale = scale_of(source)
        colours = 3 if source.ndim == 3 and source.shape[2] >= 3 else 1
        source = (source[..., None] if source.ndim == 2 else source)[..., :colours]
        side = self.model.tile or DEFAULT_TILE
        return smaller_sheets(lambda side: self._need(source, scale, side), side, self.model.tile is None)[0]

    def _need(self, source: NDArray[Any], scale: float, side: int) -> Need:
        """The same of (H, W, 1 | 3) with a sheet of that side."""
        sheet = self._sheet(source, side)
        height, width = source.shape[:2] if max(source.shape[:2]) <= side else sheet.shape[:2]
        if self._has_other_sheets:
            assert isinstance(self.model, LookModel)
            height, width = min(height, self.size.height), min(width, self.size.width)
            inputs = as_input(self._filled_up(sheet[: self.size.height, : self.size.width], self.size), scale)
            outputs = self.model.restore(inputs, self.model.look(as_input(sheet, scale)))
        else:
            inputs = as_input(sheet, scale)
            outputs = self.model(inputs)
        images = (image[0].transpose(1, 2, 0) for image in (inputs, self._checked(outputs, inputs)))
        return need_between(*(image[:height, :width] for image in images))

    def _look(
        self, source: NDArray[Any], scale: float, plan: TilePlan
    ) -> tuple[Callable[[NDArray[np.float32]], Any], int, int | None]:
        """What restores a tile of this photo, (H, W, 1 | 3); the margin of tiles at its borders, none where
        it would be judged too, or where the model has one size; and the side of a sheet that had to be
        smaller."""
        model = self.model
        side = model.tile or DEFAULT_TILE  # whatever the tiles are, so that their size changes nothing
        own_sheet = max(source.shape[:2]) <= side and len(plan) == 1 and not self._has_other_sheets
        if self.statistics == "tile" or not isinstance(model, LookModel) or own_sheet:
            return model, 0, None
        statistics, seen = smaller_sheets(
            lambda side: model.look(as_input(self._sheet(source, side), scale)), side, model.tile is None
        )
        # A margin reaches a row beyond a tile that is no larger, and that may have been overwritten.
        margin = MARGIN if model.tile is None and min(self.size) > MARGIN else 0
        return lambda tile: model.restore(tile, statistics), margin, seen if seen < side else None

    def _sheet(self, source: NDArray[Any], side: int) -> NDArray[Any]:
        """What stands for the photo: the photo itself, filled up, where it is no larger."""
        whole = max(source.shape[:2]) <= side
        return self._filled_up(source, (side, side)) if whole else make_sheet(source, side)

    def _run(
        self,
        restore: Callable[[NDArray[np.float32]], Any],
        source: NDArray[Any],
        region: Region,
        tile: int,
        margin: int,
        scale: float,
    ) -> NDArray[np.float32]:
        """One region of the photo (H, W, 1 | 3), with a margin at the photo's borders and filled up by
        reflection, restored and cropped again."""
        rows, top = with_margin(region.y, region.height, source.shape[0], margin)
        columns, left = with_margin(region.x, region.width, source.shape[1], margin)
        seen = (
            source[rows[:, None], columns]
            if margin
            else source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        )
        most = (tile + len(rows) - region.height, tile + len(columns) - region.width)
        if self.model.tile is not None:
            most = self.size
        inputs = as_input(self._filled_up(seen, most), scale)
        outputs = self._checked(restore(inputs), inputs)
        result = outputs[0].transpose(1, 2, 0)[top : top + region.height, left : left + region.width]
        return result if source.shape[2] == 3 else result.mean(axis=2, keepdims=True)

    def _checked(self, outputs: Any, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the model gave, if it is an image of the input's size."""
        outputs = np.asarray(outputs)
        if outputs.shape != inputs.shape:
            raise UserError(f"{self.model.name} returned {outputs.shape} for a tile of {inputs.shape}")
        if not np.isfinite(outputs).all():
            raise UserError(
                f"{self.model.name} on {self.model.accelerator} returned NaN or infinity: nothing is written"
            )
        return outputs

    def _mixed(self, restored: NDArray[Any], source: NDArray[Any], scale: float) -> NDArray[np.float32]:
        """Rows of the result, in 0..1: the restoration, with the photo as far as the strength leaves room."""
        restored = np.clip(restored, 0, 1)
        if self.strength < 1:
            restored *= np.float32(self.strength)
            before = np.clip(source.astype(np.float32) / np.float32(scale), 0, 1)
            restored += before * np.float32(1 - self.strength)
        return restored

    def _filled_up(self, region: NDArray[Any], most: tuple[int, int]) -> NDArray[Any]:
        """A region of at most ``most`` rows and columns, reflected until the model takes its size: all of
        that where it has one size."""

        def filled(side: int, most: int) -> int:
            if self.model.tile is not None:
                return most
            return min(most, max(LEAST_SIDE, -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE))

        sides = zip(region.shape[:2], most, strict=True)
        rows, columns = (reflect_indices(side, filled(side, limit)) for side, limit in sides)
        return region[rows][:, columns]

    def _restore_pillow(self, image: Image.Image, progress: TileProgress | None) -> Image.Image:
        from anyir.model.photo.encoder import to_pillow
        from anyir.model.photo.reader import from_pillow

        photo = from_pillow(image)
        for note in photo.notes:
            warnings.warn(note, stacklevel=3)
        for note in self.restore_into(photo.pixels, photo.pixels, progress=progress):
            warnings.warn(note, stacklevel=3)
        result = to_pillow(photo.pixels)
        result.info.update({k: v for k, v in (("icc_profile", photo.icc), ("exif", photo.exif)) if v})
        return result
