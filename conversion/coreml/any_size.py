"""``restore`` of the deploy form for tiles of every size: no operator in it knows height or width.

Of the deploy form itself coremltools makes a Core ML program that computes lengths (docs/lab/conversion.md).
Other runtimes refuse the operators that are here, or are slower with them (docs/explanation/deploy.md).

Shapes: C is the half width, P the channels after an upsampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyir.model.config import SIZE_MULTIPLE
from anyir.model.deploy.attention import DeployAttention
from anyir.model.deploy.network import DeployUpsample

if TYPE_CHECKING:
    from torch.export import ExportedProgram


class AnySizeAttention(DeployAttention):
    """Multiplies pixels where they are, by one of the two equal matrices."""

    def forward(self, x: Tensor, matrix: Tensor) -> Tensor:
        """(1, C, H, W) and (2, C, C) -> (1, C, H, W)."""
        pixels = self.value(x).permute(0, 2, 3, 1)
        return F.linear(pixels, matrix[0].T).permute(0, 3, 1, 2)


class AnySizeUpsample(DeployUpsample):
    """The operator itself, and its convolution's channels as that takes them."""

    def forward(self, x: Tensor) -> Tensor:
        """(1, I, H, W) -> (1, P, 2H, 2W)."""
        return F.pixel_shuffle(self.conv(x), 2)


def any_size(restore: nn.Module) -> nn.Module:
    """A copy of a ``DeployRestore`` for tiles of every size: (1, 3, H, W), multiples of 8."""
    restore = deepcopy(restore)
    for module in restore.modules():
        if isinstance(module, DeployAttention):
            module.__class__ = AnySizeAttention
        elif isinstance(module, DeployUpsample):
            module.__class__ = AnySizeUpsample
            kernel = columns_last(module.conv.weight)
            module.conv.weight = nn.Parameter(kernel, requires_grad=False)
    return restore


def export_for(
    sizes: Sequence[tuple[int, int]], restore: nn.Module, examples: tuple[Tensor, ...]
) -> ExportedProgram:
    """Export a module of ``any_size`` once, for tiles of several sizes.

    Args:
        sizes: heights and widths, of which at least two differ.
        examples: a tile and statistics.
    """
    tile, *statistics = examples
    dynamic: dict[int, Any] = {}
    for axis, sides in enumerate(zip(*sizes, strict=True), start=2):
        if min(sides) < max(sides):
            steps = torch.export.Dim(
                f"steps_{axis}", min=min(sides) // SIZE_MULTIPLE, max=max(sides) // SIZE_MULTIPLE
            )
            dynamic[axis] = SIZE_MULTIPLE * steps
    # Of the largest size: a length of 1 in an example stays 1 for ever.
    largest = tile.new_zeros((1, tile.shape[1], *map(max, zip(*sizes, strict=True))))
    shapes: tuple[Any, ...] = (dynamic, tuple({} for _ in statistics))
    return torch.export.export(restore, (largest, *statistics), dynamic_shapes=shapes)


def columns_last(weight: Tensor) -> Tensor:
    """What ``rewrites.rows_first`` made of it, (4 O, I, k, k), in the order of pixel_shuffle again."""
    return weight.clone().reshape(4, -1, *weight.shape[1:]).transpose(0, 1).reshape(weight.shape).contiguous()
