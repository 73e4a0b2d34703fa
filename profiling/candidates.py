"""What there is to measure: PyTorch, every artifact of a folder, and the recipes that were not built."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyir.model.errors import UserError
from anyir.profiling.host import package_version
from anyir.profiling.reference import WEIGHTS_FILE, Reference
from anyir.profiling.schema import RuntimeName

RUNTIMES: dict[str, RuntimeName] = {".pte": "executorch", ".tflite": "litert", ".mlpackage": "coreml"}
UNKNOWN = "unknown"
"""Backend and precision of an artifact without a manifest that says them."""
PACKAGES = {
    "pytorch": "torch",
    "executorch": "executorch",
    "litert": "ai-edge-litert",
    "coreml": "coremltools",
}
"""Runtime -> the package whose version is the runtime's on this machine."""


@dataclass(frozen=True)
class Candidate:
    """One row to be.

    Attributes:
        name: the file's without suffix, or the recipe's.
        path: what to run; None for a recipe that was not built.
        error: why there is nothing to run; None if there is.
        sha256, bytes: of the file.
        runtime, backend, precision, delegated, operators, partitions: as its manifest says.
    """

    name: str
    path: Path | None
    error: str | None
    runtime: RuntimeName
    backend: str
    precision: str
    sha256: str | None = None
    bytes: int = 0
    delegated: int | None = None
    operators: int | None = None
    partitions: int | None = None

    @property
    def runtime_version(self) -> str | None:
        """The runtime's version on this machine, not the one that the artifact was made with."""
        return package_version(PACKAGES[self.runtime])


def find_candidates(artifacts: Path, reference: Reference) -> list[Candidate]:
    """PyTorch first, then artifacts by name, then recipes that ``conversion.json`` says were not built.

    Raises:
        UserError: no such folder, nothing in it, or artifacts of other weights or another tile.
    """
    if not artifacts.is_dir():
        raise UserError(f"there is no folder {artifacts}; `anyir convert --out {artifacts}` makes it")
    failed = _not_built(artifacts)
    old = {candidate.name for candidate in failed}  # a file that is there all the same is of an earlier build
    paths = [path for path in sorted(artifacts.iterdir()) if path.suffix in RUNTIMES and path.stem not in old]
    found = [_artifact(path, reference) for path in paths] + failed
    if not found:
        raise UserError(f"there is no artifact in {artifacts}; `anyir convert --out {artifacts}` makes them")
    return [_pytorch(reference), *found]


def _pytorch(reference: Reference) -> Candidate:
    path = reference.folder / WEIGHTS_FILE
    return Candidate(
        name="pytorch",
        path=path,
        error=None,
        runtime="pytorch",
        backend="cpu",
        precision="fp32",
        sha256=reference.weights_sha256,
        bytes=path.stat().st_size,
    )


def _artifact(path: Path, reference: Reference) -> Candidate:
    from anyir.conversion.manifest import Manifest, manifest_path, tree_bytes, verify_artifact

    fault = None
    try:
        verify_artifact(path)
    except UserError as error:
        fault = str(error)
    try:
        manifest = Manifest.load(manifest_path(path))
    except UserError as error:
        unknown: dict[str, Any] = {"backend": UNKNOWN, "precision": UNKNOWN}
        return Candidate(path.stem, None, fault or str(error), RUNTIMES[path.suffix], **unknown)
    if manifest.source.sha256 != reference.weights_sha256:
        raise UserError(
            f"{path.name} was made from weights {manifest.source.sha256[:12]} and the reference from "
            f"{reference.weights_sha256[:12]}; make both from the same weights"
        )
    if manifest.tile != reference.tile:
        raise UserError(
            f"{path.name} takes tiles of {manifest.tile} and the reference has tiles of {reference.tile}; "
            "make both with the same --tile"
        )
    return Candidate(
        name=path.stem,
        path=path,
        error=fault,
        runtime=manifest.runtime,
        backend=manifest.backend,
        precision=manifest.precision,
        sha256=manifest.sha256,
        bytes=tree_bytes(path),
        delegated=manifest.operators.delegated,
        operators=manifest.operators.total,
        partitions=manifest.operators.partitions,
    )


def _not_built(artifacts: Path) -> list[Candidate]:
    """Recipes that failed when the folder was last built."""
    from anyir.conversion.build import REPORT
    from anyir.conversion.recipes import RECIPES

    path = artifacts / REPORT
    if not path.is_file():
        return []
    recipes = {recipe.name: recipe for recipe in RECIPES}
    try:
        rows = json.loads(path.read_bytes())["rows"]
        return [
            Candidate(
                name=Path(row["file"]).stem,
                path=None,
                error=f"not built: {row['reason']}",
                runtime=RUNTIMES[Path(row["file"]).suffix],
                backend=recipes[row["recipe"]].backend,
                precision=recipes[row["recipe"]].precision,
            )
            for row in rows
            if row["status"] == "failed"
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged or of another version; run `anyir convert` again") from error
