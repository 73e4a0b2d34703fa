"""Counting what a delegate took of a graph."""

import struct

import pytest

from anyir.conversion.litert.gpu import check_textures
from anyir.conversion.litert.graph import Graph, count, swapped
from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError


def node(name, inputs, outputs):
    return {"op_name": name, "inputs": inputs, "outputs": outputs}


def test_what_lies_between_a_delegate_s_outputs_and_inputs_is_its_own():
    nodes = [
        node("CONV_2D", [0], [1]),
        node("ADD", [1], [2]),
        node("CUSTOM", [2], [3]),
        node("TANH", [3], [4]),
        node("DELEGATE", [1], [3]),
    ]
    assert count(nodes) == Operators(total=4, delegated=2, partitions=1)


def model(subgraphs):
    """A flatbuffer whose third field is a vector of "tables", each one number long: its place in the list."""
    head = struct.pack("<I", 20) + bytes(4)
    vtable = struct.pack("<HHHHH", 10, 8, 0, 0, 4) + bytes(2)
    table = struct.pack("<iI", 12, 4)
    vector = struct.pack("<I", subgraphs)
    slots = b"".join(struct.pack("<I", 4 * (subgraphs - i) + 4 * i) for i in range(subgraphs))
    return head + vtable + table + vector + slots + struct.pack(f"<{subgraphs}I", *range(subgraphs))


def graphs(data):
    start = 20 + 8
    (length,) = struct.unpack_from("<I", data, start)
    slots = [start + 4 + 4 * i for i in range(length)]
    targets = [slot + struct.unpack_from("<I", data, slot)[0] for slot in slots]
    return [struct.unpack_from("<I", data, target)[0] for target in targets]


def test_two_graphs_change_places():
    data = model(2)
    assert graphs(data) == [0, 1]
    assert graphs(swapped(data)) == [1, 0]
    assert swapped(swapped(data)) == data


def test_a_file_of_another_number_of_graphs_is_refused():
    with pytest.raises(UserError, match="the file has 3 graphs, not 2"):
        swapped(model(3))


@pytest.mark.parametrize(("rows", "refused"), [(512, True), (256, False)])
def test_a_product_by_a_large_computed_map_is_refused(rows, refused):
    product = node("BATCH_MATMUL", [0, 1], [2])
    graph = Graph(
        nodes=[product], names={2: "bmm;"}, shapes={0: (64, 12, rows), 1: (64, rows, 12), 2: (64, 12, 12)}
    )
    if not refused:
        check_textures({"restore": graph})
        return
    with pytest.raises(
        UserError, match="restore needs a texture 8192 high for BATCH_MATMUL bmm; 4096 is the limit"
    ):
        check_textures({"restore": graph})
