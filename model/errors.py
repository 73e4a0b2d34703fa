"""The one kind of failure that a user sees as a line instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something the user can fix. Its text is one line: what is wrong and what to do."""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A line for a name that is none of the known ones; it suggests the one that is spelt most alike."""
    names = list(known)
    alike = get_close_matches(name, names, n=1, cutoff=0.7)
    hint = f" (did you mean {alike[0]!r}?)" if alike else ""
    return f"unknown {what} {name!r}{hint}; known: {', '.join(names)}"
