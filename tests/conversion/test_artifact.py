"""Opening artifacts whose manifest promises what the program, or this machine, does not hold."""

import builtins
import hashlib
import json
import re
import shutil

import pytest
from typer.testing import CliRunner

from anyir.conversion.artifact import import_runtime, load_artifact, open_artifact
from anyir.conversion.base import Unsupported
from anyir.conversion.manifest import Operators
from anyir.model.cli import build_app
from anyir.model.errors import UserError
from tests.helpers.command_line import anyir, anyir_process

FILES = {
    "executorch": "tiny_executorch_xnnpack_fp32_64x64.pte",
    "litert": "tiny_litert_cpu_fp32_64x64.tflite",
}
RUNTIMES = pytest.mark.parametrize("runtime", FILES)


@pytest.fixture
def described(tiny_artifacts, tmp_path):
    """Copies a runtime's artifact and changes its manifest; returns the copy's path."""

    def copy(runtime, change):
        path = tmp_path / FILES[runtime]
        shutil.copy(tiny_artifacts / path.name, path)
        manifest = json.loads((tiny_artifacts / path.name).with_suffix(".json").read_text())
        change(manifest)
        path.with_suffix(".json").write_text(json.dumps(manifest))
        return path

    return copy


def verify(path):
    result = CliRunner().invoke(build_app(), ["verify", str(path), "--json"])
    return result.exit_code, json.loads(result.stdout)[0]


def test_an_unknown_runtime_is_refused_by_name(tmp_path):
    for call in (
        lambda: import_runtime("onnx", "cpu"),
        lambda: load_artifact(tmp_path / "x.onnx", "onnx", tile=64, operators=1),
    ):
        with pytest.raises(UserError, match="unknown runtime 'onnx'; known: executorch, litert, coreml"):
            call()


def test_an_unknown_backend_is_unsupported_and_what_there_is_is_listed():
    with pytest.raises(Unsupported, match="nothing here runs litert programs for 'gpu'; known: cpu"):
        import_runtime("litert", "gpu")


@RUNTIMES
@pytest.mark.parametrize("backend", ["vulkan", "gpu", ""])
def test_a_backend_that_nothing_here_runs_is_said_and_nothing_else_is_run(runtime, backend, described):
    path = described(runtime, lambda manifest: manifest.update(backend=backend))
    with pytest.raises(Unsupported, match=f"nothing here runs {runtime} programs for '{backend}'"):
        open_artifact(path)
    code, row = verify(path)
    assert code == 0
    assert row["parity"].startswith("not compared here: nothing here runs")


@RUNTIMES
@pytest.mark.parametrize("tile", [32, 128, 10**9])
def test_a_program_of_another_tile_than_its_manifest_s(runtime, tile, described):
    path = described(runtime, lambda manifest: manifest.update(tile=tile))
    message = f"{path.name} takes (1, 3, 64, 64); its manifest says tiles of {tile}"
    with pytest.raises(UserError) as caught:
        open_artifact(path)
    assert str(caught.value) == message
    code, row = verify(path)
    assert code == 1
    assert row["reason"] == message


COUNTED = {
    "executorch": ("anyir.conversion.executorch.program.count", "portable kernels"),
    "litert": ("anyir.conversion.litert.graph.count", "built-in kernels"),
}


@RUNTIMES
def test_the_accelerator_says_what_ran_whatever_the_manifest_says(runtime, described, monkeypatch):
    def part(manifest):
        manifest["operators"]["delegated"] = 5

    path = described(runtime, part)
    assert open_artifact(path).accelerator.endswith("(XNNPACK)")
    code, row = verify(path)
    assert code == 0
    said = r".*; (\d+) of \1 operators delegated here, calls: 1, and 5, calls: 1, by its manifest"
    assert re.fullmatch(said, row["parity"])
    count, kernels = COUNTED[runtime]
    monkeypatch.setattr(count, lambda *arguments: Operators(total=9, delegated=5, partitions=2))
    assert open_artifact(path).accelerator.endswith(f"(XNNPACK and {kernels})")


def test_a_manifest_of_other_operators_is_refused(described):
    def more(manifest):
        manifest["operators"]["total"] = 10**4

    code, row = verify(described("litert", more))
    assert code == 1
    assert re.fullmatch(r"its manifest says 10000 operators; loaded here: \d+", row["reason"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda data: b"\x00\x06\xb0\x18\xee\xe5\x5d\xcd" * 2500, "is no ExecuTorch program: ET12 is due"),
        (lambda data: b"", "is no ExecuTorch program: ET12 is due"),
        (lambda data: data[: len(data) // 2], "the file is damaged, cut off, or of another version: Failed"),
    ],
    ids=["other bytes", "empty", "cut off"],
)
def test_what_is_no_program_is_one_line_and_no_crash(data, reason, tiny_artifacts, described):
    spoilt = data((tiny_artifacts / FILES["executorch"]).read_bytes())
    fits = {"sha256": hashlib.sha256(spoilt).hexdigest(), "bytes": len(spoilt)}
    path = described("executorch", lambda manifest: manifest.update(fits))
    path.write_bytes(spoilt)
    process = anyir_process("verify", path, "--json")
    assert process.returncode == 1, process.stderr
    [row] = json.loads(process.stdout)
    assert re.search(reason, row["reason"])
    assert "\n" not in row["reason"]


def test_a_program_loads_without_a_word_of_its_runtime(tiny_artifacts):
    process = anyir("verify", tiny_artifacts / FILES["executorch"])
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ModuleNotFoundError("No module named 'ai_edge_litert'", name="ai_edge_litert"), Unsupported, "pip"),
        (ImportError("libvndk.so: cannot open shared object file"), UserError, "libvndk.so: cannot open"),
    ],
    ids=["missing", "broken"],
)
def test_a_broken_runtime_is_not_a_missing_one(error, kind, message, described, monkeypatch):
    real = builtins.__import__

    def imported(name, *arguments, **named):
        if name.startswith("ai_edge_litert"):
            raise error
        return real(name, *arguments, **named)

    path = described("litert", lambda manifest: None)
    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(UserError, match=message) as caught:
        open_artifact(path)
    assert type(caught.value) is kind
