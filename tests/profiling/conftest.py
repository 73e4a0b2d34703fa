import json
import shutil
from subprocess import CompletedProcess

import pytest

from anyir.profiling.reference import load_reference, make_reference
from tests.helpers.command_line import anyir_process
from tests.helpers.made_once import made_once
from tests.helpers.tiny import RUNS, TILE


@pytest.fixture(scope="session")
def reference(tiny_weights, tmp_path_factory):
    """A reference of the tiny network, with the artifacts' tile."""
    folder = made_once(tmp_path_factory, "reference", lambda out: make_reference(tiny_weights, TILE, out))
    return load_reference(folder)


@pytest.fixture(scope="session")
def profiled(tiny_artifacts, reference, tmp_path_factory):
    """A profile of good, damaged and unbuilt programs: (process, folder with results.json, artifacts)."""

    def profile(folder):
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
        process = anyir_process(
            *("profile", "--artifacts", artifacts, "--reference", reference.folder),
            *("--runs", RUNS, "--warmup", 1, "--threads", 1, "--out", folder / "out" / "results.json"),
        )
        said = {name: getattr(process, name) for name in ("args", "returncode", "stdout", "stderr")}
        (folder / "process.json").write_text(json.dumps(said))

    folder = made_once(tmp_path_factory, "profile", profile)
    process = CompletedProcess(**json.loads((folder / "process.json").read_text()))
    return process, folder / "out", folder / "artifacts"
