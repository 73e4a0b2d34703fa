"""``look`` of the deploy form as GPUs take it: the same Gram matrices, summed in an order that textures hold.

Nothing else of the deploy form changes, and ``restore``, which runs for every tile, has no Gram matrix.
Shapes: C is the half width, P = H W pixels at this level.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

import torch

from anyir.model.deploy.attention import DeployAttention, short_parts
from anyir.model.deploy.rewrites import constant

if TYPE_CHECKING:
    from torch import Tensor, nn

LARGEST_TEXTURE = 4096
"""Pixels a side of the largest texture that every phone's GPU has; many have 8,192 or 16,384."""
PIXEL = 4
"""Values in a pixel of a texture."""
ROWS = LARGEST_TEXTURE * PIXEL
"""Rows that LiteRT's GPU accelerator can multiply by: it lays the right side of a product of two computed
matrices out as one texture, a quarter of its rows high. Where the GPU allows less, it reports full
acceleration and returns rubbish."""


class PiecewiseAttention(DeployAttention):
    """For LiteRT: the Gram matrix of each of some pieces of the image, and their sum."""

    pieces: int

    def gram(self, query: Tensor, key: Tensor) -> Tensor:
        """(1, C, H, W) twice -> (1, C, C) / sqrt(P)."""
        height = query.shape[2] // self.pieces
        tops = range(0, query.shape[2], height)
        # One piece's method divides by the same root and multiplies by a piece's own number of parts.
        grams = [
            super(PiecewiseAttention, self).gram(
                query[:, :, top : top + height], key[:, :, top : top + height]
            )
            for top in tops
        ]
        return sum(grams[1:], grams[0])


class StackedAttention(DeployAttention):
    """For Vulkan: the mean over the parts along their own axis, not over C x C channels, of which a texture
    holds 8,192 and the lowest level of the shipped networks has 9,216."""

    def gram(self, query: Tensor, key: Tensor) -> Tensor:
        """(1, C, H, W) twice -> (1, C, C) / sqrt(P)."""
        gram = torch.bmm(self.rows(query, self.parts).transpose(1, 2), self.rows(key, self.parts))
        return gram.mean(0, keepdim=True) * self.share


def in_pieces(look: nn.Module, rows: int = ROWS) -> nn.Module:
    """A copy of ``look`` that multiplies by at most ``rows`` rows at once."""

    def change(attention: DeployAttention) -> None:
        height, width = attention.height, attention.width
        pieces = next(n for n in range(1, height + 1) if height % n == 0 and height // n * width <= rows)
        if pieces == 1:
            return
        attention.__class__ = PiecewiseAttention
        attention.pieces = pieces  # type: ignore[assignment]
        attention.parts = short_parts(height // pieces * width)
        attention.share = constant(attention.parts / (height * width) ** 0.5)[0].to(attention.share)

    return _changed(look, change)


def has_pieces(look: nn.Module) -> bool:
    """Whether ``in_pieces`` changed anything."""
    return any(isinstance(module, PiecewiseAttention) for module in look.modules())


def stacked(look: nn.Module) -> nn.Module:
    """A copy of ``look`` with means that Vulkan takes."""

    def change(attention: DeployAttention) -> None:
        attention.__class__ = StackedAttention

    return _changed(look, change)


def _changed(look: nn.Module, change: Callable[[DeployAttention], None]) -> nn.Module:
    look = deepcopy(look)
    for module in look.modules():
        if isinstance(module, DeployAttention):
            change(module)
    return look
