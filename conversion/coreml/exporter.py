"""Core ML packages (``.mlpackage``): ML programs of two functions, for iOS 18 and later.

Earlier systems take one function a package: two packages, with all weights twice.
"""

from __future__ import annotations

from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.conversion import contract
from anyir.conversion.base import LEAST_WEIGHTS, Export
from anyir.conversion.manifest import Operators, Quantization
from anyir.conversion.parity import OutOfBounds
from anyir.conversion.runtimes import by_name
from anyir.conversion.source import run_modules
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.source import Source

TARGET = "iOS18"
WEIGHT_ERROR = {"fp16": 1e-3, "int8w": 0.05, "pal6": 0.15}
"""Precision -> largest error of a kernel in the saved file: root of squared error over squared values."""

SAVED_WEIGHTS = "saved weights in PyTorch"
"""The stage that shows, where Core ML cannot run, what compressing the weights costs."""


class CoreMlExporter:
    """``fp16``; ``int8w`` and ``pal6``: the same functions with compressed weights."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def float16(self) -> dict[str, Any]:
        """The converted functions, a program each, which the other precisions start from."""
        return {entry: convert(self.source, entry) for entry in contract.ENTRIES}

    def export(self, precision: str, path: Path) -> Export:
        """1. Convert. 2. Compress the weights, if due. 3. Save as one. 4. Read back and compare."""
        tolerance = by_name(WEIGHT_ERROR, "precision of Core ML", precision)
        models, quantization = self.float16, None
        if precision == "int8w":
            models = {entry: in_8_bits(model) for entry, model in models.items()}
            quantization = _described("linear_quantize_weights", 8, "weights symmetric a channel")
            quantization.kept_float.append("normalisations")
        elif precision == "pal6":
            models = {entry: with_64_values(model) for entry, model in models.items()}
            quantization = _described("palettize_weights", 6, "each weight tensor has 64 values (k-means)")
        save_as_one(models, path)
        totals, weights = read_back(path, self.source, tolerance)
        changed = {
            entry: with_kernels(module, weights[entry]) for entry, module in self.source.deployed.items()
        }
        stage = run_modules(changed, self.source.inputs)
        operators = {
            entry: Operators(total=n, delegated=None, partitions=None) for entry, n in totals.items()
        }
        return Export(operators, quantization, target=TARGET, stages=[(SAVED_WEIGHTS, stage)])


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


def read_back(
    path: Path, source: Source, tolerance: float
) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    """Read a saved package and compare its contract and its kernels with what it was made from.

    Predicting needs macOS; this shows what can be shown elsewhere.

    Returns:
        Of each entry: the number of operators in its function, constants and decompression left out, and
        the kernels as saved, by their names in the deploy form.

    Raises:
        UserError: another name, shape or type of an input or output.
        OutOfBounds: a missing kernel, or one that is further from the network's than ``tolerance``.
    """
    import coremltools as ct

    model = ct.models.MLModel(str(path), skip_model_load=True, function_name=contract.RESTORE)
    found = {function.name: function for function in model.get_spec().description.functions}
    if sorted(found) != sorted(contract.ENTRIES):
        raise UserError(f"the package has the functions {', '.join(found) or 'none'}, not look and restore")
    statistics = list(
        zip(contract.statistic_names(len(source.statistic_shapes)), source.statistic_shapes, strict=True)
    )
    image = contract.shape(source.tile)
    check_features(found[contract.LOOK].input, [(contract.INPUT, image)])
    check_features(found[contract.LOOK].output, statistics)
    check_features(found[contract.RESTORE].input, [(contract.INPUT, image), *statistics])
    check_features(found[contract.RESTORE].output, [(contract.OUTPUT, image)])
    saved = read_functions(model, path)
    totals = {entry: operators for entry, (operators, _) in saved.items()}
    return totals, {
        entry: _matching(values, kernels(source, entry), tolerance) for entry, (_, values) in saved.items()
    }


def check_features(features: Any, due: list[tuple[str, tuple[int, ...]]]) -> None:
    """Raise where a function's inputs or outputs are not of these names and shapes, in order, and float32.

    Raises:
        UserError: what it has, and what is due.
    """
    for feature, expected in zip_longest(features, due):
        if feature is None or expected is None:
            raise UserError(f"the package has {len(features)} inputs or outputs; {len(due)} are due")
        array = feature.type.multiArrayType
        if (feature.name, tuple(array.shape), array.dataType) != (*expected, array.ArrayDataType.FLOAT32):
            raise UserError(f"the package has {feature.name} {tuple(array.shape)}; {expected} are due")


def _matching(
    saved: dict[tuple[int, ...], list[Any]], due: dict[str, Any], tolerance: float
) -> dict[str, Any]:
    """The saved kernel that is nearest to each that is due."""
    weights = {}
    for name, kernel in due.items():
        errors = [
            float(np.linalg.norm(w - kernel) / np.linalg.norm(kernel)) for w in saved.get(kernel.shape, [])
        ]
        if not errors or min(errors) > tolerance:
            raise OutOfBounds(f"the package's weights of {name} are {min(errors, default=np.inf):.2g} off")
        weights[name] = saved[kernel.shape][int(np.argmin(errors))]
    return weights


def with_kernels(deployed: Any, weights: dict[str, Any]) -> Any:
    """A copy of the deploy form with other kernels."""
    import copy

    import torch

    changed = copy.deepcopy(deployed)
    state = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    changed.load_state_dict({**changed.state_dict(), **state})
    return changed


def kernels(source: Source, entry: str) -> dict[str, Any]:
    """Convolution kernels that an entry's outputs depend on, by their names in the deploy form.

    Behind its last statistic ``look`` computes nothing. What depends on what is seen at any size: at 16x16.
    """
    import torch

    from anyir.model.deploy.network import to_deploy_pair

    small = dict(zip(contract.ENTRIES, to_deploy_pair(source.network, 16, 16), strict=True))
    image = torch.zeros(contract.shape(16))
    given = [image, *small[contract.LOOK](image)] if entry == contract.RESTORE else [image]
    names, parameters = zip(*small[entry].named_parameters(), strict=True)
    for parameter in parameters:
        parameter.requires_grad_()
    outputs = small[entry](*given)
    total = sum(output.sum() for output in (outputs if isinstance(outputs, list) else [outputs]))
    gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    used = [name for name, gradient in zip(names, gradients, strict=True) if gradient is not None]
    state = source.deployed[entry].state_dict()
    values = {name: state[name].numpy() for name in used}
    return {name: value for name, value in values.items() if value.ndim == 4 and value.shape[0] > 1}


def read_functions(model: Any, path: Path) -> dict[str, tuple[int, dict[tuple[int, ...], list[Any]]]]:
    """Of each function of a saved program: its number of operators, and its decompressed kernels by shape."""
    from coremltools.converters.mil.frontend.milproto.load import load

    spec = model.get_spec()
    program = load(spec, spec.specificationVersion, str(path / "Data/com.apple.CoreML/weights"))
    read = {}
    for name, function in program.functions.items():
        operators = 0
        found: dict[tuple[int, ...], list[Any]] = {}
        for operation in function.operations:
            if operation.op_type == "const" or operation.op_type.startswith("constexpr"):
                continue
            operators += 1
            if operation.op_type == "conv":
                value = decompressed(operation.weight)
                found.setdefault(value.shape, []).append(value)
        read[name] = (operators, found)
    return read


def decompressed(weight: Any) -> Any:
    """The values of a weight, whichever operator stores it."""
    value = weight.val if weight.val is not None else weight.op.materialized_val_inference()
    return np.asarray(value, np.float32)
