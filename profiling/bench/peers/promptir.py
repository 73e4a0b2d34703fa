"""PromptIR: Potlapalli et al., "PromptIR: Prompting for All-in-One Blind Image Restoration", NeurIPS 2023.

Restormer with three prompts between the levels of its decoder. The authors' code has 215 thousand parameters
more that its network does not use, 0.6 % of all; they are left out here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyir.profiling.bench.peers.layers import TransformerBlock, conv, encoded, shuffle, stage

COMPONENTS = 5
"""Of a prompt."""
PROMPT_HEADS = 4
"""Of the block after each prompt."""


class Prompt(nn.Module):
    """Section 3.1: components weighted by what the features are on average, brought to their size.

    Args:
        taken: channels of the features.
        given, side: channels, height and width of the prompt.
    """

    def __init__(self, taken: int, given: int, side: int) -> None:
        super().__init__()
        self.given, self.side = given, side
        self.weigh = conv(taken, COMPONENTS, bias=True)
        # A weighted sum of components is a 1x1 convolution of their weights, whose kernel they are.
        self.components = nn.Parameter(torch.rand(given * side * side, COMPONENTS, 1, 1))
        self.conv = conv(given, given, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) -> (1, given, H, W)."""
        weights = self.weigh(x.mean((2, 3), keepdim=True)).reshape(1, COMPONENTS).softmax(-1)
        prompt = F.conv2d(weights.reshape(1, COMPONENTS, 1, 1), self.components)
        prompt = prompt.reshape(1, self.given, self.side, self.side)
        return self.conv(F.interpolate(prompt, x.shape[2:], mode="bilinear"))


class Prompted(nn.Module):
    """Section 3.2: features and their prompt through a transformer block, and a 1x1 convolution after it."""

    def __init__(self, taken: int, prompt: int, side: int, given: int) -> None:
        super().__init__()
        self.prompt = Prompt(taken, prompt, side)
        self.block = TransformerBlock(taken + prompt, PROMPT_HEADS)
        self.reduce = conv(taken + prompt, given)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduce(self.block(torch.cat([x, self.prompt(x)], dim=1)))


class PromptIR(nn.Module):
    """(1, 3, H, W) -> the same; H and W multiples of 8.

    Args:
        prompts: channels of each prompt, and its side, which is the features' at 128x128, by level.
    """

    def __init__(
        self,
        dim: int = 48,
        blocks: tuple[int, ...] = (4, 6, 6, 8),
        refinement: int = 4,
        heads: tuple[int, ...] = (1, 2, 4, 8),
        prompts: tuple[tuple[int, int], ...] = ((64, 64), (128, 32), (320, 16)),
    ) -> None:
        super().__init__()
        widths = [dim << level for level in range(4)]
        self.embed, self.output = conv(3, dim, 3), conv(2 * dim, 3, 3)
        self.encoder = nn.ModuleList(map(stage, blocks, widths, heads))
        self.down = nn.ModuleList(conv(w, w // 2, 3) for w in widths[:3])
        # After the first two prompts the features have the width of the next level.
        taken, after = (widths[3], widths[2], widths[1]), (widths[2], widths[2], widths[1])
        self.prompted = nn.ModuleList(
            Prompted(width, *prompt, given)
            for width, prompt, given in zip(taken, prompts[::-1], after, strict=True)
        )
        self.up = nn.ModuleList(conv(w, 2 * w, 3) for w in after)
        self.merge = nn.ModuleList(
            [conv(after[0] // 2 + widths[2], widths[2]), conv(after[1] // 2 + widths[1], widths[1])]
        )
        # Level 1 keeps the concatenation's width.
        self.decoder = nn.ModuleList(map(stage, blocks[2::-1], (widths[2], widths[1], 2 * dim), heads[2::-1]))
        self.refinement = stage(refinement, 2 * dim, heads[0])

    def forward(self, image: Tensor) -> Tensor:
        x, skips = encoded(self.embed(image), self.encoder, self.down)
        for i, (prompted, up, blocks) in enumerate(zip(self.prompted, self.up, self.decoder, strict=True)):
            x = torch.cat([shuffle(up(prompted(x))), skips.pop()], dim=1)
            x = blocks(self.merge[i](x) if i < len(self.merge) else x)
        return self.output(self.refinement(x)) + image
