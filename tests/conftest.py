"""What the packages' tests share: artifacts of the tiny network, built once by the real command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.tiny import save_tiny_weights

TINY_TILE = 64


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory) -> Path:
    """A weights file of preset ``tiny``."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_tiny_weights(path)
    return path


@pytest.fixture(scope="session")
def tiny_artifacts(tiny_weights, tmp_path_factory) -> Path:
    """A folder with the tiny network's artifacts by every recipe, at 64x64, and their manifests."""
    out = tmp_path_factory.mktemp("artifacts")
    command = [sys.executable, "-m", "anyir.model.cli", "convert", "--weights", str(tiny_weights)]
    command += ["--tile", str(TINY_TILE), "--out", str(out)]
    environment = {**os.environ, "COLUMNS": "160"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=1500, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return out
