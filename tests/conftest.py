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
    """A folder with the tiny network's artifacts of every runtime at 64x64, and their manifests.

    Float32 for ExecuTorch; float32, float16 and 8-bit weights for LiteRT; float16 for Core ML.
    """
    out = tmp_path_factory.mktemp("artifacts")
    for pattern in ("*_fp32", "litert_*", "coreml_*_fp16"):
        convert(tiny_weights, out, pattern)
    return out


def convert(weights: Path, out: Path, pattern: str, *options: str, code: int = 0) -> str:
    """``anyir convert`` for the tiny network, as a user runs it; returns what it printed."""
    command = [sys.executable, "-m", "anyir.model.cli", "convert", "--weights", str(weights)]
    command += ["--tile", str(TINY_TILE), "--out", str(out), "--only", pattern, *options]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=900, env={**os.environ, "COLUMNS": "160"}
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr
