"""Convolutions with given weights and without gradients: what the deploy form is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def frozen_conv(
    weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0, groups: int = 1
) -> nn.Conv2d:
    """A convolution with these weights, (O, I / groups, k, k), and no gradients."""
    outputs, inputs, kernel, _ = weight.shape
    conv = nn.Conv2d(inputs * groups, outputs, kernel, stride, padding, groups=groups, bias=bias is not None)
    conv.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    if bias is not None:
        conv.bias = nn.Parameter(bias, requires_grad=False)
    return conv


def frozen_depthwise(weight: Tensor) -> nn.Conv2d:
    """A depthwise convolution with these weights, (C, 1, k, k), that keeps height and width."""
    return frozen_conv(weight, padding=weight.shape[-1] // 2, groups=len(weight))


def frozen_pair(weight: Tensor, bias: Tensor, kernel: Tensor) -> nn.Sequential:
    """A 1x1 convolution and a depthwise one after it, with these weights."""
    return nn.Sequential(frozen_conv(weight, bias), frozen_depthwise(kernel))


def constant(value: float) -> Tensor:
    """(1, 1, 1, 1) float64. A plain number in the graph would be a float64 constant with a conversion
    outside the delegate."""
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)
