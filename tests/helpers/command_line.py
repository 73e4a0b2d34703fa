"""The ``anyir`` command as a user runs it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys


def anyir(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run it and return the finished process, whatever its exit code."""
    command = [sys.executable, "-m", "anyir.model.cli", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(command, capture_output=True, text=True, timeout=1500, env=environment)
