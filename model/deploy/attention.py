"""Attention of the deploy form: one Gram matrix of C x C values, in the order that every runtime takes.

Shapes in comments: C is the half width, P = H W pixels at this level.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyir.model.deploy import rewrites
from anyir.model.deploy.rewrites import constant, frozen_pair
from anyir.model.network import Attention, ChannelNorm

LONGEST_SUM = 1024
"""Pixels that a Gram matrix sums at once. Where sums are accumulated in float16, as by XNNPACK's float16
kernels, each addition rounds to 2^-11 of the sum so far, and what is smaller is lost."""


def short_parts(pixels: int) -> int:
    """The fewest equal parts, two at least, of at most ``LONGEST_SUM`` pixels; ``pixels`` is even."""
    return next(n for n in range(2, pixels + 1) if pixels % n == 0 and pixels // n <= LONGEST_SUM)


class DeployAttention(nn.Module):
    """Equation 2 on normalised pixels, its output projection included: (1, C, H, W) -> the same.

    ``matrix`` says what the pixels are multiplied by, ``forward`` multiplies. Where the matrix is ``given``,
    from a look at the whole photo, only ``forward`` is there.

    The pixels are split into parts for two reasons: a batch of one makes LiteRT turn a product of two
    computed matrices into a fully connected layer that XNNPACK refuses, and sums over many pixels lose
    their last terms where they are accumulated in float16. An odd number of pixels gets a row of zeros,
    which adds nothing to the Gram matrix. Queries, keys and values have convolutions of their own:
    slices of a common one would be copies.
    """

    temperature: Tensor
    root: Tensor
    share: Tensor
    project: Tensor
    mask: Tensor

    def __init__(
        self, attention: Attention, norm: ChannelNorm, height: int, width: int, *, given: bool = False
    ) -> None:
        super().__init__()
        self.height, self.width = height, width
        self.pad = height * width % 2
        channels = attention.project.in_channels
        weight, bias = rewrites.fold_affine(attention.qkv.weight, norm.weight, norm.bias)
        kernel = attention.qkv_depthwise.weight
        weights, biases, kernels = weight.chunk(3), bias.chunk(3), kernel.chunk(3)
        self.value = frozen_pair(weights[2], biases[2], kernels[2])
        if given:
            return
        factor = rewrites.bounded_rows(weight, bias, kernel, height * width)[:, None, None, None]
        self.query, self.key = (
            frozen_pair(weights[i], biases[i], kernels[i] * factor.chunk(3)[i]) for i in (0, 1)
        )
        heads = attention.heads
        temperature = attention.temperature.flatten().repeat_interleave(channels // heads)
        self.register_buffer("temperature", temperature[None, :, None])  # (1, C, 1)
        self.parts = short_parts((height + self.pad) * width)
        # 65,536 pixels are more than float16 can count: norms and Gram matrix are divided by sqrt(P).
        root = (height * width) ** 0.5
        self.register_buffer("root", constant(root))
        self.register_buffer("share", constant(self.parts / root)[0])  # (1, 1, 1)
        self.register_buffer("mask", rewrites.copying_mask(channels, heads))  # (2, C, C) or (2, 1, 1)
        project = attention.project.weight[:, :, 0, 0].T
        self.register_buffer("project", project[None].repeat(2, 1, 1))  # (2, C, C)

    def forward(self, x: Tensor, matrix: Tensor) -> Tensor:
        return self.whole(torch.bmm(self.rows(self.value(x), 2), matrix))

    def matrix(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> (2, C, C), twice the same: softmax and output projection in one."""
        query, key = self.query(x), self.key(x)
        inverse_q = self.inverse_norm(query).transpose(1, 2)  # (1, C, 1)
        inverse_k = self.inverse_norm(key)  # (1, 1, C)
        logits = self.gram(query, key) * inverse_q * inverse_k * self.temperature + self.mask  # (2, C, C)
        return torch.bmm(logits.softmax(dim=-1).transpose(1, 2), self.project)

    def gram(self, query: Tensor, key: Tensor) -> Tensor:
        """(1, C, H, W) twice -> (1, C, C) / sqrt(P). The parts' sum is their mean over an image."""
        channels = query.shape[1]
        gram = torch.bmm(self.rows(query, self.parts).transpose(1, 2), self.rows(key, self.parts))
        gram = gram.reshape(1, self.parts, 1, channels * channels).permute(0, 3, 1, 2)
        gram = gram.mean((2, 3), keepdim=True).permute(0, 2, 3, 1)
        return gram.reshape(1, channels, channels) * self.share

    def inverse_norm(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> (1, 1, C): P^(1/4) / L2 norm of each channel."""
        inverse = torch.rsqrt(rewrites.pixel_mean(x * x) * self.root)
        inverse = inverse.clamp(max=60_000)  # a channel of zeros: 0 * infinity, see F.normalize
        return inverse.permute(0, 2, 3, 1).reshape(1, 1, -1)

    def rows(self, x: Tensor, parts: int) -> Tensor:
        """(1, C, H, W) -> (parts, P / parts, C)."""
        if self.pad:
            x = F.pad(x, (0, 0, 0, 1))
        return x.permute(0, 2, 3, 1).reshape(parts, -1, x.shape[1])

    def whole(self, x: Tensor) -> Tensor:
        """(2, P / 2, C) -> (1, C, H, W)."""
        x = x.reshape(1, self.height + self.pad, self.width, -1).permute(0, 3, 1, 2)
        return x[:, :, : self.height] if self.pad else x
