"""8-bit weights and activations (W8A8), with ranges that the evaluator sees on photos.

coremltools finds ranges by running the program in Core ML, which only macOS has. What it does with them
needs no Core ML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from anyir.conversion import contract
from anyir.conversion.coreml.evaluator.evaluator import Evaluator
from anyir.conversion.coreml.evaluator.reader import Operation, Reference, read_function
from anyir.conversion.coreml.evaluator.values import Array
from anyir.conversion.kept_float import KEPT_FLOAT, is_kept_float
from anyir.conversion.manifest import Quantization
from anyir.conversion.samples import describe_calibration

if TYPE_CHECKING:
    from torch import Tensor

BEFORE, AFTER = "p_", "_weight_to_fp16"
"""Around a module's name in the names of its weights, which has _ for each dot."""
PASSES = "insert_prefix_quantize_dequantize_pair", "insert_suffix_quantize_dequantize_pair"
"""coremltools': 8 bits in front of an operator, and behind it."""

Ranges = dict[str, dict[str, float]]
"""Value -> its least (``rmin``) and largest (``rmax``), as coremltools has them."""


def quantize_static(
    models: Mapping[str, Any], pairs: Sequence[tuple[Tensor, Tensor]], names: list[str]
) -> tuple[dict[str, Any], Quantization]:
    """Both entries with 8-bit convolutions: weights a channel, activations a tensor.

    ``look`` is calibrated on sheets of photos, ``restore`` on a tile of each with its sheet's statistics.

    Args:
        models: converted programs.
        pairs: of sheets and tiles.
        names: of the statistics.

    Returns:
        Programs with quantize and dequantize around the convolutions, and their description.
    """
    with TemporaryDirectory() as scratch:
        packages = {entry: Path(scratch) / f"{entry}.mlpackage" for entry in contract.ENTRIES}
        for entry, model in models.items():
            model.save(str(packages[entry]))
        ranges = observe(packages, pairs, names)
        chosen = {entry: convolutions(packages[entry]) for entry in contract.ENTRIES}
    quantized = {entry: with_8_bits(model, chosen[entry], ranges[entry]) for entry, model in models.items()}
    return quantized, Quantization(
        method="coremltools linear quantization, ranges by evaluation",
        bits=8,
        details="convolutions: weights symmetric a channel, activations symmetric a tensor",
        calibration=describe_calibration(),
        kept_float=[*KEPT_FLOAT, "everything but convolutions"],
    )


def observe(
    packages: Mapping[str, Path], pairs: Sequence[tuple[Tensor, Tensor]], names: list[str]
) -> dict[str, Ranges]:
    """Least and largest of every value of both entries, over pairs of a sheet and a tile."""
    look, restore = (Evaluator(packages[entry]) for entry in contract.ENTRIES)
    ranges: dict[str, Ranges] = {entry: {} for entry in contract.ENTRIES}
    for sheet, image in pairs:
        given = look({contract.INPUT: sheet.numpy()}, observe=Widening(ranges[contract.LOOK]))
        inputs: dict[str, Array] = {contract.INPUT: image.numpy(), **{name: given[name] for name in names}}
        restore(inputs, observe=Widening(ranges[contract.RESTORE]))
    return ranges


class Widening:
    """Widens ranges to all values that it is called with."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges

    def __call__(self, name: str, value: Tensor) -> None:
        if not value.is_floating_point() or not value.numel():
            return
        least, largest = (float(end) for end in value.aminmax())
        known = self.ranges.setdefault(name, {"rmin": least, "rmax": largest})
        known["rmin"], known["rmax"] = min(known["rmin"], least), max(known["rmax"], largest)


def convolutions(package: Path) -> dict[str, str]:
    """The convolutions that 8 bits are for, each with the name of its weights."""
    operations: Iterable[Operation] = read_function(package).operations
    found = {}
    for step in operations:
        weight = step.arguments["weight"][0] if step.type == "conv" else None
        if isinstance(weight, Reference) and not is_kept_float(module_of(weight.name), IN_NAMES):
            found[step.name] = weight.name
    return found


IN_NAMES = tuple(pattern.replace(".", "_") for pattern in KEPT_FLOAT)


def module_of(weight: str) -> str:
    """``p_encoder_0_0_fuse_weight_to_fp16`` -> ``encoder_0_0_fuse``."""
    return weight.removeprefix(BEFORE).removesuffix(AFTER)


def with_8_bits(model: Any, chosen: Mapping[str, str], ranges: Ranges) -> Any:
    """A program whose ``chosen`` convolutions have 8-bit weights, inputs and outputs."""
    import coremltools.optimize.coreml as compression
    from coremltools.converters.mil.frontend.milproto.load import load
    from coremltools.converters.mil.mil.passes.graph_pass import PassOption
    from coremltools.converters.mil.mil.passes.pass_registry import PASS_REGISTRY
    from coremltools.models.utils import _apply_graph_pass

    eight = compression.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=0)
    config = compression.OptimizationConfig(op_name_configs=dict.fromkeys(chosen, eight))
    passes = [PASS_REGISTRY[f"compression::{name}"] for name in PASSES]
    for one in passes:
        one.set_options([PassOption("config", config), PassOption("activation_stats", ranges)])
    passes.append(PASS_REGISTRY["common::dequantize_quantize_pair_elimination"])
    model = _apply_graph_pass(model, passes, pymil_load_func=load, skip_model_load=True)
    weights = compression.OptimizationConfig(op_name_configs=dict.fromkeys(chosen.values(), eight))
    return compression.linear_quantize_weights(model, weights)
