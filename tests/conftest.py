"""What the packages' tests share: artifacts of the tiny network, built once by the real command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TINY_TILE = 64


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory) -> Path:
    """A weights file of preset ``tiny`` with random norms, tau, lambda and temperature."""
    from anyir.model import PRESETS, AnyIR
    from anyir.model.checkpoints import save_weights

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = AnyIR(PRESETS["tiny"])
        for parameter in network.parameters():
            if parameter.ndim < 4:
                parameter += 0.1 * torch.randn(parameter.shape)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(network, path)
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
