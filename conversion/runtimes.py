"""Running an artifact on this machine: one class a runtime, each a ``TileModel``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion.noise import without_prints, without_warnings
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.manifest import Manifest, Operators
    from anyir.model.restore.restorer import TileModel

Tile = NDArray[np.float32]


class Unsupported(UserError):
    """This machine cannot run that kind of artifact, whatever is in it."""


def open_artifact(path: Path, *, threads: int = 2) -> TileModel:
    """Load an artifact after checking it against its manifest.

    Args:
        path: ``.pte``, ``.tflite`` or ``.mlpackage``, with its manifest beside it.
        threads: CPU threads for the runtime; of the whole process in ExecuTorch.

    Raises:
        Unsupported: the runtime or the backend does not exist on this machine.
        UserError: missing, changed since it was built, or refused by its runtime.
    """
    from anyir.conversion.manifest import verify_artifact

    manifest = verify_artifact(path)
    import_runtime(manifest)
    return load_artifact(path, manifest, threads=threads)


def import_runtime(manifest: Manifest) -> None:
    """Import what runs an artifact, so that loading it can be measured alone.

    Raises:
        Unsupported: it does not exist on this machine.
        UserError: it is installed and cannot be imported.
    """
    if manifest.runtime == "coreml" and sys.platform != "darwin":
        raise Unsupported(f"Core ML runs on macOS and iOS only, not on {sys.platform}")
    if manifest.backend != BACKENDS[manifest.runtime]:
        raise Unsupported(f"nothing here runs {manifest.runtime} programs for {manifest.backend!r}")
    try:
        if manifest.runtime == "executorch":
            with without_warnings():
                from executorch.runtime import Runtime
            from anyir.conversion.executorch import program  # noqa: F401  (or loading would be measured with it)

            if "XnnpackBackend" not in Runtime.get().backend_registry.registered_backend_names:
                raise Unsupported("ExecuTorch has no XnnpackBackend on this machine")
        elif manifest.runtime == "litert":
            from ai_edge_litert.interpreter import Interpreter  # noqa: F401
        else:
            import coremltools  # noqa: F401
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"{error.name} is not installed: pip install -c constraints.txt -e '.[convert]'"
        ) from error
    except ImportError as error:  # it is there and broken, such as for want of a shared library
        raise UserError(f"what runs {manifest.runtime} programs cannot be imported: {error}") from error


def load_artifact(path: Path, manifest: Manifest, *, threads: int) -> TileModel:
    """Load an artifact whose runtime is imported and whose manifest was checked.

    Raises:
        UserError: its runtime refuses it, or it takes other tiles than its manifest says.
    """
    runners: dict[str, Callable[[Path, Manifest, int], TileModel]] = {
        "executorch": ExecuTorchModel,
        "litert": LiteRtModel,
        "coreml": CoreMlModel,
    }
    try:
        return runners[manifest.runtime](path, manifest, threads)
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(f"{manifest.runtime} refuses {path.name}: {error}") from error


BACKENDS = {"executorch": "xnnpack", "litert": "cpu", "coreml": "mlprogram"}
"""The backend of each runtime's programs that the classes below run."""


def check_tile(path: Path, shape: tuple[int, ...], manifest: Manifest) -> None:
    """Raise where a loaded program's input is not the tile that its manifest promises.

    Raises:
        UserError: what it takes, and what its manifest says.
    """
    tile = manifest.tile
    if shape not in ((1, 3, tile, tile), (1, tile, tile, 3)):
        raise UserError(f"{path.name} takes {shape}; its manifest says tiles of {tile}")


class ExecuTorchModel:
    """A ``.pte`` through ExecuTorch's Python runtime. A delegate runs on its backend or fails to load."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        from executorch.extension.pybindings.portable_lib import (
            _threadpool_get_thread_count,
            _unsafe_reset_threadpool,
        )
        from executorch.runtime import Runtime

        from anyir.conversion.executorch.program import check_identifier

        self.name, self.tile = path.stem, manifest.tile
        check_identifier(path)
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
        check_tile(path, tuple(self._forward.metadata.input_tensor_meta(0).sizes()), manifest)
        self._path, self._total = path, manifest.operators.total

    @cached_property
    def operators(self) -> Operators:
        """What the delegate takes, counted when it is asked for: it is no part of loading."""
        from anyir.conversion.executorch.program import count

        return count(self._path, self._total)

    @cached_property
    def accelerator(self) -> str:
        share = "" if self.operators.delegated == self.operators.total else " and portable kernels"
        return f"ExecuTorch (XNNPACK{share})"

    def __call__(self, tile: Tile, /) -> Tile:
        import torch

        output = self._forward.execute([torch.from_numpy(np.ascontiguousarray(tile))])[0]
        return output.float().numpy()


class LiteRtModel:
    """A ``.tflite`` through LiteRT's interpreter, which offers the graph to XNNPACK by itself.

    No partition of its ``operators`` means that XNNPACK took nothing and LiteRT's own kernels run.
    """

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.name, self.tile = path.stem, manifest.tile
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        for side in (self._input, self._output):
            if side["dtype"] is not np.float32:
                raise UserError(f"{path.name} takes {side['dtype'].__name__}; float32 is due")
        check_tile(path, tuple(map(int, self._input["shape"])), manifest)
        self._channels_last = tuple(self._input["shape"])[1] != 3

    @cached_property
    def operators(self) -> Operators:
        """What XNNPACK took of the loaded graph, counted when it is asked for: it is no part of loading."""
        from anyir.conversion.litert.graph import count

        return count(self._interpreter)

    @cached_property
    def accelerator(self) -> str:
        share = "" if self.operators.delegated == self.operators.total else " and built-in kernels"
        kernels = f"XNNPACK{share}" if self.operators.partitions else "built-in kernels, no XNNPACK"
        return f"LiteRT CPU ({kernels})"

    def __call__(self, tile: Tile, /) -> Tile:
        if self._channels_last:
            tile = tile.transpose(0, 2, 3, 1)
        self._interpreter.set_tensor(self._input["index"], np.ascontiguousarray(tile))
        self._interpreter.invoke()
        output = self._interpreter.get_tensor(self._output["index"])
        return np.ascontiguousarray(output.transpose(0, 3, 1, 2)) if self._channels_last else output


class CoreMlModel:
    """An ``.mlpackage`` through Core ML, which chooses among CPU, GPU and Neural Engine by itself."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        import coremltools as ct

        self.name, self.tile = path.stem, manifest.tile
        self._model: Any = ct.models.MLModel(str(path), compute_units=ct.ComputeUnit.ALL)
        description = self._model.get_spec().description
        self._input, self._output = description.input[0].name, description.output[0].name
        self.accelerator = "Core ML (CPU, GPU or Neural Engine, as it chooses)"

    def __call__(self, tile: Tile, /) -> Tile:
        return np.asarray(self._model.predict({self._input: tile})[self._output], np.float32)
