"""`anyir verify` of several artifacts, of which one is not what it should be."""

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from anyir.model.cli import build_app
from tests.helpers.builds import verify


def test_what_a_runtime_raises_is_that_artifact_s_reason_and_the_rest_is_verified(described, monkeypatch):
    path = described("litert", lambda manifest: None)
    described("executorch", lambda manifest: None)

    def fails(*_):
        raise KeyError("serving")

    monkeypatch.setattr("anyir.conversion.litert.runner.LiteRtModel.run_look", fails)
    done = CliRunner().invoke(build_app(), ["verify", "--json", str(path.parent)])
    rows = {Path(row["artifact"]).suffix: row for row in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert rows[".tflite"]["reason"] == "KeyError: 'serving'"
    assert rows[".pte"]["status"] == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_whose_name_is_no_utf8_is_one_line(described):
    path = described("litert", lambda manifest: None)
    folder = path.parent / os.fsdecode(b"art\xff")
    folder.mkdir()
    for file in (path, path.with_suffix(".json")):
        file.rename(folder / file.name)
    code, row = verify(folder)
    assert code == 1
    assert row["reason"].endswith("a name in UTF-8 is due")
