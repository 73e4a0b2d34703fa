"""What restores a tile: the PyTorch network, or what an installed package opens, such as phone programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from anyir.model.config import TileSize, preset_name
from anyir.model.device import choose_device, device_label, give_back_memory
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from anyir.model.network import AnyIR
    from anyir.model.statistics import Statistics

OPENERS = "anyir.tile_models"
"""Entry points of packages that open what is no weights file: a suffix without its dot, and what takes
``(path, *, threads)`` and gives a ``TileModel``. pyproject.toml has those of ``anyir.conversion``."""
INSTALL = "pip install -c constraints.txt -e '.[convert]'"
WEIGHTS_SUFFIX = ".safetensors"
MOST_AT_ONCE = 4
"""Tiles: each takes 0.1 GB more, with `small` and tiles of 256 (docs/lab/files.md)."""
_NO_MEMORY = ("memory", "could not create a primitive")
"""What errors of torch's CPU allocator and of oneDNN say, which have no class of their own."""


class OutOfMemoryError(UserError):
    """A tile takes more memory than there is."""


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


@runtime_checkable
class SizedModel(LookModel, Protocol):
    """A ``LookModel`` whose tiles need not be as large as its sheets, which are squares of side ``tile``.

    Attributes:
        tile_size: height and width of the tiles that it is fixed to.
    """

    @property
    def tile(self) -> int: ...
    @property
    def tile_size(self) -> TileSize: ...


@runtime_checkable
class ThreadedModel(TileModel, Protocol):
    """A ``TileModel`` that restores several tiles at once.

    Attributes:
        tiles_at_once: how many.
    """

    @property
    def tiles_at_once(self) -> int: ...
    def tile_threads(self) -> AbstractContextManager[ThreadPoolExecutor]:
        """Threads that restore a tile each."""
        ...


@runtime_checkable
class SeveralSizes(SizedModel, Protocol):
    """A ``SizedModel`` that takes tiles of several sizes.

    Attributes:
        sizes: height and width of each; ``tile_size`` is the one to take where nobody asks for another.
    """

    @property
    def sizes(self) -> tuple[TileSize, ...]: ...


def check_tile(model: TileModel, tile: int | TileSize) -> None:
    """Refuse tiles that a model is not made for.

    Raises:
        UserError: those that it is made for.
    """
    own = own_tile(model)
    if own is None or tile == own:
        return
    sizes = model.sizes if isinstance(model, SeveralSizes) else ()
    if TileSize.of(tile) not in sizes:
        known = ", ".join(str(s.width if s.width == s.height else s) for s in sizes) or own
        raise UserError(f"{model.name} is made for tiles of {known}, not {tile}; leave the tile size out")


def own_tile(model: TileModel) -> int | TileSize | None:
    """The tile that a model is fixed to, by its side where it is as large as the model's sheets."""
    if isinstance(model, SizedModel) and model.tile_size != (model.tile, model.tile):
        return model.tile_size
    return model.tile


class TorchModel:
    """An AnyIR network as a ``LookModel``, on the accelerator that torch has, else on the CPU.

    On the CPU, cores work on tiles of their own: threads that share a tile wait for each other at every
    operator, which takes as long as they save (docs/lab/files.md).

    Args:
        network: put in eval mode, and its fusion computed as the addition that it equals.
        name: shown to the user; by default the preset's.
        threads: CPU threads of the whole process; None leaves torch's choice.

    Attributes:
        tiles_at_once: 1 on an accelerator.
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
        self.tiles_at_once = min(torch.get_num_threads(), MOST_AT_ONCE) if self.device.type == "cpu" else 1

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        return self.restore(tile, None)

    @contextmanager
    def tile_threads(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that restore a tile each, and have an equal share of torch's threads."""
        import torch

        threads = torch.get_num_threads()
        share = threads // self.tiles_at_once
        pool = ThreadPoolExecutor(self.tiles_at_once, initializer=torch.set_num_threads, initargs=(share,))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)  # else new threads would take the share, too

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
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and not any(words in str(error) for words in _NO_MEMORY):
                raise
        # Not from that error, which keeps alive what was allocated.
        give_back_memory()  # in pieces that a smaller tile cannot use
        side = max(image.shape[-2:])
        raise OutOfMemoryError(f"not enough memory for a tile of {side}")


def open_model(source: str | Path | None = None, *, threads: int | None = None) -> TileModel:
    """A ``TileModel`` for weights or an artifact.

    Args:
        source: an artifact (.pte, .tflite, .mlpackage, .aimodel), a weights file, the name of a
            preset that ships, or None for ``small``.
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
