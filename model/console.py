"""Where commands print tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST = 1000


def table_console() -> Console:
    """Standard output. Where it is no terminal, a table is as wide as it is, and no figure is cut."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_WIDEST, highlight=False)
