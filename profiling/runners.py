"""Running an artifact on this machine: one class a runtime, each a ``TileModel``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.manifest import Manifest
    from anyir.model.restorer import TileModel

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
    """
    if manifest.runtime == "coreml" and sys.platform != "darwin":
        raise Unsupported(f"Core ML runs on macOS and iOS only, not on {sys.platform}")
    try:
        if manifest.runtime == "executorch":
            from executorch.runtime import Runtime

            backend = EXECUTORCH_BACKENDS[manifest.backend]
            if backend not in Runtime.get().backend_registry.registered_backend_names:
                raise Unsupported(f"ExecuTorch has no {backend} on this machine")
        elif manifest.runtime == "litert":
            from ai_edge_litert.interpreter import Interpreter  # noqa: F401

            if manifest.backend != "cpu":
                raise Unsupported(f"LiteRT for {manifest.backend} runs on phones, not on this machine")
        else:
            import coremltools  # noqa: F401
    except ImportError as error:
        raise Unsupported(f"{error.name} is not installed: pip install 'anyir[convert]'") from error


def load_artifact(path: Path, manifest: Manifest, *, threads: int) -> TileModel:
    """Load an artifact whose runtime is imported and whose manifest was checked.

    Raises:
        UserError: its runtime refuses it.
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


EXECUTORCH_BACKENDS = {
    "xnnpack": "XnnpackBackend",
    "coreml": "CoreMLBackend",
    "vulkan": "VulkanBackend",
}
BACKEND_NAMES = {"xnnpack": "XNNPACK", "coreml": "Core ML", "vulkan": "Vulkan"}


class ExecuTorchModel:
    """A ``.pte`` through ExecuTorch's Python runtime. A delegate runs on its backend or fails to load."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        from executorch.extension.pybindings.portable_lib import (
            _threadpool_get_thread_count,
            _unsafe_reset_threadpool,
        )
        from executorch.runtime import Runtime

        self.name, self.tile = path.stem, manifest.tile
        if _threadpool_get_thread_count() != threads:
            _unsafe_reset_threadpool(threads)
        self._program = Runtime.get().load_program(path)
        self._forward = self._program.load_method("forward")
        if self._forward is None:
            raise UserError(f"{path.name} has no method forward")
        share = "" if manifest.operators.delegated == manifest.operators.total else " and portable kernels"
        self.accelerator = f"ExecuTorch ({BACKEND_NAMES[manifest.backend]}{share})"

    def __call__(self, tile: Tile, /) -> Tile:
        import torch

        output = self._forward.execute([torch.from_numpy(np.ascontiguousarray(tile))])[0]
        return output.float().numpy()


class LiteRtModel:
    """A ``.tflite`` through LiteRT's interpreter, which offers the graph to XNNPACK by itself.

    ``partitions`` counts the delegate's nodes in the loaded graph; 0 means that XNNPACK took nothing
    and LiteRT's own kernels run.
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
        self.partitions = sum(op["op_name"] == "DELEGATE" for op in self._interpreter._get_ops_details())
        self.accelerator = f"LiteRT CPU ({'XNNPACK' if self.partitions else 'built-in kernels, no XNNPACK'})"
        self._channels_last = tuple(self._input["shape"])[1] != 3

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
