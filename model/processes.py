"""Child processes, started afresh with a pipe to their parent and ended with it, and what libraries print.

Restoring a folder, converting and profiling use processes of their own, so that a crash, a leak or a line
that a library prints is the child's alone. Both sides talk through a ``multiprocessing`` pipe.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""A process that starts takes none of the modules that it begins with from the working folder."""


def start_process(
    target: Callable[..., object],
    *arguments: object,
    variables: Mapping[str, str] | None = None,
    hears_interrupt: bool = True,
) -> tuple[BaseProcess, Connection]:
    """Start ``target(connection, *arguments)`` in a new interpreter, whose state no fork copied.

    Args:
        target: a function at the top of a module; it has the other end of the connection that is returned.
        arguments: are pickled.
        variables: environment variables that the process has beside this one's.
        hears_interrupt: whether Ctrl-C, which a terminal sends to all processes, ends it; else it is its
            parent's to hear. False only from the main thread.

    Returns:
        The process, and a connection on which both sides send and receive. Once the process has ended,
        receiving raises EOFError or ConnectionError, and sending ConnectionError.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *arguments), daemon=True)
    try:
        interrupt = nullcontext() if hears_interrupt else _interrupt_ignored()
        with environment({**SAFE_PATH, **(variables or {})}), interrupt:
            process.start()
    finally:
        theirs.close()
    return process, ours


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """What starts meanwhile inherits that it ignores Ctrl-C."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


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


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """What Python and C code of this process print on standard output meanwhile goes to stderr."""
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    if sys.stdout is not None:
        sys.stdout.flush()
    before = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if libc is not None:
            libc.fflush(None)  # into a pipe C code prints when its buffer is full, or at the end
        os.dup2(before, 1)
        os.close(before)
