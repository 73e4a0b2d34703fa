"""Core ML packages where there is no Core ML: what they say, computed in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner, Shapes, check_interface
from anyir.conversion.coreml.runner import DTYPE
from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.coreml.evaluator.values import TensorType

Array = NDArray[np.float32]


class EvaluatedCoreMl(Runner):
    """An ``.mlpackage`` by ``evaluator``, rounded to float16 after each operator, as a phone does it.

    Phones sum in an order of their own, so that their last digits may differ.
    """

    accelerator = "PyTorch CPU, computing what the Core ML package says; Core ML did not run"

    @staticmethod
    def prepare() -> None:
        import torch  # noqa: F401

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        import torch

        from anyir.conversion.coreml.evaluator.evaluator import Evaluator

        super().__init__(path, promise, threads=threads)
        torch.set_num_threads(threads)
        self._functions = {entry: Evaluator(path, entry) for entry in contract.ENTRIES}
        self._names = contract.statistic_names(len(promise.entries.statistics))
        look, restore = (self._functions[entry] for entry in contract.ENTRIES)
        self._check_sizes(restore.enumerated.get(contract.INPUT))
        found: dict[str, tuple[Shapes, Shapes]] = {
            contract.LOOK: (
                self._shapes(look.inputs, [contract.INPUT]),
                self._shapes(look.outputs, self._names),
            ),
            contract.RESTORE: (
                self._shapes(restore.inputs, [contract.INPUT, *self._names]),
                self._shapes(restore.outputs, [contract.OUTPUT]),
            ),
        }
        check_interface(path, promise, found, dtype=DTYPE, several_sizes=True)

    @cached_property
    def operators(self) -> dict[str, Operators]:
        """How many each entry has; which of them a phone's Neural Engine takes only the phone can tell."""
        return {
            entry: Operators(total=function.operators, delegated=None, partitions=None)
            for entry, function in self._functions.items()
        }

    def run_look(self, sheet: Array) -> list[Array]:
        found = self._functions[contract.LOOK]({contract.INPUT: sheet})
        return [np.asarray(found[name], np.float32) for name in self._names]

    def run_restore(self, tile: Array, statistics: Sequence[Array]) -> Array:
        given = dict(zip(self._names, statistics, strict=True))
        found = self._functions[contract.RESTORE]({contract.INPUT: tile, **given})
        return np.asarray(found[contract.OUTPUT], np.float32)

    def _shapes(self, features: dict[str, TensorType], names: list[str]) -> list[tuple[int, ...]]:
        """Of the features of these names, which must be all, in float16.

        Raises:
            UserError: others, or of another type.
        """
        if sorted(features) != sorted(names):
            raise UserError(f"{self.name} has {', '.join(features) or 'none'}; {', '.join(names)} are due")
        for name in names:
            if (given := features[name].dtype.name) != "fp16":
                raise UserError(f"{self.name} has {name} in {given}; fp16 is due")
        tile = contract.shape(self.tile_size)
        return [
            tile if None in kind.shape and kind.fits(tile) else tuple(int(side or 0) for side in kind.shape)
            for kind in (features[name] for name in names)
        ]

    def _check_sizes(self, enumerated: tuple[tuple[int, ...], ...] | None) -> None:
        """Refuse a package that takes tiles of other sizes than its manifest says.

        Args:
            enumerated: shapes of its tiles, the default one first; None: there is one only.
        """
        said = tuple(map(contract.shape, self.sizes))
        takes = enumerated or said[:1]  # of one shape, the others see whether it is the same
        if takes[0] != said[0] or set(takes) != set(said):
            sides = ", ".join(map(str, self.sizes))
            raise UserError(
                f"{self.name} takes {', '.join(map(str, takes))}; its manifest says tiles of {sides}"
            )
