"""Compressed weights: the ``constexpr_*`` operations of iOS 16 (attributes) and iOS 18 (inputs).

Each function takes numpy arrays by the names of the MIL specification and computes in float32, where every
product of a stored integer and a float16 scale is exact; the caller rounds to the declared type, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from anyir.conversion.coreml.evaluator.values import Array, unpack_bits

FLOAT = np.float32


def affine_dequantize(quantized_data: Array, zero_point: Array, scale: Array, axis: Array) -> Array:
    """``scale * (quantized_data - zero_point)``; both are one number, or one an index along ``axis``."""

    def along(value: Array) -> Array:
        shape = [1] * quantized_data.ndim
        if value.size > 1:
            shape[int(axis)] = -1
        return value.astype(FLOAT).reshape(shape)

    return along(scale) * (quantized_data.astype(FLOAT) - along(zero_point))


def blockwise_shift_scale(data: Array, scale: Array, offset: Array | None = None) -> Array:
    """``scale * (data - offset)``; each scale and offset serves a block of ``data``."""
    shifted = data.astype(FLOAT)
    if offset is not None:
        shifted = shifted - _spread(offset.astype(FLOAT), data.shape)
    return _spread(scale.astype(FLOAT), data.shape) * shifted


def lut_to_dense(
    indices: Array, lut: Array, shape: Array | None = None, vector_axis: Array | None = None
) -> Array:
    """Values of a palette.

    Args:
        indices: iOS 16: packed bits, the lowest first. iOS 18: one an entry, in the output's shape.
        lut: iOS 16: (2^bits,). iOS 18: (groups of each axis..., 2^bits, length of an entry).
        shape: of the output; iOS 16 alone.
        vector_axis: along which an entry's values lie, if they are several.
    """
    if shape is not None:
        lengths = [int(length) for length in shape]
        bits = lut.size.bit_length() - 1
        if lut.size != 2**bits:
            raise ValueError(f"a palette of {lut.size} values")
        return lut[unpack_bits(indices, bits, int(np.prod(lengths, dtype=object)))].reshape(lengths)
    if lut.ndim != indices.ndim + 2:
        raise ValueError(f"a palette of {lut.ndim} axes for indices of {indices.ndim}")
    # Which palette serves an index: numbered in memory order, then spread over its block.
    groups = lut.shape[:-2]
    which = _spread(np.arange(int(np.prod(groups))).reshape(groups), indices.shape)
    entries = lut.reshape(-1, *lut.shape[-2:])[which, indices]
    if entries.shape[-1] == 1:
        return entries[..., 0]
    if vector_axis is None:
        raise ValueError("palette entries of several values without vector_axis")
    axis = int(vector_axis) % indices.ndim
    joined = list(indices.shape)
    joined[axis] *= entries.shape[-1]
    return np.moveaxis(entries, -1, axis + 1).reshape(joined)


def sparse_to_dense(nonzero_data: Array, mask: Array, shape: Array | None = None) -> Array:
    """``nonzero_data`` where ``mask`` is set, else zero; iOS 16 packs the mask's bits and says the shape."""
    if shape is not None:
        lengths = [int(length) for length in shape]
        mask = unpack_bits(mask, 1, int(np.prod(lengths, dtype=object))).reshape(lengths)
    if np.count_nonzero(mask) != nonzero_data.size:
        raise ValueError(f"{nonzero_data.size} values for a mask of {np.count_nonzero(mask)}")
    dense = np.zeros(mask.shape, nonzero_data.dtype)
    dense[mask != 0] = nonzero_data
    return dense


def lut_to_sparse(
    indices_mask: Array, indices_nonzero_data: Array, lut: Array, vector_axis: Array | None = None
) -> tuple[Array, Array]:
    """The mask, and a palette's values where it is set."""
    dense = lut_to_dense(sparse_to_dense(indices_nonzero_data, indices_mask), lut, vector_axis=vector_axis)
    mask = indices_mask
    if lut.shape[-1] > 1 and vector_axis is not None:
        mask = np.repeat(mask, lut.shape[-1], axis=int(vector_axis))
    return mask, dense[mask != 0]


def sparse_blockwise_shift_scale(
    data_mask: Array, nonzero_data: Array, scale: Array, offset: Array | None = None
) -> tuple[Array, Array]:
    """The mask, and the scaled values where it is set."""
    dense = blockwise_shift_scale(sparse_to_dense(nonzero_data, data_mask), scale, offset)
    return data_mask, dense[data_mask != 0]


def cast(source_val: Array, output_dtype: str) -> Array:
    """float16 to float32, the one cast that there is."""
    if output_dtype != "fp32":
        raise ValueError(f"a cast to {output_dtype}")
    return source_val.astype(FLOAT)


def _spread(blocks: Array, shape: Sequence[int]) -> Array:
    """Repeat each value of ``blocks`` over its block of an array of ``shape``."""
    if blocks.ndim != len(shape) or any(b == 0 or n % b for b, n in zip(blocks.shape, shape, strict=True)):
        raise ValueError(f"blocks of shape {blocks.shape} for data of shape {tuple(shape)}")
    for axis, length in enumerate(shape):
        blocks = blocks.repeat(length // blocks.shape[axis], axis)
    return blocks


DECOMPRESSION: dict[str, Callable[..., Any]] = {
    "constexpr_affine_dequantize": affine_dequantize,
    "constexpr_blockwise_shift_scale": blockwise_shift_scale,
    "constexpr_lut_to_dense": lut_to_dense,
    "constexpr_sparse_to_dense": sparse_to_dense,
    "constexpr_lut_to_sparse": lut_to_sparse,
    "constexpr_sparse_blockwise_shift_scale": sparse_blockwise_shift_scale,
    "constexpr_cast": cast,
}
