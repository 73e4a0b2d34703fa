"""Running Core ML packages, which macOS and iOS can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class CoreMlModel:
    """An ``.mlpackage`` through Core ML, which chooses among CPU, GPU and Neural Engine by itself."""

    @staticmethod
    def prepare() -> None:
        import coremltools  # noqa: F401

    def __init__(self, path: Path, *, tile: int, operators: int, threads: int) -> None:
        import coremltools as ct

        self.name, self.tile = path.stem, tile
        self._model: Any = ct.models.MLModel(str(path), compute_units=ct.ComputeUnit.ALL)
        description = self._model.get_spec().description
        self._input, self._output = description.input[0].name, description.output[0].name
        self.accelerator = "Core ML (CPU, GPU or Neural Engine, as it chooses)"

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        return np.asarray(self._model.predict({self._input: tile})[self._output], np.float32)
