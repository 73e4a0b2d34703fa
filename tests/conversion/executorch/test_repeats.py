"""What lowering does once: the same program, and torch and ExecuTorch as they were afterwards."""

import copy
from contextlib import nullcontext

import pytest
import torch
from executorch.backends.xnnpack._passes.xnnpack_pass import XNNPACKPass
from executorch.exir import pass_base
from executorch.exir.error import ExportError
from executorch.exir.pass_base import ExportPass
from executorch.exir.pass_manager import ExportedProgramPassManager
from torch import nn

from anyir.conversion.executorch import exporter, quantize, repeats, xnnpack_layout

CONV, GELU = torch.ops.aten.conv2d.default, torch.ops.aten.gelu.default


@pytest.fixture(scope="module")
def program():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GELU(), nn.Conv2d(8, 3, 1)).eval()
    image = torch.rand(1, 3, 16, 16)
    quantized, _ = quantize._quantized(network.requires_grad_(False), [(image,)], ["2"])
    return torch.export.export(quantized, (image,))


@pytest.mark.slow
def test_the_program_is_the_same_and_traced_less_often(program, monkeypatch):
    changes, traced = exporter.LOWERINGS["xnnpack"].changes, []
    trace = pass_base._ExportPassBase.call_submodule

    def counted(self, *arguments):
        if isinstance(self, XNNPACKPass):
            traced.append(type(self).__name__)
        return trace(self, *arguments)

    monkeypatch.setattr(pass_base._ExportPassBase, "call_submodule", counted)
    with changes():
        once = exporter.lower({"forward": program}, exporter.whole_graph_partitioner())
    less = len(traced)
    monkeypatch.setattr(exporter, "without_repeats", nullcontext)
    for name in ("traced_once", "unchecked"):
        monkeypatch.setattr(xnnpack_layout, name, nullcontext)
    with changes():
        assert exporter.lower({"forward": program}, exporter.whole_graph_partitioner()) == once
    assert len(traced) - less > 2 * less > 0
    assert once.operators["forward"].delegated == once.operators["forward"].total


class Looking(ExportPass):
    """A pass that changes one operator's argument, if it is told to."""

    changing = False

    def call(self, graph_module):
        if self.changing:
            [gelu] = [node for node in graph_module.graph.nodes if node.target is GELU]
            gelu.kwargs = {"approximate": "tanh"}
        return super().call(graph_module)


class Changing(Looking):
    changing = True


class Tracing(ExportPass):
    """A pass that has a word in how a graph is traced."""

    def call_operator(self, op, args, kwargs, meta):
        return super().call_operator(op, args, kwargs, meta)


def test_only_graphs_that_changed_are_traced_anew(program):
    given = program.run_decompositions({}).graph_module
    with repeats.traced_once():
        first = Looking()(given).graph_module
        assert first is not given
        assert Looking()(first).graph_module is first
        changed = Changing()(first).graph_module
        assert changed is not first
        assert Looking()(changed).graph_module is changed
        assert Tracing()(changed).graph_module is not changed
        [node] = [node for node in changed.graph.nodes if node.target is CONV][:1]
        node.meta["val"] = node.meta["val"].clone()
        assert Looking()(changed).graph_module is not changed
    assert Looking()(changed).graph_module is not changed


def test_code_is_written_when_it_is_called_or_read():
    class Double(nn.Module):
        def forward(self, x):
            return 2 * x

    image = torch.ones(3)
    with repeats.code_when_called():
        called, read = torch.fx.symbolic_trace(Double()), torch.fx.symbolic_trace(Double())
        assert "_code" not in vars(called)
        assert called(image).tolist() == [2, 2, 2]
        assert "2 * x" in read.code
        with pytest.raises(AttributeError, match="other"):
            _ = read.other
        late = torch.fx.symbolic_trace(Double())
    assert late(image).tolist() == [2, 2, 2]
    assert "_code" in vars(torch.fx.symbolic_trace(Double()))


def test_only_what_has_nothing_to_decompose_is_taken_as_it_is(program):
    class InPlace(nn.Module):
        def forward(self, x):
            return x.clone().add_(1)

    in_place = torch.export.export(InPlace(), (torch.ones(3),))
    with repeats.decomposed_once():
        assert program.run_decompositions({}) is program
        assert program.run_decompositions({torch.ops.aten.tanh.default: None}) is program
        assert in_place.run_decompositions({}) is not in_place
        table = torch.export.default_decompositions()
        assert CONV in {node.target for node in program.graph.nodes}
        assert CONV not in {node.target for node in program.run_decompositions(table).graph.nodes}
    assert program.run_decompositions({}) is not program


def test_what_is_not_checked_meanwhile_is_checked_at_the_end(program):
    repeats.check_program(program)
    broken = copy.copy(program)
    with broken.graph_module.graph.inserting_before(broken.graph.output_node()):
        node = broken.graph.call_method("no_such_thing", (next(iter(broken.graph.nodes)),))
    with repeats.unchecked():
        ExportedProgramPassManager([]).check(broken)
    with pytest.raises(ExportError, match="call_method `no_such_thing` is not supported"):
        repeats.check_program(broken)
    broken.graph.erase_node(node)
