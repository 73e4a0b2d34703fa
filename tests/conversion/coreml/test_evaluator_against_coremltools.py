"""The evaluator's constants and operators against coremltools' own, and against float64 where it has none.

Importing coremltools takes 10 to 25 seconds: what needs it is in this file alone.
"""

import inspect

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from anyir.conversion.coreml.evaluator.decompress import DECOMPRESSION
from anyir.conversion.coreml.evaluator.evaluator import Evaluator, _as_tensor
from anyir.conversion.coreml.evaluator.operators import OPERATORS
from anyir.conversion.coreml.evaluator.reader import Reference, read_function
from anyir.model.errors import UserError

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


# Constants ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def converted():
    """Two convolutions as ML programs, by the system version that they are for."""
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb
    from coremltools.converters.mil.mil import types

    random = np.random.default_rng(1)
    first = random.standard_normal((32, 16, 3, 3)).astype(np.float16)
    second = random.standard_normal((16, 32, 1, 1)).astype(np.float16)
    models = {}
    for target in (ct.target.iOS17, ct.target.iOS18):

        @mb.program(input_specs=[mb.TensorSpec((1, 16, 8, 8), types.fp16)], opset_version=target)
        def program(x):
            x = mb.conv(x=x, weight=first, pad_type="same", bias=first[:, 0, 0, 0])
            return mb.conv(x=mb.relu(x=x), weight=second, pad_type="valid", name="y")

        models[target.name] = ct.convert(
            program, convert_to="mlprogram", minimum_deployment_target=target, skip_model_load=True
        )
    return models, (first, second)


def quantized(joint=False, **options):
    def apply(model):
        from coremltools.optimize import coreml as compression

        config = compression.OptimizationConfig(
            compression.OpLinearQuantizerConfig(weight_threshold=0, **options)
        )
        return compression.linear_quantize_weights(model, config, joint_compression=joint)

    return apply


def palettized(joint=False, **options):
    def apply(model):
        from coremltools.optimize import coreml as compression

        config = compression.OptimizationConfig(compression.OpPalettizerConfig(weight_threshold=0, **options))
        return compression.palettize_weights(model, config, joint_compression=joint)

    return apply


def pruned(model):
    from coremltools.optimize import coreml as compression

    config = compression.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=0)
    return compression.prune_weights(model, compression.OptimizationConfig(config))


GROUPED = {"granularity": "per_grouped_channel", "group_size": 4}
COMPRESSED = [
    ("iOS17", ()),
    ("iOS17", (quantized(mode="linear_symmetric"),)),
    ("iOS17", (quantized(mode="linear", dtype="uint8"),)),
    *(("iOS17", (palettized(mode="uniform", nbits=bits),)) for bits in (1, 2, 4, 6, 8)),
    ("iOS17", (pruned,)),
    ("iOS18", (quantized(dtype="int4", granularity="per_block", block_size=8),)),
    ("iOS18", (quantized(dtype="uint4", mode="linear", granularity="per_block", block_size=4),)),
    ("iOS18", (quantized(dtype="int8", granularity="per_tensor"),)),
    *(("iOS18", (palettized(mode="uniform", nbits=bits, **GROUPED),)) for bits in (1, 2, 3, 4, 6, 8)),
    ("iOS18", (palettized(mode="kmeans", nbits=2, cluster_dim=4),)),
    ("iOS18", (pruned,)),
    ("iOS18", (pruned, palettized(joint=True, mode="uniform", nbits=4))),
    ("iOS18", (pruned, quantized(joint=True, mode="linear_symmetric"))),
    (
        "iOS18",
        (palettized(mode="uniform", nbits=4), quantized(joint=True, dtype="int8", granularity="per_tensor")),
    ),
]
"""System version, and what is done to the weights."""


def loaded_constants(path):
    """The constants of a package as coremltools' own loader has them, and its compressions' names.

    Attributes of a compression, which have no name of their own, are called ``weight.attribute``.
    """
    import coremltools as ct
    from coremltools.converters.mil.frontend.milproto.load import load

    spec = ct.models.MLModel(str(path), skip_model_load=True).get_spec()
    [block] = spec.mlProgram.functions["main"].block_specializations.values()
    named = {value.name for operation in block.operations for value in operation.outputs}
    program = load(spec, spec.specificationVersion, str(path / "Data/com.apple.CoreML/weights"))
    values, kinds = {}, set()
    for operation in program.functions["main"].operations:
        name = operation.outputs[0].name
        if operation.op_type == "const" and name in named:
            values[name] = operation.outputs[0].val
        elif operation.op_type in DECOMPRESSION:
            kinds.add(operation.op_type)
            results = decompressed(operation, values)
            results = results if isinstance(results, tuple) else (results,)
            values.update((var.name, value) for var, value in zip(operation.outputs, results, strict=True))
            values.update(
                (f"{name}.{key}", var.val)
                for key, var in operation.inputs.items()
                if var is not None and var.name not in named
            )
    return values, kinds


def decompressed(operation, values):
    """What coremltools makes of a compression; ``values`` has those that it takes from another one."""
    if operation.op_type == "constexpr_cast":
        return operation.materialized_val_inference()
    decompress = type(operation).decompress
    given = (operation.inputs.get(key) for key in inspect.signature(decompress).parameters)
    return decompress(
        *(None if var is None else values[var.name] if var.val is None else var.val for var in given)
    )


def read_constants(path):
    """The same by the evaluator."""
    attributes = {
        f"{step.name}.{key}": value
        for step in read_function(path).operations
        if step.type in DECOMPRESSION
        for key, (value,) in step.arguments.items()
        if not isinstance(value, Reference)
    }
    return {**Evaluator(path).constants, **attributes}


def assert_same_constants(path):
    values, kinds = loaded_constants(path)
    constants = read_constants(path)
    assert set(values) == set(constants)
    for name, value in values.items():
        mine = constants[name]
        if isinstance(value, str):
            assert mine == value
            continue
        expected = np.asarray(value)
        # coremltools keeps types of fewer than 8 bits in a type of its own.
        plain = np.dtype(expected.dtype.type)
        assert (mine.shape, mine.dtype) == (expected.shape, plain), name
        assert mine.tobytes() == expected.astype(plain).tobytes(), name
    return kinds, len(values)


@pytest.fixture(scope="module")
def packages(converted, tmp_path_factory):
    """The two convolutions by every way of ``COMPRESSED``, as packages."""
    folder, paths = tmp_path_factory.mktemp("packages"), []
    for i, (target, steps) in enumerate(COMPRESSED):
        model = converted[0][target]
        for step in steps:
            model = step(model)
        paths.append(folder / f"{i}.mlpackage")
        model.save(str(paths[-1]))
    return paths


def test_every_constant_is_the_one_that_coremltools_loads(packages):
    kinds = set().union(*(assert_same_constants(path)[0] for path in packages))
    assert kinds == set(DECOMPRESSION) - {"constexpr_cast"}


@pytest.mark.parametrize("precision", ["fp16", "int8w", "pal6"])
def test_every_constant_of_the_tiny_network_s_packages(tiny_artifacts, precision):
    path = tiny_artifacts / f"tiny_coreml_mlprogram_{precision}_64x64.mlpackage"
    _, count = assert_same_constants(path)
    assert count > 1000


def test_packages_of_two_convolutions_compute_them(packages, converted):
    image = np.random.default_rng(2).standard_normal((1, 16, 8, 8)).astype(np.float16)
    for path in packages:
        evaluator = Evaluator(path)
        first, second = (
            wide(value)
            for value in evaluator.constants.values()
            if getattr(value, "shape", ()) in ((32, 16, 3, 3), (16, 32, 1, 1)) and value.dtype == np.float16
        )
        bias = wide(converted[1][0][:, 0, 0, 0])
        due = F.conv2d(F.conv2d(wide(image), first, bias, padding=1).relu(), second).numpy()
        [exact] = evaluator({"x": image}, float16=False).values()
        [rounded] = evaluator({"x": image}).values()
        assert exact.dtype == rounded.dtype == np.float16
        scale = np.abs(due).max()
        np.testing.assert_allclose(exact / scale, due / scale, atol=5e-4)  # the output itself is float16
        np.testing.assert_allclose(rounded / scale, due / scale, atol=5e-3)
        assert not np.array_equal(exact, rounded)


def test_a_constant_that_is_cast(tmp_path):
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb

    value = np.arange(6, dtype=np.float16) / 7

    @mb.program(input_specs=[mb.TensorSpec((6,))], opset_version=ct.target.iOS17)
    def program(x):
        return mb.add(x=x, y=mb.constexpr_cast(source_val=value, output_dtype="fp32"))

    ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS17,
        compute_precision=ct.precision.FLOAT32,
        skip_model_load=True,
    ).save(str(tmp_path / "cast.mlpackage"))
    kinds, _ = assert_same_constants(tmp_path / "cast.mlpackage")
    assert kinds == {"constexpr_cast"}
    [result] = Evaluator(tmp_path / "cast.mlpackage")({"x": np.ones(6, np.float32)}).values()
    np.testing.assert_array_equal(result, 1 + value.astype(np.float32))


def test_activations_in_8_bits(tmp_path):
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb

    @mb.program(input_specs=[mb.TensorSpec((1, 4))], opset_version=ct.target.iOS17)
    def program(x):
        stored = mb.quantize(input=x, scale=np.float32(0.1), zero_point=np.uint8(7), output_dtype="uint8")
        return mb.dequantize(input=stored, scale=np.float32(0.1), zero_point=np.uint8(7))

    ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS17,
        compute_precision=ct.precision.FLOAT32,
        skip_model_load=True,
    ).save(str(tmp_path / "activations.mlpackage"))
    [result] = Evaluator(tmp_path / "activations.mlpackage")(
        {"x": np.array([[-9.0, -0.7, 0.26, 30.0]], np.float32)}
    ).values()
    np.testing.assert_allclose(result, [[-0.7, -0.7, 0.3, 24.8]], rtol=1e-6)


def test_a_package_of_two_functions(converted, packages, tmp_path):
    import coremltools as ct

    both = tmp_path / "both.mlpackage"
    parts = ct.utils.MultiFunctionDescriptor()
    plain, palette = (i for i, (target, _) in enumerate(COMPRESSED) if target == "iOS18" and i in (9, 12))
    parts.add_function(str(packages[plain]), src_function_name="main", target_function_name="look")
    parts.add_function(str(packages[palette]), src_function_name="main", target_function_name="restore")
    parts.default_function_name = "restore"
    ct.utils.save_multifunction(parts, str(both))
    image = {"x": np.random.default_rng(3).standard_normal((1, 16, 8, 8)).astype(np.float16)}
    for name, i in ((None, palette), ("restore", palette), ("look", plain)):
        [result], [due] = Evaluator(both, name)(image).values(), Evaluator(packages[i])(image).values()
        np.testing.assert_array_equal(result, due)
    with pytest.raises(UserError, match=r"both\.mlpackage: unknown function 'main'; known: look, restore"):
        Evaluator(both, "main")
