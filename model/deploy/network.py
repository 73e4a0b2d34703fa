"""The deploy form: a trained AnyIR as an equal network made of operators that every runtime has.

``to_deploy`` rewrites weights with the identities of ``anyir.model.deploy.rewrites``; the modules here only
arrange the operators. They are fixed to one input size, use rank 4 at most, and are written so that
XNNPACK takes the whole graph as one delegate from ExecuTorch and from LiteRT, LiteRT's GPU accelerator
accepts all of it and Core ML converts it (docs/explanation/deploy.md says what each of them refuses).

Shapes in comments: C is the half width, P = H W pixels at this level; the residual stream has 2C
channels, the attention half first.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyir.model.config import SIZE_MULTIPLE
from anyir.model.deploy import rewrites
from anyir.model.deploy.attention import DeployAttention
from anyir.model.deploy.rewrites import constant, frozen_conv, frozen_depthwise, frozen_pair
from anyir.model.errors import UserError
from anyir.model.network import (
    DAB,
    AnyIR,
    ChannelNorm,
    FeedForward,
    Fusion,
    GatedDA,
)

CENTRED_SCALE = 4
"""What normalisation multiplies the centred pixel by before squaring it: float16 then holds deviations
from 0.002 (below, squares are subnormal, and many GPUs flush them to 0) to 64, and eps = 1e-5 itself, which
keeps a black patch, whose variance is 0, from becoming 0 * infinity. Trained networks have 0.002 to 1."""


class DeployNorm(nn.Module):
    """LayerNorm without its scale and shift: (1, C, H, W) -> the same, times ``gain``.

    The mean is inside a constant 1x1 convolution, and so is the variance, whose bias is eps.
    """

    gain: Tensor | None

    def __init__(self, norm: ChannelNorm, gain: float = 1.0) -> None:
        super().__init__()
        channels = len(norm.weight)
        eps = torch.full((1,), norm.eps, dtype=torch.float64)
        self.centre = frozen_conv(rewrites.centring(channels) * CENTRED_SCALE)
        self.variance = frozen_conv(rewrites.averaging(channels), eps * CENTRED_SCALE**2)
        self.register_buffer("gain", constant(gain) if gain != 1 else None)

    def forward(self, x: Tensor) -> Tensor:
        x = self.centre(x)
        inverse = torch.rsqrt(self.variance(x * x))  # (1, 1, H, W)
        return x * (inverse if self.gain is None else inverse * self.gain)


class DeployGate(nn.Module):
    """Algorithm 1 without its first line: normalised and raw (1, C, H, W) -> the same.

    Line 2's statistics are taken of the normalised map before scale and shift, as w mean + b and
    |w| deviation. The map comes ``gain`` times too large, which the weights undo. Where the factor is
    ``given``, from a look at the whole photo, only ``forward`` is there.
    """

    scale: Tensor
    variance_scale: Tensor
    shift: Tensor
    tau: Tensor
    one: Tensor
    eps: Tensor

    def __init__(self, gate: GatedDA, gain: float, *, given: bool = False) -> None:
        super().__init__()
        channels = len(gate.tau)
        scale, shift = gate.norm.weight / gain, gate.norm.bias
        weight, bias = rewrites.fold_affine(gate.expand.weight, scale, shift)
        parts = [gate.gamma, gate.beta, gate.alpha]
        self.gamma, self.beta, self.alpha = (
            frozen_conv(w, b) if len(w) else None
            for w, b in zip(weight.split(parts), bias.split(parts), strict=True)
        )
        self.depthwise = frozen_depthwise(gate.depthwise.weight) if gate.depthwise is not None else None
        self.gate = frozen_conv(gate.gate.weight)
        self.project = frozen_conv(gate.project.weight)
        self.repeats = gate.alpha // channels  # 0 without alpha: there is nothing to multiply
        if given or not self.repeats:
            return
        self.register_buffer("scale", scale[None, :, None, None])
        self.register_buffer("variance_scale", scale.square()[None, :, None, None])
        self.register_buffer("shift", shift[None, :, None, None])
        self.register_buffer("tau", gate.tau[None, :, None, None])
        self.register_buffer("one", constant(1))
        self.register_buffer("eps", constant(1e-12))

    def forward(self, normed: Tensor, x: Tensor, factor: Tensor | None = None) -> Tensor:
        parts = [] if self.beta is None else [self.beta(normed)]
        if self.alpha is not None and self.depthwise is not None:
            parts.append(self.depthwise(self.alpha(normed)) * factor)
        gated = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        if self.gamma is not None:
            gated = F.gelu(self.gamma(normed)) * gated
        return self.project(self.gate(gated) + x)

    def factor(self, normed: Tensor) -> Tensor:
        """What alpha is multiplied by, 1 + tau_adj of line 7: (1, A, 1, 1), as wide as alpha."""
        mean = rewrites.pixel_mean(normed)
        centred = normed - mean
        variance = rewrites.pixel_mean(centred * centred)
        deviation = torch.sqrt(variance * self.variance_scale + self.eps)
        delta = torch.sigmoid(mean * self.scale + self.shift + deviation)
        factor = self.tau * delta + self.one
        return torch.cat([factor] * self.repeats, dim=1) if self.repeats > 1 else factor


class DeployFeedForward(nn.Module):
    """Equation 3's feed-forward network on normalised pixels: (1, 2C, H, W) -> the same."""

    def __init__(self, ffn: FeedForward, norm: ChannelNorm, order: Tensor) -> None:
        super().__init__()
        weight, bias = rewrites.fold_affine(ffn.expand.weight, norm.weight, norm.bias)
        halves = zip(weight[:, order].chunk(2), bias.chunk(2), ffn.depthwise.weight.chunk(2), strict=True)
        self.gate, self.expand = (frozen_pair(*half) for half in halves)
        self.project = frozen_conv(ffn.project.weight[order])

    def forward(self, x: Tensor) -> Tensor:
        return self.project(F.gelu(self.gate(x)) * self.expand(x))


class DeployDAB(nn.Module):
    """One block: (1, 2C, H, W) with the attention half first -> the same."""

    def __init__(self, block: DAB, height: int, width: int, *, given: bool = False) -> None:
        super().__init__()
        channels = block.fuse.in_channels
        order = rewrites.halves_first(channels, block.split)
        # Keeps float16 sums of the normalised map n over the pixels in range: |n|^2 <= C at every pixel,
        # so the sum of squares stays below C sqrt(P).
        gain = 1.0 if given else (height * width) ** -0.25
        self.half_width = channels // 2
        self.attention_norm = DeployNorm(block.attention_norm)
        self.attention = DeployAttention(block.attention, block.attention_norm, height, width, given=given)
        self.gate_norm, self.gate = None, None
        if isinstance(block.gated_da, GatedDA):
            self.gate_norm = DeployNorm(block.gated_da.norm, gain)
            self.gate = DeployGate(block.gated_da, gain, given=given)
        self.fuse_sigmoid, fuse = None, block.fuse.weight[order]
        if isinstance(block.fusion, Fusion):
            fuse, fuse_sigmoid = rewrites.fold_fusion(fuse, block.fusion.weight).chunk(2, dim=1)
            self.fuse_sigmoid = frozen_conv(fuse_sigmoid)
        self.fuse = frozen_conv(fuse)
        self.ffn_norm = DeployNorm(block.ffn_norm)
        self.ffn = DeployFeedForward(block.ffn, block.ffn_norm, order)

    def forward(self, x: Tensor, given: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        """(the block's output, the statistics that it used: the attention's matrix, and the gate's factor
        where there is one)."""
        attention, gate = x[:, : self.half_width], x[:, self.half_width :]
        normed = self.attention_norm(attention)
        used = [self.attention.matrix(normed) if given is None else given[0]]
        attention = self.attention(normed, used[0])
        if self.gate is not None and self.gate_norm is not None:
            normed = self.gate_norm(gate)
            if self.gate.repeats:
                used.append(self.gate.factor(normed) if given is None else given[1])
            gate = self.gate(normed, gate, *used[1:])
        halves = torch.cat([attention, gate], dim=1)
        x = self.fuse(halves) + x
        if self.fuse_sigmoid is not None:
            x = self.fuse_sigmoid(torch.sigmoid(halves)) + x
        return self.ffn(self.ffn_norm(x)) + x, used


class DeployUpsample(nn.Module):
    """A convolution and pixel_shuffle(2), (1, I, H, W) -> (1, P, 2H, 2W), with the kernel of
    ``rewrites.rows_first``, (4 P, I, 3, 3).

    One transposed convolution would be shorter and is three times as slow: XNNPACK computes it a pixel
    at a time where the batch is 1.
    """

    def __init__(self, kernel: Tensor) -> None:
        super().__init__()
        self.conv = frozen_conv(kernel, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).permute(0, 2, 3, 1)
        _, height, width, channels = x.shape
        x = x.reshape(height, width, 2, channels // 2).permute(0, 2, 1, 3)
        return x.reshape(1, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)


class DeployNetwork(nn.Module):
    """AnyIR for one input size: (1, 3, height, width) -> the same, as ``AnyIR``."""

    def __init__(self, network: AnyIR, height: int, width: int, *, given: bool = False) -> None:
        super().__init__()
        config = network.config
        orders = [rewrites.halves_first(config.dim * 2**level, config.split) for level in range(4)]
        sizes = [(height >> level, width >> level) for level in range(4)]

        def blocks(literal: Any, level: int) -> nn.ModuleList:
            return nn.ModuleList(DeployDAB(block, *sizes[level], given=given) for block in literal.children())

        self.patch_embed = frozen_conv(network.patch_embed.weight[orders[0]], padding=1)
        self.encoder = nn.ModuleList(blocks(stage, i) for i, stage in enumerate(network.encoder))
        downs: Any = network.down
        self.down = nn.ModuleList(
            frozen_downsample(down.conv.weight[:, orders[i]], orders[i + 1]) for i, down in enumerate(downs)
        )
        self.latent = blocks(network.latent, 3)
        self.up, self.merge, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        stages: Any = zip((2, 1, 0), network.up, network.merge, network.decoder, strict=True)
        for level, up, merge, decoder in stages:
            order = orders[level]
            from_up, from_skip = merge.weight[order].chunk(2, dim=1)
            kernel = rewrites.rows_first(up.conv.weight[:, orders[level + 1]])
            self.up.append(DeployUpsample(rewrites.fold_merge(kernel, from_up)))
            self.merge.append(frozen_conv(from_skip[:, order]))
            self.decoder.append(blocks(decoder, level))
        self.refinement = blocks(network.refinement, 0)
        self.output = frozen_conv(network.output.weight[:, orders[0]], padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.run(image)[0]

    def run(self, image: Tensor, given: list[Tensor] | None = None) -> tuple[Tensor, list[Tensor]]:
        """(the output, the statistics of all blocks one after another); ``given`` are the same, one each."""
        used: list[Tensor] = []

        def level(blocks: Any, x: Tensor) -> Tensor:
            for block in blocks:
                x, own = block(x, given and given[len(used) :])
                used.extend(own)
            return x

        x = self.patch_embed(image)
        skips = []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            x = level(blocks, x)
            skips.append(x)
            x = down(x)
        x = level(self.latent, x)
        for up, merge, blocks in zip(self.up, self.merge, self.decoder, strict=True):
            x = level(blocks, up(x) + merge(skips.pop()))
        return self.output(level(self.refinement, x)) + image, used


class DeployLook(DeployNetwork):
    """Looks at a sheet of crops: (1, 3, height, width) -> statistics, as ``DeployRestore`` takes them.

    For every block the attention's matrix, (2, C, C), and the gate's factor, (1, A, 1, 1).
    """

    def forward(self, sheet: Tensor) -> list[Tensor]:  # type: ignore[override]
        return self.run(sheet)[1]


class DeployRestore(DeployNetwork):
    """Restores a tile, (1, 3, height, width) -> the same, with statistics in the order of ``DeployLook``: no
    queries, keys, Gram matrix, norms, softmax, and no mean over the pixels."""

    def forward(self, tile: Tensor, *statistics: Tensor) -> Tensor:
        return self.run(tile, list(statistics))[0]


def frozen_downsample(weight: Tensor, order: Tensor) -> nn.Conv2d:
    """``rewrites.strided_downsample`` of a (O, I, 3, 3) kernel, its output channels in ``order``."""
    return frozen_conv(rewrites.strided_downsample(weight)[order], stride=2, padding=1)


def to_deploy(network: AnyIR, height: int, width: int) -> nn.Module:
    """Rewrite a network for one input size; ``network`` stays as it is.

    The weights are combined in float64 and returned in the network's own dtype and device.

    Args:
        network: any config. height, width: of the input, multiples of 8.

    Returns:
        A module in eval mode, (1, 3, height, width) -> the same: what ``network`` computes, to rounding.

    Raises:
        UserError: a size that is not a positive multiple of 8.
    """
    return _finished(DeployNetwork(_exact(network, height, width), height, width), network)


def to_deploy_pair(
    network: AnyIR, height: int, width: int, tile_size: tuple[int, int] | None = None
) -> tuple[nn.Module, nn.Module]:
    """Rewrite a network as two modules of fixed sizes, so that all tiles of a photo share its statistics.

    Args:
        network: any config. height, width: of the sheet, multiples of 8.
        tile_size: height and width of the tile, likewise; by default the sheet's.

    Returns:
        ``DeployLook`` and ``DeployRestore`` in eval mode: ``restore(tile, *look(sheet))`` is what
        ``network(tile, network.statistics(sheet))`` computes, to rounding.

    Raises:
        UserError: a size that is not a positive multiple of 8.
    """
    exact, size = _exact(network, height, width), tile_size or (height, width)
    _check_size(*size)
    look, restore = DeployLook(exact, height, width), DeployRestore(exact, *size, given=True)
    return _finished(look, network), _finished(restore, network)


def _exact(network: AnyIR, height: int, width: int) -> AnyIR:
    """A copy in float64, where its size is one that can be rewritten."""
    _check_size(height, width)
    exact = AnyIR(network.config).double().requires_grad_(False)
    exact.load_state_dict(network.state_dict())
    return exact


def _check_size(height: int, width: int) -> None:
    if min(height, width) < SIZE_MULTIPLE or height % SIZE_MULTIPLE or width % SIZE_MULTIPLE:
        raise UserError(f"{width}x{height}: width and height must be positive multiples of {SIZE_MULTIPLE}")


def _finished(deployed: nn.Module, network: AnyIR) -> nn.Module:
    return deployed.to(network.patch_embed.weight).eval()
