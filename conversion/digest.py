"""What an artifact and its figures depend on beside the weights: this project's code, and packages."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import anyir.conversion
import anyir.model
from anyir.conversion.runtimes import find_runtime
from anyir.model.files import sha256

MODEL_CODE = (
    *("config.py", "network.py", "statistics.py", "deploy/*.py"),
    *("metrics.py", "data/degradation*.py", "data/camera.py", "data/draw.py", "data/exposure.py"),
    *("data/grain.py", "data/kernels.py", "data/weather.py", "restore/look.py", "restore/tiling.py"),
)
"""Of ``anyir.model``: what makes the network, its deploy form and its sheets, and what the comparison is made
with."""


def versions(runtime: str) -> dict[str, str]:
    """Installed versions of what makes a runtime's artifacts."""
    return {package: version(package) for package in find_runtime(runtime).packages}


@cache
def code_sha256() -> str:
    """Digest of the code that rewrites, converts, calibrates and compares."""
    return hashlib.sha256("".join(sha256(file) for file in code_files()).encode()).hexdigest()


def code_files() -> list[Path]:
    """That code: all of conversion but its commands, and what it takes of the model."""
    conversion, model = (Path(str(package.__file__)).parent for package in (anyir.conversion, anyir.model))
    files = [path for path in conversion.rglob("*.py") if path.parent.name != "commands"]
    return sorted([*files, *(path for pattern in MODEL_CODE for path in model.glob(pattern))])
