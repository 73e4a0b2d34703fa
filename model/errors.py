"""The one kind of failure that a user sees as a line instead of a traceback."""

from __future__ import annotations

import os
import traceback
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TextIO

DEBUG = "ANYIR_DEBUG"
"""Environment variable; 1 shows where an error that is told in one line was raised."""


class UserError(Exception):
    """Something the user can fix. Its text is one line: what is wrong and what to do."""


class Interrupted(UserError):
    """The user ended it, and its text says how to go on; the command's exit code is that of Ctrl-C."""


def show_traceback(error: BaseException, file: TextIO | None = None) -> None:
    """Print an error's traceback, if ``ANYIR_DEBUG`` asks for it, to stderr or ``file``."""
    if os.environ.get(DEBUG, "0") not in ("", "0"):
        traceback.print_exception(error, file=file)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A line for a name that is none of the known ones; it suggests the one that is spelt most alike."""
    names = list(known)
    alike = get_close_matches(name, names, n=1, cutoff=0.7)
    hint = f" (did you mean {alike[0]!r}?)" if alike else ""
    return f"unknown {what} {name!r}{hint}; known: {', '.join(names)}"


def one_line(text: str) -> str:
    """A message as one line: its lines joined, characters that a terminal does not show written out.

    Spaces stay as they are, as they may be part of a file's name.
    """
    joined = " ".join(line.strip(" ") for line in text.split("\n") if line.strip())
    return "".join(
        c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode("ascii") for c in joined
    )
