"""Seams: whether what a restoration changes steps at the borders of its tiles."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from anyir.model.restore.tiling import TilePlan

BOX = 16
"""Pixels a side of the boxes whose means are compared: noise and edges average out, a tile's own judgement of
darkness or haze does not."""


def seam_ratio(restored: Tensor, photo: Tensor, plan: TilePlan) -> float:
    """How much the low-frequency change steps across tile borders, over how much it does elsewhere.

    The change, restored minus photo, is averaged over the colours and over boxes of 16x16 pixels. A step is
    the difference between two boxes on either side of a tile's blending zone. Tiles that agree: about 1.

    Args:
        restored: (3, H, W), in 0..1.
        photo: as it was before, of the same shape.
        plan: the tiles that it was restored in, of two at least.

    Raises:
        ValueError: a single tile, or one so small that no place lies away from all borders.
    """
    change = (restored - photo).float().mean(dim=0)
    across = _steps(change, plan.columns, plan.size.width, plan.overlap)
    down = _steps(change.T, plan.rows, plan.size.height, plan.overlap)
    at_borders, elsewhere = (torch.cat(parts) for parts in zip(across, down, strict=True))
    if not len(at_borders) or not len(elsewhere):
        raise ValueError(f"{plan} has no borders, or nothing but borders")
    return float(at_borders.mean() / elsewhere.mean())


def _steps(change: Tensor, starts: list[int], tile: int, overlap: int) -> tuple[Tensor, Tensor]:
    """Mean absolute steps along x of a (H, W) change: (at every border, at every place away from all)."""
    means = F.avg_pool2d(change[None], BOX, stride=1)[0]
    gap = overlap + BOX  # from the one box's first pixel to the other's
    steps = (means[:, gap:] - means[:, :-gap]).abs().mean(dim=0)
    reach = BOX + overlap // 2  # from a border to the outer end of a box
    place = torch.arange(len(steps)) + reach  # the middle between the two boxes
    borders = torch.tensor([(start + tile + after) // 2 for start, after in pairwise(starts)])
    distance = (place[:, None] - borders).abs()
    if not len(borders):
        return steps[:0], steps
    return steps[(distance == 0).any(dim=1)], steps[(distance > 2 * reach).all(dim=1)]
