"""Writes a Core ML package by hand: what the evaluator's tests spoil, without coremltools."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from anyir.conversion.coreml.evaluator.reader import protobuf

SHAPE = (1, 3, 8, 8)
KERNEL = np.random.default_rng(5).standard_normal((4, 3, 3, 3)).astype(np.float16)
GAIN = np.float16(0.3)
FP16, FP32, INT32, STRING = 10, 11, 23, 2
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"
MODEL = "Data/com.apple.CoreML/model.mlmodel"


def write_package(folder: Path) -> None:
    """``restored = sigmoid(conv(image)) * 0.3``, in float16 between two casts."""
    model = protobuf("Model_pb2").Model(specificationVersion=8)
    function = model.mlProgram.functions["main"]
    model.mlProgram.version = 1
    function.opset = "CoreML7"
    block = function.block_specializations["CoreML7"]
    value = function.inputs.add(name="image")
    declare(value.type, FP32, SHAPE)
    inner = (1, 4, 8, 8)
    constant(block, "half", STRING, (), "fp16")
    constant(block, "full", STRING, (), "fp32")
    constant(block, "custom", STRING, (), "custom")
    constant(block, "sides", INT32, (4,), [1, 1, 1, 1])
    constant(block, "gain", FP16, (), GAIN.tobytes())
    kernel = block.operations.add(type="const")
    declare(kernel.outputs.add(name="kernel").type, FP16, KERNEL.shape)
    declare(kernel.attributes["val"].type, FP16, KERNEL.shape)
    kernel.attributes["val"].blobFileValue.fileName = "@model_path/weights/weight.bin"
    kernel.attributes["val"].blobFileValue.offset = 64
    operation(block, "cast", "narrow", FP16, SHAPE, x="image", dtype="half")
    operation(
        block, "conv", "features", FP16, inner, x="narrow", weight="kernel", pad_type="custom", pad="sides"
    )
    operation(block, "sigmoid", "gate", FP16, inner, x="features")
    operation(block, "mul", "scaled", FP16, inner, x="gate", y="gain")
    operation(block, "cast", "restored", FP32, inner, x="scaled", dtype="full")
    block.outputs.append("restored")

    data = KERNEL.tobytes()
    header = struct.pack("<II", 1, 2).ljust(64, b"\0")
    metadata = struct.pack("<IIQQ", 0xDEADBEEF, 1, len(data), 128).ljust(64, b"\0")
    (folder / WEIGHTS).parent.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(header + metadata + data)
    (folder / MODEL).write_bytes(model.SerializeToString())
    item = {"path": "com.apple.CoreML/model.mlmodel", "name": "model.mlmodel"}
    manifest = {"itemInfoEntries": {"A": item}, "rootModelIdentifier": "A"}
    (folder / "Manifest.json").write_text(json.dumps(manifest))


def declare(proto: Any, kind: int, shape: tuple[int, ...]) -> None:
    """Fill in a type of ``MIL.proto``."""
    proto.tensorType.dataType, proto.tensorType.rank = kind, len(shape)
    for length in shape:
        proto.tensorType.dimensions.add().constant.size = length


def constant(block: Any, name: str, kind: int, shape: tuple[int, ...], value: Any) -> None:
    """Add a constant that is stored in the program."""
    added = block.operations.add(type="const")
    declare(added.outputs.add(name=name).type, kind, shape)
    declare(added.attributes["val"].type, kind, shape)
    tensor = added.attributes["val"].immediateValue.tensor
    if kind == STRING:
        tensor.strings.values.append(value)
    elif kind == INT32:
        tensor.ints.values.extend(value)
    else:
        tensor.bytes.values = value


def operation(block: Any, kind: str, name: str, made: int, shape: tuple[int, ...], **inputs: str) -> None:
    """Add an operator with one output."""
    added = block.operations.add(type=kind)
    declare(added.outputs.add(name=name).type, made, shape)
    for key, reference in inputs.items():
        added.inputs[key].arguments.add(name=reference)


def edit_package(folder: Path, change: Any) -> None:
    """Change a package's program: ``change`` gets the model and the block of its function."""
    file = folder / MODEL
    model = protobuf("Model_pb2").Model()
    model.ParseFromString(file.read_bytes())
    function = model.mlProgram.functions["main"]
    change(model, function.block_specializations[function.opset])
    file.write_bytes(model.SerializeToString())
