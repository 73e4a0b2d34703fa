"""What is in a saved Core AI asset (``.aimodel``): the operators of each entry."""

from __future__ import annotations

from pathlib import Path

from anyir.conversion.manifest import Operators

NO_WORK = ("coreai.constant", "coreai.output")
"""Operations that compute nothing."""


def count(path: Path) -> dict[str, Operators]:
    """How many operators each function of an asset has. Who takes them only the device can tell.

    Raises:
        RuntimeError, ValueError: it is no asset.
    """
    from coreai.authoring import AIModelAsset

    program = AIModelAsset.load(path).program
    # A summary is public, and adds up all functions: the graphs themselves are reached by a private name.
    return {
        graph.sym_name.value: Operators(
            total=sum(each.name not in NO_WORK for each in graph.bodyRegion.blocks[0].operations),
            delegated=None,
            partitions=None,
        )
        for graph in program._module._body.operations
    }
