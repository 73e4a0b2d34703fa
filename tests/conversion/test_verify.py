"""`anyir verify` of several artifacts, of which one is not what it should be."""

import json
from pathlib import Path

from typer.testing import CliRunner

from anyir.model.cli import build_app


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
