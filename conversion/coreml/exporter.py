"""Core ML packages (``.mlpackage``): ML programs of two functions, for iOS 18 and later.

Earlier systems take one function a package: two packages, with all weights twice.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.conversion import contract
from anyir.conversion.base import Export
from anyir.conversion.coreml.activations import quantize_static
from anyir.conversion.coreml.any_size import any_size, export_for
from anyir.conversion.coreml.compress import COMPRESSIONS
from anyir.conversion.coreml.runner import DTYPE
from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError, unknown

if TYPE_CHECKING:
    from anyir.conversion.source import Source

TARGET = "iOS18"
STATIC = "int8"
PRECISIONS = ("fp16", STATIC, *COMPRESSIONS)


class CoreMlExporter:
    """``fp16``; ``int8``, with 8-bit convolutions; ``compress.COMPRESSIONS``, with smaller weights."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def float16(self) -> dict[str, Any]:
        """The converted functions, a program each, which the other precisions start from."""
        return {entry: convert(self.source, entry) for entry in contract.ENTRIES}

    def export(self, backend: str, precision: str, path: Path) -> Export:
        """1. Convert. 2. Quantize or compress, if due. 3. Save as one. 4. Count the saved operators."""
        from anyir.conversion.coreml.evaluator.evaluator import Evaluator

        if precision not in PRECISIONS:
            raise UserError(unknown(f"precision of coreml {backend}", precision, PRECISIONS))
        models, quantization = self.float16, None
        if precision in COMPRESSIONS:
            compression = COMPRESSIONS[precision]
            models = {entry: compression.apply(model) for entry, model in models.items()}
            quantization = compression.describe()
        elif precision == STATIC:
            names = contract.statistic_names(len(self.source.statistic_shapes))
            models, quantization = quantize_static(models, self.source.calibration, names)
        save_as_one(models, path)
        operators = {
            entry: Operators(total=Evaluator(path, entry).operators, delegated=None, partitions=None)
            for entry in contract.ENTRIES
        }
        return Export(operators, quantization, target=TARGET, dtype=DTYPE)


def convert(source: Source, entry: str) -> Any:
    """One entry as a program of its own, in float16; ``restore`` for all sizes of tiles."""
    import coremltools as ct
    import torch

    examples = source.examples[entry]
    names = contract.statistic_names(len(source.statistic_shapes))
    inputs, outputs = [contract.INPUT], names
    if entry == contract.RESTORE:
        inputs, outputs = [contract.INPUT, *names], [contract.OUTPUT]
    image: Any = tuple(examples[0].shape)
    if entry == contract.RESTORE and source.other_sizes:
        sizes = [source.tile_size, *source.other_sizes]
        program = export_for(sizes, any_size(source.deployed[entry]), examples)
        image = ct.EnumeratedShapes([contract.shape(size) for size in sizes], default=image)
    else:
        program = torch.export.export(source.deployed[entry], examples)
    shapes = [image, *(tuple(statistic.shape) for statistic in examples[1:])]
    return ct.convert(
        program.run_decompositions({}),
        convert_to="mlprogram",
        minimum_deployment_target=getattr(ct.target, TARGET),
        compute_precision=ct.precision.FLOAT16,
        inputs=[
            ct.TensorType(name=name, shape=shape, dtype=np.dtype(DTYPE).type)
            for name, shape in zip(inputs, shapes, strict=True)
        ],
        outputs=[ct.TensorType(name=name, dtype=np.dtype(DTYPE).type) for name in outputs],
        skip_model_load=True,
    )


def save_as_one(models: dict[str, Any], path: Path) -> None:
    """Write programs as functions of one package, which has each weight once."""
    from coremltools.models.utils import MultiFunctionDescriptor, save_multifunction

    with TemporaryDirectory(dir=path.parent) as scratch:
        functions = MultiFunctionDescriptor()
        for entry, model in models.items():
            single = str(Path(scratch) / f"{entry}.mlpackage")
            model.save(single)
            functions.add_function(single, src_function_name="main", target_function_name=entry)
        functions.default_function_name = contract.RESTORE
        save_multifunction(functions, str(path))
