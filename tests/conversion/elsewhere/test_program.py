"""Programs by the runtime of another Python."""

import sys

import numpy as np
import pytest

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.elsewhere.program import other_python
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
        other_python(interpreter, tmp_path / "x.tflite", TILE).run(TILES)

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
        other_python(bare, tmp_path / "x.tflite", TILE).run(TILES)
