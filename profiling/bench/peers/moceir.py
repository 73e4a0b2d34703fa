"""MoCE-IR-S: Zamfir et al., "Complexity Experts are Task-Discriminative Learners for Any Image Restoration",
CVPR 2025.

A decoder block sends the image to the one of four experts that a router chooses, so that which convolutions
run depends on the image. Not in a deploy form: the choice is what no converter takes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyir.profiling.bench.peers.layers import (
    GatedFeedForward,
    PixelNorm,
    TransposedAttention,
    conv,
    depthwise,
    encoded,
    shuffle,
    stage,
)

EXPERTS = 4
EXPANSION = 2.0
"""Of the feed-forward networks."""


class WindowProduct(nn.Module):
    """Queries and keys multiplied in the Fourier domain of each window, times the values.

    Args:
        window: side in pixels.
    """

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.query = nn.Sequential(conv(channels, channels), depthwise(channels, channels, bias=True)[1])
        self.key, self.value = (
            nn.Sequential(conv(channels, channels), depthwise(channels, channels, 7, bias=True)[1])
            for _ in range(2)
        )
        self.norm = PixelNorm(channels)
        self.project = conv(channels, channels, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        side = self.window
        query, key = (torch.fft.rfft2(self.windows(m)) for m in (self.query(x), self.key(x)))
        product = torch.fft.irfft2(query * key, s=(side, side))
        rows, columns = product.shape[2:4]
        product = product.permute(0, 1, 2, 4, 3, 5).reshape(1, channels, rows * side, columns * side)
        return self.project(self.norm(product[:, :, :height, :width]) * self.value(x))

    def windows(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> (1, C, rows, columns, side, side), padded by zeros at right and bottom."""
        _, channels, height, width = x.shape
        side = self.window
        x = F.pad(x, (0, -width % side, 0, -height % side))
        return x.reshape(1, channels, x.shape[2] // side, side, -1, side).permute(0, 1, 2, 4, 3, 5)


class Expert(nn.Module):
    """A window product on fewer channels, gated by what all experts share.

    Args:
        rank: these channels.
    """

    def __init__(self, channels: int, rank: int, window: int) -> None:
        super().__init__()
        self.reduce, self.gate = conv(channels, rank), conv(channels, rank)
        self.body = WindowProduct(rank, window)
        self.expand = conv(rank, channels)

    def forward(self, x: Tensor, shared: Tensor) -> Tensor:
        return x + self.expand(self.body(self.reduce(x)) * F.silu(self.gate(shared)))


class Router(nn.Module):
    """Which expert an image goes to, and its weight, from the features and from the image's high frequencies.

    The authors' code adds noise to the logits, also when it restores; it is left out.
    """

    def __init__(self, channels: int, embedded: int) -> None:
        super().__init__()
        self.features = nn.Linear(channels, EXPERTS, bias=False)
        self.frequencies = nn.Linear(embedded, EXPERTS, bias=False)

    def forward(self, x: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.features(x.mean((2, 3))) + self.frequencies(embedding)
        weight, index = torch.softmax(logits, dim=-1).max(dim=-1)
        return weight, index


class DecoderBlock(nn.Module):
    """What all experts share, the chosen one, and attention between both."""

    def __init__(self, channels: int, heads: int, embedded: int) -> None:
        super().__init__()
        self.norm, self.ffn_norm = PixelNorm(channels), PixelNorm(channels)
        self.to_shared, self.to_expert = (conv(channels, channels, bias=True) for _ in range(2))
        self.shared = TransposedAttention(channels, heads)
        self.router = Router(channels, embedded)
        # The first has the fewest channels and the smallest window.
        self.experts = nn.ModuleList(
            Expert(channels, channels >> (EXPERTS - 1 - i), 4 << i) for i in range(EXPERTS)
        )
        self.combine = conv(channels, channels)
        self.mixer = TransposedAttention(channels, heads, kernel=7)
        self.ffn = GatedFeedForward(channels, EXPANSION)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        normed = self.norm(x)
        shared, mine = self.shared(self.to_shared(normed)), self.to_expert(normed)
        weight, index = self.router(mine, embedding)
        expert = self.experts[int(index)]  # the image decides which code runs
        mine = self.combine(weight * expert(mine, shared))
        x = x + self.mixer(mine, shared)
        return x + self.ffn(self.ffn_norm(x))


class DecoderLevel(nn.Module):
    """Decoder blocks in a row."""

    def __init__(self, count: int, channels: int, heads: int, embedded: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(DecoderBlock(channels, heads, embedded) for _ in range(count))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, embedding)
        return x


class FrequencyEmbedding(nn.Module):
    """(1, C, H, W) -> (1, C): what high frequencies are in the features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.high_pass = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(F.gelu(self.high_pass(x)).mean((2, 3)))


class MoCEIR(nn.Module):
    """(1, 3, H, W) -> the same; H and W multiples of 8."""

    def __init__(
        self,
        dim: int = 32,
        blocks: tuple[int, ...] = (4, 6, 6, 8),
        decoder: tuple[int, ...] = (2, 4, 4),
        refinement: int = 4,
        heads: tuple[int, ...] = (1, 2, 4, 8),
    ) -> None:
        super().__init__()

        def encode(count: int, channels: int, heads: int) -> nn.Module:
            return stage(count, channels, heads, EXPANSION, bias=True)

        widths = [dim << level for level in range(4)]
        self.embed, self.output = conv(3, dim, 3), conv(dim, 3, 3)
        self.encoder = nn.ModuleList(map(encode, blocks, widths, heads))
        self.down = nn.ModuleList(conv(w, w // 2, 3) for w in widths[:3])
        self.frequencies = FrequencyEmbedding(widths[3])
        self.up = nn.ModuleList(conv(w, 2 * w, 3) for w in widths[:0:-1])
        self.merge = nn.ModuleList(conv(w, w // 2) for w in widths[:0:-1])
        self.decoder = nn.ModuleList(
            DecoderLevel(decoder[level], widths[level], heads[level], widths[3]) for level in (2, 1, 0)
        )
        self.refinement = encode(refinement, dim, heads[0])

    def forward(self, image: Tensor) -> Tensor:
        x, skips = encoded(self.embed(image), self.encoder, self.down)
        embedding = self.frequencies(x)
        for up, merge, level in zip(self.up, self.merge, self.decoder, strict=True):
            x = level(merge(torch.cat([shuffle(up(x)), skips.pop()], dim=1)), embedding)
        return self.output(self.refinement(x)) + image
