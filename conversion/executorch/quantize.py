"""Static int8 quantization of the deploy form in PyTorch (PT2E), for ExecuTorch's XNNPACK backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from anyir.conversion import contract
from anyir.conversion.choice import load_choice
from anyir.conversion.kept_float import KEPT_FLOAT, is_kept_float
from anyir.conversion.manifest import Quantization
from anyir.conversion.samples import describe_calibration

if TYPE_CHECKING:
    from torch import Tensor, nn

    from anyir.conversion.source import Source


def quantize_static(modules: dict[str, nn.Module], source: Source) -> tuple[dict[str, Any], Quantization]:
    """Quantize both entries' convolutions but those in ``KEPT_FLOAT``; see ``quantize_but``."""
    return quantize_but(KEPT_FLOAT, modules, source)


def quantize_mixed(modules: dict[str, nn.Module], source: Source) -> tuple[dict[str, Any], Quantization]:
    """Quantize the convolutions that ``anyir sensitivity`` chose for these weights; see ``quantize_but``.

    Raises:
        UserError: there is no choice beside these weights, or it is of another network.
    """
    choice = load_choice(source.weights, modules)
    modules, described = quantize_but(choice.kept_float, modules, source)
    return modules, choice.described(described)


def quantize_but(
    kept: Sequence[str], modules: dict[str, nn.Module], source: Source
) -> tuple[dict[str, Any], Quantization]:
    """Quantize both entries' convolutions: weights 8 bits a channel, activations 8 bits a tensor.

    What is not a convolution stays in float. ``look`` is calibrated on sheets of photos, ``restore`` on a
    tile of each with the statistics of its sheet.

    Args:
        kept: modules that stay in float, as shell patterns.

    Returns:
        Modules with quantize and dequantize operators around the convolutions, and their description.
    """
    import torch

    look, restore = (modules[entry] for entry in contract.ENTRIES)
    pairs = source.calibration
    with torch.no_grad():
        # While ranges are observed nothing is rounded: these are the statistics of the float `look`.
        quantized_look, statistics = _quantized(look, [(sheet,) for sheet, _ in pairs], kept)
        tiles = [(image, *own) for (_, image), own in zip(pairs, statistics, strict=True)]
        quantized_restore, _ = _quantized(restore, tiles, kept)
    return {contract.LOOK: quantized_look, contract.RESTORE: quantized_restore}, Quantization(
        method="PT2E static, XNNPACKQuantizer",
        bits=8,
        details="convolutions: weights symmetric a channel, activations affine a tensor",
        calibration=describe_calibration(),
        kept_float=[*kept, "everything but convolutions"],
    )


def _quantized(
    module: nn.Module, inputs: Sequence[tuple[Tensor, ...]], kept: Sequence[str]
) -> tuple[Any, list[Any]]:
    """A module with quantize and dequantize operators, and what it gave for the inputs without them."""
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    config = get_symmetric_quantization_config(is_per_channel=True)
    quantizer.set_operator_type(torch.ops.aten.conv2d.default, config)
    quantizer.set_filter_function(lambda node: not is_kept_float(module_of(node), kept))
    prepared = prepare_pt2e(torch.export.export(module, inputs[0]).module(), quantizer)
    outputs = [prepared(*arguments) for arguments in inputs]
    return with_own_dequantize(convert_pt2e(prepared)), outputs


def with_own_dequantize(graph_module: Any) -> Any:
    """Give every reader of a dequantized map a dequantize operator of its own.

    XNNPACK's partitioner marks what stands before an 8-bit operator as part of that operator. One that a
    float convolution reads too is then left out for both: the float convolution gets 8-bit values, and the
    program is refused when it is loaded, as "failed to create convolution" (executorch 1.5.1). A residual
    stream whose beginning is in 8 bits is read so, by a sum in 8 bits and by a normalisation in float.
    """
    import torch
    from executorch.backends.xnnpack.quantizer import xnnpack_quantizer  # noqa: F401  brings the operators

    graph = graph_module.graph
    for node in list(graph.nodes):
        if node.target is not torch.ops.quantized_decomposed.dequantize_per_tensor.default:
            continue
        for reader in list(node.users)[1:]:
            with graph.inserting_after(node):
                own = graph.node_copy(node)
            reader.replace_input_with(node, own)
    graph_module.recompile()
    return graph_module


def module_of(node: Any) -> str:
    """Dotted name of the module that a node of an exported graph comes from."""
    stack = list((node.meta.get("nn_module_stack") or {"": ("", None)}).values())
    return stack[-1][0].removeprefix("L['self'].")
