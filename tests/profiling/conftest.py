import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

from anyir.profiling.reference import make_reference

TILE = 64
RUNS = 3


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """These networks are too small for two, whose waiting for each other on a busy machine takes minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def reference(tiny_weights, tmp_path_factory):
    """A reference of the tiny network, with the artifacts' tile."""
    return make_reference(tiny_weights, TILE, tmp_path_factory.mktemp("reference"))


def anyir(*arguments):
    """The command as a user runs it; returns the finished process."""
    command = [sys.executable, "-m", "anyir.model.cli", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)


@pytest.fixture(scope="session")
def profiled(tiny_artifacts, reference, tmp_path_factory):
    """A profile of good, damaged and unbuilt programs: (process, folder with results.json, artifacts)."""
    folder = tmp_path_factory.mktemp("profile")
    artifacts = folder / "artifacts"
    shutil.copytree(tiny_artifacts, artifacts)
    with (artifacts / "tiny_litert_cpu_fp16_64x64.tflite").open("ab") as file:
        file.write(b"changed")
    (artifacts / "tiny_litert_cpu_int8w_64x64.json").unlink()
    unbuilt = {
        "recipe": "executorch_xnnpack_int8",
        "file": "tiny_executorch_xnnpack_int8_64x64.pte",
        "status": "failed",
        "reason": "parity of 20 dB is below 30 dB",
    }
    report = json.loads((artifacts / "conversion.json").read_text())
    (artifacts / "conversion.json").write_text(json.dumps({**report, "rows": [*report["rows"], unbuilt]}))
    process = anyir(
        *("profile", "--artifacts", artifacts, "--reference", reference.folder),
        *("--runs", RUNS, "--warmup", 1, "--threads", 1, "--out", folder / "out" / "results.json"),
    )
    return process, folder / "out", artifacts
