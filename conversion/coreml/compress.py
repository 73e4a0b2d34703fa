"""Smaller ML programs: what each precision does to a converted program, in float16."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any

from anyir.conversion.base import LEAST_WEIGHTS
from anyir.conversion.manifest import Quantization

GROUP = 16
"""Output channels that share a palette, at most."""


@dataclass(frozen=True)
class Compression:
    """How the weights of a precision are stored.

    Attributes:
        apply: makes a program with such weights of a converted one.
        bits: of a weight.
        method, details: for the manifest.
        kept_float: what else stays as it is.
    """

    apply: Callable[[Any], Any]
    bits: int
    method: str
    details: str
    kept_float: tuple[str, ...] = ()

    def describe(self) -> Quantization:
        """For the manifest."""
        return Quantization(
            method=f"coremltools {self.method}",
            bits=self.bits,
            details=f"{self.details}, computed in float16",
            calibration=None,
            kept_float=["activations", f"tensors of less than {LEAST_WEIGHTS} values", *self.kept_float],
        )


def in_8_bits(model: Any) -> Any:
    """A program with its weights in 8-bit integers a channel, but for those of normalisations, which rounding
    would spoil: the share 1/96 that each channel has in a mean is a fourth off in 8 bits."""
    import coremltools.optimize.coreml as compression

    config = compression.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=LEAST_WEIGHTS)
    kept = {name: None for name in large_weights(model) if "norm_centre" in name}
    return compression.linear_quantize_weights(
        model, compression.OptimizationConfig(config, op_name_configs=kept)
    )


def with_palettes(bits: int, group: int | None = None) -> Callable[[Any], Any]:
    """What gives each weight tensor 2^``bits`` values of its own, found by k-means.

    Args:
        group: at most so many output channels of a convolution have such values of their own: the largest
            number that divides both the channels and this one. None: the tensor has one palette.
    """

    def apply(model: Any) -> Any:
        import coremltools.optimize.coreml as compression

        def config(**options: Any) -> Any:
            return compression.OpPalettizerConfig(
                mode="kmeans", nbits=bits, weight_threshold=LEAST_WEIGHTS, **options
            )

        by_name = {}
        for name, weight in large_weights(model).items():
            is_kernel = {op.op_type for op in weight.child_ops} == {"conv"}
            size = gcd(len(weight.val), group) if group and is_kernel else 1
            if size > 1:
                by_name[name] = config(granularity="per_grouped_channel", group_size=size)
        return compression.palettize_weights(
            model, compression.OptimizationConfig(config(), op_name_configs=by_name)
        )

    return apply


def large_weights(model: Any) -> Mapping[str, Any]:
    """A program's weights of ``LEAST_WEIGHTS`` values or more by name, as coremltools has them."""
    import coremltools.optimize.coreml as compression

    found: dict[str, Any] = compression.get_weights_metadata(model, weight_threshold=LEAST_WEIGHTS)
    return found


def _palettes(bits: int, group: int | None = None) -> Compression:
    whose = f"up to {group} output channels of a weight tensor have" if group else "each weight tensor has"
    return Compression(
        with_palettes(bits, group),
        bits,
        "palettize_weights",
        f"{whose} {2**bits} values (k-means)",
    )


COMPRESSIONS = {
    "int8w": Compression(
        in_8_bits, 8, "linear_quantize_weights", "weights symmetric a channel", ("normalisations",)
    ),
    "pal6": _palettes(6),
    "pal4": _palettes(4),
    "pal6g": _palettes(6, GROUP),
    "pal4g": _palettes(4, GROUP),
}
"""By precision."""
