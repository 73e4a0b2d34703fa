"""Rows of pixels without transpositions: fewer of them, the same result, and XNNPACK as it was afterwards."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from anyir.conversion.executorch import exporter as to_executorch
from anyir.conversion.executorch.xnnpack_layout import free_rows
from anyir.model import PRESETS, AnyIR
from anyir.model.deploy.network import DeployUpsample, to_deploy_pair
from anyir.model.statistics import block_shapes

TILE = 32
"""At every level an even number of pixels, so that none is padded."""


def transposed(monkeypatch, modules):
    """The program of named modules with their inputs, and of each the perms of its transpositions of maps."""
    from executorch.backends.xnnpack import xnnpack_preprocess

    graphs = []
    write = xnnpack_preprocess.serialize_xnnpack_binary

    def serialize(graph, *args):
        graphs.append(graph)
        return write(graph, *args)

    programs = {name: torch.export.export(module, inputs) for name, (module, inputs) in modules.items()}
    with monkeypatch.context() as patch:
        patch.setattr(xnnpack_preprocess, "serialize_xnnpack_binary", serialize)
        with to_executorch.free_rows():
            lowered = to_executorch.lower(programs, to_executorch.whole_graph_partitioner())
    for counted in lowered.operators.values():
        assert counted.delegated == counted.total
        assert counted.partitions == 1
    # The delegates are written in the order of the methods' names.
    return lowered.data, {
        name: map_moves(graph) for name, graph in zip(sorted(programs), graphs, strict=True)
    }


def map_moves(graph):
    shapes = {
        value.xvalue_union.id_out: value.xvalue_union.dims
        for value in graph.xvalues
        if hasattr(value.xvalue_union, "dims")
    }
    moves = [node.xnode_union for node in graph.xnodes if hasattr(node.xnode_union, "perm")]
    return [move.perm for move in moves if sum(size > 1 for size in shapes[move.input_id]) > 2]


def run(data, method, *inputs):
    from executorch.runtime import Runtime

    return [output.clone() for output in Runtime.get().load_program(data).load_method(method).execute(inputs)]


@pytest.mark.slow
def test_upsampling_moves_only_rows(monkeypatch):
    torch.manual_seed(0)
    network = nn.Sequential(DeployUpsample(torch.randn(16, 6, 3, 3)), nn.Conv2d(4, 4, 1)).eval()
    x = torch.randn(1, 6, 8, 10)
    modules = {"forward": (network, (x,))}
    data, moves = transposed(monkeypatch, modules)
    assert moves["forward"] == [[0, 2, 3, 1], [0, 2, 1, 3], [0, 3, 1, 2]]  # input, rows, output
    monkeypatch.setattr(to_executorch, "free_rows", nullcontext)
    plain, more = transposed(monkeypatch, modules)
    assert len(more["forward"]) == len(moves["forward"]) + 4
    with torch.no_grad():
        torch.testing.assert_close(run(data, "forward", x)[0], network(x), atol=1e-4, rtol=0)
    assert torch.equal(run(data, "forward", x)[0], run(plain, "forward", x)[0])


@pytest.mark.slow
def test_look_transposes_its_queries_and_small_matrices_and_restore_nothing(monkeypatch):
    torch.manual_seed(0)
    network = AnyIR(PRESETS["tiny"]).eval().requires_grad_(False)
    blocks = len(block_shapes(network.config))
    x = torch.rand(1, 3, TILE, TILE)
    look, restore = to_deploy_pair(network, TILE, TILE)
    statistics = look(x)
    data, moves = transposed(monkeypatch, {"look": (look, (x,)), "restore": (restore, (x, *statistics))})
    rows = 3 * [[0, 2, 1, 3]]  # of upsampling
    assert sorted(moves["look"]) == sorted([[0, 2, 3, 1], *rows, *2 * blocks * [[0, 2, 1]]])
    assert sorted(moves["restore"]) == sorted([[0, 2, 3, 1], *rows, [0, 3, 1, 2]])
    torch.testing.assert_close(run(data, "look", x), statistics, atol=1e-4, rtol=0)
    torch.testing.assert_close(run(data, "restore", x, *statistics)[0], network(x), atol=1e-4, rtol=0)


@pytest.mark.slow
def test_xnnpack_is_as_it_was_afterwards():
    from executorch.backends.xnnpack import xnnpack_preprocess

    manager = xnnpack_preprocess.XNNPACKPassManager
    with free_rows():
        assert xnnpack_preprocess.XNNPACKPassManager is not manager
    assert xnnpack_preprocess.XNNPACKPassManager is manager
    with pytest.raises(ZeroDivisionError), free_rows():
        _ = 1 / 0
    assert xnnpack_preprocess.XNNPACKPassManager is manager
