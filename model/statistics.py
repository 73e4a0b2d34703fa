"""What couples the pixels of an image in AnyIR: two statistics a block, which a whole photo can share.

docs/explanation/one-look.md says what they are for.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from anyir.model.config import AnyIRConfig
from anyir.model.errors import UserError


class BlockStatistics(NamedTuple):
    """All that a DAB takes from pixels far away, of S photos.

    Attributes:
        attention: equation 2's matrix after the softmax, (S, heads, C / heads, C / heads).
        gate: delta of algorithm 1, line 3, (S, C, 1, 1); None in a block without GatedDA.
    """

    attention: Tensor
    gate: Tensor | None


class Statistics(NamedTuple):
    """Every block's statistics, in the order in which the blocks run.

    Attributes:
        blocks: one entry a block.
        weights: the last layer's, which tell networks apart: only the one that took them understands them.
    """

    blocks: tuple[BlockStatistics, ...]
    weights: Tensor


def as_one_image(crops: Tensor, pool: int) -> Tensor:
    """Lay the crops of a photo above one another: (S pool, C, H, W) -> (S, C, pool H, W).

    This is all that pooling is: a sum over the pixels of the result is the sum over those of the crops.

    Raises:
        UserError: a batch of another size than ``pool`` crops of each photo.
    """
    if pool == 1:
        return crops
    if pool < 1 or len(crops) % pool:
        raise UserError(f"a batch of {len(crops)} is not {pool} crops of each photo")
    return crops.unflatten(0, (-1, pool)).transpose(1, 2).flatten(2, 3)


def for_each(statistic: Tensor, images: int) -> Tensor:
    """A photo's statistic for each of its images, which follow one another: (S, ...) -> (images, ...)."""
    share = images // len(statistic)
    return statistic if share == 1 else statistic.repeat_interleave(share, dim=0)


def check(given: Statistics, config: AnyIRConfig, weights: Tensor, images: int) -> None:
    """Whether statistics belong to a network and fit a batch.

    Args:
        given: the statistics to check.
        config: the network's.
        weights: its last layer's, with its precision and device.
        images: in the batch.

    Raises:
        UserError: they do not.
    """
    shapes = block_shapes(config)
    if len(given.blocks) != len(shapes):
        raise UserError(
            f"statistics of {len(given.blocks)} blocks were given to a network of {len(shapes)} blocks"
        )
    photos = len(given.blocks[0].attention) if shapes else 1
    if photos < 1 or images % photos:
        raise UserError(f"statistics of {photos} photos do not fit a batch of {images} images")
    for number, (block, due) in enumerate(zip(given.blocks, shapes, strict=True), 1):
        for name, value, shape in zip(block._fields, block, due, strict=True):
            found = None if value is None else (tuple(value.shape), value.dtype, value.device)
            wanted = None if shape is None else ((photos, *shape), weights.dtype, weights.device)
            if found != wanted:
                has, needs = (" ".join(map(str, f)) if f else "missing" for f in (found, wanted))
                raise UserError(f"{name} statistics of block {number}: {has}; this network has {needs}")
    if not torch.equal(given.weights, weights):
        raise UserError("the statistics were taken with other weights; take them with these")


def block_shapes(config: AnyIRConfig) -> list[tuple[tuple[int, ...], tuple[int, ...] | None]]:
    """Shapes of every block's attention and gate statistics for one photo, in the order of the blocks."""
    levels = zip((0, 1, 2, 3, 2, 1, 0, 0), (*config.blocks, *config.decoder, config.refinement), strict=True)
    shapes: list[tuple[tuple[int, ...], tuple[int, ...] | None]] = []
    for level, count in levels:
        half, heads = config.dim * 2**level // 2, config.heads[level]
        gate = (half, 1, 1) if config.gated_da else None
        shapes += [((heads, half // heads, half // heads), gate)] * count
    return shapes
