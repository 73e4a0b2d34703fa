"""One table of MIL operators in PyTorch.

Arguments have their names of the MIL specification; those with a default may be left out of a program.
Numbers arrive as tensors, floating ones in float32, strings as ``str``. Adding an operator is one entry in
``OPERATORS``, at the end, and one case in its test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from anyir.conversion.coreml.evaluator.moves import MOVES

DTYPES = {
    "fp16": torch.float32,  # rounded to float16 by the evaluator, where the result is declared as such
    "fp32": torch.float32,
    "int32": torch.int32,
    "int16": torch.int16,
    "int8": torch.int8,
    "uint8": torch.uint8,
    "bool": torch.bool,
}
"""What ``cast`` and ``quantize`` call types."""


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Tensor | None = None,
    pad_type: str = "valid",
    pad: Tensor | None = None,
    dilations: Tensor | None = None,
    groups: Tensor | int = 1,
) -> Tensor:
    spatial = x.ndim - 2
    stride = strides.tolist() if strides is not None else [1] * spatial
    dilation = dilations.tolist() if dilations is not None else [1] * spatial
    sides = [0] * 2 * spatial
    if pad_type == "custom":
        sides = pad.tolist() if pad is not None else sides
    elif pad_type in ("same", "same_lower"):
        for i in range(spatial):
            reach = (weight.shape[2 + i] - 1) * dilation[i] + 1
            missing = max((math.ceil(x.shape[2 + i] / stride[i]) - 1) * stride[i] + reach - x.shape[2 + i], 0)
            less, more = missing // 2, missing - missing // 2
            sides[2 * i : 2 * i + 2] = [less, more] if pad_type == "same" else [more, less]
    elif pad_type != "valid":
        raise ValueError(f"pad_type {pad_type!r}")
    padding: list[int] = sides[::2]
    if padding != sides[1::2]:
        x, padding = F.pad(x, _reversed_pairs(sides)), [0] * spatial
    if spatial == 2:  # PyTorch's depthwise kernels are ten times as fast with channels last
        x = x.contiguous(memory_format=torch.channels_last)
    convolve = (F.conv1d, F.conv2d, F.conv3d)[spatial - 1]
    return convolve(x, weight, bias, stride, padding, dilation, int(groups))


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.linear(x, weight, bias)


def matmul(x: Tensor, y: Tensor, transpose_x: Any = False, transpose_y: Any = False) -> Tensor:
    return torch.matmul(x.mT if transpose_x else x, y.mT if transpose_y else y)


def batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: Tensor | float = 1e-5,
) -> Tensor:
    # The specification has vectors, but coremltools' fuse_elementwise_to_batchnorm makes scalars too.
    mean, variance = mean.expand(x.shape[1]), variance.expand(x.shape[1])
    gamma, beta = (None if v is None else v.expand(x.shape[1]) for v in (gamma, beta))
    return F.batch_norm(x, mean, variance, gamma, beta, eps=float(epsilon))


def layer_norm(
    x: Tensor,
    axes: Tensor | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: Tensor | float = 1e-5,
) -> Tensor:
    over = _axes(axes, x)
    variance, mean = torch.var_mean(x, dim=over, correction=0, keepdim=True)
    shape = [n if i in over else 1 for i, n in enumerate(x.shape)]
    normal = (x - mean) / torch.sqrt(variance + float(epsilon))
    if gamma is not None:
        normal = normal * gamma.reshape(shape)
    return normal if beta is None else normal + beta.reshape(shape)


def instance_norm(
    x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: Tensor | float = 1e-5
) -> Tensor:
    return F.instance_norm(x, weight=gamma, bias=beta, eps=float(epsilon))


def softmax(x: Tensor, axis: Tensor | int = -1) -> Tensor:
    return torch.softmax(x, int(axis))


def gelu(x: Tensor, mode: str = "EXACT") -> Tensor:
    if mode == "SIGMOID_APPROXIMATION":
        return x * torch.sigmoid(1.702 * x)
    return F.gelu(x, approximate={"EXACT": "none", "TANH_APPROXIMATION": "tanh"}[mode])


def sigmoid_hard(x: Tensor, alpha: Tensor | float = 0.2, beta: Tensor | float = 0.5) -> Tensor:
    return (x * alpha + beta).clamp(0, 1)


def clip(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return x.clamp(float(alpha), float(beta))


def inverse(x: Tensor, epsilon: Tensor | float = 1e-4) -> Tensor:
    return 1 / (x + epsilon)


def rsqrt(x: Tensor, epsilon: Tensor | float = 1e-12) -> Tensor:
    return torch.rsqrt(x + epsilon)


def log(x: Tensor, epsilon: Tensor | float = 1e-45) -> Tensor:
    return torch.log(x + epsilon)


def reduction(reduce: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The operator for a function of PyTorch with ``dim`` and ``keepdim``."""

    def reduced(x: Tensor, axes: Tensor | None = None, keep_dims: Any = False) -> Tensor:
        return reduce(x, dim=_axes(axes, x), keepdim=bool(keep_dims))

    return reduced


def unary(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def computed(x: Tensor) -> Tensor:
        return function(x)

    return computed


def binary(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def computed(x: Tensor, y: Tensor) -> Tensor:
        return function(x, y)

    return computed


def cast(x: Tensor, dtype: str) -> Tensor:
    return x.to(DTYPES[dtype], copy=True)


def quantize(
    input: Tensor,
    scale: Tensor,
    output_dtype: str,
    zero_point: Tensor | None = None,
    axis: Tensor | None = None,
) -> Tensor:
    scaled = torch.round(input / _along(scale, input, axis))
    if zero_point is not None:
        scaled = scaled + _along(zero_point, input, axis)
    limits = torch.iinfo(DTYPES[output_dtype])
    return scaled.clamp(limits.min, limits.max).to(DTYPES[output_dtype])


def dequantize(
    input: Tensor, scale: Tensor, zero_point: Tensor | None = None, axis: Tensor | None = None
) -> Tensor:
    shifted = input.float()
    if zero_point is not None:
        shifted = shifted - _along(zero_point, input, axis).float()
    return shifted * _along(scale, input, axis)


def pad(x: Tensor, pad: Tensor, mode: str = "constant", constant_val: Tensor | float = 0.0) -> Tensor:
    sides = _reversed_pairs(pad.tolist())
    if mode == "constant":
        return F.pad(x, sides, value=float(constant_val))
    return F.pad(x, sides, mode=mode)


def leaky_relu(x: Tensor, alpha: Tensor | float = 0.01) -> Tensor:
    return F.leaky_relu(x, float(alpha))


def _axes(axes: Tensor | None, x: Tensor) -> list[int]:
    return [axis % x.ndim for axis in axes.tolist()] if axes is not None else list(range(x.ndim))


def _along(value: Tensor, x: Tensor, axis: Tensor | None) -> Tensor:
    """A scalar, or a vector that lies along an axis of ``x``."""
    if axis is None or value.ndim == 0:
        return value
    shape = [1] * x.ndim
    shape[int(axis)] = -1
    return value.reshape(shape)


def _reversed_pairs(sides: Sequence[int]) -> list[int]:
    """MIL pads the first axis first, PyTorch the last."""
    return [side for i in range(len(sides) - 2, -1, -2) for side in sides[i : i + 2]]


OPERATORS: dict[str, Callable[..., Any]] = {
    **MOVES,
    "abs": unary(torch.abs),
    "add": binary(torch.add),
    "batch_norm": batch_norm,
    "cast": cast,
    "clip": clip,
    "conv": conv,
    "dequantize": dequantize,
    "erf": unary(torch.erf),
    "exp": unary(torch.exp),
    "gelu": gelu,
    "instance_norm": instance_norm,
    "inverse": inverse,
    "layer_norm": layer_norm,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log": log,
    "matmul": matmul,
    "maximum": binary(torch.maximum),
    "minimum": binary(torch.minimum),
    "mul": binary(torch.mul),
    "pad": pad,
    "pow": binary(torch.pow),
    "quantize": quantize,
    "real_div": binary(torch.div),
    "reduce_l2_norm": reduction(torch.linalg.vector_norm),
    "reduce_max": reduction(torch.amax),
    "reduce_mean": reduction(torch.mean),
    "reduce_min": reduction(torch.amin),
    "reduce_sum": reduction(torch.sum),
    "relu": unary(torch.relu),
    "relu6": unary(F.relu6),
    "rsqrt": rsqrt,
    "sigmoid": unary(torch.sigmoid),
    "sigmoid_hard": sigmoid_hard,
    "silu": unary(F.silu),
    "softmax": softmax,
    "sqrt": unary(torch.sqrt),
    "square": unary(torch.square),
    "sub": binary(torch.sub),
    "tanh": unary(torch.tanh),
}
"""By their names in the MIL specification."""
