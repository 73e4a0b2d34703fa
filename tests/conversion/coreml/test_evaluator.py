"""The evaluator on the tiny network's packages, and on one to be spoilt; nothing here needs coremltools."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from anyir.conversion import contract
from anyir.conversion.coreml.evaluator.evaluator import Evaluator
from anyir.model import load_weights
from anyir.model.errors import UserError
from anyir.model.metrics import psnr
from tests.helpers.coreml_package import GAIN, KERNEL, MODEL, SHAPE, WEIGHTS, edit_package, write_package
from tests.helpers.tiny import TILE

IMAGE = np.random.default_rng(7).random(contract.shape(TILE), dtype=np.float32)
SMALL = np.random.default_rng(8).random(SHAPE, dtype=np.float32)


def package(folder, precision):
    return folder / f"tiny_coreml_mlprogram_{precision}_{TILE}x{TILE}.mlpackage"


@pytest.fixture
def literal(tiny_weights):
    with torch.inference_mode():
        return load_weights(tiny_weights)(torch.from_numpy(IMAGE)).numpy()


# Least decibels in float32, and rounded to float16 after every operator.
LEAST = {"fp16": (70, 60), "int8w": (45, 45), "pal6": (38, 38)}


@pytest.mark.parametrize("precision", LEAST)
def test_a_package_computes_the_network(tiny_artifacts, literal, precision):
    look, restore = (Evaluator(package(tiny_artifacts, precision), entry) for entry in contract.ENTRIES)
    assert look.operators > restore.operators > 300
    found = []
    for float16 in (False, True):
        statistics = look({contract.INPUT: IMAGE}, float16=float16)
        assert list(statistics) == list(restore.inputs)[1:]
        outputs = restore({contract.INPUT: IMAGE, **statistics}, float16=float16)
        assert list(outputs) == [contract.OUTPUT]
        assert outputs[contract.OUTPUT].dtype == np.float16  # what the package gives, however it is computed
        restored = outputs[contract.OUTPUT].astype(np.float32)
        found.append(psnr(image=restored, reference=literal, data_range=1.0))
    assert all(figure > least for figure, least in zip(found, LEAST[precision], strict=True)), found
    assert found[0] != found[1]


def test_reading_takes_no_coremltools():
    code = (
        "import sys; from anyir.conversion.coreml.evaluator.reader import protobuf; protobuf('Model_pb2');"
        "print('coremltools' in sys.modules, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


# What is not as it should be -----------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A package of five operators."""
    path = tmp_path / "small.mlpackage"
    write_package(path)
    return path


def test_a_package_written_by_hand(small):
    evaluator = Evaluator(small)
    assert evaluator.operators == 5
    kernel = torch.from_numpy(KERNEL).double()
    exact = torch.nn.functional.conv2d(torch.from_numpy(SMALL).double(), kernel, padding=1)
    result = evaluator({"image": SMALL}, float16=False)["restored"]
    np.testing.assert_allclose(result, torch.sigmoid(exact) * float(GAIN), rtol=1e-5)
    # The same in float16 after every operator.
    image = torch.from_numpy(SMALL).half().double()
    features = torch.nn.functional.conv2d(image, kernel, padding=1).half()
    due = (torch.sigmoid(features.float()).half() * torch.from_numpy(np.array(GAIN))).float()
    rounded = evaluator({"image": SMALL})["restored"]
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(rounded, rounded.astype(np.float16))
    np.testing.assert_allclose(rounded, due, rtol=2**-10)
    assert np.mean(rounded == due.numpy()) > 0.95


def first(block, kind):
    return next(operation for operation in block.operations if operation.type == kind)


def stored(block):
    """The first constant that lies in the weight file."""
    return next(
        operation.attributes["val"]
        for operation in block.operations
        if operation.type == "const" and operation.attributes["val"].WhichOneof("value") == "blobFileValue"
    )


def refused(path, inputs=None):
    """The line that says what is wrong."""
    with pytest.raises(UserError) as caught:
        Evaluator(path)({"image": SMALL} if inputs is None else inputs)
    line = str(caught.value)
    assert line.startswith(f"{path.name}: ")
    assert "\n" not in line
    return line


def manifest(path, change):
    file = path / "Manifest.json"
    content = json.loads(file.read_text())
    change(content, content["itemInfoEntries"][content["rootModelIdentifier"]])
    file.write_text(json.dumps(content))


def cut(file, part=0.5):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])


FILES = {
    "no manifest": (lambda path: (path / "Manifest.json").unlink(), "this is no Core ML package"),
    "no JSON": (lambda path: (path / "Manifest.json").write_text("{"), "Manifest.json is damaged"),
    "another JSON": (lambda path: (path / "Manifest.json").write_text("[1]"), "Manifest.json is damaged"),
    "a model elsewhere": (
        lambda path: manifest(path, lambda _, item: item.update(path="../../other.mlmodel")),
        r"names a model outside the package: \.\./\.\./other\.mlmodel",
    ),
    "no model": (lambda path: (path / MODEL).unlink(), r"its model .*model\.mlmodel is missing"),
    "a cut model": (lambda path: cut(path / MODEL), r"model\.mlmodel is damaged or cut off"),
    "no protobuf": (lambda path: (path / MODEL).write_bytes(b"\xff" * 99), "is damaged or cut off"),
    "an empty model": (lambda path: (path / MODEL).write_bytes(b""), "its model is a None; an ML program"),
    "no weights": (lambda path: (path / WEIGHTS).unlink(), "weight.bin cannot be read: No such file"),
    "cut weights": (lambda path: cut(path / WEIGHTS), r"weight\.bin"),
    "weights of a byte less": (lambda path: cut((path / WEIGHTS), 0.9999), r"weight\.bin is cut: \d+ bytes"),
    "empty weights": (lambda path: (path / WEIGHTS).write_bytes(b""), "is no weight file of version 2"),
}


@pytest.mark.parametrize(("spoil", "reason"), FILES.values(), ids=FILES)
def test_spoilt_files(small, spoil, reason):
    spoil(small)
    assert re.search(reason, refused(small))


def rename_operator(model, block):
    first(block, "sigmoid").type = "sigmund"


def add_control_flow(model, block):
    first(block, "sigmoid").blocks.add()


def move_blob(offset):
    def change(model, block):
        stored(block).blobFileValue.offset = offset

    return change


def name_file(name):
    def change(model, block):
        stored(block).blobFileValue.fileName = name

    return change


def lengthen(model, block):
    stored(block).type.tensorType.dimensions[0].constant.size += 1


def other_type(model, block):
    stored(block).type.tensorType.dataType = 11


def strange_type(model, block):
    stored(block).type.tensorType.dataType = 77


def dangling(model, block):
    first(block, "sigmoid").inputs["x"].arguments[0].name = "nowhere"


def two_values(model, block):
    argument = first(block, "sigmoid").inputs["x"]
    argument.arguments.add().CopyFrom(argument.arguments[0])


def strange_argument(model, block):
    first(block, "sigmoid").inputs["gamma"].CopyFrom(first(block, "sigmoid").inputs["x"])


def missing_argument(model, block):
    del first(block, "conv").inputs["weight"]


def other_shape(model, block):
    first(block, "sigmoid").outputs[0].type.tensorType.dimensions[1].constant.size += 1


def fewer_values(model, block):
    value = next(
        o.attributes["val"].immediateValue.tensor.ints.values
        for o in block.operations
        if o.type == "const" and len(o.attributes["val"].immediateValue.tensor.ints.values) > 1
    )
    value.pop()


def no_output(model, block):
    block.outputs[0] = "nothing"


def no_function(model, block):
    del model.mlProgram.functions["main"]


def other_opset(model, block):
    model.mlProgram.functions["main"].opset = "CoreML99"


def state(model, block):
    model.mlProgram.functions["main"].inputs[0].type.stateType.wrappedType.tensorType.dataType = 10


EDITS = {
    "unknown operator": (rename_operator, "gate: unknown operator 'sigmund'.*did you mean 'sigmoid'"),
    "control flow": (add_control_flow, "sigmoid .* is control flow"),
    "a blob past the end": (move_blob(10**12), r"a weight lies at byte 10+ of @model_path/weights/weight"),
    "a blob between others": (move_blob(96), "no weight begins at byte 96"),
    "a blob in the header": (move_blob(0), "a weight lies at byte 0"),
    "weights elsewhere": (name_file("@model_path/../../../../etc/passwd"), "outside the package"),
    "an absolute path": (name_file("/etc/passwd"), "outside the package"),
    "weights that do not exist": (name_file("@model_path/weights/x.bin"), "x.bin cannot be read: No such"),
    "a longer weight": (lengthen, r"values of fp16 take \d+ bytes, not \d+"),
    "another type of weight": (other_type, "is not of fp32"),
    "a type that does not exist": (strange_type, "values of type 77"),
    "a reference to nothing": (dangling, "sigmoid .* takes nowhere, which nothing gives"),
    "too many values": (two_values, "2 values for its x"),
    "an argument of no such name": (strange_argument, "sigmoid .* cannot be computed: .*'gamma'"),
    "a missing argument": (missing_argument, "conv .* cannot be computed: .*'weight'"),
    "another shape": (other_shape, r"sigmoid .* gives \(1, .* is declared"),
    "a constant of fewer values": (fewer_values, r"a constant of shape \(\d+,\) has \d+ values"),
    "an output that nothing gives": (no_output, "no operator gives its output nothing"),
    "no function": (no_function, "unknown function 'main'"),
    "another opset": (other_opset, "no program for its opset 'CoreML99'"),
    "a state": (state, "a value is a stateType"),
}


@pytest.mark.parametrize(("change", "reason"), EDITS.values(), ids=EDITS)
def test_edited_programs(small, change, reason):
    edit_package(small, change)
    assert re.search(reason, refused(small))


def test_a_weight_file_that_is_a_link_out_of_the_package(small, tmp_path):
    outside = tmp_path / "outside.bin"
    (small / WEIGHTS).rename(outside)
    (small / WEIGHTS).symlink_to(outside)
    assert "outside the package" in refused(small)


@pytest.mark.parametrize(
    ("bits", "reason"),
    [(0x7E00, "const kernel holds NaN"), (0x7BFF, "conv features gives NaN or infinity")],
    ids=["NaN", "65504"],
)
def test_weights_that_are_nan_or_too_large(small, bits, reason):
    data = bytearray((small / WEIGHTS).read_bytes())
    data[128:] = bits.to_bytes(2, "little") * KERNEL.size
    (small / WEIGHTS).write_bytes(data)
    assert re.search(reason, refused(small))


def test_what_overflows_in_float16_alone(small):
    edit_package(small, lambda model, block: set_gain(block, np.float16(65504)))
    edit_package(small, lambda model, block: block.operations.append(doubled(block)))
    evaluator = Evaluator(small)
    assert np.isfinite(evaluator({"image": SMALL}, float16=False)["restored"]).all()
    with pytest.raises(UserError, match="add doubled gives NaN or infinity"):
        evaluator({"image": SMALL})


def set_gain(block, value):
    gain = next(o for o in block.operations if o.outputs[0].name == "gain")
    gain.attributes["val"].immediateValue.tensor.bytes.values = value.tobytes()


def doubled(block):
    """``scaled + scaled``, above the largest float16."""
    add = type(block.operations[0])()
    add.CopyFrom(first(block, "mul"))
    add.type, add.outputs[0].name = "add", "doubled"
    for key in ("x", "y"):
        add.inputs[key].arguments[0].name = "scaled"
    return add


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "its inputs are image; got none"),
        ({"picture": SMALL}, "its inputs are image; got picture"),
        ({"image": SMALL[:, :, :4]}, r"its input image has shape \(1, 3, 8, 8\); got \(1, 3, 4, 8\)"),
        ({"image": np.full_like(SMALL, np.nan)}, "its input image holds NaN"),
    ],
    ids=["none", "another name", "another shape", "NaN"],
)
def test_inputs_that_do_not_fit(small, inputs, reason):
    assert re.search(reason, refused(small, inputs))
