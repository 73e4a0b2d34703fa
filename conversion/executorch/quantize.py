"""Static int8 quantization of the deploy form in PyTorch (PT2E), for ExecuTorch's XNNPACK backend."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from anyir.conversion.manifest import Quantization
from anyir.conversion.samples import calibration_tiles, describe_calibration

if TYPE_CHECKING:
    from torch import nn

KEPT_FLOAT = (
    "patch_embed",
    "output",
    "down.*",
    "*norm*",
    "*.attention.*",
    *(
        f"{level}.*.{last}"
        for level in ("encoder.0", "decoder.2", "refinement")
        for last in ("fuse", "fuse_sigmoid", "ffn.project")
    ),
)
"""Modules whose int8 costs more quality than it gains time: the first and the last convolution, those that
begin a level's residual stream, the normalisations' constant ones, attention, whose Gram matrix multiplies
errors, and what a block adds to the residual stream at full resolution, which cost the most of all when the
modules were rounded one by one (docs/lab/conversion.md)."""


def quantize_static(deployed: nn.Module, tile: int) -> tuple[Any, Quantization]:
    """Quantize the convolutions: weights 8 bits a channel, activations 8 bits a tensor.

    What is not a convolution stays in float, and so do the modules in ``KEPT_FLOAT``.

    Returns:
        A module with quantize and dequantize operators around the convolutions, and its description.
    """
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    tiles = calibration_tiles(tile)
    quantizer = XNNPACKQuantizer()
    config = get_symmetric_quantization_config(is_per_channel=True)
    quantizer.set_operator_type(torch.ops.aten.conv2d.default, config)
    quantizer.set_filter_function(lambda node: not is_kept_float(module_of(node)))
    with torch.no_grad():
        prepared = prepare_pt2e(torch.export.export(deployed, (tiles[0],)).module(), quantizer)
        for image in tiles:
            prepared(image)
        quantized = convert_pt2e(prepared)
    return quantized, Quantization(
        method="PT2E static, XNNPACKQuantizer",
        bits=8,
        details="convolutions: weights symmetric a channel, activations affine a tensor",
        calibration=describe_calibration(),
        kept_float=[*KEPT_FLOAT, "everything but convolutions"],
    )


def module_of(node: Any) -> str:
    """Dotted name of the module that a node of an exported graph comes from."""
    stack = list((node.meta.get("nn_module_stack") or {"": ("", None)}).values())
    return stack[-1][0].removeprefix("L['self'].")


def is_kept_float(module: str) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in KEPT_FLOAT)
