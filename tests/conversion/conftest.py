import json
import shutil

import pytest

from anyir.conversion.build import plan
from anyir.conversion.manifest import manifest_path
from tests.helpers.builds import FILES, FP32, NAME, TILE, pair


@pytest.fixture
def out(tiny_artifacts, tmp_path):
    """A folder with a good artifact of an earlier version of the code, which is due to be built again."""
    data, described = pair(tiny_artifacts)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / NAME).write_bytes(data)
    manifest_path(folder / NAME).write_text(json.dumps({**json.loads(described), "code_sha256": "older"}))
    return folder


@pytest.fixture
def job(tiny_weights, out, tmp_path):
    """The job of that artifact's recipe."""
    (tmp_path / "scratch").mkdir()
    [job] = plan(tiny_weights, TILE, out, tmp_path / "scratch", [FP32])
    return job


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
