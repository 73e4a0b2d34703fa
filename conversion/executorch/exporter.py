"""ExecuTorch programs (``.pte``) for the XNNPACK backend."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.conversion.base import Export
from anyir.conversion.executorch.provenance import shared_provenance
from anyir.conversion.executorch.quantize import quantize_static
from anyir.conversion.executorch.xnnpack_layout import free_rows
from anyir.conversion.manifest import Operators
from anyir.conversion.runtimes import by_name
from anyir.conversion.source import run_modules

if TYPE_CHECKING:
    from anyir.conversion.source import Source

QUANTIZERS = {"fp32": None, "int8": quantize_static}
"""Precision -> what makes quantized modules and their description of the deploy form's."""


class ExecuTorchExporter:
    """``fp32``, and ``int8``: static PT2E quantization of most convolutions. The entries are two methods."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def export(self, precision: str, path: Path) -> Export:
        """1. Quantize, if due. 2. Export. 3. Lower to XNNPACK. 4. Write."""
        quantize = by_name(QUANTIZERS, "precision of ExecuTorch", precision)
        import torch

        modules: dict[str, Any] = self.source.deployed
        quantization, stages = None, []
        if quantize is not None:
            modules, quantization = quantize(self.source.deployed, self.source.tile)
            stages.append(("quantized", run_modules(modules, self.source.inputs)))
        examples = self.source.examples
        data, operators = lower(
            {entry: torch.export.export(module, examples[entry]) for entry, module in modules.items()}
        )
        path.write_bytes(data)
        return Export(operators, quantization, stages=stages)


def lower(programs: dict[str, Any]) -> tuple[bytes, dict[str, Operators]]:
    """Lower exported programs to XNNPACK, as methods of one file that has each constant once.

    What XNNPACK refuses stays with portable kernels and is counted.
    """
    from executorch.exir import to_edge_transform_and_lower

    with shared_provenance(), free_rows():
        edge = to_edge_transform_and_lower(programs, partitioner=[whole_graph_partitioner()])
    operators = {entry: count(edge.exported_program(entry).graph_module) for entry in programs}
    return edge.to_executorch().buffer, operators


def count(lowered: Any) -> Operators:
    """How much of one lowered graph the delegate takes."""
    from executorch.devtools.backend_debug import get_delegation_info

    info = get_delegation_info(lowered)
    # getitem only takes a delegate's output out of its tuple: no kernel runs.
    picks = sum(node.target is operator.getitem for node in lowered.graph.nodes)
    return Operators(
        total=info.num_delegated_nodes + info.num_non_delegated_nodes - picks,
        delegated=info.num_delegated_nodes,
        partitions=info.num_delegated_subgraphs,
    )


def whole_graph_partitioner() -> Any:
    """XNNPACK's partitioner, which takes a graph as one piece where it supports every operator.

    Its own grouping tears a quantized graph of this size into pieces that depend on each other, and then
    fails with "Invalid partition, found dependency cycles" (executorch 1.5.1). Where an operator is not
    supported, its own grouping decides.
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from torch.fx.passes.infra.partitioner import Partition

    class WholeGraphPartitioner(XnnpackPartitioner):
        def generate_partitions(self, ep: Any) -> list[Any]:
            supported = {node for group in self.get_matched_nodes_from_configs(ep) for node in group}
            if all(n in supported for n in ep.graph_module.graph.nodes if n.op == "call_function"):
                return [Partition(id=0, nodes=supported)]
            return super().generate_partitions(ep)

    return WholeGraphPartitioner()
