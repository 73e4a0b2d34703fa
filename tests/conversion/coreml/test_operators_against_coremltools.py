"""The evaluator's operators against coremltools' own, and against float64 where it has none."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from anyir.conversion.coreml.evaluator.evaluator import _as_tensor
from anyir.conversion.coreml.evaluator.operators import OPERATORS

pytestmark = pytest.mark.slow  # by what importing coremltools takes

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((2, 2, 4, 6, 6)).astype(np.float32)
POSITIVE = np.abs(X) + np.float32(0.01)
GAMMA, BETA, MEAN = RANDOM.standard_normal((3, 4)).astype(np.float32)
SLICE = {
    "begin": [0, -1, 1, 5],
    "end": [1, 0, 0, 0],
    "stride": [1, -2, 2, -1],
    "begin_mask": [False] * 4,
    "end_mask": [False, True, True, True],
    "squeeze_mask": [True, False, False, False],
}
HALF, THIRD = np.float32(0.5), np.float32(0.3)
SCALE, ZERO = np.array([0.01, 0.02, 0.03, 0.04], np.float32), np.array([3, 0, -9, 2], np.int8)

INFERRED = [
    ("abs", {"x": X}),
    ("add", {"x": X, "y": Y[:, :1]}),
    ("cast", {"x": 9 * X, "dtype": "int32"}),
    ("clip", {"x": X, "alpha": np.float32(-np.inf), "beta": HALF}),
    ("concat", {"values": [X, Y], "axis": 1}),
    ("dequantize", {"input": (20 * X).astype(np.int8), "scale": THIRD, "zero_point": np.int8(3)}),
    ("dequantize", {"input": (20 * X).astype(np.int8), "scale": SCALE, "zero_point": ZERO, "axis": 1}),
    ("erf", {"x": X}),
    ("exp", {"x": X}),
    ("expand_dims", {"x": X[0], "axes": [0, -1]}),
    ("gelu", {"x": X, "mode": "EXACT"}),
    ("gelu", {"x": X, "mode": "TANH_APPROXIMATION"}),
    ("gelu", {"x": X, "mode": "SIGMOID_APPROXIMATION"}),
    ("identity", {"x": X}),
    ("inverse", {"x": POSITIVE, "epsilon": np.float32(0.1)}),
    ("layer_norm", {"x": X, "axes": [1], "gamma": GAMMA, "beta": BETA, "epsilon": np.float32(0.1)}),
    ("leaky_relu", {"x": X, "alpha": THIRD}),
    ("linear", {"x": X[0, 0], "weight": Y[0, 0], "bias": Y[0, 1, 0]}),
    ("log", {"x": POSITIVE, "epsilon": np.float32(0.1)}),
    ("matmul", {"x": X, "y": Y}),
    ("matmul", {"x": X[:, :, :3], "y": Y[:, :, :5], "transpose_y": True}),
    ("matmul", {"x": X[..., :3], "y": Y[..., :5], "transpose_x": True}),
    ("maximum", {"x": X, "y": Y}),
    ("minimum", {"x": X, "y": Y}),
    ("mul", {"x": X, "y": Y[..., :1]}),
    ("pad", {"x": X, "pad": [1, 2, 3, 0], "mode": "constant", "constant_val": HALF}),
    ("pad", {"x": X, "pad": [1, 2, 3, 0], "mode": "reflect"}),
    ("pow", {"x": POSITIVE, "y": Y}),
    ("quantize", {"input": X, "scale": np.float32(0.02), "zero_point": np.int8(3), "output_dtype": "int8"}),
    ("quantize", {"input": X, "scale": SCALE, "zero_point": ZERO, "axis": 1, "output_dtype": "int8"}),
    ("real_div", {"x": X, "y": POSITIVE}),
    ("reduce_l2_norm", {"x": X, "axes": [1, -1]}),
    ("reduce_max", {"x": X, "axes": [1]}),
    ("reduce_mean", {"x": X, "axes": [2, 3], "keep_dims": True}),
    ("reduce_min", {"x": X, "axes": [1]}),
    ("reduce_sum", {"x": X, "axes": [-1]}),
    ("relu", {"x": X}),
    ("relu6", {"x": 9 * X}),
    ("reshape", {"x": X, "shape": [8, -1]}),
    ("rsqrt", {"x": POSITIVE, "epsilon": np.float32(0.1)}),
    ("sigmoid", {"x": X}),
    ("sigmoid_hard", {"x": 3 * X, "alpha": THIRD, "beta": HALF}),
    ("slice_by_index", {"x": X, **SLICE}),
    ("slice_by_index", {"x": X, "begin": [0, 1, -4, 1], "end": [2, 3, -1, 6], "stride": [1, 1, 1, 2]}),
    ("slice_by_size", {"x": X, "begin": [0, 1, 2, 3], "size": [2, 2, 3, 1]}),
    ("softmax", {"x": X, "axis": 1}),
    ("split", {"x": X, "num_splits": 2, "axis": 1}),
    ("split", {"x": X, "split_sizes": [1, 3], "axis": 1}),
    ("sqrt", {"x": POSITIVE}),
    ("square", {"x": X}),
    ("squeeze", {"x": X[:1], "axes": [0]}),
    ("stack", {"values": [X, Y], "axis": 1}),
    ("sub", {"x": X, "y": Y}),
    ("tanh", {"x": X}),
    ("tile", {"x": X, "reps": [1, 2, 1, 3]}),
    ("transpose", {"x": X, "perm": [3, 0, 2, 1]}),
]
"""Operators that coremltools computes itself where their arguments are constant."""


def wide(array):
    return torch.from_numpy(np.asarray(array, np.float64))


KERNEL = RANDOM.standard_normal((8, 2, 3, 3)).astype(np.float32)
REFERENCES = [
    (
        "conv",
        {"x": X, "weight": KERNEL, "groups": 2, "pad_type": "custom", "pad": [1, 1, 1, 1]},
        lambda: F.conv2d(wide(X), wide(KERNEL), padding=1, groups=2),
    ),
    (
        "conv",
        {
            "x": X,
            "weight": KERNEL,
            "groups": 2,
            "pad_type": "custom",
            "pad": [0, 1, 2, 3],
            "bias": KERNEL[:, 0, 0, 0],
        },
        lambda: F.conv2d(F.pad(wide(X), (2, 3, 0, 1)), wide(KERNEL), wide(KERNEL[:, 0, 0, 0]), groups=2),
    ),
    (
        "conv",
        {"x": X[..., :5], "weight": KERNEL, "groups": 2, "pad_type": "same", "strides": [2, 2]},
        lambda: F.conv2d(F.pad(wide(X[..., :5]), (1, 1, 0, 1)), wide(KERNEL), stride=2, groups=2),
    ),
    (
        "conv",
        {"x": X, "weight": KERNEL, "groups": 2, "pad_type": "same_lower", "strides": [2, 2]},
        lambda: F.conv2d(F.pad(wide(X), (1, 0, 1, 0)), wide(KERNEL), stride=2, groups=2),
    ),
    (
        "conv",
        {"x": X, "weight": KERNEL, "groups": 2, "pad_type": "valid", "dilations": [2, 1]},
        lambda: F.conv2d(wide(X), wide(KERNEL), dilation=(2, 1), groups=2),
    ),
    (
        "conv",
        {"x": X[..., 0], "weight": KERNEL[..., 0], "groups": 2, "pad_type": "valid"},
        lambda: F.conv1d(wide(X[..., 0]), wide(KERNEL[..., 0]), groups=2),
    ),
    (
        "batch_norm",
        {"x": X, "mean": MEAN, "variance": np.abs(BETA), "gamma": GAMMA, "beta": BETA, "epsilon": HALF},
        lambda: (
            (wide(X) - wide(MEAN)[:, None, None])
            / (wide(np.abs(BETA)) + 0.5).sqrt()[:, None, None]
            * wide(GAMMA)[:, None, None]
            + wide(BETA)[:, None, None]
        ),
    ),
    (
        "batch_norm",
        {"x": X, "mean": 0 * MEAN, "variance": 0 * MEAN + 1, "gamma": GAMMA, "beta": HALF, "epsilon": THIRD},
        lambda: wide(X) / 1.3**0.5 * wide(GAMMA)[:, None, None] + 0.5,
    ),
    (
        "instance_norm",
        {"x": X, "gamma": GAMMA, "beta": BETA, "epsilon": HALF},
        lambda: F.instance_norm(wide(X), weight=wide(GAMMA), bias=wide(BETA), eps=0.5),
    ),
    ("pixel_shuffle", {"x": X, "upscale_factor": 2}, lambda: F.pixel_shuffle(wide(X), 2)),
    ("pixel_unshuffle", {"x": X, "downscale_factor": 2}, lambda: F.pixel_unshuffle(wide(X), 2)),
    (  # coremltools' own inference leaves "interleave" out; this is the specification's example
        "concat",
        {"values": [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]], "axis": -2, "interleave": True},
        lambda: wide([[1, 2], [7, 8], [3, 4], [9, 10], [5, 6], [11, 12]]),
    ),
    ("silu", {"x": X}, lambda: wide(X) / (1 + (-wide(X)).exp())),
    ("reshape", {"x": X, "shape": [0, 0, -1, 0]}, lambda: wide(X)),
    ("slice_by_size", {"x": X, "begin": [0, 1, 2, 3], "size": [-1] * 4}, lambda: wide(X)[:, 1:, 2:, 3:]),
]
"""The others, with what they should give."""


def ours(operator, arguments):
    def convert(value):
        return value if isinstance(value, str) else _as_tensor(np.asarray(value))

    given = {
        key: [convert(v) for v in value] if key == "values" else convert(value)
        for key, value in arguments.items()
    }
    result = OPERATORS[operator](**given)
    return [r.numpy() for r in (result if isinstance(result, (list, tuple)) else [result])]


def names(cases):
    return [f"{case[0]}-{i}" for i, case in enumerate(cases)]


def test_every_operator_has_a_case():
    assert {case[0] for case in (*INFERRED, *REFERENCES)} == set(OPERATORS)


@pytest.mark.parametrize(("operator", "arguments"), INFERRED, ids=names(INFERRED))
def test_an_operator_is_coremltools_own(operator, arguments):
    import coremltools as ct
    from coremltools.converters.mil import Builder
    from coremltools.converters.mil.mil import Function

    with Function({}, opset_version=ct.target.iOS17):
        due = getattr(Builder, operator)(**arguments)
    due = due if isinstance(due, (list, tuple)) else [due]
    results = ours(operator, arguments)
    assert len(results) == len(due)
    for result, var in zip(results, due, strict=True):
        expected = var.val if var.val is not None else var.op.materialized_val_inference()
        assert result.shape == np.shape(expected)
        if not np.issubdtype(np.asarray(expected).dtype, np.floating):
            assert result.dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("operator", "arguments", "due"), REFERENCES, ids=names(REFERENCES))
def test_an_operator_that_coremltools_does_not_compute(operator, arguments, due):
    expected = due().numpy()
    [result] = ours(operator, arguments)
    assert result.shape == expected.shape or operator == "reshape"
    np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=1e-5, atol=3e-5)
