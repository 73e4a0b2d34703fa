"""Nodes that share their history: the same program, and torch as it was afterwards."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.fx.traceback import NodeSource

from anyir.conversion.executorch import exporter as to_executorch
from anyir.conversion.executorch.provenance import shared_provenance


def test_a_history_is_shared_only_meanwhile():
    source = NodeSource(None, "a pass")
    with shared_provenance():
        assert copy.deepcopy([source])[0] is source
    assert copy.deepcopy([source])[0] is not source
    with pytest.raises(ZeroDivisionError), shared_provenance():
        _ = 1 / 0
    assert copy.deepcopy([source])[0] is not source


@pytest.mark.slow
def test_the_program_is_the_same(monkeypatch):
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 1)).eval()
    program = torch.export.export(network, (torch.rand(1, 3, 16, 16),))
    shared = to_executorch.lower({"forward": program}, to_executorch.whole_graph_partitioner())
    monkeypatch.setattr(to_executorch, "shared_provenance", nullcontext)
    assert to_executorch.lower({"forward": program}, to_executorch.whole_graph_partitioner()) == shared
    assert shared.operators["forward"].delegated == shared.operators["forward"].total == 3
    assert shared.refused == {"forward": []}
