"""What tests of builds look at: one recipe of the tiny network, its files and its row."""

from anyir.conversion.base import Export
from anyir.conversion.build import run_jobs
from anyir.conversion.manifest import manifest_path, verify_artifact
from anyir.conversion.recipes import select_recipes
from tests.helpers.tiny import TILE

[FP32] = select_recipes(["litert_cpu_fp32"])
NAME = FP32.file_name("tiny", TILE)


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
