"""Runs one function of a package in PyTorch, operator by operator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anyir.conversion.coreml.evaluator.decompress import DECOMPRESSION
from anyir.conversion.coreml.evaluator.moves import MOVES
from anyir.conversion.coreml.evaluator.operators import OPERATORS
from anyir.conversion.coreml.evaluator.reader import (
    Function,
    Operation,
    Reference,
    errors_named,
    read_function,
)
from anyir.conversion.coreml.evaluator.values import Array, TensorType
from anyir.model.errors import UserError, unknown

SEVERAL = ("values",)
"""Arguments that are a list, even of one."""

FAILURES = (ValueError, TypeError, KeyError, IndexError, RuntimeError, OverflowError)
"""What numpy and PyTorch raise where a program's numbers do not fit together."""


class Evaluator:
    """A function of a package, read, checked and decompressed, ready to run.

    Attributes:
        name: the package's file name.
        inputs: type and shape of each input by its name.
        outputs: the same of each output.
        enumerated: of each input that comes in several shapes, these; the first is the default one.
        constants: by their names, decompressed, each in the type that the program declares.
        operators: number of operations that run; constants and decompression are none.
    """

    def __init__(self, package: Path, function: str | None = None) -> None:
        """Read a package.

        Args:
            function: its name; default: the one that Core ML takes, if there are several.

        Raises:
            UserError: what is wrong with the package, or the name of an operator that is not known.
        """
        self._package, self.name = package, package.name
        program = read_function(package, function)
        self.inputs, self.enumerated = program.inputs, program.enumerated
        self.constants: dict[str, Array | str] = {}
        with errors_named(package):
            self._steps = self._prepare(program.operations)
            self.outputs = self._find_outputs(program)
        self.operators = len(self._steps)
        self._tensors = {name: _as_tensor(value) for name, value in self.constants.items()}
        # After which step a value is not needed any more.
        self._last = {name: i for i, step in enumerate(self._steps) for name in _references(step)}

    def __call__(
        self,
        inputs: Mapping[str, Array],
        *,
        float16: bool = True,
        observe: Callable[[str, Tensor], object] = lambda name, value: None,
    ) -> dict[str, Array]:
        """Run the function.

        Args:
            inputs: arrays by the names of ``inputs``.
            float16: round after every operator whose result the program declares as float16, as a phone
                does; else all is computed in float32, with the weights as they are.
            observe: called with the name and value of each input and each operator's result, which is not
                its to keep.

        Returns:
            The outputs by name; float16 where the program says so.

        Raises:
            UserError: inputs that do not fit, or the operator that failed or gave NaN or infinity.
        """
        with torch.inference_mode(), errors_named(self._package):
            accepted = self._accept(inputs, float16)
            values: dict[str, Any] = {**self._tensors, **accepted}
            for name, value in accepted.items():
                observe(name, value)
            for i, step in enumerate(self._steps):
                for (name, kind), result in zip(step.outputs, _run(step, values), strict=True):
                    values[name] = _checked(step, kind, result, float16)
                    observe(name, values[name])
                for name in _references(step):
                    if self._last[name] == i and name not in self.outputs and name not in self._tensors:
                        values.pop(name, None)
            return {
                name: values[name].numpy().astype(kind.dtype.numpy) for name, kind in self.outputs.items()
            }

    def _prepare(self, operations: tuple[Operation, ...]) -> list[Operation]:
        """Evaluate constants, and check that everything else can be run."""
        known, steps = set(self.inputs), []
        for step in operations:
            for name in _references(step):
                if name not in known and name not in self.constants:
                    raise UserError(f"{step.type} {step.name} takes {name}, which nothing gives")
            if step.type == "const" or step.type in DECOMPRESSION:
                self._add_constants(step)
            elif step.type in OPERATORS:
                steps.append(step)
                known.update(name for name, _ in step.outputs)
            else:
                raise UserError(f"{step.name}: {unknown('operator', step.type, OPERATORS)}")
        return steps

    def _find_outputs(self, program: Function) -> dict[str, TensorType]:
        """The outputs with their types, in the program's order."""
        kinds = dict(self.inputs)
        for step in self._steps:
            kinds.update(step.outputs)
        for name in program.outputs:
            if name not in kinds:
                raise UserError(f"no operator gives its output {name}")
        return {name: kinds[name] for name in program.outputs}

    def _add_constants(self, step: Operation) -> None:
        """The value of a constant, or of a compressed weight, rounded to its declared type."""
        arguments = _arguments(step, self.constants)
        try:
            result = arguments["val"] if step.type == "const" else DECOMPRESSION[step.type](**arguments)
        except FAILURES as error:
            raise _failure(step, error) from error
        results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(step.outputs):
            raise UserError(f"{step.type} {step.name} declares {len(step.outputs)} outputs")
        for (name, kind), value in zip(step.outputs, results, strict=True):
            if isinstance(value, str):
                self.constants[name] = value
                continue
            if not kind.fits(value.shape):
                raise UserError(f"{step.type} {name} has shape {value.shape}; {kind.shape} is declared")
            value = value.astype(kind.dtype.numpy, copy=False)
            if value.dtype.kind == "f" and np.isnan(value).any():
                raise UserError(f"{step.type} {name} holds NaN")
            self.constants[name] = value

    def _accept(self, inputs: Mapping[str, Array], float16: bool) -> dict[str, Tensor]:
        """Inputs as tensors, checked."""
        if set(inputs) != set(self.inputs):
            raise UserError(f"its inputs are {', '.join(self.inputs)}; got {', '.join(inputs) or 'none'}")
        accepted = {}
        for name, kind in self.inputs.items():
            array = np.asarray(inputs[name])
            if not kind.fits(array.shape):
                raise UserError(f"its input {name} has shape {kind.shape}; got {array.shape}")
            if array.shape not in self.enumerated.get(name, (array.shape,)):
                shapes = ", ".join(map(str, self.enumerated[name]))
                raise UserError(f"its input {name} has one of the shapes {shapes}; got {array.shape}")
            if not np.isfinite(array).all():
                raise UserError(f"its input {name} holds NaN or infinity")
            tensor = _as_tensor(array.astype(kind.dtype.numpy))
            assert isinstance(tensor, Tensor)
            accepted[name] = tensor
        return accepted


def _run(step: Operation, values: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """The results of one operator."""
    operator: Callable[..., Any] = OPERATORS[step.type]
    try:
        result = operator(**_arguments(step, values, _as_tensor))
    except FAILURES as error:
        raise _failure(step, error) from error
    results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    if len(results) != len(step.outputs):
        raise UserError(f"{step.type} {step.name} declares {len(step.outputs)} outputs; got {len(results)}")
    return results


def _checked(step: Operation, kind: TensorType, result: Tensor, float16: bool) -> Tensor:
    """A result, rounded if due; refused where it is not finite or of another shape than declared."""
    if not kind.fits(tuple(result.shape)):
        raise UserError(f"{step.type} {step.name} gives {tuple(result.shape)}; {kind.shape} is declared")
    if step.type in MOVES or not result.is_floating_point():
        return result
    if float16 and kind.dtype.name == "fp16":
        result.copy_(result.half())  # in place: no operator but those that move values gives back an input
    if result.numel():
        least, largest = map(float, torch.aminmax(result))
        if not (math.isfinite(least) and math.isfinite(largest)):
            raise UserError(f"{step.type} {step.name} gives NaN or infinity")
    return result


def _references(step: Operation) -> list[str]:
    """Names of the values that an operation takes."""
    return [v.name for values in step.arguments.values() for v in values if isinstance(v, Reference)]


def _arguments(
    step: Operation, known: Mapping[str, Any], convert: Callable[[Any], Any] = lambda value: value
) -> dict[str, Any]:
    """Arguments with references replaced by what ``known`` has for them, and other values converted."""
    arguments = {}
    for key, values in step.arguments.items():
        try:
            found = [known[v.name] if isinstance(v, Reference) else convert(v) for v in values]
        except KeyError as error:
            raise UserError(f"{step.type} {step.name} takes {error.args[0]}, which is no constant") from error
        if key not in SEVERAL and len(found) != 1:
            raise UserError(f"{step.type} {step.name}: {len(found)} values for its {key}")
        arguments[key] = found if key in SEVERAL else found[0]
    return arguments


def _as_tensor(value: Array | str) -> Tensor | str:
    """Constants as operators take them: floating ones in float32, integers as wide as PyTorch has them."""
    if isinstance(value, str):
        return value
    if value.dtype.kind == "f":
        return torch.from_numpy(np.array(value, np.float32))
    if value.dtype.kind == "u" and value.dtype != np.uint8:
        value = value.astype(np.int64)
    return torch.from_numpy(np.array(value))


def _failure(step: Operation, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"{step.type} {step.name} cannot be computed: {reason}")
