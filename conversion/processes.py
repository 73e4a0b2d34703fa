"""Child processes: started afresh with a pipe to their parent, ended with it, and printing to a log.

Converting and profiling run toolchains and programs in processes of their own, so that a crash, a leak or
a line that a library prints is the child's alone. Both talk through a ``multiprocessing`` pipe.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""A process that starts takes none of the modules that it begins with from the working folder."""


def start_process(
    target: Callable[..., object], *arguments: object, variables: Mapping[str, str] | None = None
) -> tuple[BaseProcess, Connection]:
    """Start ``target(connection, *arguments)`` in a new interpreter, whose state no fork copied.

    Args:
        target: a function at the top of a module; it has the other end of the connection that is returned.
        arguments: are pickled.
        variables: environment variables that the process has beside this one's.

    Returns:
        The process, and a connection on which both sides send and receive. Once the process has ended,
        receiving raises EOFError or ConnectionError, and sending ConnectionError.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
    try:
        with environment({**SAFE_PATH, **(variables or {})}):
            process.start()
    finally:
        theirs.close()
    return process, ours


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and put back what was before."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def end_with_parent() -> None:
    """End this process as soon as its parent has ended, however that came."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def log_output(path: Path) -> TextIO:
    """Send what this process prints, its libraries' output included, to a file.

    Returns:
        What stderr was before.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("w", encoding="utf-8") as log:
        terminal = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    return terminal
