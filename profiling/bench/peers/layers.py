"""Layers that several papers' networks share, in the form that the converters take best.

Each computes what its paper writes. As in the deploy form of our own network, a mean over channels is a 1x1
convolution (XNNPACK has no other), what a paper splits in parts has a convolution for each part (slices are
copies), and pixels are shuffled as rows of channels-last memory. That changes the order of channels alone,
which means nothing where weights are random.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """LayerNorm over the channels of (1, C, H, W)."""

    mean: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("mean", torch.full((1, channels, 1, 1), 1 / channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x - F.conv2d(x, self.mean)
        return x * torch.rsqrt(F.conv2d(x * x, self.mean) + 1e-6) * self.weight + self.bias


def conv(taken: int, given: int, kernel: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """A convolution that keeps height and width."""
    return nn.Conv2d(taken, given, kernel, padding=kernel // 2, bias=bias)


def depthwise(taken: int, given: int, kernel: int = 3, *, bias: bool = False) -> nn.Sequential:
    """A 1x1 convolution, and one of each channel by itself."""
    own = nn.Conv2d(given, given, kernel, padding=kernel // 2, groups=given, bias=bias)
    return nn.Sequential(conv(taken, given, bias=bias), own)


def shuffle(x: Tensor) -> Tensor:
    """(1, 4 C, H, W) -> (1, C, 2 H, 2 W)."""
    _, channels, height, width = x.shape
    x = x.permute(0, 2, 3, 1).reshape(height, width, 2, channels // 2).permute(0, 2, 1, 3)
    return x.reshape(1, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)


def unshuffle(x: Tensor) -> Tensor:
    """(1, C, H, W) -> (1, 4 C, H / 2, W / 2)."""
    _, channels, height, width = x.shape
    x = x.permute(0, 2, 3, 1).reshape(height // 2, 2, width // 2, 2 * channels).permute(0, 2, 1, 3)
    return x.reshape(1, height // 2, width // 2, 4 * channels).permute(0, 3, 1, 2)


class TransposedAttention(nn.Module):
    """Restormer's equation 1: attention between channels, with a Gram matrix over all pixels.

    Pixels are in two halves, because LiteRT makes a fully connected layer, which XNNPACK refuses, of a
    product of two computed matrices with a batch of one.

    Args:
        kernel: of the depthwise convolutions of keys and values.
    """

    def __init__(self, channels: int, heads: int, *, bias: bool = False, kernel: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.query = depthwise(channels, channels, bias=bias)
        self.key, self.value = (depthwise(channels, channels, kernel, bias=bias) for _ in range(2))
        self.project = conv(channels, channels, bias=bias)

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """(1, C, H, W) -> the same.

        Args:
            other: what keys and values are taken of, where that is not ``x``.
        """
        _, channels, height, width = x.shape
        size = channels // self.heads
        other = x if other is None else other
        query, key, value = self.query(x), self.key(other), self.value(other)
        gram = torch.bmm(self.rows(query).transpose(1, 2), self.rows(key))
        gram = gram.reshape(2, self.heads, size, size) * inverse_norm(query).reshape(1, self.heads, size, 1)
        gram = gram * inverse_norm(key).reshape(1, self.heads, 1, size) * self.temperature
        first, second = gram[:1], gram[1:]
        # Twice the same sum; of one tensor twice XNNPACK takes no concatenation.
        weights = torch.softmax(torch.cat([first + second, second + first]), dim=-1)
        weights = weights.reshape(2 * self.heads, size, size).transpose(1, 2)
        rows = torch.bmm(self.rows(value), weights)
        if self.heads > 1:
            rows = rows.reshape(2, self.heads, -1, size).permute(0, 2, 1, 3)
        return self.project(rows.reshape(1, height, width, channels).permute(0, 3, 1, 2))

    def rows(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> (2 heads, H W / 2, C / heads), the first half of the pixels first."""
        channels = x.shape[1]
        x = x.permute(0, 2, 3, 1)
        if self.heads == 1:
            return x.reshape(2, -1, channels)
        x = x.reshape(2, -1, self.heads, channels // self.heads).permute(0, 2, 1, 3)
        return x.reshape(2 * self.heads, -1, channels // self.heads)


def inverse_norm(x: Tensor) -> Tensor:
    """(1, C, H, W) -> (1, C, 1, 1): one by the L2 norm of each channel."""
    pixels = float(x.shape[2] * x.shape[3])  # of a whole number ExecuTorch would make a float each time
    return torch.rsqrt((x * x).mean((2, 3), keepdim=True) * pixels + 1e-12)


class GatedFeedForward(nn.Module):
    """Restormer's equation 2."""

    def __init__(self, channels: int, expansion: float, *, bias: bool = False) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.gate, self.expand = (depthwise(channels, hidden, bias=bias) for _ in range(2))
        self.project = conv(hidden, channels, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(F.gelu(self.gate(x)) * self.expand(x))


class TransformerBlock(nn.Module):
    """Attention between channels and a gated feed-forward network, each added to its input."""

    def __init__(self, channels: int, heads: int, expansion: float = 2.66, *, bias: bool = False) -> None:
        super().__init__()
        self.attention_norm, self.ffn_norm = PixelNorm(channels), PixelNorm(channels)
        self.attention = TransposedAttention(channels, heads, bias=bias)
        self.ffn = GatedFeedForward(channels, expansion, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return x + self.ffn(self.ffn_norm(x))


def stage(count: int, channels: int, heads: int, expansion: float = 2.66, *, bias: bool = False) -> nn.Module:
    """Transformer blocks in a row."""
    blocks = (TransformerBlock(channels, heads, expansion, bias=bias) for _ in range(count))
    return nn.Sequential(*blocks)


def encoded(x: Tensor, levels: nn.ModuleList, down: nn.ModuleList) -> tuple[Tensor, list[Tensor]]:
    """What comes out of an encoder's last level, and of each one above it, the largest first.

    Args:
        levels: blocks of each level.
        down: convolutions that halve the channels between levels, before pixels are unshuffled.
    """
    skips = []
    for blocks, step in zip(levels[:-1], down, strict=True):
        x = blocks(x)
        skips.append(x)
        x = unshuffle(step(x))
    return levels[-1](x), skips
