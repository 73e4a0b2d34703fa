"""ExecuTorch programs (``.pte``) for the XNNPACK and the Vulkan backend."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.conversion import contract
from anyir.conversion.base import Export
from anyir.conversion.executorch.provenance import shared_provenance
from anyir.conversion.executorch.quantize import quantize_mixed, quantize_static
from anyir.conversion.executorch.repeats import without_repeats
from anyir.conversion.executorch.xnnpack_layout import free_rows
from anyir.conversion.gpu_form import stacked
from anyir.conversion.manifest import Operators
from anyir.conversion.runtimes import by_name

if TYPE_CHECKING:
    from torch import nn

    from anyir.conversion.source import Source

OPERATOR = re.compile(r"\w+\.\w+(\.\w+)?")
"""An operator's name, such as ``aten.mean.dim``, in what an ExecuTorch operator prints of itself."""


@dataclass(frozen=True)
class Lowering:
    """How programs are made for one backend.

    Attributes:
        partitioner: of a precision: what decides which operators the backend takes.
        precisions: each with what makes quantized modules and their description of the deploy form's.
        look: another form of ``look`` that this backend takes whole, and its name as a stage of the
            conversion; None: the deploy form's.
        changes: of ExecuTorch, made while a program is lowered.
    """

    partitioner: Callable[[str], Any]
    precisions: dict[str, Callable[..., Any] | None]
    look: tuple[str, Callable[[nn.Module], nn.Module]] | None = None
    changes: Callable[[], AbstractContextManager[Any]] = nullcontext


class ExecuTorchExporter:
    """XNNPACK: ``fp32``; ``int8`` and ``mixed``, static PT2E quantization of most convolutions, or of
    those that ``anyir sensitivity`` chose. Vulkan: ``fp32``, and
    ``fp16``, where weights and arithmetic are float16. The entries are two methods."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def export(self, backend: str, precision: str, path: Path) -> Export:
        """1. Quantize, if due. 2. Export. 3. Lower to the backend. 4. Write."""
        lowering = LOWERINGS[backend]
        quantize = by_name(lowering.precisions, f"precision of executorch {backend}", precision)
        import torch

        modules: dict[str, Any] = dict(self.source.deployed)
        quantization, stages = None, []
        if lowering.look is not None:
            stage, change = lowering.look
            modules[contract.LOOK] = change(modules[contract.LOOK])
            stages.append((stage, self.source.run(modules, self.source.inputs)))
        if quantize is not None:
            modules, quantization = quantize(modules, self.source)
            stages.append(("quantized", self.source.run(modules, self.source.inputs)))
        examples = self.source.examples
        programs = {entry: torch.export.export(module, examples[entry]) for entry, module in modules.items()}
        with lowering.changes():
            lowered = lower(programs, lowering.partitioner(precision))
        path.write_bytes(lowered.data)
        return Export(lowered.operators, quantization, stages=stages, refused=lowered.refused)


@dataclass(frozen=True)
class Lowered:
    """A program, and of each method what the backend takes and what it leaves to portable kernels."""

    data: bytes
    operators: dict[str, Operators]
    refused: dict[str, list[str]]


def lower(programs: dict[str, Any], partitioner: Any) -> Lowered:
    """Lower exported programs to a backend, as methods of one file that has each constant once.

    What the backend refuses stays with portable kernels and is counted.
    """
    from executorch.exir import to_edge_transform_and_lower

    with shared_provenance(), without_repeats():
        edge = to_edge_transform_and_lower(programs, partitioner=[partitioner])
        graphs = {entry: edge.exported_program(entry).graph_module for entry in programs}
        # Before the program is written, which changes these graphs: memory is planned in them.
        operators = {entry: count(graph) for entry, graph in graphs.items()}
        refused = {entry: name_refused(graph) for entry, graph in graphs.items()}
        # Its passes go through every delegate's graph again, and copy it each time.
        data = edge.to_executorch().buffer
    return Lowered(data, operators, refused)


def name_refused(lowered: Any) -> list[str]:
    """What a backend left in one lowered graph: operator, shape and the line of code that it comes from."""
    found: dict[str, int] = {}
    for node in lowered.graph.nodes:
        if node.op != "call_function" or node.target is operator.getitem or "delegate" in str(node.target):
            continue
        shape = tuple(getattr(node.meta.get("val"), "shape", ()))
        name = OPERATOR.search(str(node.target))
        kind = name.group() if name else str(node.target)
        line = f"{kind} of {shape} at {source_line(node.meta.get('stack_trace') or '')}"
        found[line] = found.get(line, 0) + 1
    return [f"{line} ({times} times)" if times > 1 else line for line, times in found.items()]


def source_line(trace: str) -> str:
    """The innermost line of a Python traceback, as ``attention.py:95``."""
    lines = [line.strip() for line in trace.splitlines() if line.strip().startswith("File ")]
    if not lines:
        return "an unknown line"
    file, line = lines[-1].split(", ")[:2]
    return f"{Path(file.removeprefix('File ').strip(chr(34))).name}:{line.removeprefix('line ')}"


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


def vulkan_partitioner(precision: str) -> Any:
    """Vulkan's partitioner, with the texture limits that every GPU has, 2,048 a side."""
    from executorch.backends.vulkan.partitioner.vulkan_partitioner import VulkanPartitioner

    return VulkanPartitioner({"small_texture_limits": True, "force_fp16": precision == "fp16"})


LOWERINGS = {
    "xnnpack": Lowering(
        partitioner=lambda precision: whole_graph_partitioner(),
        precisions={"fp32": None, "int8": quantize_static, "mixed": quantize_mixed},
        changes=free_rows,
    ),
    "vulkan": Lowering(
        partitioner=vulkan_partitioner,
        precisions={"fp32": None, "fp16": None},
        look=("sums for Vulkan", stacked),
    ),
}
"""By backend."""
