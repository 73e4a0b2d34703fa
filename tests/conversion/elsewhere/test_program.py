"""Programs by the runtime of another Python."""

import json
import shutil
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.elsewhere.program import is_older, other_python
from anyir.conversion.manifest import Manifest, manifest_path
from anyir.model.cli import build_app
from anyir.model.errors import UserError
from tests.helpers.builds import NAME
from tests.helpers.tiny import TILE

TILES = list(np.random.default_rng(3).random((2, *contract.shape(TILE)), dtype=np.float32))


@pytest.fixture
def python(tmp_path):
    """Makes an interpreter that ignores what it is told and runs a line of shell instead."""

    def make(line):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        return path

    return make


def test_another_python_s_runtime_computes_the_program(tiny_artifacts):
    other, here = (
        other_python(sys.executable, tiny_artifacts / NAME, TILE),
        open_artifact(tiny_artifacts / NAME),
    )
    for tile, output in zip(TILES, other.run(TILES), strict=True):
        assert np.abs(output - here(tile)).max() < 1e-5
    name, _, version = other.runtime.partition(" ")
    assert name in ("tflite-runtime", "ai-edge-litert", "tensorflow")
    assert version[0].isdigit()


def test_what_does_not_run_is_one_line(tmp_path, python):
    def run(interpreter):
        other_python(str(interpreter), tmp_path / "x.tflite", TILE).run(TILES)

    with pytest.raises(UserError, match="missing/python cannot be run: No such file or directory"):
        run(tmp_path / "missing/python")
    with pytest.raises(UserError, match=r"^x.tflite by .*python: Op builtin_code out of range$"):
        run(python("echo first >&2; echo 'Op builtin_code out of range' >&2; exit 1"))
    with pytest.raises(UserError, match=r"exit code 7$"):
        run(python("exit 7"))
    with pytest.raises(UserError, match="does not say which runtime it has"):
        run(python("echo hello"))
    with pytest.raises(UserError, match="it wrote 0 values"):
        run(python("""echo '["x", "1"]'"""))


def test_a_python_without_a_runtime_says_so(tmp_path):
    (tmp_path / "ai_edge_litert.py").write_text("raise ImportError('not here')")
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(UserError, match="none of tflite_runtime, ai_edge_litert and tensorflow is installed"):
        other_python(str(bare), tmp_path / "x.tflite", TILE).run(TILES)


def test_the_oldest_runtime_that_ran_a_program_is_named_in_its_manifest(tiny_artifacts, tmp_path):
    for path in (tiny_artifacts / NAME, manifest_path(tiny_artifacts / NAME)):
        shutil.copy(path, tmp_path)
    path = manifest_path(tmp_path / NAME)
    assert "oldest_runtime" not in json.loads(path.read_text())

    def verify():
        result = CliRunner().invoke(
            build_app(), ["verify", str(tmp_path / NAME), "--python", sys.executable, "--json"]
        )
        return result.exit_code, Manifest.load(path)

    code, noted = verify()
    assert code == 0
    name, _, version = str(noted.oldest_runtime).partition(" ")
    assert name in ("tflite-runtime", "ai-edge-litert", "tensorflow")
    assert version[0].isdigit()
    older = noted.model_copy(update={"oldest_runtime": "tflite-runtime 1.0"})
    path.write_text(older.to_json())
    assert verify() == (0, older)  # what is older stays
    path.write_text(noted.model_copy(update={"oldest_runtime": "ai-edge-litert 99.0"}).to_json())
    assert verify() == (0, noted)


@pytest.mark.parametrize(
    ("runtime", "than"),
    [
        ("tflite-runtime 2.9.1", "tflite-runtime 2.14.0"),
        ("tflite-runtime 2.14.0", "ai-edge-litert 1.0.1"),
        ("tensorflow 2.17.0", "ai-edge-litert 1.0.1"),
        ("ai-edge-litert 2.3.0", "ai-edge-litert 2.10.0"),
    ],
)
def test_runtimes_have_an_age(runtime, than):
    assert is_older(runtime, than)
    assert not is_older(than, runtime)
    assert not is_older(runtime, runtime)


def test_a_python_of_this_folder_is_not_the_one_on_the_path(tiny_artifacts, python, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    python("echo 'Op builtin_code out of range' >&2; exit 1")
    done = CliRunner().invoke(
        build_app(), ["verify", str(tiny_artifacts / NAME), "--python", "./python", "--json"]
    )
    assert json.loads(done.stdout)[0]["reason"] == f"{NAME} by ./python: Op builtin_code out of range"
