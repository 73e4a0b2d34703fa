"""What ExecuTorch does again and again while it lowers a program, to no effect, left out.

Every pass of a backend traces the whole graph anew, though most find nothing to change; before and after each
the program is checked; each graph's Python code is written, which nobody runs; a program is decomposed again
that has nothing left to decompose. The program comes out the same, byte by byte (executorch 1.5.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary


@contextmanager
def without_repeats() -> Iterator[None]:
    """All of this file that holds for a whole lowering."""
    with code_when_called(), decomposed_once():
        yield


@contextmanager
def traced_once() -> Iterator[None]:
    """While passes run one after the other, trace only graphs that changed since they were traced.

    A pass that looks for patterns ends with a trace, so that nodes that it made know their shapes. A graph of
    an earlier trace in which it made none is taken as it is. So a pass gives the graph that it was given,
    and not a copy: this is for passes over a graph that nobody else has.
    """
    from executorch.exir.pass_base import ExportPass
    from torch.fx.passes.infra.pass_base import PassResult

    [base] = ExportPass.__bases__
    trace = base.call
    # What says how a graph is traced: a pass with one of its own may change every node.
    hooks = {
        name
        for owner in (base, ExportPass)
        for name, value in vars(owner).items()
        if callable(value) and name != "call" and not name.startswith("__")
    }
    traced: WeakKeyDictionary[Any, list[tuple[Any, ...]]] = WeakKeyDictionary()

    def call(self: Any, graph_module: Any) -> Any:
        owners = type(self).__mro__[: type(self).__mro__.index(ExportPass)]
        if all(hooks.isdisjoint(vars(owner)) for owner in owners) and _same(
            traced.get(graph_module), _nodes(graph_module)
        ):
            return PassResult(graph_module, True)
        result = trace(self, graph_module)
        traced[result.graph_module] = _nodes(result.graph_module)
        return result

    with patch.object(base, "call", call):
        yield


def _nodes(graph_module: Any) -> list[tuple[Any, ...]]:
    return [(n, n.meta.get("val"), n.target, n.args, n.kwargs) for n in graph_module.graph.nodes]


def _same(before: list[tuple[Any, ...]] | None, now: list[tuple[Any, ...]]) -> bool:
    """Whether these are the same nodes of the same values, which compute the same of the same."""
    if before is None or len(before) != len(now):
        return False
    return all(a[0] is b[0] and a[1] is b[1] and a[2:] == b[2:] for a, b in zip(before, now, strict=True))


@contextmanager
def unchecked() -> Iterator[None]:
    """While passes run one after the other, do not check the program before and after each.

    Who runs them checks what the last one leaves: ``check_program``.
    """
    from executorch.exir.pass_manager import ExportedProgramPassManager

    with patch.object(ExportedProgramPassManager, "check", lambda self, program: None):
        yield


def check_program(program: Any) -> None:
    """What ExecuTorch checks before and after every pass."""
    from executorch.exir.pass_manager import ExportedProgramPassManager

    ExportedProgramPassManager([]).check(program)


@contextmanager
def code_when_called() -> Iterator[None]:
    """Write a graph's Python code when it is first called or read; most never are."""
    from torch.fx import GraphModule
    from torch.nn import Module

    recompile = GraphModule.recompile

    def later(self: Any) -> None:
        if (tree := getattr(self.graph._codegen, "pytree_info", None)) is not None:
            self._in_spec, self._out_spec = tree.in_spec, tree.out_spec
        self.__dict__.pop("_code", None)

        def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
            recompile(self)
            return self(*args, **kwargs)

        type(self).forward = forward

    def missing(self: Any, name: str) -> Any:
        if name == "_code":
            recompile(self)
            return self._code
        return Module.__getattr__(self, name)

    with (
        patch.object(GraphModule, "recompile", later),
        patch.object(GraphModule, "__getattr__", missing, create=True),
    ):
        yield


@contextmanager
def decomposed_once() -> Iterator[None]:
    """Take a program as it is that has none of the operators that it is to be decomposed of.

    Only one that changes no tensor in place: the others are also made functional then. ExecuTorch does so
    itself for some backends.
    """
    from torch.export import ExportedProgram

    run = ExportedProgram.run_decompositions

    def run_decompositions(self: Any, decomp_table: Any = None, *args: Any, **kwargs: Any) -> Any:
        targets = {n.target for n in self.graph_module.graph.nodes if n.op == "call_function"}
        functional = all(hasattr(t, "_schema") and not t._schema.is_mutable for t in targets)
        if decomp_table is not None and functional and targets.isdisjoint(decomp_table):
            return self
        return run(self, decomp_table, *args, **kwargs)

    with patch.object(ExportedProgram, "run_decompositions", run_decompositions):
        yield
