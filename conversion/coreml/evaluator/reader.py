"""Reading a package: its ``Manifest.json``, its program's protobuf, and its weight files.

The protobuf classes are those of ``coremltools``, loaded by their files: importing ``coremltools`` itself
takes 10 to 25 seconds, these a tenth of one.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any, NamedTuple

from anyir.conversion.coreml.evaluator.values import Array, TensorType, Weights, constant, tensor_type
from anyir.model.errors import UserError, unknown

PROTOBUF = "anyir_coreml_proto"
"""The name under which ``coremltools/proto`` is imported."""


class Reference(NamedTuple):
    """An argument that another operation, or an input, gives."""

    name: str


@dataclass(frozen=True)
class Operation:
    """One line of a program.

    Attributes:
        arguments: inputs and attributes by their names in the MIL specification. Most have one value.
        outputs: their names and types.
    """

    type: str
    arguments: dict[str, tuple[Reference | Array | str, ...]]
    outputs: tuple[tuple[str, TensorType], ...]

    @property
    def name(self) -> str:
        """That of the first output, which is how a program refers to it."""
        return self.outputs[0][0] if self.outputs else "without an output"


@dataclass(frozen=True)
class Function:
    """One function of a program.

    Attributes:
        operations: each after those that it refers to.
        outputs: names of values.
        enumerated: of each input that comes in several shapes, these; the first is the default one.
    """

    inputs: dict[str, TensorType]
    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]
    enumerated: dict[str, tuple[tuple[int, ...], ...]]


def read_function(package: Path, name: str | None = None) -> Function:
    """Read one function of a package.

    Args:
        name: of the function; default: the one that Core ML takes, if there are several.

    Raises:
        UserError: in one line, whatever the package lacks or has too much.
    """
    with errors_named(package):
        return _read(package, name)


@contextmanager
def errors_named(package: Path) -> Iterator[None]:
    """Put the package's name in front of errors."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{package.name}: {error}") from error


def _read(package: Path, name: str | None) -> Function:
    root = package.resolve()
    file = model_file(root)
    model = protobuf("Model_pb2").Model()
    from google.protobuf.message import DecodeError

    try:
        model.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise UserError(f"{file.name} is damaged or cut off") from error
    except OSError as error:
        raise UserError(f"{file.name} cannot be read: {error.strerror}") from error
    if model.WhichOneof("Type") != "mlProgram":
        raise UserError(f"its model is a {model.WhichOneof('Type')}; an ML program is due")
    functions = model.mlProgram.functions
    name = name or model.description.defaultFunctionName or "main"
    if name not in functions:
        raise UserError(unknown("function", name, sorted(functions)))
    function = functions[name]
    if function.opset not in function.block_specializations:
        raise UserError(f"function {name} has no program for its opset {function.opset!r}")
    block = function.block_specializations[function.opset]
    weights = Weights(file.parent, root)
    return Function(
        inputs={value.name: tensor_type(value.type) for value in function.inputs},
        operations=tuple(_operation(proto, weights) for proto in block.operations),
        outputs=tuple(block.outputs),
        enumerated=dict(_enumerated(model.description, name)),
    )


def _enumerated(description: Any, name: str) -> Iterator[tuple[str, tuple[tuple[int, ...], ...]]]:
    """Inputs of a function that come in several shapes, each with these, the default one first."""
    features = next((found.input for found in description.functions if found.name == name), description.input)
    for feature in features:
        array = feature.type.multiArrayType
        if array.WhichOneof("ShapeFlexibility") == "enumeratedShapes":
            default = tuple(array.shape)
            shapes = [tuple(each.shape) for each in array.enumeratedShapes.shapes]
            if default not in shapes:
                raise UserError(
                    f"its input {feature.name} is of {default} by default, which is none of its shapes"
                )
            yield feature.name, (default, *(shape for shape in shapes if shape != default))


def model_file(package: Path) -> Path:
    """The file of the program, which the package's manifest names.

    Raises:
        UserError: no package, a damaged manifest, or a file that is missing or outside the package.
    """
    path = package / "Manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        item = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
        file = (package / "Data" / item).resolve()
    except FileNotFoundError as error:
        raise UserError("no Manifest.json: this is no Core ML package") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"its Manifest.json is damaged ({type(error).__name__}: {error})") from error
    if not file.is_relative_to(package.resolve()):
        raise UserError(f"its Manifest.json names a model outside the package: {item}")
    if not file.is_file():
        raise UserError(f"its model {item} is missing")
    return file


def _operation(proto: Any, weights: Weights) -> Operation:
    outputs = [value.name for value in proto.outputs]
    name = outputs[0] if outputs else "without an output"
    if proto.blocks:
        raise UserError(f"{proto.type} {name} is control flow, which cannot be evaluated")
    try:
        arguments: dict[str, tuple[Reference | Array | str, ...]] = {
            key: (constant(value, weights),) for key, value in proto.attributes.items() if key != "name"
        }
        for key, argument in proto.inputs.items():
            arguments[key] = tuple(
                Reference(binding.name)
                if binding.WhichOneof("binding") == "name"
                else constant(binding.value, weights)
                for binding in argument.arguments
            )
        types = [tensor_type(value.type) for value in proto.outputs]
    except UserError as error:
        raise UserError(f"{proto.type} {name}: {error}") from error
    return Operation(proto.type, arguments, tuple(zip(outputs, types, strict=True)))


def protobuf(module: str) -> Any:
    """One of the modules that the protobuf compiler made for ``coremltools``, such as ``Model_pb2``.

    Raises:
        ModuleNotFoundError: ``coremltools`` or ``protobuf`` is not installed.
    """
    if PROTOBUF not in sys.modules:
        found = find_spec("coremltools")
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError("No module named 'coremltools'", name="coremltools")
        spec = ModuleSpec(PROTOBUF, None, is_package=True)
        spec.submodule_search_locations = [f"{found.submodule_search_locations[0]}/proto"]
        sys.modules[PROTOBUF] = module_from_spec(spec)
    return importlib.import_module(f"{PROTOBUF}.{module}")
