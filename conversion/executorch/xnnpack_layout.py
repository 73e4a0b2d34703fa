"""Transpositions that ExecuTorch's XNNPACK backend would write and that move nothing, left out.

XNNPACK computes channels last. Where the deploy form looks at a feature map as rows of pixels
(``x.permute(0, 2, 3, 1).reshape(...)``, and back), the values already lie in memory in that order, but
the backend transposes the map twice to get there (executorch 1.5.1): once for ``permute``, on the layout
that it computes in, and once back to the layout that ``reshape`` asks for. Left as they are: the rows of
upsampling in int8, where each step is quantized, and what is padded or cut between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from anyir.conversion.executorch.repeats import check_program, traced_once, unchecked

TO_ROWS, FROM_ROWS = [0, 2, 3, 1], [0, 3, 1, 2]


@contextmanager
def free_rows() -> Iterator[None]:
    """While programs are lowered, XNNPACK's passes end with ``rows_pass``."""
    from executorch.backends.xnnpack import xnnpack_preprocess

    manager = xnnpack_preprocess.XNNPACKPassManager
    rows = rows_pass()

    class Manager(manager):  # type: ignore[valid-type, misc]
        def __init__(self, exported_program: Any, passes: Any = None) -> None:
            super().__init__(exported_program, passes)
            self.passes: list[Any] = [*self.passes, rows]

        def transform(self) -> Any:
            with traced_once(), unchecked():
                program = super().transform()
            check_program(program)
            return program

    xnnpack_preprocess.XNNPACKPassManager = Manager
    try:
        yield
    finally:
        xnnpack_preprocess.XNNPACKPassManager = manager


def rows_pass() -> type:
    """The pass that reshapes channels-last memory where it lies, after XNNPACK's passes chose the layouts."""
    from executorch.backends.xnnpack._passes.channels_last_tagged_reshape_pass import (
        ChannelsLastTaggedReshapePass,
    )
    from executorch.backends.xnnpack._passes.xnnpack_pass import XNNPACKPass
    from executorch.exir.dialects._ops import ops
    from torch.fx.passes.infra.pass_base import PassResult

    aten = ops.edge.aten
    last = ChannelsLastTaggedReshapePass.is_nhwc_node

    def source(node: Any, target: Any, channels_last: bool) -> Any:
        """What ``node`` is computed from, if it is such an operator with its result so laid out; or None."""
        fits = node is not None and node.op == "call_function" and node.target == target
        return node.args[0] if fits and last(node) == channels_last else None

    def permuted(node: Any, order: list[int], channels_last: bool) -> Any:
        """The same of a permutation in that order."""
        image = source(node, aten.permute_copy.default, channels_last)
        return image if image is not None and list(node.args[1]) == order else None

    def before_rows(view: Any) -> Any:
        """The map whose rows of pixels ``view`` reshapes, if the backend transposes it twice for that."""
        image = permuted(source(view.args[0], aten._to_copy.default, False), TO_ROWS, True)
        return image if image is not None and last(image) else None

    def before_map(copy: Any) -> Any:
        """What the rows are reshaped from that ``copy`` makes a channels-last map of by way of another."""
        rows = permuted(source(copy, aten._to_copy.default, True), FROM_ROWS, False)
        return source(rows, aten.view_copy.default, False)

    class RowsPass(XNNPACKPass):
        def call(self, graph_module: Any) -> PassResult:
            graph = graph_module.graph
            for node in list(graph.nodes):
                if node.op != "call_function":
                    continue
                if node.target == aten.view_copy.default and (image := before_rows(node)) is not None:
                    node.args = (image, *node.args[1:])
                elif (rows := before_map(node)) is not None:
                    with graph.inserting_before(node):
                        shape = list(node.meta["val"].shape)
                        view = graph.call_function(aten.view_copy.default, (rows, shape))
                    view.meta = node.meta.copy()
                    node.replace_all_uses_with(view)
            graph.eliminate_dead_code()
            graph_module.recompile()
            return PassResult(graph_module, True)

    return RowsPass
