"""What there is to measure: PyTorch, every artifact of a folder, and the recipes that were not built."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from anyir.conversion.runtimes import RUNTIMES, SUFFIXES
from anyir.model.errors import UserError, unknown
from anyir.profiling.environment import package_version
from anyir.profiling.reference import WEIGHTS_FILE, Reference
from anyir.profiling.schema import PYTORCH

if TYPE_CHECKING:
    from anyir.conversion.manifest import Manifest
    from anyir.conversion.pipeline import BuildRow

NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_+.-]*")
"""What a program's name must be: files of pictures begin with it (``environment.PictureFile``)."""
UNCOUNTED: dict[str, int | None] = {"total": None, "delegated": None, "partitions": None}
UNKNOWN = "unknown"
"""Backend and precision of an artifact without a manifest that says them."""


@dataclass(frozen=True)
class Candidate:
    """One row to be.

    Attributes:
        name: the file's without suffix, or the recipe's.
        path: what to run; None for a recipe that was not built, or a file that is not its manifest's.
        error: why there is nothing to run; None if there is.
        sha256, bytes: of the file.
        runtime, backend, precision: as its manifest says.
        look, restore: of each entry what the backend takes, by the manifest; a file that is not the
            manifest's has no figures of it.
    """

    name: str
    path: Path | None
    error: str | None
    runtime: str
    backend: str
    precision: str
    sha256: str | None = None
    bytes: int = 0
    look: dict[str, int | None] = field(default_factory=lambda: dict(UNCOUNTED))
    restore: dict[str, int | None] = field(default_factory=lambda: dict(UNCOUNTED))

    @property
    def takes_threads(self) -> bool:
        """Whether it runs on as many CPU threads as it is told."""
        return self.runtime == PYTORCH or RUNTIMES[self.runtime].takes_threads

    @property
    def is_evaluated(self) -> bool:
        """Whether this machine computes what it says and cannot run it: there is nothing to time."""
        return self.why_evaluated is not None

    @property
    def why_evaluated(self) -> str | None:
        """Why this machine cannot run it, where something computes what it says."""
        runtime = RUNTIMES.get(self.runtime)
        backend = runtime and runtime.backends.get(self.backend)
        return backend.why_not_here if backend and backend.is_evaluated else None

    @property
    def runtime_version(self) -> str | None:
        """The runtime's version on this machine, not the one that the artifact was made with."""
        return package_version("torch" if self.runtime == PYTORCH else RUNTIMES[self.runtime].package)


def find_candidates(artifacts: Path, reference: Reference) -> list[Candidate]:
    """PyTorch first, then artifacts by name, then recipes that ``conversion.json`` says were not built.

    Raises:
        UserError: no such folder, nothing in it, artifacts of other weights or another tile, two of
            one name, or a name that no picture can have.
    """
    if not artifacts.is_dir():
        raise UserError(f"there is no folder {artifacts}; `anyir convert --out {artifacts}` makes it")
    rows = _last_build(artifacts)
    failed = _not_built(rows)
    old = {candidate.name for candidate in failed}  # a file that is there all the same is of an earlier build
    paths = [path for path in sorted(artifacts.iterdir()) if path.suffix in SUFFIXES and path.stem not in old]
    built = {row.file for row in rows}
    if built:  # what an earlier build left for other weights or another tile is no part of this one
        paths = [path for path in paths if path.name in built or _fits(path, reference)]
    found = [_artifact(path, reference) for path in paths] + failed
    if not found:
        raise UserError(f"there is no artifact in {artifacts}; `anyir convert --out {artifacts}` makes them")
    candidates = [_pytorch(reference), *found]
    names = [candidate.name for candidate in candidates]
    if (odd := next((name for name in names if not NAME.fullmatch(name)), None)) is not None:
        raise UserError(
            f"{artifacts} has a program of the name {odd!a}, after which no picture can be named; "
            "rename it with its manifest: letters a to z, digits and _ + - ., but no dot first"
        )
    if (twice := next((name for name in names if names.count(name) > 1), None)) is not None:
        raise UserError(f"{artifacts} has two programs of the name {twice}; remove or rename one")
    return candidates


def _pytorch(reference: Reference) -> Candidate:
    path = reference.folder / WEIGHTS_FILE
    return Candidate(
        name="pytorch",
        path=path,
        error=None,
        runtime=PYTORCH,
        backend="cpu",
        precision="fp32",
        sha256=reference.weights_sha256,
        bytes=path.stat().st_size,
    )


def _fits(path: Path, reference: Reference) -> bool:
    """Whether an artifact's manifest names the reference's weights and tile; one without a manifest does."""
    from anyir.conversion.manifest import Manifest, manifest_path

    try:
        manifest = Manifest.load(manifest_path(path))
    except UserError:
        return True
    same = (reference.weights_sha256, reference.tile, reference.tile_size)
    return (manifest.source.sha256, manifest.tile, manifest.tile_size) == same


def check_same_source(path: Path, manifest: Manifest, reference: Reference) -> None:
    """Raise where an artifact's outputs cannot be compared with a reference's.

    Raises:
        UserError: it was made from other weights or takes another tile.
    """
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


def check_same_size(path: Path, manifest: Manifest, reference: Reference) -> None:
    """Raise where an artifact's tiles are not as large as a reference's.

    Raises:
        UserError: both sizes.
    """
    if manifest.tile_size != reference.tile_size:
        raise UserError(
            f"{path.name} takes tiles of {manifest.tile_size} and the reference has tiles of "
            f"{reference.tile_size}; make both with the same --restore-size, or without"
        )


def _artifact(path: Path, reference: Reference) -> Candidate:
    from anyir.conversion.manifest import Manifest, manifest_path, verify_artifact
    from anyir.conversion.tree import tree_bytes

    try:
        manifest = verify_artifact(path)
    except UserError as fault:
        backend = precision = UNKNOWN
        with contextlib.suppress(UserError):  # what it was to be, if a manifest says so
            described = Manifest.load(manifest_path(path))
            backend, precision = described.backend, described.precision
        return Candidate(path.stem, None, str(fault), SUFFIXES[path.suffix], backend, precision)
    check_same_source(path, manifest, reference)
    check_same_size(path, manifest, reference)
    return Candidate(
        name=path.stem,
        path=path,
        error=None,
        runtime=manifest.runtime,
        backend=manifest.backend,
        precision=manifest.precision,
        sha256=manifest.sha256,
        bytes=tree_bytes(path),
        look=manifest.entries.look.operators.model_dump(),
        restore=manifest.entries.restore.operators.model_dump(),
    )


def _last_build(artifacts: Path) -> list[BuildRow]:
    """The rows of ``conversion.json``; none where there is no such file.

    Raises:
        UserError: it cannot be read, or names a recipe that there is none of.
    """
    from anyir.conversion.build import REPORT
    from anyir.conversion.pipeline import BuildRow
    from anyir.conversion.recipes import RECIPES

    path = artifacts / REPORT
    if not path.is_file():
        return []
    try:
        rows = TypeAdapter(list[BuildRow]).validate_python(json.loads(path.read_bytes())["rows"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged or of another version; run `anyir convert` again") from error
    known = [recipe.name for recipe in RECIPES]
    if (odd := next((row.recipe for row in rows if row.recipe not in known), None)) is not None:
        raise UserError(f"{path}: {unknown('recipe', odd, known)}; run `anyir convert` again")
    return rows


def failed_builds(artifacts: Path) -> dict[str, str]:
    """Names and reasons of what could not be built last time; a file of that name is of an earlier build.

    Raises:
        UserError: ``conversion.json`` cannot be read.
    """
    return {one.name: str(one.error) for one in _not_built(_last_build(artifacts))}


def _not_built(rows: list[BuildRow]) -> list[Candidate]:
    """Recipes that failed when the folder was last built."""
    from anyir.conversion.recipes import RECIPES

    recipes = {recipe.name: recipe for recipe in RECIPES}
    return [
        Candidate(
            name=Path(row.file).stem,
            path=None,
            error=f"not built: {row.reason}",
            runtime=recipes[row.recipe].runtime,
            backend=recipes[row.recipe].backend,
            precision=recipes[row.recipe].precision,
        )
        for row in rows
        if row.status == "failed"
    ]
