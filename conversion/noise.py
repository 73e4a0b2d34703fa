"""Lines that ExecuTorch prints whenever it is imported and loads a program; they say nothing to a user."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr


@contextmanager
def without_warnings() -> Iterator[None]:
    """Import without what the imported libraries log as warnings of each other."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def without_prints() -> Iterator[None]:
    """Load without what the runtime prints, which goes through Python's standard error.

    Not for imports: a log handler that is made meanwhile would keep the stand-in.

    Raises:
        RuntimeError: what was raised inside, with the lines that were printed before.
    """
    printed = io.StringIO()
    try:
        with redirect_stderr(printed):
            yield
    except RuntimeError as error:
        lines = " ".join(printed.getvalue().split())
        raise RuntimeError(f"{error} ({lines})" if lines else str(error)) from error
