"""Running ExecuTorch programs on this machine, without the lines that the runtime prints to nobody."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner, Shapes, Unsupported, check_interface, file_identity
from anyir.conversion.executorch import program
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from anyir.conversion.manifest import Operators


class ExecuTorchModel(Runner):
    """A ``.pte`` through ExecuTorch's Python runtime. A delegate runs on its backend or fails to load."""

    both: bool
    """Whether both methods stay loaded; see ``Runner``. They do from the first tile by itself on."""

    @staticmethod
    def prepare() -> None:
        with without_warnings():
            from executorch.runtime import Runtime

        if "XnnpackBackend" not in Runtime.get().backend_registry.registered_backend_names:
            raise Unsupported("ExecuTorch has no XnnpackBackend on this machine")

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        from executorch.extension.pybindings.portable_lib import (
            _threadpool_get_thread_count,
            _unsafe_reset_threadpool,
        )
        from executorch.runtime import Runtime

        super().__init__(path, promise, threads=threads)
        self._path = path
        program.check_identifier(path)
        with without_prints():
            if _threadpool_get_thread_count() != threads:
                _unsafe_reset_threadpool(threads)
        try:
            with without_prints():
                found = Runtime.get().load_program(path)
        except RuntimeError as error:
            raise RuntimeError(f"the file is damaged, cut off, or of another version: {error}") from error
        for entry in contract.ENTRIES:
            if entry not in found.method_names:
                raise UserError(f"{path.name} has no method {entry}")
        check_interface(path, promise, {entry: _shapes(found.metadata(entry)) for entry in contract.ENTRIES})
        self.both, self._loaded, self._file = both, {}, file_identity(path)
        for entry in contract.ENTRIES if both else (contract.LOOK,):
            self._loaded[entry] = self._load(entry)

    @cached_property
    def operators(self) -> dict[str, Operators]:
        """What the delegate takes, counted when it is asked for: it is no part of loading."""
        entries = self.promise.entries
        totals = {entry: getattr(entries, entry).operators.total for entry in contract.ENTRIES}
        return program.count(self._path, totals)

    @cached_property
    def accelerator(self) -> str:
        whole = all(entry.delegated == entry.total for entry in self.operators.values())
        return f"ExecuTorch (XNNPACK{'' if whole else ' and portable kernels'})"

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        self.both = True
        return super().__call__(tile)

    def run_look(self, sheet: NDArray[np.float32]) -> list[Tensor]:
        return list(self._method(contract.LOOK).execute([_tensor(sheet)]))

    def run_restore(self, tile: NDArray[np.float32], statistics: Sequence[Tensor]) -> NDArray[np.float32]:
        output = self._method(contract.RESTORE).execute([_tensor(tile), *statistics])[0]
        return output.float().numpy()

    def _method(self, entry: str) -> Any:
        if entry not in self._loaded:
            if not self.both:
                self._loaded.clear()
            self._loaded[entry] = self._load(entry)
        return self._loaded[entry][0]

    def _load(self, entry: str) -> tuple[Any, Any]:
        """A method, and its program: one of its own, as a program keeps all that it has loaded.

        Raises:
            UserError: the runtime refuses it, or it is not the file that was checked.
        """
        from executorch.runtime import Runtime

        try:
            with without_prints():
                loaded = Runtime.get().load_program(self._path)
                method = loaded.load_method(entry)
            same = file_identity(self._path) == self._file
        except (RuntimeError, OSError) as error:
            raise UserError(f"executorch refuses {self._path.name}: {error}") from error
        if not same:
            raise UserError(f"{self._path.name} changed while it was used; start again")
        return method, loaded


def _tensor(image: NDArray[np.float32]) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(image))


def _shapes(about: Any) -> tuple[Shapes, Shapes]:
    return (
        [tuple(about.input_tensor_meta(i).sizes()) for i in range(about.num_inputs())],
        [tuple(about.output_tensor_meta(i).sizes()) for i in range(about.num_outputs())],
    )


@contextmanager
def without_warnings() -> Iterator[None]:
    """Import without what the imported libraries log as warnings of each other."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def without_prints() -> Iterator[None]:
    """Load without what the runtime prints, which goes through Python's standard error.

    Not for imports: a log handler that is made meanwhile would keep the stand-in.

    Raises:
        RuntimeError: what was raised inside, with the lines that were printed before.
    """
    printed = io.StringIO()
    try:
        with redirect_stderr(printed):
            yield
    except RuntimeError as error:
        lines = " ".join(printed.getvalue().split())
        raise RuntimeError(f"{error} ({lines})" if lines else str(error)) from error
