"""Restoring photos of any size with anything that maps a tile to a tile."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anyir.model.config import DEFAULT_OVERLAP, DEFAULT_TILE, SIZE_MULTIPLE, preset_name
from anyir.model.device import choose_device, device_label
from anyir.model.errors import UserError
from anyir.model.restore.look import make_sheet
from anyir.model.restore.tiling import TilePlan, reflect_indices

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from anyir.model.network import AnyIR
    from anyir.model.statistics import Statistics

OPENERS = "anyir.tile_models"
"""Entry points of packages that open what is no weights file: a suffix without its dot, and what takes
``(path, *, threads)`` and gives a ``TileModel``. pyproject.toml has those of ``anyir.conversion``."""
INSTALL = "pip install -c constraints.txt -e '.[convert]'"
WEIGHTS_SUFFIX = ".safetensors"
LEAST_SIDE = 128
"""Pixels a side that a network sees at least, in mirror images if there are no others: it judges haze and
darkness by all that it sees, and takes a bright patch of 8 pixels for haze. More would cost time, and quality
in rain and haze (docs/guides/restore.md)."""

TileProgress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""


@runtime_checkable
class TileModel(Protocol):
    """What restores one tile: the PyTorch network, or a program for a phone's runtime.

    Attributes:
        name: of the weights or the artifact.
        accelerator: what actually runs, such as "PyTorch CPU" or "XNNPACK".
        tile: side of the square tile that the model is fixed to, or None for any multiple of 8.
    """

    @property
    def name(self) -> str: ...
    @property
    def accelerator(self) -> str: ...
    @property
    def tile(self) -> int | None: ...

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        """(1, 3, H, W), RGB, in 0..1 -> the same shape, not clamped."""
        ...


@runtime_checkable
class LookModel(TileModel, Protocol):
    """A ``TileModel`` that can look at the whole photo first, so that its tiles agree."""

    def look(self, sheet: NDArray[np.float32], /) -> Any:
        """(1, 3, H, W), crops of the photo side by side -> statistics, for this model alone."""
        ...

    def restore(self, tile: NDArray[np.float32], statistics: Any, /) -> NDArray[np.float32]:
        """As ``__call__``, with given statistics in place of the tile's own."""
        ...


class TorchModel:
    """An AnyIR network as a ``LookModel``, on the accelerator that torch has, else on the CPU.

    Args:
        network: put in eval mode, and its fusion computed as the addition that it equals.
        name: shown to the user; by default the preset's.
        threads: CPU threads of the whole process; None leaves torch's choice.
    """

    tile: int | None = None

    def __init__(self, network: AnyIR, *, name: str | None = None, threads: int | None = None) -> None:
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        self.device = choose_device()
        self.network = network.eval().use_additive_fusion().to(self.device)
        self.name = name or preset_name(network.config) or "custom"
        self.accelerator = device_label(self.device)

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        return self.restore(tile, None)

    def restore(self, tile: NDArray[np.float32], statistics: Statistics | None, /) -> NDArray[np.float32]:
        """As ``__call__``, with ``look``'s statistics in place of the tile's own."""
        return self._run(self.network, tile, statistics).float().cpu().numpy()

    def look(self, sheet: NDArray[np.float32], /) -> Statistics:
        """Statistics of a sheet, (1, 3, H, W)."""
        import torch

        statistics = self._run(self.network.statistics, sheet)
        if not all(torch.isfinite(t).all() for block in statistics.blocks for t in block if t is not None):
            raise UserError(
                f"{self.name} on {self.accelerator} looked at the photo and returned NaN or infinity"
            )
        return statistics

    def _run(self, function: Callable[..., Any], image: NDArray[np.float32], *arguments: Any) -> Any:
        import torch

        try:
            with torch.inference_mode():
                return function(torch.from_numpy(image).to(self.device), *arguments)
        except RuntimeError as error:  # torch has no class of its own for the CPU allocator's refusal
            if "memory" not in str(error):
                raise
            raise UserError(
                f"not enough memory for a tile of {max(image.shape[-2:])}; choose a smaller one"
            ) from error


def open_model(source: str | Path | None = None, *, threads: int | None = None) -> TileModel:
    """A ``TileModel`` for weights or an artifact.

    Args:
        source: an artifact (.pte, .tflite, .mlpackage), a weights file, the name of a preset that
            ships, or None for ``small``.
        threads: CPU threads; None for all cores.

    Raises:
        UserError: missing, damaged, or not runnable on this machine. Nothing else is run instead.
    """
    if source is not None and Path(source).suffix not in ("", WEIGHTS_SUFFIX):
        openers = {f".{entry.name}": entry for entry in entry_points(group=OPENERS)}
        opener = openers.get(Path(source).suffix)
        if opener is not None:
            return _open_artifact(Path(source), opener, threads or os.cpu_count() or 1)
        if Path(source).exists():
            known = ", ".join((WEIGHTS_SUFFIX, *sorted(openers)))
            raise UserError(f"nothing that is installed opens {source}; known: {known} ({INSTALL})")

    from anyir.model.checkpoint import find_weights, load_weights

    path = find_weights(source)
    return TorchModel(load_weights(path), name=path.stem, threads=threads)


def _open_artifact(path: Path, opener: EntryPoint, threads: int) -> TileModel:
    if not path.exists():
        raise UserError(f"there is no artifact {path}")
    try:
        model: TileModel = opener.load()(path, threads=threads)
    except ImportError as error:
        raise UserError(f"{error.name} is missing, which artifacts need: {INSTALL}") from error
    return model


class Restorer:
    """Restores photos: cuts them into overlapping tiles, runs a model on each, and blends the results.

    ``Restorer("small")(image)`` returns an image of the same type, size and depth. Alpha passes through;
    grey goes in as three equal channels and comes out as their mean. Beside the photo and its result,
    memory is taken for one tile and for one row of tiles across the photo, in float32.

    Args:
        model: a ``TileModel``, an ``AnyIR`` network, or what ``open_model`` takes.
        tile: side in pixels, a multiple of 8; None for the model's own, or else ``DEFAULT_TILE``. A photo
            that is smaller is filled up by reflection: to a whole tile for a model of a fixed size, for any
            other to a multiple of 8 from 128 on.
        overlap: pixels that neighbouring tiles share, at most half a tile; None for ``DEFAULT_OVERLAP`` (a
            quarter of a tile where that is less).
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
        self.tile = (model.tile or DEFAULT_TILE) if tile is None else tile
        self.overlap = min(DEFAULT_OVERLAP, self.tile // 4) if overlap is None else overlap
        if model.tile is not None and self.tile != model.tile:
            raise UserError(
                f"{model.name} is made for tiles of {model.tile}, not {self.tile}; leave the tile size out"
            )
        if self.tile < SIZE_MULTIPLE or self.tile % SIZE_MULTIPLE:
            raise UserError(f"the tile size {self.tile} is not a positive multiple of {SIZE_MULTIPLE}")
        if not 0 <= self.overlap <= self.tile // 2:
            raise UserError(f"the overlap {self.overlap} is not in 0..{self.tile // 2}, half the tile size")

    def plan(self, width: int, height: int) -> TilePlan:
        """The tiles that a photo of this size is cut into."""
        return TilePlan(width, height, self.tile, self.overlap)

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
        self.restore_into(image, result, progress=progress)
        return result

    def restore_into(
        self, source: NDArray[Any], target: NDArray[Any], *, progress: TileProgress | None = None
    ) -> None:
        """Restore ``source`` into ``target``, arrays of one shape and type as ``__call__`` takes them.

        ``target`` may be ``source`` itself, which halves the memory: a row of pixels is written only
        when no tile needs it any more.
        """
        scale = _scale(source)
        if source.ndim == 2:
            source, target = source[..., None], target[..., None]
        if source.ndim != 3 or source.shape[2] not in (1, 2, 3, 4) or 0 in source.shape:
            raise UserError(f"an image is (H, W) or (H, W, 1..4), not {source.shape}")
        colours = 1 if source.shape[2] < 3 else 3
        target[..., colours:] = source[..., colours:]
        source, target = source[..., :colours], target[..., :colours]

        plan = self.plan(source.shape[1], source.shape[0])
        height, width = min(plan.tile, plan.height), min(plan.tile, plan.width)
        band = np.zeros((height, plan.width, colours), np.float32)  # rows y..y + height of the result
        restore = self._look(source, scale, plan)
        done = 0
        for j, y in enumerate(plan.rows):
            for x, weights in zip(plan.columns, plan.column_weights, strict=True):
                region = source[y : y + height, x : x + width]
                weight = plan.row_weights[j][:, None, None] * weights[None, :, None]
                band[:, x : x + width] += self._run(restore, region, scale) * weight.astype(np.float32)
                done += 1
                if progress is not None:
                    progress(done, len(plan))
            end = plan.rows[j + 1] if j + 1 < len(plan.rows) else plan.height
            finished = self._mixed(band[: end - y], source[y:end], scale) * np.float32(scale)
            target[y:end] = finished if source.dtype.kind == "f" else np.rint(finished)
            band[: height - (end - y)] = band[end - y :].copy()
            band[height - (end - y) :] = 0

    def _look(
        self, source: NDArray[Any], scale: float, plan: TilePlan
    ) -> Callable[[NDArray[np.float32]], Any]:
        """What restores a tile of this photo, (H, W, 1 | 3)."""
        model = self.model
        side = model.tile or DEFAULT_TILE  # whatever the tiles are, so that their size changes nothing
        is_sheet = max(source.shape[:2]) <= side
        if self.statistics == "tile" or not isinstance(model, LookModel) or (is_sheet and len(plan) == 1):
            return model
        sheet = self._filled_up(source, side) if is_sheet else make_sheet(source, side)
        statistics = model.look(_as_input(sheet, scale))
        return lambda tile: model.restore(tile, statistics)

    def _run(
        self, restore: Callable[[NDArray[np.float32]], Any], region: NDArray[Any], scale: float
    ) -> NDArray[np.float32]:
        """One region (h, w, 1 | 3) of the photo, filled up by reflection, restored and cropped again."""
        height, width = region.shape[:2]
        inputs = _as_input(self._filled_up(region, self.tile), scale)
        outputs = np.asarray(restore(inputs))
        if outputs.shape != inputs.shape:
            raise UserError(f"{self.model.name} returned {outputs.shape} for a tile of {inputs.shape}")
        if not np.isfinite(outputs).all():
            raise UserError(
                f"{self.model.name} on {self.model.accelerator} returned NaN or infinity: nothing is written"
            )
        result = outputs[0].transpose(1, 2, 0)[:height, :width]
        return result if region.shape[2] == 3 else result.mean(axis=2, keepdims=True)

    def _mixed(self, restored: NDArray[Any], source: NDArray[Any], scale: float) -> NDArray[np.float32]:
        """Rows of the result, in 0..1: the restoration, with the photo as far as the strength leaves room."""
        restored = np.clip(restored, 0, 1)
        if self.strength < 1:
            restored *= np.float32(self.strength)
            before = np.clip(source.astype(np.float32) / np.float32(scale), 0, 1)
            restored += before * np.float32(1 - self.strength)
        return restored

    def _filled_up(self, region: NDArray[Any], most: int) -> NDArray[Any]:
        """A region, at most ``most`` pixels a side, reflected until the model takes its size."""

        def filled(side: int) -> int:
            if self.model.tile is not None:
                return self.model.tile
            return min(most, max(LEAST_SIDE, -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE))

        rows, columns = (reflect_indices(side, filled(side)) for side in region.shape[:2])
        return region[rows][:, columns]

    def _restore_pillow(self, image: Image.Image, progress: TileProgress | None) -> Image.Image:
        from anyir.model.photo.reader import from_pillow
        from anyir.model.photo.writer import to_pillow

        photo = from_pillow(image)
        for note in photo.notes:
            warnings.warn(note, stacklevel=3)
        self.restore_into(photo.pixels, photo.pixels, progress=progress)
        result = to_pillow(photo.pixels)
        result.info.update({k: v for k, v in (("icc_profile", photo.icc), ("exif", photo.exif)) if v})
        return result


def _as_input(pixels: NDArray[Any], scale: float) -> NDArray[np.float32]:
    """(h, w, 1 | 3) -> (1, 3, h, w) in 0..1."""
    pixels = pixels.astype(np.float32) / np.float32(scale)
    if pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def _scale(image: NDArray[Any]) -> float:
    """The value that stands for 1."""
    if image.dtype in (np.uint8, np.uint16):
        return float(np.iinfo(image.dtype).max)
    if image.dtype.kind != "f":
        raise UserError(f"an image is uint8, uint16 or floating point, not {image.dtype}")
    low, high = (float(image.min()), float(image.max())) if image.size else (0.0, 0.0)
    if not (low >= -8 and high <= 9):  # strong noise leaves 0..1 by far; 0..255 is a mistake
        raise UserError(f"a floating-point image is in 0..1; this one spans {low:g}..{high:g}")
    return 1.0
