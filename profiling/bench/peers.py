"""Networks of other papers, in their shapes and with random weights: what the same converters make of them.

Written from the papers, for their speed alone. They restore nothing.

NAFNet: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022; width 32 and 36 blocks, as its
deblurring network. Restormer: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image
Restoration", CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """LayerNorm over the channels of (1, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(1, keepdim=True)
        return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-6) * self.weight + self.bias


class NAFBlock(nn.Module):
    """Figure 3d: a gated depthwise half with channel attention, and a gated feed-forward half."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        double = 2 * channels
        self.norm, self.ffn_norm = PixelNorm(channels), PixelNorm(channels)
        self.expand = nn.Conv2d(channels, double, 1)
        self.depthwise = nn.Conv2d(double, double, 3, padding=1, groups=double)
        self.attention = nn.Conv2d(channels, channels, 1)
        self.project = nn.Conv2d(channels, channels, 1)
        self.ffn_expand = nn.Conv2d(channels, double, 1)
        self.ffn_project = nn.Conv2d(channels, channels, 1)
        self.beta = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))
        self.gamma = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        y = gated(self.depthwise(self.expand(self.norm(x))))
        y = y * self.attention(y.mean((2, 3), keepdim=True))
        x = x + self.project(y) * self.beta
        return x + self.ffn_project(gated(self.ffn_expand(self.ffn_norm(x)))) * self.gamma


def gated(x: Tensor) -> Tensor:
    """The product of a map's two halves."""
    left, right = x.chunk(2, dim=1)
    return left * right


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
        self.intro, self.ending = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)
        self.encoder = nn.ModuleList(map(blocks, encoder, widths))
        self.down = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in widths[:-1])
        self.middle = blocks(middle, widths[-1])
        self.up = nn.ModuleList(nn.Conv2d(w, 2 * w, 1, bias=False) for w in widths[:0:-1])
        self.decoder = nn.ModuleList(map(blocks, decoder, widths[-2::-1]))

    def forward(self, image: Tensor) -> Tensor:
        x, skips = self.intro(image), []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            x = blocks(x)
            skips.append(x)
            x = down(x)
        x = self.middle(x)
        for up, blocks in zip(self.up, self.decoder, strict=True):
            x = blocks(F.pixel_shuffle(up(x), 2) + skips.pop())
        return self.ending(x) + image


class TransposedAttention(nn.Module):
    """Restormer's equation 1: attention between channels, with a Gram matrix over all pixels."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.depthwise = nn.Conv2d(3 * channels, 3 * channels, 3, padding=1, groups=3 * channels, bias=False)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        maps = self.depthwise(self.qkv(x)).chunk(3, dim=1)
        query, key, value = (m.reshape(self.heads, channels // self.heads, height * width) for m in maps)
        query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)
        weights = torch.softmax(query @ key.transpose(1, 2) * self.temperature, dim=-1)
        return self.project((weights @ value).reshape(1, channels, height, width))


class GatedFeedForward(nn.Module):
    """Restormer's equation 2."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.expand = nn.Conv2d(channels, 2 * hidden, 1, bias=False)
        self.depthwise = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
        self.project = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, x = self.depthwise(self.expand(x)).chunk(2, dim=1)
        return self.project(F.gelu(gate) * x)


class TransformerBlock(nn.Module):
    """Attention between channels and a gated feed-forward network, each added to its input."""

    def __init__(self, channels: int, heads: int, expansion: float = 2.66) -> None:
        super().__init__()
        self.attention_norm, self.ffn_norm = PixelNorm(channels), PixelNorm(channels)
        self.attention = TransposedAttention(channels, heads)
        self.ffn = GatedFeedForward(channels, expansion)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return x + self.ffn(self.ffn_norm(x))


class Restormer(nn.Module):
    """(1, 3, H, W) -> the same; H and W multiples of 8."""

    def __init__(
        self,
        dim: int = 48,
        blocks: tuple[int, ...] = (4, 6, 6, 8),
        refinement: int = 4,
        heads: tuple[int, ...] = (1, 2, 4, 8),
    ) -> None:
        super().__init__()

        def stage(count: int, channels: int, level: int) -> nn.Sequential:
            return nn.Sequential(*(TransformerBlock(channels, heads[level]) for _ in range(count)))

        def conv(taken: int, given: int, kernel: int) -> nn.Conv2d:
            return nn.Conv2d(taken, given, kernel, padding=kernel // 2, bias=False)

        widths = [dim << level for level in range(4)]
        self.embed, self.output = conv(3, dim, 3), conv(2 * dim, 3, 3)
        self.encoder = nn.ModuleList(stage(blocks[level], widths[level], level) for level in range(4))
        self.down = nn.ModuleList(conv(w, w // 2, 3) for w in widths[:3])
        self.up = nn.ModuleList(conv(w, 2 * w, 3) for w in (widths[3], widths[2], widths[1]))
        # Level 1 keeps the concatenation's width.
        self.merge = nn.ModuleList([conv(2 * widths[2], widths[2], 1), conv(2 * widths[1], widths[1], 1)])
        after = (widths[2], widths[1], 2 * dim)
        self.decoder = nn.ModuleList(
            stage(blocks[level], channels, level) for level, channels in zip((2, 1, 0), after, strict=True)
        )
        self.refinement = stage(refinement, 2 * dim, 0)

    def forward(self, image: Tensor) -> Tensor:
        x, skips = self.embed(image), []
        for blocks, down in zip(self.encoder[:3], self.down, strict=True):
            x = blocks(x)
            skips.append(x)
            x = F.pixel_unshuffle(down(x), 2)
        x = self.encoder[3](x)
        for i, (up, blocks) in enumerate(zip(self.up, self.decoder, strict=True)):
            x = torch.cat([F.pixel_shuffle(up(x), 2), skips.pop()], dim=1)
            x = blocks(self.merge[i](x) if i < len(self.merge) else x)
        return self.output(self.refinement(x)) + image


@dataclass(frozen=True)
class Peer:
    """A paper's network.

    Attributes:
        parameters, multiply_adds: that its authors count, the latter of its convolutions at 256x256: without
            the products of attention.
    """

    make: Callable[[], nn.Module]
    parameters: float
    multiply_adds: float


PEERS = {
    "nafnet-w32": Peer(NAFNet, 17.11e6, 16.0e9),
    "restormer": Peer(Restormer, 26.13e6, 140.99e9),
}


def build_peer(name: str) -> nn.Module:
    """A peer with random weights, the same each time, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PEERS[name].make().eval()


def count_multiply_adds(network: nn.Module, height: int, width: int, *, products: bool = True) -> int:
    """Of convolutions and matrix products, as ``anyir complexity`` counts them.

    Args:
        network: its parameters may be on the meta device, where nothing is computed.
        products: count matrix products too.
    """
    from torch.utils.flop_counter import FlopCounterMode

    device = next(network.parameters()).device
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, height, width, device=device))
    counts = counter.get_flop_counts()["Global"]
    return sum(flops for kind, flops in counts.items() if products or "convolution" in str(kind)) // 2
