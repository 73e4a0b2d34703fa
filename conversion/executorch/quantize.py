"""Static int8 quantization of the deploy form in PyTorch (PT2E), for ExecuTorch's XNNPACK backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyir.conversion import contract
from anyir.conversion.kept_float import KEPT_FLOAT, is_kept_float
from anyir.conversion.manifest import Quantization
from anyir.conversion.samples import calibration_pairs, describe_calibration

if TYPE_CHECKING:
    from torch import Tensor, nn


def quantize_static(deployed: dict[str, nn.Module], tile: int) -> tuple[dict[str, Any], Quantization]:
    """Quantize both entries' convolutions: weights 8 bits a channel, activations 8 bits a tensor.

    What is not a convolution stays in float, and so do the modules in ``KEPT_FLOAT``. ``look`` is calibrated
    on sheets of photos, ``restore`` on a tile of each with the statistics of its sheet.

    Returns:
        Modules with quantize and dequantize operators around the convolutions, and their description.
    """
    import torch

    look, restore = (deployed[entry] for entry in contract.ENTRIES)
    pairs = calibration_pairs(tile)
    with torch.no_grad():
        sheets: list[tuple[Tensor, ...]] = [(sheet,) for sheet, _ in pairs]
        tiles = [(image, *look(sheet)) for sheet, image in pairs]
        quantized = {contract.LOOK: _quantized(look, sheets), contract.RESTORE: _quantized(restore, tiles)}
    return quantized, Quantization(
        method="PT2E static, XNNPACKQuantizer",
        bits=8,
        details="convolutions: weights symmetric a channel, activations affine a tensor",
        calibration=describe_calibration(),
        kept_float=[*KEPT_FLOAT, "everything but convolutions"],
    )


def _quantized(module: nn.Module, inputs: list[tuple[Tensor, ...]]) -> Any:
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    config = get_symmetric_quantization_config(is_per_channel=True)
    quantizer.set_operator_type(torch.ops.aten.conv2d.default, config)
    quantizer.set_filter_function(lambda node: not is_kept_float(module_of(node)))
    prepared = prepare_pt2e(torch.export.export(module, inputs[0]).module(), quantizer)
    for arguments in inputs:
        prepared(*arguments)
    return convert_pt2e(prepared)


def module_of(node: Any) -> str:
    """Dotted name of the module that a node of an exported graph comes from."""
    stack = list((node.meta.get("nn_module_stack") or {"": ("", None)}).values())
    return stack[-1][0].removeprefix("L['self'].")
