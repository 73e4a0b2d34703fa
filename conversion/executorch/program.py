"""What an ExecuTorch program's file says of itself; ExecuTorch's Python runtime does not tell it.

The file begins with a flatbuffer by ``executorch/schema/program.fbs``, whose fields are numbered here.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

from flatbuffers.table import Table

from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError

IDENTIFIER = b"ET12"
EXECUTION_PLAN, NAME, CHAINS, INSTRUCTIONS = 1, 0, 5, 2
KERNEL_CALL, DELEGATE_CALL = 1, 2


def check_identifier(path: Path) -> None:
    """Refuse what is no program: the runtime would print its first bytes as text, and crash if they are none.

    Raises:
        UserError: it is none.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start[4:] != IDENTIFIER:
        raise UserError(f"{path.name} is no ExecuTorch program: {IDENTIFIER.decode()} is due at its byte 4")


def count(path: Path, totals: dict[str, int]) -> dict[str, Operators]:
    """Count the calls of each method of a program that the runtime has accepted.

    Args:
        totals: of each method the operators before they were lowered; those of a delegate cannot be told
            from outside.

    Raises:
        UserError: the program lacks one of these methods.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        program = Table(data, int.from_bytes(data[:4], "little"))
        plans = {_name(plan): plan for plan in _tables(program, EXECUTION_PLAN)}
        if missing := [method for method in totals if method not in plans]:
            raise UserError(f"{path.name} has no method {missing[0]}")
        return {method: _count(plans[method], total) for method, total in totals.items()}


def _count(plan: Table, total: int) -> Operators:
    instructions = [i for chain in _tables(plan, CHAINS) for i in _tables(chain, INSTRUCTIONS)]
    kinds = [plan.Bytes[instruction.Pos + instruction.Offset(4)] for instruction in instructions]
    outside = min(total, kinds.count(KERNEL_CALL))
    return Operators(total=total, delegated=total - outside, partitions=kinds.count(DELEGATE_CALL))


def _tables(parent: Any, field: int) -> list[Any]:
    offset = parent.Offset(4 + 2 * field)
    if offset == 0:
        return []
    start = parent.Vector(offset)
    return [Table(parent.Bytes, parent.Indirect(start + 4 * i)) for i in range(parent.VectorLen(offset))]


def _name(plan: Any) -> str:
    return bytes(plan.String(plan.Pos + plan.Offset(4 + 2 * NAME))).decode()
