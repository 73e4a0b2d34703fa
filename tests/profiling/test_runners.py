"""Opening artifacts whose manifest promises what the program, or this machine, does not hold."""

import builtins
import json
import shutil

import pytest
from typer.testing import CliRunner

from anyir.model.cli import build_app
from anyir.model.errors import UserError
from anyir.profiling.runners import Unsupported, open_artifact

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


def test_every_runtime_s_recipes_are_for_the_backend_that_is_run():
    from anyir.conversion.recipes import RECIPES
    from anyir.profiling.runners import BACKENDS

    assert {(r.runtime, r.backend) for r in RECIPES} == set(BACKENDS.items())


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


@RUNTIMES
def test_the_accelerator_says_what_the_delegate_did_not_take(runtime, described):
    def part(manifest):
        manifest["operators"]["delegated"] -= 1

    assert open_artifact(described(runtime, lambda manifest: None)).accelerator.endswith("(XNNPACK)")
    kernels = {"executorch": "portable kernels", "litert": "built-in kernels"}[runtime]
    assert open_artifact(described(runtime, part)).accelerator.endswith(f"(XNNPACK and {kernels})")


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
