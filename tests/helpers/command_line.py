"""The ``anyir`` command: in this process, and as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from subprocess import CompletedProcess
from tempfile import TemporaryFile
from typing import BinaryIO
from unittest.mock import patch

from anyir.model import cli

TERMINAL = {"COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb"}


def anyir(*arguments: object) -> CompletedProcess[str]:
    """Run it in this process, without the seconds that a new one takes to import torch.

    Returns its exit code and all that it, its libraries and its child processes wrote. What would be a
    traceback is raised.
    """
    command = ["anyir", *map(str, arguments)]
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, TERMINAL))
        stack.enter_context(patch.object(sys, "argv", command))
        said = [stack.enter_context(TemporaryFile()) for _ in range(2)]
        try:
            with written_to(said[0], "stdout"), written_to(said[1], "stderr"):
                cli.main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        out, err = (file.seek(0) or file.read().decode(errors="replace") for file in said)
    return CompletedProcess(command, code, out, err)


@contextmanager
def written_to(file: BinaryIO, name: str) -> Iterator[None]:
    """Let the file take what Python and C write to ``stdout`` or ``stderr``."""
    number = {"stdout": 1, "stderr": 2}[name]
    kept = os.dup(number)
    os.dup2(file.fileno(), number)
    text = TextIOWrapper(file, "utf-8", line_buffering=True)
    try:
        with patch.object(sys, name, text):
            yield
    finally:
        text.detach()
        os.dup2(kept, number)
        os.close(kept)


def anyir_process(*arguments: object) -> CompletedProcess[str]:
    """Run it in a process of its own, for what only that shows: a crash does not end the tests."""
    command = [sys.executable, "-m", "anyir.model.cli", *map(str, arguments)]
    environment = {**os.environ, **TERMINAL}
    return subprocess.run(command, capture_output=True, text=True, timeout=1500, env=environment)
