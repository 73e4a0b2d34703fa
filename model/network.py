"""AnyIR as the paper writes it (Ren et al., "Any Image Restoration via Efficient
Spatial-Frequency Degradation Adaptation"): equations 1-4, algorithms 1-2, figures 2-3.

This is the literal form: it keeps the FFTs, the stride-2 channel split and the separate
LayerNorms, so that it can be read beside the paper. ``anyir.model.deploy.network`` rewrites it into
an equal network made of operators that phones have. Choices that the paper leaves open are
explained in docs/explanation/network.md.

What lies beyond the paper is where the two statistics of a block come from, the attention matrix and
GatedDA's delta: of each image, as in the paper, of ``pool`` crops of one photo as if they were one
image, or given (``anyir.model.statistics``, docs/explanation/network.md).

Shapes in comments: B batch, H and W height and width at this level, C the *half* width
(channels of one of the two sub-features), so the residual stream has 2C channels; S photos, each of
B / S consecutive images of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyir.model.config import AnyIRConfig
from anyir.model.statistics import BlockStatistics, Statistics, as_one_image, check, for_each


def conv1x1(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)


def depthwise(channels: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of every pixel of a (B, C, H, W) map, with scale and shift."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=1, keepdim=True)
        variance = (x - mean).square().mean(dim=1, keepdim=True)
        x = (x - mean) * torch.rsqrt(variance + self.eps)
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class Attention(nn.Module):
    """Equation 2: multi-depthwise-convolution head transposed attention (Restormer's MDTA).

    Attention runs across channels, so its cost grows linearly with the number of pixels. The
    scaling factor sqrt(d) of equation 2 is MDTA's learnable temperature, one a head, on
    L2-normalised queries and keys.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = conv1x1(channels, 3 * channels)
        self.qkv_depthwise = depthwise(3 * channels)
        self.project = conv1x1(channels, channels)

    def forward(self, x: Tensor, given: Tensor | None = None, pool: int = 1) -> Tensor:
        q, k, v = self.qkv_depthwise(self.qkv(x)).chunk(3, dim=1)
        attention = self.matrix(q, k, pool) if given is None else given
        return self.project((for_each(attention, len(x)) @ self.in_heads(v)).reshape(x.shape))

    def matrix(self, q: Tensor, k: Tensor, pool: int) -> Tensor:
        """Queries and keys, (B, C, H, W) -> (S, heads, C / heads, C / heads)."""
        q, k = (self.in_heads(as_one_image(t, pool)) for t in (q, k))
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        return (q @ k.transpose(-2, -1) * self.temperature).softmax(dim=-1)

    def in_heads(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, heads, C / heads, H W)."""
        return x.unflatten(1, (self.heads, -1)).flatten(3)

    def statistics(self, x: Tensor, pool: int) -> Tensor:
        q, k, _ = self.qkv_depthwise(self.qkv(x)).chunk(3, dim=1)
        return self.matrix(q, k, pool).to(self.temperature.dtype)  # autocast may have another


class GatedDA(nn.Module):
    """Algorithm 1: gated degradation adaptation, on the C channels of F_in^gate."""

    def __init__(self, channels: int, parts: tuple[int, int, int], kernel: int) -> None:
        super().__init__()
        self.alpha, self.beta, self.gamma = (p * channels for p in parts)
        self.norm = ChannelNorm(channels)
        self.tau = nn.Parameter(torch.ones(channels))
        self.expand = conv1x1(channels, self.alpha + self.beta + self.gamma)
        self.depthwise = depthwise(self.alpha, kernel) if self.alpha else None
        self.gate = conv1x1(self.alpha + self.beta, channels)
        self.project = conv1x1(channels, channels)

    def forward(self, x: Tensor, given: Tensor | None = None, pool: int = 1) -> Tensor:
        normed = self.norm(x)  # line 1
        delta = self.delta(normed, pool) if given is None else given  # lines 2, 3
        tau = self.tau[:, None, None] * for_each(delta, len(x))  # line 4
        gamma, beta, alpha = self.expand(normed).split([self.gamma, self.beta, self.alpha], dim=1)  # 5, 6
        if self.depthwise is not None:  # line 7; alpha is C wide, or 2C in two rows of Table 8
            repeats = self.alpha // x.shape[1]
            alpha = self.depthwise(alpha) * (1 + tau.repeat(1, repeats, 1, 1))
        gated = torch.cat([beta, alpha], dim=1)
        if self.gamma:  # line 8; without gamma (Table 8) nothing gates
            gated = F.gelu(gamma) * gated
        return self.project(self.gate(gated) + x)  # lines 8, 9

    def delta(self, normed: Tensor, pool: int) -> Tensor:
        """Lines 2 and 3: (B, C, H, W) -> (S, C, 1, 1)."""
        mean, deviation = spatial_statistics(as_one_image(normed, pool))
        return torch.sigmoid(mean + deviation)

    def statistics(self, x: Tensor, pool: int) -> Tensor:
        return self.delta(self.norm(x), pool).to(self.tau.dtype)


def spatial_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over H and W, as (B, C, 1, 1) (alg. 1, line 2)."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    # The square root's slope is infinite at 0, which a constant patch reaches in training.
    variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)
    return mean, torch.sqrt(variance + 1e-12)


def spatial_fusion(attention: Tensor, gate: Tensor) -> Tensor:
    """Algorithm 2, lines 5-9: two (B, C, H, W) -> (B, 2C, H, W)."""
    return torch.cat([attention + torch.sigmoid(gate), gate + torch.sigmoid(attention)], dim=1)


def frequency_fusion(attention: Tensor, gate: Tensor) -> Tensor:
    """Algorithm 2, lines 10-15: two (B, C, H, W) -> (B, 2C, H, W)."""
    spectrum = torch.fft.rfft2(attention) + torch.fft.rfft2(gate)
    frequency = torch.fft.irfft2(spectrum, s=attention.shape[-2:])
    return frequency.repeat(1, 2, 1, 1)


def additive_fusion(attention: Tensor, gate: Tensor) -> Tensor:
    """What ``frequency_fusion`` equals: the transform is linear, so the sum needs no transform."""
    return (attention + gate).repeat(1, 2, 1, 1)


class Fusion(nn.Module):
    """Algorithm 2: spatial-frequency fusion, without equation 4's projection and residual."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))  # lambda
        self.frequency_fusion = frequency_fusion

    def forward(self, attention: Tensor, gate: Tensor) -> Tensor:
        spatial = spatial_fusion(attention, gate)
        frequency = self.frequency_fusion(attention, gate)
        return self.weight * spatial + (1 - self.weight) * frequency


class Concatenation(nn.Module):
    """Joins the halves where algorithm 2 is ablated (Table 7 a-d, Table 8)."""

    def forward(self, attention: Tensor, gate: Tensor) -> Tensor:
        return torch.cat([attention, gate], dim=1)


class FeedForward(nn.Module):
    """Restormer's gated depthwise feed-forward network (GDFN)."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.expand = conv1x1(channels, 2 * hidden)
        self.depthwise = depthwise(2 * hidden)
        self.project = conv1x1(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.depthwise(self.expand(x)).chunk(2, dim=1)
        return self.project(F.gelu(gate) * value)


class DAB(nn.Module):
    """Degradation adaptation block (section 3.1, figure 2 b): (B, 2C, H, W) -> the same."""

    def __init__(self, channels: int, heads: int, config: AnyIRConfig) -> None:
        super().__init__()
        half = channels // 2
        self.split = config.split
        self.attention_norm = ChannelNorm(half)
        self.attention = Attention(half, heads)
        self.gated_da = (
            GatedDA(half, config.gate_parts, config.depthwise_kernel) if config.gated_da else nn.Identity()
        )
        self.fusion = Fusion() if config.fusion else Concatenation()
        self.fuse = conv1x1(channels, channels)
        self.ffn_norm = ChannelNorm(channels)
        self.ffn = FeedForward(channels, config.ffn_expansion)

    def forward(self, x: Tensor, given: BlockStatistics | None = None, pool: int = 1) -> Tensor:
        attention, gate = self.halves(x)
        matrix, delta = given or (None, None)
        attention = self.attention(self.attention_norm(attention), matrix, pool)  # equation 2
        if isinstance(self.gated_da, GatedDA):
            gate = self.gated_da(gate, delta, pool)  # algorithm 1
        x = self.fuse(self.fusion(attention, gate)) + x  # algorithm 2, equation 4
        return self.ffn(self.ffn_norm(x)) + x  # equation 3

    def halves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Equation 1, or a half-split."""
        if self.split == "skip":
            return x[:, 0::2], x[:, 1::2]
        attention, gate = x.chunk(2, dim=1)
        return attention, gate

    def statistics(self, x: Tensor, pool: int) -> BlockStatistics:
        attention, gate = self.halves(x)
        return BlockStatistics(
            self.attention.statistics(self.attention_norm(attention), pool),
            self.gated_da.statistics(gate, pool) if isinstance(self.gated_da, GatedDA) else None,
        )


class Downsample(nn.Module):
    """(B, N, H, W) -> (B, 2N, H/2, W/2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = conv3x3(channels, channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(self.conv(x), 2)


class Upsample(nn.Module):
    """(B, N, H, W) -> (B, N/2, 2H, 2W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = conv3x3(channels, channels * 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)


class AnyIR(nn.Module):
    """The network of figure 2 (a).

    Input and output: RGB, (B, 3, H, W), in 0..1, H and W multiples of 8. The output is not clamped.
    """

    def __init__(self, config: AnyIRConfig) -> None:
        super().__init__()
        self.config = config
        dims = [config.dim * 2**level for level in range(4)]

        def level(index: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(DAB(dims[index], config.heads[index], config) for _ in range(count)))

        self.patch_embed = conv3x3(3, dims[0])
        self.encoder = nn.ModuleList(level(i, config.blocks[i]) for i in range(3))
        self.down = nn.ModuleList(Downsample(dims[i]) for i in range(3))
        self.latent = level(3, config.blocks[3])
        # Decoder lists run from level 3 to level 1.
        self.up = nn.ModuleList(Upsample(dims[i + 1]) for i in (2, 1, 0))
        self.merge = nn.ModuleList(conv1x1(2 * dims[i], dims[i]) for i in (2, 1, 0))
        self.decoder = nn.ModuleList(level(i, config.decoder[2 - i]) for i in (2, 1, 0))
        self.refinement = level(0, config.refinement)
        self.output = conv3x3(dims[0], 3)

    def forward(self, image: Tensor, statistics: Statistics | None = None, pool: int = 1) -> Tensor:
        """Restore a batch.

        Args:
            image: (B, 3, H, W).
            statistics: of S photos, B / S consecutive images of each; None for those of the batch itself.
            pool: how many consecutive images are crops of one photo and share their statistics; 1 is
                the paper's network, each image by itself. Without meaning where statistics are given.

        Raises:
            UserError: statistics of another network, precision or device, or a batch of another size.
        """
        if statistics is None:
            return self._run(image, lambda block, x: block(x, None, pool))
        if not torch.compiler.is_compiling():
            check(statistics, self.config, self.output.weight, len(image))
        given = iter(statistics.blocks)
        return self._run(image, lambda block, x: block(x, next(given)))

    def statistics(self, crops: Tensor, pool: int | None = None) -> Statistics:
        """What ``forward`` takes from the whole of an image: of crops as if they were one image.

        Args:
            crops: (B, 3, H, W), of one photo.
            pool: how many consecutive crops belong to a photo; None for all of them.

        Raises:
            UserError: a batch of another size than ``pool`` crops of each photo.
        """
        pool = len(crops) if pool is None else pool
        taken = []

        def look(block: DAB, x: Tensor) -> Tensor:
            taken.append(block.statistics(x, pool))
            return block(x, taken[-1])

        self._run(crops, look)
        return Statistics(tuple(taken), self.output.weight.detach().clone())

    def _run(self, image: Tensor, run: Callable[[DAB, Tensor], Tensor]) -> Tensor:
        """Figure 2 (a), with ``run`` for each block in turn."""

        def level(blocks: Any, x: Tensor) -> Tensor:
            for block in blocks:
                x = run(block, x)
            return x

        x = self.patch_embed(image)
        skips = []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            x = level(blocks, x)
            skips.append(x)
            x = down(x)
        x = level(self.latent, x)
        for up, merge, blocks in zip(self.up, self.merge, self.decoder, strict=True):
            x = level(blocks, merge(torch.cat([up(x), skips.pop()], dim=1)))
        return self.output(level(self.refinement, x)) + image

    def use_additive_fusion(self) -> AnyIR:
        """Compute every frequency fusion as the addition it equals, and return ``self``.

        The function stays the same (to rounding); complex numbers leave the graph, which
        autocast, torch.compile and the exporters do not take. Training uses this.
        """
        for module in self.modules():
            if isinstance(module, Fusion):
                module.frequency_fusion = additive_fusion
        return self
