"""Core ML packages (``.mlpackage``): ML programs of two functions, for iOS 18 and later.

Earlier systems take one function a package: two packages, with all weights twice.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.conversion import contract
from anyir.conversion.base import LEAST_WEIGHTS, Export
from anyir.conversion.manifest import Operators, Quantization
from anyir.model.errors import UserError, unknown

if TYPE_CHECKING:
    from anyir.conversion.source import Source

TARGET = "iOS18"
PRECISIONS = ("fp16", "int8w", "pal6")


class CoreMlExporter:
    """``fp16``; ``int8w`` and ``pal6``: the same functions with compressed weights."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def float16(self) -> dict[str, Any]:
        """The converted functions, a program each, which the other precisions start from."""
        return {entry: convert(self.source, entry) for entry in contract.ENTRIES}

    def export(self, precision: str, path: Path) -> Export:
        """1. Convert. 2. Compress the weights, if due. 3. Save as one. 4. Count the saved operators."""
        from anyir.conversion.coreml.evaluator.evaluator import Evaluator

        if precision not in PRECISIONS:
            raise UserError(unknown("precision of Core ML", precision, PRECISIONS))
        models, quantization = self.float16, None
        if precision == "int8w":
            models = {entry: in_8_bits(model) for entry, model in models.items()}
            quantization = _described("linear_quantize_weights", 8, "weights symmetric a channel")
            quantization.kept_float.append("normalisations")
        elif precision == "pal6":
            models = {entry: with_64_values(model) for entry, model in models.items()}
            quantization = _described("palettize_weights", 6, "each weight tensor has 64 values (k-means)")
        save_as_one(models, path)
        operators = {
            entry: Operators(total=Evaluator(path, entry).operators, delegated=None, partitions=None)
            for entry in contract.ENTRIES
        }
        return Export(operators, quantization, target=TARGET)


def convert(source: Source, entry: str) -> Any:
    """One entry as a program of its own, in float16."""
    import coremltools as ct
    import torch

    examples = source.examples[entry]
    names = contract.statistic_names(len(source.statistic_shapes))
    inputs, outputs = [contract.INPUT], names
    if entry == contract.RESTORE:
        inputs, outputs = [contract.INPUT, *names], [contract.OUTPUT]
    program = torch.export.export(source.deployed[entry], examples).run_decompositions({})
    return ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=getattr(ct.target, TARGET),
        compute_precision=ct.precision.FLOAT16,
        inputs=[
            ct.TensorType(name=name, shape=tuple(example.shape), dtype=np.float32)
            for name, example in zip(inputs, examples, strict=True)
        ],
        outputs=[ct.TensorType(name=name, dtype=np.float32) for name in outputs],
        skip_model_load=True,
    )


def save_as_one(models: dict[str, Any], path: Path) -> None:
    """Write programs as functions of one package, which has each weight once."""
    from coremltools.models.utils import MultiFunctionDescriptor, save_multifunction

    with TemporaryDirectory(dir=path.parent) as scratch:
        functions = MultiFunctionDescriptor()
        for entry, model in models.items():
            single = str(Path(scratch) / f"{entry}.mlpackage")
            model.save(single)
            functions.add_function(single, src_function_name="main", target_function_name=entry)
        functions.default_function_name = contract.RESTORE
        save_multifunction(functions, str(path))


def in_8_bits(model: Any) -> Any:
    """A program with its weights in 8-bit integers a channel."""
    import coremltools.optimize.coreml as compression

    config = compression.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=LEAST_WEIGHTS)
    return compression.linear_quantize_weights(model, but_normalisations(model, config))


def with_64_values(model: Any) -> Any:
    """A program of whose weight tensors each has 64 values."""
    import coremltools.optimize.coreml as compression

    config = compression.OpPalettizerConfig(mode="kmeans", nbits=6, weight_threshold=LEAST_WEIGHTS)
    return compression.palettize_weights(model, compression.OptimizationConfig(config))


def _described(method: str, bits: int, details: str) -> Quantization:
    return Quantization(
        method=f"coremltools {method}",
        bits=bits,
        details=f"{details}, computed in float16",
        calibration=None,
        kept_float=["activations", f"tensors of less than {LEAST_WEIGHTS} values"],
    )


def but_normalisations(model: Any, config: Any) -> Any:
    """``config`` for all weights of a program but those of normalisations, which rounding would spoil:
    the share 1/96 that each channel has in a mean is a fourth off in 8 bits."""
    import coremltools.optimize.coreml as compression

    weights = compression.get_weights_metadata(model, weight_threshold=LEAST_WEIGHTS)
    kept = {name: None for name in weights if "norm_centre" in name}
    return compression.OptimizationConfig(config, op_name_configs=kept)
