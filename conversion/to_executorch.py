"""ExecuTorch programs (``.pte``) for the XNNPACK backend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.conversion.exporting import Export
from anyir.conversion.manifest import Operators
from anyir.conversion.quantize import quantize_static
from anyir.conversion.source import run_module

if TYPE_CHECKING:
    from anyir.conversion.source import Source


class ExecuTorchExporter:
    """``fp32``, and ``int8``: static PT2E quantization of most convolutions."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def export(self, precision: str, path: Path) -> Export:
        """1. Quantize, if due. 2. Export. 3. Lower to XNNPACK. 4. Write."""
        import torch

        module: Any = self.source.deployed
        quantization, stages = None, []
        if precision == "int8":
            module, quantization = quantize_static(self.source.deployed, self.source.tile)
            stages.append(("quantized", run_module(module, self.source.inputs)))
        program = torch.export.export(module, (self.source.example,))
        data, operators = lower(program)
        path.write_bytes(data)
        return Export(operators, quantization, stages=stages)


def lower(program: Any) -> tuple[bytes, Operators]:
    """Lower an exported program to XNNPACK; what it refuses stays with portable kernels and is counted."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.devtools.backend_debug import get_delegation_info
    from executorch.exir import to_edge_transform_and_lower

    edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    info = get_delegation_info(edge.exported_program().graph_module)
    operators = Operators(
        total=info.num_delegated_nodes + info.num_non_delegated_nodes,
        delegated=info.num_delegated_nodes,
        partitions=info.num_delegated_subgraphs,
    )
    return edge.to_executorch().buffer, operators
