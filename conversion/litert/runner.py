"""Running LiteRT programs on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner, Shapes, check_interface, file_identity
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

    both: bool
    """Whether both signatures stay loaded; see ``Runner``. They do from the first tile by itself on."""

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        super().__init__(path, promise, threads=threads)
        self._path, self._threads, self._file = path, threads, file_identity(path)
        names = contract.statistic_names(len(promise.entries.statistics))
        self._names = {
            contract.LOOK: ([contract.INPUT], names),
            contract.RESTORE: ([contract.INPUT, *names], [contract.OUTPUT]),
        }
        interpreter = self._open()
        found = interpreter.get_signature_list()
        for entry in contract.ENTRIES:
            if entry not in found:
                raise UserError(f"{path.name} has no signature {entry}")
        signatures = {entry: Signature(interpreter, entry, *self._names[entry]) for entry in contract.ENTRIES}
        check_interface(path, promise, {entry: one.shapes for entry, one in signatures.items()})
        self.both = both
        self._given: Sequence[Array] | None = None
        self._loaded = signatures if both else {contract.LOOK: signatures[contract.LOOK]}
        for one in self._loaded.values():
            one.allocate()

    @cached_property
    def operators(self) -> dict[str, Operators]:
        """What XNNPACK takes of each entry, counted when it is asked for: it is no part of loading."""
        graphs = graph.graph_by_graph(self._path.read_bytes())
        return {entry: graph.count(one.nodes) for entry, one in graphs.items()}

    @cached_property
    def accelerator(self) -> str:
        """What runs ``restore``, which is the file's first graph."""
        counted = graph.count(self._signature(contract.RESTORE).operators())
        share = "" if counted.delegated == counted.total else " and built-in kernels"
        kernels = f"XNNPACK{share}" if counted.partitions else "built-in kernels, no XNNPACK"
        return f"LiteRT CPU ({kernels})"

    def __call__(self, tile: Array, /) -> Array:
        self.both = True
        return super().__call__(tile)

    def run_look(self, sheet: Array) -> list[Array]:
        return self._signature(contract.LOOK)([sheet])

    def run_restore(self, tile: Array, statistics: Sequence[Array]) -> Array:
        restore = self._signature(contract.RESTORE)
        # They stay where they are from tile to tile: LiteRT overwrites no input.
        given = [] if statistics is self._given else statistics
        [restored] = restore([tile, *given])
        self._given = statistics
        return restored

    def _open(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter(model_path=str(self._path), num_threads=self._threads)

    def _signature(self, entry: str) -> Signature:
        """A signature of an interpreter of its own, as an interpreter keeps all that it has loaded.

        Raises:
            UserError: LiteRT refuses it, or it is not the file that was checked.
        """
        if entry not in self._loaded:
            if not self.both:
                self._loaded.clear()
            self._given = None
            try:
                loaded = Signature(self._open(), entry, *self._names[entry])
                loaded.allocate()
                same = file_identity(self._path) == self._file
            except (ValueError, RuntimeError, OSError) as error:
                raise UserError(f"LiteRT refuses {self._path.name}: {error}") from error
            if not same:
                raise UserError(f"{self._path.name} changed while it was used; start again")
            self._loaded[entry] = loaded
        return self._loaded[entry]


class Signature:
    """One signature of an interpreter, with its inputs and outputs in the contract's order.

    It takes no memory to speak of before ``allocate``.
    """

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
        self._interpreter = interpreter
        self._wrapper, self._graph = interpreter._interpreter, runner._subgraph_index
        self._inputs = [takes[name]["index"] for name in inputs]
        self._outputs = [gives[name]["index"] for name in outputs]
        self.shapes: tuple[Shapes, Shapes] = (
            [tuple(map(int, takes[name]["shape"])) for name in inputs],
            [tuple(map(int, gives[name]["shape"])) for name in outputs],
        )

    def allocate(self) -> None:
        """Load it: delegate its operators, pack its weights, take its memory."""
        self._wrapper.AllocateTensors(self._graph)

    def operators(self) -> Any:
        """Of the file's first graph, as they are delegated now."""
        return self._interpreter._get_ops_details()

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """Set the first inputs, run, and give copies of the outputs."""
        for index, array in zip(self._inputs, arrays, strict=False):
            self._wrapper.SetTensor(index, np.ascontiguousarray(array), self._graph)
        self._wrapper.Invoke(self._graph)
        return [self._wrapper.GetTensor(index, self._graph) for index in self._outputs]
