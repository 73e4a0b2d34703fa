"""Running ExecuTorch programs on this machine, without the lines that the runtime prints to nobody."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anyir.conversion.base import Unsupported, check_tile
from anyir.conversion.executorch import program
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.manifest import Operators


class ExecuTorchModel:
    """A ``.pte`` through ExecuTorch's Python runtime. A delegate runs on its backend or fails to load."""

    @staticmethod
    def prepare() -> None:
        with without_warnings():
            from executorch.runtime import Runtime

        if "XnnpackBackend" not in Runtime.get().backend_registry.registered_backend_names:
            raise Unsupported("ExecuTorch has no XnnpackBackend on this machine")

    def __init__(self, path: Path, *, tile: int, operators: int, threads: int) -> None:
        from executorch.extension.pybindings.portable_lib import (
            _threadpool_get_thread_count,
            _unsafe_reset_threadpool,
        )
        from executorch.runtime import Runtime

        self.name, self.tile = path.stem, tile
        program.check_identifier(path)
        with without_prints():
            if _threadpool_get_thread_count() != threads:
                _unsafe_reset_threadpool(threads)
        try:
            with without_prints():
                self._program = Runtime.get().load_program(path)
        except RuntimeError as error:
            raise RuntimeError(f"the file is damaged, cut off, or of another version: {error}") from error
        if "forward" not in self._program.method_names:
            raise UserError(f"{path.name} has no method forward")
        with without_prints():
            self._forward = self._program.load_method("forward")
        check_tile(path, tuple(self._forward.metadata.input_tensor_meta(0).sizes()), tile)
        self._path, self._total = path, operators

    @cached_property
    def operators(self) -> Operators:
        """What the delegate takes, counted when it is asked for: it is no part of loading."""
        return program.count(self._path, self._total)

    @cached_property
    def accelerator(self) -> str:
        share = "" if self.operators.delegated == self.operators.total else " and portable kernels"
        return f"ExecuTorch (XNNPACK{share})"

    def __call__(self, tile: NDArray[np.float32], /) -> NDArray[np.float32]:
        import torch

        output = self._forward.execute([torch.from_numpy(np.ascontiguousarray(tile))])[0]
        return output.float().numpy()


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
