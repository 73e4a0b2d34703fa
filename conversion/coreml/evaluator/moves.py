"""MIL operators that compute no values: they reshape, cut, join and reorder them.

What they give is as rounded and as finite as what they took, and may be a view of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def identity(x: Tensor) -> Tensor:
    return x


def reshape(x: Tensor, shape: Tensor) -> Tensor:
    lengths = shape.tolist()
    for i, length in enumerate(lengths):
        if length == 0:  # the length of ``x``, counted from the last axis; 1 before its first
            from_end = len(lengths) - i
            lengths[i] = x.shape[-from_end] if from_end <= x.ndim else 1
    return x.reshape(lengths)


def transpose(x: Tensor, perm: Tensor) -> Tensor:
    return x.permute(perm.tolist())


def concat(values: Sequence[Tensor], axis: Tensor, interleave: Any = False) -> Tensor:
    along = int(axis) % values[0].ndim
    if interleave:
        return torch.stack(list(values), along + 1).flatten(along, along + 1)
    return torch.cat(list(values), along)


def split(
    x: Tensor, axis: Tensor, num_splits: Tensor | None = None, split_sizes: Tensor | None = None
) -> tuple[Tensor, ...]:
    if split_sizes is not None:
        return x.split(split_sizes.tolist(), int(axis))
    if num_splits is None:
        raise ValueError("neither num_splits nor split_sizes")
    return x.split(x.shape[int(axis)] // int(num_splits), int(axis))


def slice_by_index(
    x: Tensor,
    begin: Tensor,
    end: Tensor,
    stride: Tensor | None = None,
    begin_mask: Tensor | None = None,
    end_mask: Tensor | None = None,
    squeeze_mask: Tensor | None = None,
) -> Tensor:
    def flags(mask: Tensor | None) -> list[bool]:
        return mask.tolist() if mask is not None else [False] * x.ndim

    steps = stride.tolist() if stride is not None else [1] * x.ndim
    first, last, single = flags(begin_mask), flags(end_mask), flags(squeeze_mask)
    starts, ends = begin.tolist(), end.tolist()
    backward = []
    for axis in range(x.ndim):
        start = None if first[axis] else starts[axis]
        if single[axis]:
            index = range(x.shape[axis])[start or 0]
            x = x.narrow(axis, index, 1)
            continue
        picked = range(x.shape[axis])[slice(start, None if last[axis] else ends[axis], steps[axis])]
        if steps[axis] < 0:  # PyTorch has no negative strides: take the same places forwards, then turn
            picked = picked[::-1]
            backward.append(axis)
        places = slice(picked.start, picked.stop, picked.step)
        x = x[(slice(None),) * axis + (places,)]
    x = x.flip(backward) if backward else x
    return x.squeeze([axis for axis in range(x.ndim) if single[axis]]) if any(single) else x


def slice_by_size(x: Tensor, begin: Tensor, size: Tensor) -> Tensor:
    for axis, (start, length) in enumerate(zip(begin.tolist(), size.tolist(), strict=True)):
        x = x.narrow(axis, start, x.shape[axis] - start if length == -1 else length)
    return x


def expand_dims(x: Tensor, axes: Tensor) -> Tensor:
    rank = x.ndim + axes.numel()
    for axis in sorted(axis % rank for axis in axes.tolist()):
        x = x.unsqueeze(axis)
    return x


def squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
    return x.squeeze(axes.tolist()) if axes is not None else x.squeeze()


def stack(values: Sequence[Tensor], axis: Tensor) -> Tensor:
    return torch.stack(list(values), int(axis))


def tile(x: Tensor, reps: Tensor) -> Tensor:
    return x.tile(reps.tolist())


def pixel_shuffle(x: Tensor, upscale_factor: Tensor) -> Tensor:
    return F.pixel_shuffle(x, int(upscale_factor))


def pixel_unshuffle(x: Tensor, downscale_factor: Tensor) -> Tensor:
    return F.pixel_unshuffle(x, int(downscale_factor))


MOVES: dict[str, Callable[..., Any]] = {
    "concat": concat,
    "expand_dims": expand_dims,
    "identity": identity,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "reshape": reshape,
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "split": split,
    "squeeze": squeeze,
    "stack": stack,
    "tile": tile,
    "transpose": transpose,
}
"""By their names in the MIL specification."""
