"""What is in a saved Core AI asset (``.aimodel``): whether it is whole, and the operators of each entry."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from anyir.conversion import contract
from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError

PROGRAM, HASH = "main.mlirb", "main.hash"
"""Files of an asset: its program, and the sha256 of that, in bytes."""
NO_WORK = ("coreai.constant", "coreai.output")
"""Operations that compute nothing."""


def check(path: Path) -> None:
    """Refuse an asset that is not whole. Of a program that it cannot read, the runtime ends the process.

    Raises:
        UserError: what is wrong with it.
        OSError: it cannot be read.
    """
    from coreai.authoring import AIModelAsset

    files = [path / name for name in (PROGRAM, HASH)]
    if missing := [file.name for file in files if not file.is_file()]:
        raise UserError(f"{path.name} is no Core AI asset: it has no {missing[0]}")
    data, digest = (file.read_bytes() for file in files)
    if hashlib.sha256(data).digest() != digest:
        raise UserError(f"{path.name} is damaged: its {PROGRAM} is not the one that its {HASH} is of")
    summary = AIModelAsset.load(path).summary(include_statistics=False)
    for entry in contract.ENTRIES:
        if summary is None or entry not in summary.function_names:
            raise UserError(f"{path.name} has no function {entry}, or is damaged")


def count(path: Path) -> dict[str, Operators]:
    """How many operators each function of an asset has. Who takes them only the device can tell.

    Args:
        path: of one that passed ``check``.
    """
    from coreai.authoring import AIModelAsset

    # A summary is public, and adds up all functions: the graphs themselves are reached by a private name.
    graphs: Any = AIModelAsset.load(path).program._module._body.operations
    return {
        graph.sym_name.value: Operators(
            total=sum(each.name not in NO_WORK for each in graph.bodyRegion.blocks[0].operations),
            delegated=None,
            partitions=None,
        )
        for graph in graphs
    }
