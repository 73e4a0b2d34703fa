"""Restormer: Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration", CVPR
2022.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anyir.profiling.bench.peers.layers import conv, encoded, shuffle, stage


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
        widths = [dim << level for level in range(4)]
        self.embed, self.output = conv(3, dim, 3), conv(2 * dim, 3, 3)
        self.encoder = nn.ModuleList(map(stage, blocks, widths, heads))
        self.down = nn.ModuleList(conv(w, w // 2, 3) for w in widths[:3])
        self.up = nn.ModuleList(conv(w, 2 * w, 3) for w in (widths[3], widths[2], widths[1]))
        # Level 1 keeps the concatenation's width.
        self.merge = nn.ModuleList([conv(2 * widths[2], widths[2]), conv(2 * widths[1], widths[1])])
        after = (widths[2], widths[1], 2 * dim)
        self.decoder = nn.ModuleList(map(stage, blocks[2::-1], after, heads[2::-1]))
        self.refinement = stage(refinement, 2 * dim, heads[0])

    def forward(self, image: Tensor) -> Tensor:
        x, skips = encoded(self.embed(image), self.encoder, self.down)
        for i, (up, blocks) in enumerate(zip(self.up, self.decoder, strict=True)):
            x = torch.cat([shuffle(up(x)), skips.pop()], dim=1)
            x = blocks(self.merge[i](x) if i < len(self.merge) else x)
        return self.output(self.refinement(x)) + image
