"""Rows of pixels without transpositions: fewer of them, the same result, and XNNPACK as it was afterwards."""

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from anyir.conversion.executorch import exporter as to_executorch
from anyir.conversion.executorch.xnnpack_layout import free_rows
from anyir.model import PRESETS, AnyIR, to_deploy
from anyir.model.deploy.network import DeployUpsample

TILE = 32
"""At every level an even number of pixels, so that none is padded."""


def transposed(monkeypatch, module, example):
    """The delegate's program, and the perms of its transpositions of whole maps."""
    from executorch.backends.xnnpack import xnnpack_preprocess

    graphs = []
    write = xnnpack_preprocess.serialize_xnnpack_binary

    def serialize(graph, *args):
        graphs.append(graph)
        return write(graph, *args)

    with monkeypatch.context() as patch:
        patch.setattr(xnnpack_preprocess, "serialize_xnnpack_binary", serialize)
        data, operators = to_executorch.lower(torch.export.export(module, (example,)))
    assert operators.delegated == operators.total
    assert operators.partitions == len(graphs) == 1
    shapes = {
        value.xvalue_union.id_out: value.xvalue_union.dims
        for value in graphs[0].xvalues
        if hasattr(value.xvalue_union, "dims")
    }
    moves = [node.xnode_union for node in graphs[0].xnodes if hasattr(node.xnode_union, "perm")]
    return data, [move.perm for move in moves if sum(size > 1 for size in shapes[move.input_id]) > 2]


def run(data, x):
    from executorch.runtime import Runtime

    return Runtime.get().load_program(data).load_method("forward").execute([x])[0].clone()


@pytest.mark.slow
def test_upsampling_moves_only_rows(monkeypatch):
    torch.manual_seed(0)
    network = nn.Sequential(DeployUpsample(torch.randn(16, 6, 3, 3)), nn.Conv2d(4, 4, 1)).eval()
    x = torch.randn(1, 6, 8, 10)
    data, moves = transposed(monkeypatch, network, x)
    assert moves == [[0, 2, 3, 1], [0, 2, 1, 3], [0, 3, 1, 2]]  # the input, the rows, the output
    monkeypatch.setattr(to_executorch, "free_rows", nullcontext)
    plain, more = transposed(monkeypatch, network, x)
    assert len(more) == len(moves) + 4
    with torch.no_grad():
        torch.testing.assert_close(run(data, x), network(x), atol=1e-4, rtol=0)
    assert torch.equal(run(data, x), run(plain, x))


@pytest.mark.slow
def test_a_block_transposes_its_queries_and_its_small_matrix(monkeypatch):
    torch.manual_seed(0)
    network = AnyIR(PRESETS["tiny"]).eval().requires_grad_(False)
    blocks = sum(len(stage) for stage in (*network.encoder, network.latent, *network.decoder)) + len(
        network.refinement
    )
    x = torch.rand(1, 3, TILE, TILE)
    data, moves = transposed(monkeypatch, to_deploy(network, TILE, TILE), x)
    assert sorted(moves) == sorted(
        [[0, 2, 3, 1], [0, 3, 1, 2]] + 3 * [[0, 2, 1, 3]] + 2 * blocks * [[0, 2, 1]]
    )
    torch.testing.assert_close(run(data, x), network(x), atol=1e-4, rtol=0)


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
