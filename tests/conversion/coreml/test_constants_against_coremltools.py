"""The evaluator's constants against those that coremltools loads, bit for bit, and packages that it made."""

import inspect

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from anyir.conversion.coreml.evaluator.decompress import DECOMPRESSION
from anyir.conversion.coreml.evaluator.evaluator import Evaluator
from anyir.conversion.coreml.evaluator.reader import Reference, read_function
from anyir.model.errors import UserError

pytestmark = pytest.mark.slow  # by what importing coremltools takes


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


def loaded_constants(path, function):
    """The constants of a package as coremltools' own loader has them, and its compressions' names.

    Attributes of a compression, which have no name of their own, are called ``weight.attribute``.
    """
    import coremltools as ct
    from coremltools.converters.mil.frontend.milproto.load import load

    spec = ct.models.MLModel(str(path), skip_model_load=True).get_spec()
    [block] = spec.mlProgram.functions[function].block_specializations.values()
    named = {value.name for operation in block.operations for value in operation.outputs}
    program = load(spec, spec.specificationVersion, str(path / "Data/com.apple.CoreML/weights"))
    values, kinds = {}, set()
    for operation in program.functions[function].operations:
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


def read_constants(path, function):
    """The same by the evaluator."""
    attributes = {
        f"{step.name}.{key}": value
        for step in read_function(path, function).operations
        if step.type in DECOMPRESSION
        for key, (value,) in step.arguments.items()
        if not isinstance(value, Reference)
    }
    return {**Evaluator(path, function).constants, **attributes}


def assert_same_constants(path, function="main"):
    values, kinds = loaded_constants(path, function)
    constants = read_constants(path, function)
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


@pytest.mark.parametrize("function", ["look", "restore"])
@pytest.mark.parametrize("precision", ["fp16", "int8w", "pal6"])
def test_every_constant_of_the_tiny_network_s_packages(tiny_artifacts, precision, function):
    path = tiny_artifacts / f"tiny_coreml_mlprogram_{precision}_64x64.mlpackage"
    _, count = assert_same_constants(path, function)
    assert count > 500


def test_packages_of_two_convolutions_compute_them(packages, converted):
    image = np.random.default_rng(2).standard_normal((1, 16, 8, 8)).astype(np.float16)
    for path in packages:
        evaluator = Evaluator(path)
        first, second = (
            torch.from_numpy(value).double()
            for value in evaluator.constants.values()
            if getattr(value, "shape", ()) in ((32, 16, 3, 3), (16, 32, 1, 1)) and value.dtype == np.float16
        )
        bias = torch.from_numpy(converted[1][0][:, 0, 0, 0]).double()
        due = F.conv2d(
            F.conv2d(torch.from_numpy(image).double(), first, bias, padding=1).relu(), second
        ).numpy()
        [exact] = evaluator({"x": image}, float16=False).values()
        [rounded] = evaluator({"x": image}).values()
        assert exact.dtype == rounded.dtype == np.float16
        scale = np.abs(due).max()
        np.testing.assert_allclose(exact / scale, due / scale, atol=5e-4)  # the output itself is float16
        np.testing.assert_allclose(rounded / scale, due / scale, atol=5e-3)
        assert not np.array_equal(exact, rounded)


def save_program(program, path):
    import coremltools as ct

    ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS17,
        compute_precision=ct.precision.FLOAT32,
        skip_model_load=True,
    ).save(str(path))


def test_a_constant_that_is_cast(tmp_path):
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb

    value = np.arange(6, dtype=np.float16) / 7

    @mb.program(input_specs=[mb.TensorSpec((6,))], opset_version=ct.target.iOS17)
    def program(x):
        return mb.add(x=x, y=mb.constexpr_cast(source_val=value, output_dtype="fp32"))

    save_program(program, tmp_path / "cast.mlpackage")
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

    save_program(program, tmp_path / "activations.mlpackage")
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
