"""Counting what a delegate took of a graph."""

from types import SimpleNamespace

from anyir.conversion.litert.graph import count
from anyir.conversion.manifest import Operators


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
    interpreter = SimpleNamespace(_get_ops_details=lambda: nodes)
    assert count(interpreter) == Operators(total=4, delegated=2, partitions=1)
