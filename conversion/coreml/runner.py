"""Running Core ML packages, which macOS and iOS can."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner

Array = NDArray[np.float32]

DTYPE = "float16"
"""Of inputs and outputs. The programs compute in it, so that float32 would only be cast at both ends; and the
Neural Engine reads and writes a caller's memory without a copy in this type alone."""


class CoreMlModel(Runner):
    """An ``.mlpackage`` through Core ML, which chooses among CPU, GPU and Neural Engine by itself."""

    accelerator = "Core ML (CPU, GPU or Neural Engine, as it chooses)"

    @staticmethod
    def prepare() -> None:
        import coremltools  # noqa: F401

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        import coremltools as ct

        super().__init__(path, promise, threads=threads)
        self._functions: dict[str, Any] = {
            entry: ct.models.MLModel(str(path), compute_units=ct.ComputeUnit.ALL, function_name=entry)
            for entry in contract.ENTRIES
        }
        self._names = contract.statistic_names(len(promise.entries.statistics))

    def run_look(self, sheet: Array) -> list[Array]:
        found = self._functions[contract.LOOK].predict({contract.INPUT: sheet.astype(np.float16)})
        return [np.asarray(found[name], np.float32) for name in self._names]

    def run_restore(self, tile: Array, statistics: Sequence[Array]) -> Array:
        given = dict(zip([contract.INPUT, *self._names], [tile, *statistics], strict=True))
        halves = {name: value.astype(np.float16) for name, value in given.items()}
        found = self._functions[contract.RESTORE].predict(halves)
        return np.asarray(found[contract.OUTPUT], np.float32)
