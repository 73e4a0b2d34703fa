"""What is in a LiteRT file's two graphs, and how much of each the delegate took once it is loaded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from anyir.conversion import contract
from anyir.conversion.base import THREADS
from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
SUBGRAPHS = 2
"""Field of the model in LiteRT's ``schema.fbs``."""


@dataclass(frozen=True)
class Graph:
    """One loaded graph.

    Attributes:
        nodes: its operators and its delegates, with ``op_name``, ``inputs`` and ``outputs``.
        names, shapes: of its tensors, by their number.
    """

    nodes: list[dict[str, Any]]
    names: dict[int, str]
    shapes: dict[int, tuple[int, ...]]


def graph_by_graph(data: bytes) -> dict[str, Graph]:
    """Both entries of a file, loaded as an app loads them.

    LiteRT's interpreter lists the operators of a file's first graph alone, so that the file is loaded once
    more with its second graph as the first.

    Raises:
        UserError: the file does not have the contract's two entries.
        RuntimeError, ValueError: LiteRT refuses the file.
    """
    from ai_edge_litert.interpreter import Interpreter

    wrapper = Interpreter(model_content=data)._interpreter
    found = list(wrapper.GetSignatureDefs() or {})
    if sorted(found) != sorted(contract.ENTRIES):
        raise UserError(f"the file has the signatures {', '.join(found) or 'none'}, not look and restore")
    number = {entry: wrapper.GetSubgraphIndexFromSignature(entry) for entry in contract.ENTRIES}
    return {entry: load_first(data if i == 0 else swapped(data)) for entry, i in number.items()}


def load_first(data: bytes) -> Graph:
    """A file's first graph."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data, num_threads=THREADS)
    interpreter.allocate_tensors()
    tensors = interpreter.get_tensor_details()
    return Graph(
        nodes=interpreter._get_ops_details(),
        names={tensor["index"]: tensor["name"] for tensor in tensors},
        shapes={tensor["index"]: tuple(map(int, tensor["shape"])) for tensor in tensors},
    )


def swapped(data: bytes) -> bytes:
    """A file of two graphs with the second as the first; its signatures then name the wrong ones.

    The file is a flatbuffer: two offsets, each counted from its own place, trade what they point to.
    """
    (model,) = struct.unpack_from("<I", data)
    table = model - struct.unpack_from("<i", data, model)[0]
    (field,) = struct.unpack_from("<H", data, table + 4 + 2 * SUBGRAPHS)
    vector = model + field + struct.unpack_from("<I", data, model + field)[0]
    count, first, second = struct.unpack_from("<III", data, vector)
    if count != 2:
        raise UserError(f"the file has {count} graphs, not 2")
    changed = bytearray(data)
    struct.pack_into("<II", changed, vector + 4, second + 4, first - 4)
    return bytes(changed)


def count(nodes: list[dict[str, Any]]) -> Operators:
    """Count the operators of a loaded graph, and those that XNNPACK runs.

    A delegate hides its nodes: those between a delegate's outputs and its inputs are its own.
    """
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    graph = [node for node in nodes if node["op_name"] != "DELEGATE"]
    producer = {int(out): i for i, node in enumerate(graph) for out in node["outputs"]}
    taken: set[int] = set()
    for delegate in delegates:
        inputs = {int(tensor) for tensor in delegate["inputs"]}
        waiting = [int(tensor) for tensor in delegate["outputs"]]
        while waiting:
            tensor = waiting.pop()
            node = producer.get(tensor)
            if tensor in inputs or node is None or node in taken:
                continue
            taken.add(node)
            waiting += [int(t) for t in graph[node]["inputs"]]
    return Operators(total=len(graph), delegated=len(taken), partitions=len(delegates))


def uncounted(graph: Graph) -> Operators:
    """How many operators a graph has, where nobody can tell what takes them."""
    own = sum(node["op_name"] != "DELEGATE" for node in graph.nodes)
    return Operators(total=own, delegated=None, partitions=None)
