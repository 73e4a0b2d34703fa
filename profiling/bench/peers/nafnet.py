"""NAFNet: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022.

Width 32 and 36 blocks, as its deblurring network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anyir.profiling.bench.peers.layers import PixelNorm, conv, depthwise, shuffle


class NAFBlock(nn.Module):
    """Figure 3d: a gated depthwise half with channel attention, and a gated feed-forward half."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm, self.ffn_norm = PixelNorm(channels), PixelNorm(channels)
        self.left, self.right = (depthwise(channels, channels, bias=True) for _ in range(2))
        self.attention = conv(channels, channels, bias=True)
        self.project = conv(channels, channels, bias=True)
        self.ffn_left, self.ffn_right = (conv(channels, channels, bias=True) for _ in range(2))
        self.ffn_project = conv(channels, channels, bias=True)
        self.beta = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))
        self.gamma = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        y = self.left(y) * self.right(y)
        y = y * self.attention(y.mean((2, 3), keepdim=True))
        x = x + self.project(y) * self.beta
        y = self.ffn_norm(x)
        return x + self.ffn_project(self.ffn_left(y) * self.ffn_right(y)) * self.gamma


class NAFNet(nn.Module):
    """(1, 3, H, W) -> the same; H and W multiples of 16.

    Args:
        encoder, middle, decoder: number of blocks, by level.
    """

    def __init__(
        self,
        width: int = 32,
        encoder: tuple[int, ...] = (1, 1, 1, 28),
        middle: int = 1,
        decoder: tuple[int, ...] = (1, 1, 1, 1),
    ) -> None:
        super().__init__()

        def blocks(count: int, channels: int) -> nn.Sequential:
            return nn.Sequential(*(NAFBlock(channels) for _ in range(count)))

        widths = [width << level for level in range(len(encoder) + 1)]
        self.intro, self.ending = conv(3, width, 3, bias=True), conv(width, 3, 3, bias=True)
        self.encoder = nn.ModuleList(map(blocks, encoder, widths))
        self.down = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in widths[:-1])
        self.middle = blocks(middle, widths[-1])
        self.up = nn.ModuleList(conv(w, 2 * w) for w in widths[:0:-1])
        self.decoder = nn.ModuleList(map(blocks, decoder, widths[-2::-1]))

    def forward(self, image: Tensor) -> Tensor:
        x, skips = self.intro(image), []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            x = blocks(x)
            skips.append(x)
            x = down(x)
        x = self.middle(x)
        for up, blocks in zip(self.up, self.decoder, strict=True):
            x = blocks(shuffle(up(x)) + skips.pop())
        return self.ending(x) + image
