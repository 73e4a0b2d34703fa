"""What a runtime's folder provides: an exporter, which writes artifacts, and a runner, which runs one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.manifest import Origin, Quantization
from anyir.model.errors import UserError
from anyir.model.restore.look import own_sheet

if TYPE_CHECKING:
    from anyir.conversion.manifest import Entries, Manifest, Operators
    from anyir.conversion.source import Outputs
    from anyir.model.config import TileSize

LEAST_WEIGHTS = 4096
"""Kernels of fewer values stay as they are where the others are compressed. They are a small share of a file,
and among them are those that a photo is most sensitive to: what blocks add to it at full resolution."""
THREADS = 2
"""CPU threads on which an artifact is run where nobody asks for another number."""


class Unsupported(UserError):
    """This machine cannot run that kind of artifact, whatever is in it."""


@dataclass
class Export:
    """The result of writing one artifact.

    Attributes:
        operators: how much of each entry's graph the backend takes.
        target: the least system version, where the format fixes one.
        stages: name and outputs of stages between the deploy form and the artifact.
        refused: of each entry the operators that the backend leaves to others, each a line: what, and where
            in the code it comes from.
        dtype: of all inputs and outputs.
    """

    operators: dict[str, Operators]
    quantization: Quantization | None = None
    target: str | None = None
    stages: list[tuple[str, Outputs]] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    dtype: str = contract.DTYPE


class Exporter(Protocol):
    """Writes artifacts of one runtime, made for one ``Source``; may keep what its precisions share."""

    def export(self, backend: str, precision: str, path: Path) -> Export:
        """Write the artifact, with both entries, to ``path``.

        Raises:
            UserError: a precision that is unknown, or not of this backend; it lists what there is.
        """
        ...


@dataclass(frozen=True)
class Promise:
    """What a program is, by its manifest; what is loaded must be the same.

    Attributes:
        tile: side of sheets in pixels.
        tile_size: of tiles.
        entries: what each takes and gives.
        origin: what its statistics belong to.
        backend: what it was made for.
        other_sizes: of tiles that it takes, too.
    """

    tile: int
    tile_size: TileSize
    entries: Entries
    origin: Origin
    backend: str
    other_sizes: tuple[TileSize, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest) -> Promise:
        return cls(
            tile=manifest.tile,
            tile_size=manifest.tile_size,
            entries=manifest.entries,
            origin=manifest.origin,
            backend=manifest.backend,
            other_sizes=tuple(other.size for other in manifest.other_sizes or ()),
        )


class LookResult(NamedTuple):
    """What ``look`` gave, in the runtime's own arrays.

    Attributes:
        values: in the order in which ``restore`` takes them.
        origin: of the program that took them: only one of the same understands them.
    """

    values: Sequence[Any]
    origin: Origin


class Runner(ABC):
    """A loaded artifact, which is a model of ``SeveralSizes``, most often of one.

    Attributes:
        name: of the file, without suffix.
        tile: side of sheets in pixels.
        tile_size: height and width of tiles, unless another of the ``sizes`` is asked for.
        sizes: of tiles, ``tile_size`` first.

    Args:
        path: the artifact.
        promise: what its manifest says.
        threads: CPU threads; of the whole process in ExecuTorch.
        both: keep both entries ready, for looks and tiles in turn; else, where the runtime can, one at a
            time, as a photo needs one after the other and each has working memory of its own.

    Raises:
        UserError, RuntimeError, ValueError, OSError: the runtime refuses it, or it is not what was promised.
    """

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        self.name, self.promise = path.stem, promise
        self.tile, self.tile_size = promise.tile, promise.tile_size
        self.sizes = (promise.tile_size, *promise.other_sizes)

    @staticmethod
    @abstractmethod
    def prepare() -> None:
        """Import the runtime, so that loading a program can be measured alone.

        Raises:
            Unsupported: it does not run here.
            ImportError: it is not installed, or broken.
        """

    @property
    @abstractmethod
    def accelerator(self) -> str:
        """What actually runs."""

    @property
    def operators(self) -> dict[str, Operators]:
        """What the backend takes of each loaded entry; empty where that cannot be counted."""
        return {}

    @abstractmethod
    def run_look(self, sheet: NDArray[np.float32]) -> Sequence[Any]:
        """(1, 3, T, T) -> the statistics, which no later run changes."""

    @abstractmethod
    def run_restore(self, tile: NDArray[np.float32], statistics: Sequence[Any]) -> NDArray[np.float32]:
        """(1, 3, H, W) and what ``run_look`` gave -> (1, 3, H, W)."""

    def look(self, sheet: NDArray[np.float32], /) -> LookResult:
        """(1, 3, T, T), crops of a photo side by side -> statistics for all its tiles.

        Raises:
            UserError: they hold NaN or infinity.
        """
        values = self.run_look(sheet)
        if not all(np.isfinite(np.asarray(value)).all() for value in values):
            raise UserError(
                f"{self.name} on {self.accelerator} looked at the photo and returned NaN or infinity"
            )
        return LookResult(values, self.promise.origin)

    def restore(self, tile: NDArray[np.float32], statistics: LookResult, /) -> NDArray[np.float32]:
        """(1, 3, H, W), RGB, in 0..1 -> the same shape, not clamped.

        Raises:
            UserError: statistics of another program.
        """
        origin = getattr(statistics, "origin", None)
        if origin != self.promise.origin:
            theirs = type(statistics).__name__ if origin is None else origin
            raise UserError(
                f"statistics of {theirs} were given to {self.name}, which is {self.promise.origin}: "
                "a program takes its own alone"
            )
        return self.run_restore(tile, statistics.values)

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        """As ``restore``, with the tile's own statistics."""
        return self.restore(tile, self.look(own_sheet(tile, self.tile)))


Shapes = Sequence[tuple[int, ...]]


def file_identity(path: Path) -> tuple[int, int, int]:
    """What changes when another file takes a file's place."""
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns


def check_interface(
    path: Path,
    promise: Promise,
    found: dict[str, tuple[Shapes, Shapes]],
    *,
    dtype: str = contract.DTYPE,
    several_sizes: bool = False,
) -> None:
    """Raise where a loaded program does not take and give what its manifest promises.

    Args:
        found: of each entry the shapes of its inputs and outputs, images as NCHW.
        dtype: of all that it takes and gives.
        several_sizes: whether it takes tiles of the other sizes, too.

    Raises:
        UserError: what it takes or gives, and what its manifest says.
    """
    for tensor in promise.entries.tensors:
        if tensor.dtype != dtype:
            raise UserError(f"{path.name} has {tensor.name} in {dtype}; its manifest says {tensor.dtype}")
    if promise.other_sizes and not several_sizes:
        raise UserError(f"{path.name} takes tiles of one size; its manifest names other_sizes")
    sheet, tile = contract.shape(promise.tile), contract.shape(promise.tile_size)
    statistics = promise.entries.statistics
    due: dict[str, tuple[Shapes, Shapes]] = {
        contract.LOOK: ([sheet], statistics),
        contract.RESTORE: ([tile, *statistics], [tile]),
    }
    for entry, sides in due.items():
        image = sheet if entry == contract.LOOK else tile
        for verb, shapes, wanted in zip(("takes", "gives"), found[entry], sides, strict=True):
            if list(shapes) == list(wanted):
                continue
            first = next(iter(shapes), None)
            if wanted[0] == image and first != image:
                said = f"tiles of {promise.tile if image == sheet else promise.tile_size}"
                raise UserError(f"{path.name} {verb} {first}; its manifest says {said}")
            raise UserError(f"{path.name}'s {entry} {verb} other statistics than its manifest says")
