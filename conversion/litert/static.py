"""Static quantization of LiteRT programs: 8-bit weights, and activations of 8 or 16 bits, of convolutions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.choice import load_choice
from anyir.conversion.kept_float import KEPT_FLOAT, is_kept_float
from anyir.conversion.litert.graph import CONVOLUTIONS, swapped
from anyir.conversion.manifest import Quantization
from anyir.conversion.samples import describe_calibration

if TYPE_CHECKING:
    from anyir.conversion.source import Source

Array = NDArray[np.float32]


def quantized_static(activations: int) -> Callable[[bytes, Source], tuple[bytes, Quantization]]:
    """What makes a static program of a float one, with convolutions in integers but those in ``KEPT_FLOAT``.

    Args:
        activations: bits of a value between operators, 8 or 16.
    """
    return lambda data, source: quantize_but(KEPT_FLOAT, activations, data, source)


def quantize_mixed(data: bytes, source: Source) -> tuple[bytes, Quantization]:
    """The same with the convolutions in 8 bits that ``anyir sensitivity`` chose for these weights.

    Raises:
        UserError: there is no choice beside these weights, or it is of another network.
    """
    choice = load_choice(source.weights, source.deployed)
    quantized, described = quantize_but(choice.kept_float, 8, data, source)
    return quantized, choice.described(described)


def quantize_but(
    kept: Sequence[str], activations: int, data: bytes, source: Source
) -> tuple[bytes, Quantization]:
    """A program with convolutions in integers but those that stay in float.

    ``look`` is calibrated on sheets of photos, ``restore`` on a tile of each with its sheet's statistics.

    Args:
        kept: modules that stay in float, as shell patterns.
        activations: bits of a value between operators, 8 or 16.
        data: the float program.
    """
    from ai_edge_quantizer import qtyping, quantizer

    job = quantizer.Quantizer(data)
    names = "|".join(re.escape(name) for name in quantized_names(data, source, kept))
    for operation in (qtyping.TFLOperationName.CONV_2D, qtyping.TFLOperationName.DEPTHWISE_CONV_2D):
        # The quantizer calls an operator by its output's name and a semicolon.
        job.add_static_config(f"^({names});$", operation, activations, 8)
    ranges = job.calibrate(calibration_inputs(data, source), num_threads=1)
    return bytes(job.quantize(ranges).quantized_model), Quantization(
        method="ai-edge-quantizer static",
        bits=8,
        details=f"convolutions: weights symmetric a channel, activations of {activations} bits a tensor",
        calibration=describe_calibration(),
        kept_float=[*kept, "everything but convolutions"],
    )


def calibration_inputs(data: bytes, source: Source) -> dict[str, list[dict[str, Array]]]:
    """The inputs of both signatures on the calibration photos, statistics by the program's own ``look``."""
    from ai_edge_litert.interpreter import Interpreter

    look = Interpreter(model_content=data).get_signature_runner(contract.LOOK)
    inputs: dict[str, list[dict[str, Array]]] = {entry: [] for entry in contract.ENTRIES}
    for sheet, image in source.calibration:
        given = {contract.INPUT: sheet.numpy()}
        inputs[contract.LOOK].append(given)
        inputs[contract.RESTORE].append({contract.INPUT: image.numpy(), **look(**given)})
    return inputs


def quantized_names(data: bytes, source: Source, kept: Sequence[str] = KEPT_FLOAT) -> list[str]:
    """Output names of both graphs' convolutions that are to be quantized: all but those ``kept`` in float.

    Names in a LiteRT file do not say which block an operator is of: a convolution is known by its weights.
    """
    modules = {
        fingerprint(parameter.numpy()): name.removesuffix(".weight")
        for entry in source.deployed.values()
        for name, parameter in entry.named_parameters()
        if parameter.ndim == 4
    }
    found = []
    for name, weights in convolutions(data):
        module = modules.get(fingerprint(weights))
        if module is not None and not is_kept_float(module, kept):
            found.append(name)
    return found


def convolutions(data: bytes) -> list[tuple[str, Array]]:
    """Output name and weights of every convolution of both graphs."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    found = []
    for graph in (data, swapped(data)):
        interpreter: Any = Interpreter(
            model_content=graph,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
        names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
        for node in interpreter._get_ops_details():
            if node["op_name"] in CONVOLUTIONS:
                found.append((names[node["outputs"][0]], interpreter.get_tensor(node["inputs"][1])))
    return found


def fingerprint(weights: Array) -> bytes:
    """The same for one kernel in whatever order its axes are."""
    return np.sort(weights, axis=None).astype(np.float32).tobytes()
