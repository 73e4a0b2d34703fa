"""Core ML packages (``.mlpackage``), ML programs for iOS 17 and later."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.conversion import contract
from anyir.conversion.base import LEAST_WEIGHTS, Export
from anyir.conversion.manifest import Operators, Quantization
from anyir.conversion.parity import OutOfBounds
from anyir.conversion.runtimes import by_name
from anyir.conversion.source import run_module
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.source import Source

TARGET = "iOS17"
WEIGHT_ERROR = {"fp16": 1e-3, "int8w": 0.05, "pal6": 0.15}
"""Precision -> largest error of a kernel in the saved file: root of squared error over squared values."""

SAVED_WEIGHTS = "saved weights in PyTorch"
"""The stage that shows, where Core ML cannot run, what compressing the weights costs."""


class CoreMlExporter:
    """``fp16``; ``int8w`` and ``pal6``: the same program with compressed weights."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def float16(self) -> Any:
        """The converted program, which the other precisions start from."""
        import coremltools as ct
        import torch

        program = torch.export.export(self.source.deployed, (self.source.example,)).run_decompositions({})
        shape = contract.shape(self.source.tile)
        return ct.convert(
            program,
            convert_to="mlprogram",
            minimum_deployment_target=getattr(ct.target, TARGET),
            compute_precision=ct.precision.FLOAT16,
            inputs=[ct.TensorType(name=contract.INPUT, shape=shape, dtype=np.float32)],
            outputs=[ct.TensorType(name=contract.OUTPUT, dtype=np.float32)],
            skip_model_load=True,
        )

    def export(self, precision: str, path: Path) -> Export:
        """1. Convert. 2. Compress the weights, if due. 3. Save. 4. Read back and compare."""
        tolerance = by_name(WEIGHT_ERROR, "precision of Core ML", precision)
        import coremltools.optimize.coreml as compression

        model, quantization = self.float16, None
        if precision == "int8w":
            config = compression.OpLinearQuantizerConfig(
                mode="linear_symmetric", weight_threshold=LEAST_WEIGHTS
            )
            model = compression.linear_quantize_weights(model, but_normalisations(model, config))
            quantization = _described("linear_quantize_weights", 8, "weights symmetric a channel")
            quantization.kept_float.append("normalisations")
        elif precision == "pal6":
            config = compression.OpPalettizerConfig(mode="kmeans", nbits=6, weight_threshold=LEAST_WEIGHTS)
            model = compression.palettize_weights(model, compression.OptimizationConfig(config))
            quantization = _described("palettize_weights", 6, "each weight tensor has 64 values (k-means)")
        model.save(str(path))
        total, weights = read_back(path, self.source, tolerance)
        stage = run_module(with_kernels(self.source.deployed, weights), self.source.inputs)
        operators = Operators(total=total, delegated=None, partitions=None)
        return Export(operators, quantization, target=TARGET, stages=[(SAVED_WEIGHTS, stage)])


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


def read_back(path: Path, source: Source, tolerance: float) -> tuple[int, dict[str, Any]]:
    """Read a saved package and compare its contract and its kernels with what it was made from.

    Predicting needs macOS; this shows what can be shown elsewhere.

    Returns:
        The number of operators in the program, constants and decompression left out, and the kernels as
        saved, by their names in the deploy form.

    Raises:
        UserError: another name, shape or type of input or output.
        OutOfBounds: a missing kernel, or one that is further from the network's than ``tolerance``.
    """
    import coremltools as ct

    model = ct.models.MLModel(str(path), skip_model_load=True)
    description = model.get_spec().description
    for feature, name in ((description.input[0], contract.INPUT), (description.output[0], contract.OUTPUT)):
        array = feature.type.multiArrayType
        expected = (name, contract.shape(source.tile), array.ArrayDataType.FLOAT32)
        if (feature.name, tuple(array.shape), array.dataType) != expected:
            raise UserError(f"the package has {feature.name} {tuple(array.shape)}; {expected[:2]} are due")
    operators, saved = read_program(model, path)
    weights = {}
    for name, kernel in kernels(source).items():
        errors = [
            float(np.linalg.norm(w - kernel) / np.linalg.norm(kernel)) for w in saved.get(kernel.shape, [])
        ]
        if not errors or min(errors) > tolerance:
            raise OutOfBounds(f"the package's weights of {name} are {min(errors, default=np.inf):.2g} off")
        weights[name] = saved[kernel.shape][int(np.argmin(errors))]
    return operators, weights


def with_kernels(deployed: Any, weights: dict[str, Any]) -> Any:
    """A copy of the deploy form with other kernels."""
    import copy

    import torch

    changed = copy.deepcopy(deployed)
    state = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    changed.load_state_dict({**changed.state_dict(), **state})
    return changed


def kernels(source: Source) -> dict[str, Any]:
    """Convolution kernels of the deploy form as numpy arrays."""
    state = source.deployed.state_dict()
    return {name: value.numpy() for name, value in state.items() if value.ndim == 4 and value.shape[0] > 1}


def read_program(model: Any, path: Path) -> tuple[int, dict[tuple[int, ...], list[Any]]]:
    """Number of operators of a saved program, and its decompressed kernels by shape."""
    from coremltools.converters.mil.frontend.milproto.load import load

    spec = model.get_spec()
    program = load(spec, spec.specificationVersion, str(path / "Data/com.apple.CoreML/weights"))
    operators = 0
    found: dict[tuple[int, ...], list[Any]] = {}
    for operation in program.functions["main"].operations:
        if operation.op_type == "const" or operation.op_type.startswith("constexpr"):
            continue
        operators += 1
        if operation.op_type == "conv":
            value = decompressed(operation.weight)
            found.setdefault(value.shape, []).append(value)
    return operators, found


def decompressed(weight: Any) -> Any:
    """The values of a weight, whichever operator stores it."""
    value = weight.val if weight.val is not None else weight.op.materialized_val_inference()
    return np.asarray(value, np.float32)
