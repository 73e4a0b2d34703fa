"""The identities behind the deploy form, as functions of weights, frozen convolutions that hold them, and
a mean of many pixels that runtimes take exactly.

docs/explanation/deploy.md derives each identity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FLOAT16_MAX_SUM = 255.0**2
"""Below 65,504, the largest float16, with room for rounding."""

LONGEST_MEAN = 65_536
"""Pixels that are summed at once for a mean: those of a tile of 256."""


def halves_first(channels: int, split: str) -> Tensor:
    """(channels,) int64: the order in which equation 1's two sub-features are contiguous halves.

    The residual stream is permuted once, through every weight that touches it: even channels, then
    odd ones, for ``skip``; unchanged for ``half``.
    """
    index = torch.arange(channels)
    return torch.cat([index[0::2], index[1::2]]) if split == "skip" else index


def centring(channels: int) -> Tensor:
    """(C, C, 1, 1) kernel I - 1/C, which subtracts LayerNorm's mean over the channels."""
    eye = torch.eye(channels, dtype=torch.float64)
    return (eye - 1 / channels)[:, :, None, None]


def averaging(channels: int) -> Tensor:
    """(1, C, 1, 1) kernel of 1/C: a mean over the channels, as a convolution.

    XNNPACK delegates a constant convolution, and does not delegate a mean over channels.
    """
    return torch.full((1, channels, 1, 1), 1 / channels, dtype=torch.float64)


def fold_affine(weight: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """W (scale * x + shift) = (W diag(scale)) x + W shift: LayerNorm's ends inside the next 1x1.

    Args:
        weight: (O, I, 1, 1). scale, shift: (I,).

    Returns:
        (O, I, 1, 1) weight and (O,) bias.
    """
    return weight * scale[:, None, None], weight[:, :, 0, 0] @ shift


def fold_fusion(weight: Tensor, mix: Tensor) -> Tensor:
    """Algorithm 2 and equation 4's 1x1 W = [W1 W2] as one 1x1 over [a; g; s(a); s(g)].

    W (mix [a + s(g); g + s(a)] + (1 - mix) [a + g; a + g]), where irfft2(rfft2(a) + rfft2(g)) = a + g
    because the transform is linear, collects into
    (W1 + (1 - mix) W2) a + ((1 - mix) W1 + W2) g + mix W2 s(a) + mix W1 s(g).

    Args:
        weight: (2C, 2C, 1, 1). mix: scalar lambda.

    Returns:
        (2C, 4C, 1, 1).
    """
    first, second = weight.chunk(2, dim=1)
    rest = 1 - mix
    return torch.cat([first + rest * second, rest * first + second, mix * second, mix * first], dim=1)


def strided_downsample(weight: Tensor) -> Tensor:
    """A 3x3 convolution followed by pixel_unshuffle(2), as one 4x4 convolution, stride 2, padding 1.

    Output channel 4c + 2i + j is the 3x3 kernel c seen from pixel (2y + i, 2x + j): the same taps
    shifted by (i, j) inside a 4x4 window.

    Args:
        weight: (O, I, 3, 3).

    Returns:
        (4 O, I, 4, 4).
    """
    outputs, inputs = weight.shape[:2]
    kernel = weight.new_zeros(outputs, 2, 2, inputs, 4, 4)
    for i in range(2):
        for j in range(2):
            kernel[:, i, j, :, i : i + 3, j : j + 3] = weight
    return kernel.reshape(4 * outputs, inputs, 4, 4)


def rows_first(weight: Tensor) -> Tensor:
    """A 3x3 convolution before pixel_shuffle(2), its output channels in the order (i, j, c).

    pixel_shuffle takes pixel (2y + i, 2x + j) of channel c from channel 4c + 2i + j. Where channel
    (2i + j) O + c holds it instead, a row's two columns and their channels lie in memory, channels last, as
    the output's do, and shuffling only brings each row i of a pixel to its place.

    Args:
        weight: (4 O, I, 3, 3).

    Returns:
        (4 O, I, 3, 3).
    """
    parts = weight.reshape(-1, 2, 2, *weight.shape[1:])
    return parts.permute(1, 2, 0, 3, 4, 5).reshape(weight.shape)


def fold_merge(up: Tensor, merge: Tensor) -> Tensor:
    """The convolution of ``rows_first``, the shuffle and a 1x1 convolution, without the last.

    Args:
        up: (4 O, I, k, k). merge: (P, O, 1, 1).

    Returns:
        (4 P, I, k, k), in the same order.
    """
    parts = up.reshape(4, -1, *up.shape[1:])
    return torch.einsum("noikl,po->npikl", parts, merge[:, :, 0, 0]).reshape(-1, *up.shape[1:])


def pixel_mean(x: Tensor) -> Tensor:
    """The mean over the pixels, (1, C, H, W) -> (1, C, 1, 1); of many pixels the mean of their parts' means.

    XNNPACK adds pixel to pixel in float32. Of 262,144 pixels the last ones lose so many digits in the sum
    that ``restore`` of ``small`` comes within 97 dB of the network only, instead of 120.
    """
    channels, height, width = x.shape[1:]
    parts = next(n for n in range(1, height + 1) if height % n == 0 and height // n * width <= LONGEST_MEAN)
    if parts > 1:
        # Rows of channels in memory, as runtimes have them: nothing is moved.
        x = x.permute(0, 2, 3, 1).reshape(parts, height // parts, width, channels).permute(0, 3, 1, 2)
        x = x.mean((2, 3), keepdim=True)  # (parts, C, 1, 1)
        x = x.permute(0, 2, 3, 1).reshape(1, parts, 1, channels).permute(0, 3, 1, 2)
    return x.mean((2, 3), keepdim=True)


def bounded_rows(pointwise: Tensor, bias: Tensor, depthwise: Tensor, pixels: int) -> Tensor:
    """(O,) factors for query and key channels that keep every sum over the pixels inside float16.

    L2 normalisation cancels any positive factor of a query or key channel, so it is free to choose. A
    normalised pixel n has |n| <= sqrt(I), hence no channel exceeds
    (|W_o| sqrt(I) + |b_o|) sum|depthwise_o| whatever the photo shows. Scaled so that this bound is
    255 / sqrt(pixels), the sums of squares and, by Cauchy-Schwarz, every entry of the Gram matrix stay
    below 65,025. A factor of pixels^-1/2 alone would square ordinary values into float16's subnormal
    range (6e-5), which many GPUs flush to zero.

    Args:
        pointwise: (O, I, 1, 1) on normalised pixels. bias: (O,). depthwise: (O, 1, k, k).
    """
    inputs = pointwise.shape[1]
    reach = pointwise.flatten(1).norm(dim=1) * inputs**0.5 + bias.abs()
    bound = reach * depthwise.flatten(1).abs().sum(dim=1)
    factor = (FLOAT16_MAX_SUM / pixels) ** 0.5 / bound
    return torch.where(bound > 0, factor, 1.0)


def copying_mask(channels: int, heads: int) -> Tensor:
    """What is added to the (1, C, C) Gram matrix: it keeps heads apart and makes two equal copies.

    Several heads: (2, C, C), 0 inside a head's block and -30,000 elsewhere, whose exponential is 0 in
    every precision. Logits are cosines times the temperature, so a softmax over the masked matrix of all
    channels is the heads' separate softmaxes.

    One head: (2, 1, 1) of 0 and 1. A softmax does not change when one number is added to all its logits;
    the two numbers differ because LiteRT would turn a sum with 0 into an operator that XNNPACK refuses.
    """
    if heads == 1:
        return torch.tensor([0.0, 1.0], dtype=torch.float64)[:, None, None]
    head = torch.arange(channels) // (channels // heads)
    mask = torch.where(head[:, None] == head, 0.0, -30_000.0).double()
    return mask[None].repeat(2, 1, 1)


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
