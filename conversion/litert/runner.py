"""Running LiteRT programs on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner, Shapes, check_shapes
from anyir.conversion.litert import graph
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.manifest import Operators

Array = NDArray[np.float32]


class LiteRtModel(Runner):
    """A ``.tflite`` through LiteRT's interpreter, which offers both graphs to XNNPACK by default.

    No partition of its ``operators`` means that XNNPACK took nothing and LiteRT's own kernels run.
    """

    @staticmethod
    def prepare() -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: F401

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter

        super().__init__(path, promise, threads=threads)
        self._path = path
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        found = interpreter.get_signature_list()
        for entry in contract.ENTRIES:
            if entry not in found:
                raise UserError(f"{path.name} has no signature {entry}")
        names = contract.statistic_names(len(promise.entries.statistics))
        self._look = Signature(interpreter, contract.LOOK, [contract.INPUT], names)
        self._restore = Signature(interpreter, contract.RESTORE, [contract.INPUT, *names], [contract.OUTPUT])
        check_shapes(
            path, promise, {contract.LOOK: self._look.shapes, contract.RESTORE: self._restore.shapes}
        )
        self._interpreter = interpreter
        self._given: Sequence[Array] | None = None

    @cached_property
    def operators(self) -> dict[str, Operators]:
        """What XNNPACK takes of each entry, counted when it is asked for: it is no part of loading."""
        graphs = graph.graph_by_graph(self._path.read_bytes())
        return {entry: graph.count(one.nodes) for entry, one in graphs.items()}

    @cached_property
    def accelerator(self) -> str:
        """What runs ``restore``, which is the file's first graph."""
        counted = graph.count(self._interpreter._get_ops_details())
        share = "" if counted.delegated == counted.total else " and built-in kernels"
        kernels = f"XNNPACK{share}" if counted.partitions else "built-in kernels, no XNNPACK"
        return f"LiteRT CPU ({kernels})"

    def run_look(self, sheet: Array) -> list[Array]:
        return self._look([sheet])

    def run_restore(self, tile: Array, statistics: Sequence[Array]) -> Array:
        # They stay where they are from tile to tile: LiteRT overwrites no input.
        given = [] if statistics is self._given else statistics
        [restored] = self._restore([tile, *given])
        self._given = statistics
        return restored


class Signature:
    """One signature of an interpreter, with its inputs and outputs in the contract's order."""

    def __init__(self, interpreter: Any, key: str, inputs: list[str], outputs: list[str]) -> None:
        runner = interpreter.get_signature_runner(key)
        takes, gives = runner.get_input_details(), runner.get_output_details()
        for names, details in ((inputs, takes), (outputs, gives)):
            if sorted(names) != sorted(details):
                raise UserError(
                    f"signature {key} has {', '.join(sorted(details))}; {', '.join(names)} are due"
                )
            for name in names:
                if details[name]["dtype"] is not np.float32:
                    raise UserError(f"{key}'s {name} is {details[name]['dtype'].__name__}; float32 is due")
        self._wrapper, self._graph = interpreter._interpreter, runner._subgraph_index
        self._wrapper.AllocateTensors(self._graph)
        self._inputs = [takes[name]["index"] for name in inputs]
        self._outputs = [gives[name]["index"] for name in outputs]
        self.shapes: tuple[Shapes, Shapes] = (
            [tuple(map(int, takes[name]["shape"])) for name in inputs],
            [tuple(map(int, gives[name]["shape"])) for name in outputs],
        )

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """Set the first inputs, run, and give copies of the outputs."""
        for index, array in zip(self._inputs, arrays, strict=False):
            self._wrapper.SetTensor(index, np.ascontiguousarray(array), self._graph)
        self._wrapper.Invoke(self._graph)
        return [self._wrapper.GetTensor(index, self._graph) for index in self._outputs]
