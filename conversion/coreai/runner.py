"""Running Core AI assets by Apple's runtime: on Linux its CPU kernels, on macOS 27 what the system has."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import cache, cached_property
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner, Shapes, check_interface
from anyir.conversion.coreai import program
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.manifest import Operators

Array = NDArray[np.float32]
Value = TypeVar("Value")


class CoreAiModel(Runner):
    """An ``.aimodel`` through Core AI, which on Linux has slow kernels for the CPU and nothing else."""

    @staticmethod
    def prepare() -> None:
        import coreai.authoring  # noqa: F401

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        super().__init__(path, promise, threads=threads)
        self._path = path
        self._names = contract.statistic_names(len(promise.entries.statistics))
        program.check(path)
        resources = AsyncExitStack()
        # What is loaded lives in a folder for as long as this stack is open.
        weakref.finalize(self, lambda: wait(resources.aclose()))
        self._functions = wait(_load(path, resources))
        check_interface(
            path,
            promise,
            {entry: self._shapes(entry) for entry in contract.ENTRIES},
            dtype=promise.entries.look.inputs[0].dtype,  # of each tensor it is seen with its shape
        )

    @cached_property
    def operators(self) -> dict[str, Operators]:
        """How many each entry has; which of them a phone's Neural Engine takes only the phone can tell."""
        return program.count(self._path)

    @cached_property
    def accelerator(self) -> str:
        from coreai.runtime import SpecializationOptions

        # Only the system's own Core AI can be told where to run; the package's runs on the CPU.
        by_system = SpecializationOptions.is_supported()
        return f"Core AI ({'CPU, GPU or Neural Engine, as it chooses' if by_system else 'CPU'})"

    def run_look(self, sheet: Array) -> list[NDArray[Any]]:
        found = self._run(contract.LOOK, {contract.INPUT: sheet})
        return [found[name] for name in self._names]

    def run_restore(self, tile: Array, statistics: Sequence[NDArray[Any]]) -> Array:
        given = dict(zip([contract.INPUT, *self._names], [tile, *statistics], strict=True))
        return self._run(contract.RESTORE, given)[contract.OUTPUT].astype(np.float32)

    def _run(self, entry: str, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        from coreai.runtime import NDArray as CoreAiArray

        dtype = getattr(self.promise.entries, entry).inputs[0].dtype
        given = {name: CoreAiArray(np.ascontiguousarray(one, dtype)) for name, one in inputs.items()}
        found = wait(self._functions[entry](given))
        # Copies: a view's memory is the runtime's.
        return {name: np.array(one.numpy()) for name, one in found.items()}

    def _shapes(self, entry: str) -> tuple[Shapes, Shapes]:
        """Of what a function takes and gives, in the manifest's order.

        Raises:
            UserError: it has other inputs or outputs, or of another type.
        """
        about, due = self._functions[entry].desc, getattr(self.promise.entries, entry)
        sides = (
            (due.inputs, {name: about.input_descriptor(name) for name in about.input_names}),
            (due.outputs, {name: about.output_descriptor(name) for name in about.output_names}),
        )
        for tensors, found in sides:
            names = [tensor.name for tensor in tensors]
            if sorted(found) != sorted(names):
                raise UserError(
                    f"{self.name}'s {entry} has {', '.join(sorted(found))}; {', '.join(names)} are due"
                )
            for tensor in tensors:
                if (given := found[tensor.name].dtype) != tensor.dtype:
                    raise UserError(f"{self.name} has {tensor.name} in {given}; {tensor.dtype} is due")
        takes, gives = ([tuple(found[tensor.name].shape) for tensor in tensors] for tensors, found in sides)
        return takes, gives


async def _load(path: Path, resources: AsyncExitStack) -> dict[str, Any]:
    """Both functions of an asset, ready to run until ``resources`` are closed."""
    from coreai.authoring import AIModelAsset

    model = await resources.enter_async_context(AIModelAsset.load(path).executable())
    return {entry: model.load_function(entry) for entry in contract.ENTRIES}


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """An event loop in a thread of its own: the caller's thread may run one, as a notebook's does."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="Core AI", daemon=True).start()
    return loop


def wait(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """What a coroutine of the runtime returns."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result()
