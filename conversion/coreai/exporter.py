"""Core AI assets (``.aimodel``), a beta of Apple's: programs of two functions, for iOS 27 and macOS 27."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

from anyir.conversion import contract
from anyir.conversion.base import Export
from anyir.conversion.coreai.program import count
from anyir.conversion.runtimes import by_name

if TYPE_CHECKING:
    from anyir.conversion.source import Source

TARGET = "iOS27"
DTYPES = {"fp32": "float32", "fp16": "float16"}
"""Precision -> type of weights, inputs and outputs, and of all arithmetic."""


class CoreAiExporter:
    """``fp32`` and ``fp16``: the deploy form as it is, in that type."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def export(self, backend: str, precision: str, path: Path) -> Export:
        """1. Export each entry in its type. 2. Convert both. 3. Save as one. 4. Count what was saved."""
        dtype = by_name(DTYPES, f"precision of coreai {backend}", precision)
        import torch
        from coreai_torch import TorchConverter, get_decomp_table

        kind = getattr(torch, dtype)
        # By default the source's paths on this machine and its lines are written into the asset.
        converter = TorchConverter(mode=TorchConverter.Mode.RELEASE)
        names = contract.statistic_names(len(self.source.statistic_shapes))
        sides = {
            contract.LOOK: ([contract.INPUT], names),
            contract.RESTORE: ([contract.INPUT, *names], [contract.OUTPUT]),
        }
        for entry, (inputs, outputs) in sides.items():
            module = deepcopy(self.source.deployed[entry]).to(kind)
            examples = tuple(example.to(kind) for example in self.source.examples[entry])
            program = torch.export.export(module, examples).run_decompositions(get_decomp_table())
            converter.add_exported_program(
                program, input_names=inputs, output_names=outputs, entrypoint_name=entry
            )
        converter.to_coreai().save_asset(path)
        return Export(count(path), target=TARGET, dtype=dtype)
