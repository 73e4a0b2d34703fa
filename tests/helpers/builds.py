"""What tests of artifacts look at: recipes of the tiny network, their files, rows and verifications."""

import json

from typer.testing import CliRunner

from anyir.conversion.base import Export
from anyir.conversion.build import run_jobs
from anyir.conversion.manifest import manifest_path, verify_artifact
from anyir.conversion.recipes import select_recipes
from anyir.model.cli import build_app
from tests.helpers.tiny import TILE

[FP32] = select_recipes(["litert_cpu_fp32"])
NAME = FP32.file_name("tiny", TILE)
FILES = {
    "executorch": "tiny_executorch_xnnpack_fp32_64x64.pte",
    "litert": "tiny_litert_cpu_fp32_64x64.tflite",
}


class Copier:
    """An exporter that has the artifact ready."""

    def __init__(self, artifact):
        self.artifact = artifact

    def export(self, backend, precision, path):
        path.write_bytes(self.artifact.read_bytes())
        entries = verify_artifact(self.artifact).entries
        return Export({"look": entries.look.operators, "restore": entries.restore.operators})


def pair(folder):
    """The bytes of an artifact and of its manifest."""
    return (folder / NAME).read_bytes(), manifest_path(folder / NAME).read_bytes()


def rows_of(jobs):
    rows = []
    run_jobs(list(jobs), rows.append, lambda recipe, text: None)
    return rows


def verify(path):
    """The exit code, and the row of an artifact."""
    result = CliRunner().invoke(build_app(), ["verify", str(path), "--json"])
    return result.exit_code, json.loads(result.stdout)[0]


def retile(manifest, tile):
    """Change all that a manifest says of its size."""
    manifest["tile"] = tile
    look, restore = (manifest["entries"][entry] for entry in ("look", "restore"))
    for image in (look["inputs"][0], restore["inputs"][0], restore["outputs"][0]):
        image["shape"] = [1, 3, tile, tile]
