"""What a runtime's folder provides: an exporter, which writes artifacts, and a runner, which runs one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anyir.conversion.manifest import Operators, Quantization
from anyir.model.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anyir.conversion.source import Outputs

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
        operators: how much of the graph the backend takes.
        target: the least system version, where the format fixes one.
        stages: name and outputs of stages between the deploy form and the artifact.
    """

    operators: Operators
    quantization: Quantization | None = None
    target: str | None = None
    stages: list[tuple[str, Outputs]] = field(default_factory=list)


class Exporter(Protocol):
    """Writes artifacts of one runtime, made for one ``Source``; may keep what its precisions share."""

    def export(self, precision: str, path: Path) -> Export:
        """Write the artifact to ``path``.

        Raises:
            UserError: an unknown precision; it lists what there is.
        """
        ...


class Runner(Protocol):
    """A loaded artifact, which is a ``TileModel``.

    Args:
        path: the artifact.
        tile: side that it must take.
        operators: how many it had when it was converted, for runtimes that do not tell.
        threads: CPU threads; of the whole process in ExecuTorch.

    Raises:
        UserError, RuntimeError, ValueError, OSError: the runtime refuses it, or it takes other tiles.
    """

    name: str
    tile: int | None

    def __init__(self, path: Path, *, tile: int, operators: int, threads: int) -> None: ...

    @staticmethod
    def prepare() -> None:
        """Import the runtime, so that loading a program can be measured alone.

        Raises:
            Unsupported: it does not run here.
            ImportError: it is not installed, or broken.
        """
        ...

    @property
    def accelerator(self) -> str: ...

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]: ...


def check_tile(path: Path, shape: tuple[int, ...], tile: int) -> None:
    """Raise where a loaded program's input is not the tile that its manifest promises.

    Raises:
        UserError: what it takes, and what its manifest says.
    """
    if shape not in ((1, 3, tile, tile), (1, tile, tile, 3)):
        raise UserError(f"{path.name} takes {shape}; its manifest says tiles of {tile}")
