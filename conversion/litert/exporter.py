"""LiteRT programs (``.tflite``) for the CPU, where XNNPACK runs them, and for LiteRT's GPU accelerator."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from anyir.conversion import contract
from anyir.conversion.base import LEAST_WEIGHTS, Export
from anyir.conversion.gpu_form import has_pieces, in_pieces
from anyir.conversion.litert.gpu import check_textures
from anyir.conversion.litert.graph import CONVOLUTIONS, Graph, count, graph_by_graph, uncounted
from anyir.conversion.litert.static import quantize_mixed, quantized_static
from anyir.conversion.manifest import Quantization
from anyir.conversion.runtimes import by_name
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from anyir.conversion.source import Source

NORMALISATION = "DeployNorm"
"""Part of the names of what belongs to a normalisation."""


class LiteRtExporter:
    """``fp32``; on the CPU ``fp16`` and ``int8w``: the same graphs with smaller weights, computed in float32;
    ``int8`` and ``int16x8``: convolutions in integers, with activations of 8 or 16 bits; ``mixed``: those in
    8 bits that ``anyir sensitivity`` chose;
    on the GPU ``fp16``: the same, computed in float16.

    The entries are two signatures of one file, which has each weight once.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def for_cpu(self) -> bytes:
        """The converted program, which the CPU's other precisions start from."""
        return self._convert(self.source.deployed)

    @cached_property
    def for_gpu(self) -> bytes:
        """The same where ``look`` needs no pieces, and so no texture is too large."""
        look = in_pieces(self.source.deployed[contract.LOOK])
        if not has_pieces(look):
            return self.for_cpu
        return self._convert({**self.source.deployed, contract.LOOK: look})

    def export(self, backend: str, precision: str, path: Path) -> Export:
        """1. Convert. 2. Make the weights smaller, if due. 3. Write. 4. Load and count."""
        shrink = by_name(SHRINKERS[backend], f"precision of litert {backend}", precision)
        data, quantization = self.for_gpu if backend == "gpu" else self.for_cpu, None
        if shrink is not None:
            data, quantization = shrink(data, self.source)
        path.write_bytes(data)
        graphs = load_graphs(data)
        if backend == "gpu":
            check_textures(graphs)
            return Export({entry: uncounted(graph) for entry, graph in graphs.items()}, quantization)
        # Apps may run ``restore`` of this file on a GPU; its ``look`` runs on the CPU.
        check_textures({contract.RESTORE: graphs[contract.RESTORE]})
        return Export({entry: count(graph.nodes) for entry, graph in graphs.items()}, quantization)

    def _convert(self, modules: dict[str, nn.Module]) -> bytes:
        wrapped = named(modules, len(self.source.statistic_shapes))
        # An interpreter lists its first graph's operators: those of every tile.
        order = (contract.RESTORE, contract.LOOK)
        return to_litert({entry: (wrapped[entry], named_inputs(self.source, entry)) for entry in order})


def to_litert(signatures: dict[str, tuple[nn.Module, dict[str, Tensor]]]) -> bytes:
    """Convert modules, each with the inputs that it is called with by name, to signatures of one program."""
    import litert_torch

    config = litert_torch.config
    before = config.layout_optimize_partitioner
    # The default one counts maps, not their size, and keeps queries and keys in both layouts.
    config.layout_optimize_partitioner = "GREEDY"
    try:
        converter = litert_torch.Converter()
        for name, (module, inputs) in signatures.items():
            converter.add_signature(name, module, sample_kwargs=inputs)
        return bytes(converter.convert().model_content())
    finally:
        config.layout_optimize_partitioner = before


def named(modules: dict[str, nn.Module], statistics: int) -> dict[str, nn.Module]:
    """Both entries with the contract's names, which become the signatures'."""
    from torch import nn

    names = contract.statistic_names(statistics)

    class Look(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, image: Tensor) -> dict[str, Tensor]:
            return dict(zip(names, self.inner(image), strict=True))

    class Restore(Look):
        def forward(self, image: Tensor, **statistics: Tensor) -> dict[str, Tensor]:
            return {contract.OUTPUT: self.inner(image, *(statistics[name] for name in names))}

    look, restore = (modules[entry] for entry in contract.ENTRIES)
    return {contract.LOOK: Look(look).eval(), contract.RESTORE: Restore(restore).eval()}


def named_inputs(source: Source, entry: str) -> dict[str, Tensor]:
    """What an entry is converted with, by the contract's names."""
    names = contract.statistic_names(len(source.statistic_shapes))
    return dict(zip([contract.INPUT, *names], source.examples[entry], strict=False))


def shrink_to_float16(data: bytes, source: Source) -> tuple[bytes, Quantization]:
    """Weights in float16, widened when the file is loaded."""
    from ai_edge_quantizer import qtyping, quantizer, recipe_manager

    weights = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    job = quantizer.Quantizer(data)
    job.update_quantization_recipe(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=config,
        algorithm_key=recipe_manager.AlgorithmName.FLOAT_CASTING,
    )
    return bytes(job.quantize().quantized_model), Quantization(
        method="ai-edge-quantizer float casting",
        bits=16,
        details="weights float16, computed in float32",
        calibration=None,
        kept_float=["activations"],
    )


def shrink_to_int8(data: bytes, source: Source) -> tuple[bytes, Quantization]:
    """Convolution weights in 8-bit integers a channel, widened when the file is loaded.

    Small kernels stay as they are, and those of the normalisations: rounded to 8 bits, the share 1/96 that
    each channel has in a mean is a fourth off.
    """
    from ai_edge_quantizer import qtyping, quantizer

    job = quantizer.Quantizer(data)
    names = "|".join(re.escape(name) for name in large_kernels(data) if NORMALISATION not in name)
    operations = qtyping.TFLOperationName
    for operation in (operations.CONV_2D, operations.DEPTHWISE_CONV_2D):
        # The quantizer calls an operator by its output's name and a semicolon.
        job.add_weight_only_config(regex=f"^({names});$", operation_name=operation, num_bits=8)
    return bytes(job.quantize().quantized_model), Quantization(
        method="ai-edge-quantizer weight-only",
        bits=8,
        details="convolution weights symmetric a channel, computed in float32",
        calibration=None,
        kept_float=[
            "activations",
            "everything but convolutions",
            f"kernels of less than {LEAST_WEIGHTS} values",
            "normalisations",
        ],
    )


SHRINKERS: dict[str, dict[str, Callable[[bytes, Source], tuple[bytes, Quantization]] | None]] = {
    "cpu": {
        "fp32": None,
        "fp16": shrink_to_float16,
        "int8w": shrink_to_int8,
        "int8": quantized_static(8),
        "int16x8": quantized_static(16),
        "mixed": quantize_mixed,
    },
    "gpu": {"fp32": None, "fp16": shrink_to_float16},
}
"""Backend and precision -> what makes a smaller program and its description of the converted one."""


def large_kernels(data: bytes) -> list[str]:
    """Output names of both graphs' convolutions with ``LEAST_WEIGHTS`` values or more in their kernels."""
    return [
        graph.names[node["outputs"][0]]
        for graph in graph_by_graph(data).values()
        for node in graph.nodes
        if node["op_name"] in CONVOLUTIONS and prod(graph.shapes[node["inputs"][1]]) >= LEAST_WEIGHTS
    ]


def load_graphs(data: bytes) -> dict[str, Graph]:
    """Both entries' graphs as an app loads them.

    Raises:
        UserError: LiteRT refuses the file.
    """
    try:
        return graph_by_graph(data)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"LiteRT refuses the converted file: {error}") from error
