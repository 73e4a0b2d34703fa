"""Running LiteRT programs on this machine."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anyir.conversion.base import check_tile
from anyir.conversion.litert import graph
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.manifest import Operators


class LiteRtModel:
    """A ``.tflite`` through LiteRT's interpreter, which offers the graph to XNNPACK by default.

    No partition of its ``operators`` means that XNNPACK took nothing and LiteRT's own kernels run.
    """

    @staticmethod
    def prepare() -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: F401

    def __init__(self, path: Path, *, tile: int, operators: int, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.name, self.tile = path.stem, tile
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        for side in (self._input, self._output):
            if side["dtype"] is not np.float32:
                raise UserError(f"{path.name} takes {side['dtype'].__name__}; float32 is due")
        check_tile(path, tuple(map(int, self._input["shape"])), tile)
        self._channels_last = tuple(self._input["shape"])[1] != 3

    @cached_property
    def operators(self) -> Operators:
        """What XNNPACK took of the loaded graph, counted when it is asked for: it is no part of loading."""
        return graph.count(self._interpreter)

    @cached_property
    def accelerator(self) -> str:
        share = "" if self.operators.delegated == self.operators.total else " and built-in kernels"
        kernels = f"XNNPACK{share}" if self.operators.partitions else "built-in kernels, no XNNPACK"
        return f"LiteRT CPU ({kernels})"

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        if self._channels_last:
            tile = tile.transpose(0, 2, 3, 1)
        self._interpreter.set_tensor(self._input["index"], np.ascontiguousarray(tile))
        self._interpreter.invoke()
        output = self._interpreter.get_tensor(self._output["index"])
        return np.ascontiguousarray(output.transpose(0, 3, 1, 2)) if self._channels_last else output
