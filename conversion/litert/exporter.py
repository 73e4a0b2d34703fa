"""LiteRT programs (``.tflite``) for the CPU, where XNNPACK runs them."""

from __future__ import annotations

import re
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from anyir.conversion import contract
from anyir.conversion.base import LEAST_WEIGHTS, THREADS, Export
from anyir.conversion.litert.graph import count
from anyir.conversion.manifest import Operators, Quantization
from anyir.conversion.runtimes import by_name
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.source import Source

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
NORMALISATION = "DeployNorm"
"""Part of the names of what belongs to a normalisation."""


class LiteRtExporter:
    """``fp32``; ``fp16`` and ``int8w``: the same graph with smaller weights, computed in float32."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def float32(self) -> bytes:
        """The converted program, which the other precisions start from."""
        import litert_torch

        example = {contract.INPUT: self.source.example}
        config = litert_torch.config
        before = config.layout_optimize_partitioner
        # The default one counts maps, not their size, and keeps queries and keys in both layouts.
        config.layout_optimize_partitioner = "GREEDY"
        try:
            return litert_torch.convert(self.source.deployed, sample_kwargs=example).model_content()
        finally:
            config.layout_optimize_partitioner = before

    def export(self, precision: str, path: Path) -> Export:
        """1. Convert. 2. Make the weights smaller, if due. 3. Write. 4. Load and count."""
        shrink = by_name(SHRINKERS, "precision of LiteRT", precision)
        data, quantization = self.float32, None
        if shrink is not None:
            data, quantization = shrink(data)
        path.write_bytes(data)
        return Export(count_operators(path), quantization)


def shrink_to_float16(data: bytes) -> tuple[bytes, Quantization]:
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


def shrink_to_int8(data: bytes) -> tuple[bytes, Quantization]:
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


SHRINKERS = {"fp32": None, "fp16": shrink_to_float16, "int8w": shrink_to_int8}
"""Precision -> what makes a smaller program and its description of the converted one."""


def large_kernels(data: bytes) -> list[str]:
    """Output names of a program's convolutions with ``LEAST_WEIGHTS`` values or more in their kernels."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data)
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    return [
        tensors[node["outputs"][0]]["name"]
        for node in interpreter._get_ops_details()
        if node["op_name"] in CONVOLUTIONS and prod(tensors[node["inputs"][1]]["shape"]) >= LEAST_WEIGHTS
    ]


def count_operators(path: Path) -> Operators:
    """Load a file as an app does and count what XNNPACK takes.

    Raises:
        UserError: LiteRT refuses the file.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise UserError(f"LiteRT refuses the converted file: {error}") from error
    return count(interpreter)
