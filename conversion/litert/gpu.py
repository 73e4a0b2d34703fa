"""Running LiteRT programs on LiteRT's GPU accelerator, with a GPU or with SwiftShader, a GPU in software.

SwiftShader comes with Chromium. It shows that a program is wholly accepted and computes the right numbers,
and says nothing of how fast it is.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.base import Promise, Runner, Shapes, Unsupported, check_interface
from anyir.conversion.gpu_form import LARGEST_TEXTURE, PIXEL
from anyir.conversion.litert.graph import Graph, graph_by_graph, uncounted
from anyir.conversion.manifest import Operators
from anyir.conversion.runtimes import has_gpu_driver
from anyir.model.errors import UserError
from anyir.model.processes import printing_to_stderr

Array = NDArray[np.float32]
CHROMIUM = Path("/usr/lib/chromium")
"""Where Debian's package has SwiftShader."""
SWIFTSHADER, VULKAN = "vk_swiftshader_icd.json", "libvulkan.so.1"


class LiteRtGpuModel(Runner):
    """A ``.tflite`` that the GPU accelerator takes whole; ``fp32`` programs are computed in float32."""

    @staticmethod
    def prepare() -> None:
        from ai_edge_litert.compiled_model import CompiledModel  # noqa: F401

        if not has_gpu_driver():
            use_swiftshader()

    def __init__(self, path: Path, promise: Promise, *, threads: int, both: bool = False) -> None:
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.gpu_options import GpuOptions
        from ai_edge_litert.hardware_accelerator import HardwareAccelerator
        from ai_edge_litert.options import Options

        super().__init__(path, promise, threads=threads)
        self._graphs = graph_by_graph(path.read_bytes())
        check_textures(self._graphs)
        in_float32 = promise.origin.precision == "fp32"
        options = Options(
            hardware_accelerators=HardwareAccelerator.GPU, gpu_options=GpuOptions(enforce_f32=in_float32)
        )
        with printing_to_stderr():
            self._model = CompiledModel.from_file(str(path), options=options)
        if not self._model.is_fully_accelerated():
            raise UserError(f"LiteRT's GPU accelerator does not take all of {path.name}")
        names = contract.statistic_names(len(promise.entries.statistics))
        self._look = Entry(self._model, contract.LOOK, [contract.INPUT], names)
        self._restore = Entry(self._model, contract.RESTORE, [contract.INPUT, *names], [contract.OUTPUT])
        check_interface(
            path, promise, {contract.LOOK: self._look.shapes, contract.RESTORE: self._restore.shapes}
        )

    @property
    def accelerator(self) -> str:
        return "LiteRT GPU" if has_gpu_driver() else "LiteRT GPU by SwiftShader, a GPU in software"

    @cached_property
    def operators(self) -> dict[str, Operators]:
        """How many each entry has. The GPU takes all, in how many calls nobody can tell."""
        return {entry: uncounted(graph) for entry, graph in self._graphs.items()}

    def run_look(self, sheet: Array) -> list[Array]:
        return self._look([sheet])

    def run_restore(self, tile: Array, statistics: Sequence[Array]) -> Array:
        [restored] = self._restore([tile, *statistics])
        return restored


class Entry:
    """One signature of a compiled program, with its inputs and outputs in the contract's order.

    Raises:
        UserError: the program has no such signature, or it takes or gives other names.
    """

    def __init__(self, model: Any, key: str, inputs: list[str], outputs: list[str]) -> None:
        if model.get_signature_index(key) < 0:
            raise UserError(f"the program has no signature {key}")
        takes, gives = model.get_input_tensor_details(key), model.get_output_tensor_details(key)
        for names, details in ((inputs, takes), (outputs, gives)):
            if sorted(names) != sorted(details):
                raise UserError(
                    f"signature {key} has {', '.join(sorted(details))}; {', '.join(names)} are due"
                )
        self._model, self._key = model, key
        self._inputs = {name: model.create_input_buffer_by_name(key, name) for name in inputs}
        self._outputs = {name: model.create_output_buffer_by_name(key, name) for name in outputs}
        self.shapes: tuple[Shapes, Shapes] = (
            [tuple(map(int, takes[name]["shape"])) for name in inputs],
            [tuple(map(int, gives[name]["shape"])) for name in outputs],
        )

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        for buffer, array in zip(self._inputs.values(), arrays, strict=True):
            buffer.write(np.ascontiguousarray(array, np.float32))
        self._model.run_by_name(self._key, self._inputs, self._outputs)
        return [
            buffer.read(int(np.prod(shape)), np.float32).reshape(shape)
            for buffer, shape in zip(self._outputs.values(), self.shapes[1], strict=True)
        ]


def use_swiftshader() -> None:
    """Let Vulkan programs of this process find SwiftShader, before the first one starts.

    Raises:
        Unsupported: it is not installed.
    """
    driver = CHROMIUM / SWIFTSHADER
    if not driver.is_file():
        raise Unsupported(
            "no GPU with a driver for Vulkan is here, and no SwiftShader, a GPU in software "
            "(Debian: apt-get install chromium)"
        )
    os.environ["VK_ICD_FILENAMES"] = str(driver)
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    try:
        ctypes.CDLL(VULKAN, ctypes.RTLD_GLOBAL)
    except OSError:  # Chromium brings one; what is loaded once is found by its name
        ctypes.CDLL(str(CHROMIUM / VULKAN), ctypes.RTLD_GLOBAL)


def check_textures(graphs: dict[str, Graph], largest: int = LARGEST_TEXTURE) -> None:
    """Refuse an entry that multiplies by a computed matrix too large for a texture, as a Gram matrix is.

    LiteRT's GPU accelerator lays the right side of such a product out as one texture, a quarter of its rows
    high. Where a GPU allows less, it reports full acceleration and returns rubbish.

    Args:
        largest: height of a texture, in pixels.

    Raises:
        UserError: entry, operator, and height.
    """
    for entry, graph in graphs.items():
        for node in graph.nodes:
            if node["op_name"] != "BATCH_MATMUL":
                continue
            height = int(np.prod(graph.shapes[node["inputs"][1]][:-1])) // PIXEL
            if height > largest:
                name = graph.names[node["outputs"][0]].partition(";")[0].rpartition("/")[2]
                raise UserError(
                    f"{entry} needs a texture {height} high for BATCH_MATMUL {name}; {largest} is the limit"
                )
