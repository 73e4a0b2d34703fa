"""One process of a build: exports, measures and describes the recipes of one job."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.conversion import contract
from anyir.conversion.base import Export, Exporter, make_exporter, versions
from anyir.conversion.manifest import (
    Manifest,
    Parity,
    Tensor,
    manifest_path,
    tree_bytes,
    tree_sha256,
    verify_artifact,
)
from anyir.conversion.manifest import Source as Origin
from anyir.conversion.parity import OutOfBounds, check, mean_loss, measure, not_measured
from anyir.conversion.processes import end_with_parent, log_output
from anyir.model.checkpoint import read_header
from anyir.model.errors import UserError, show_traceback
from anyir.model.files import sha256

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from anyir.conversion.build import Job, Row
    from anyir.conversion.recipes import Recipe
    from anyir.conversion.source import Source


def work(connection: Connection, job: Job) -> None:
    """Build a job's recipes one after the other.

    Sends ``("progress", (recipe, text))`` and, for each recipe, ``("row", {...})``. What the toolchains
    print goes to a log file in the output folder.
    """
    from anyir.conversion.build import failed

    end_with_parent()
    try:
        terminal = log_output(log_path(job))
    except OSError as error:
        for recipe in job.recipes:
            row = failed(job, recipe.name, f"the log cannot be written: {error.strerror}")
            tell(connection, "row", asdict(row))
        return
    import torch

    torch.set_num_threads(job.threads)
    shared: dict[str, Any] = {}
    for recipe in job.recipes:

        def say(text: str, name: str = recipe.name) -> None:
            tell(connection, "progress", (name, text))

        say("checking")
        try:
            row = build_one(job, recipe, shared, say)
        except Exception as error:  # whatever the toolchain raises becomes the recipe's row
            with contextlib.suppress(OSError):  # the log's disk may be what is full
                traceback.print_exc()
                sys.stderr.flush()
            show_traceback(error, terminal)
            row = failed(job, recipe.name, reason_of(error))
        tell(connection, "row", asdict(row))
    connection.close()


def tell(connection: Connection, kind: str, message: Any) -> None:
    """Send to the parent. Where that is gone, nobody is left to build for: the process ends.

    Not as an error, which would be taken for the recipe's.
    """
    try:
        connection.send((kind, message))
    except ConnectionError:
        sys.exit(1)


def reason_of(error: Exception) -> str:
    """What a person is told of an error that a toolchain raised."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and (error.name or "anyir").partition(".")[0] != "anyir":
        return f"{error.name} is missing: pip install -c constraints.txt -e '.[convert]'"
    return f"{type(error).__name__}: {error}"


def build_one(job: Job, recipe: Recipe, shared: dict[str, Any], say: Any) -> Row:
    """1. Reuse what is up to date. 2. Export. 3. Run and compare. 4. Describe. 5. Move into place.

    An earlier artifact makes way for a new one, and for one that is out of bounds: then what these weights
    make is known to be no good. Whatever else fails leaves it.

    Args:
        shared: what the job's recipes have in common, filled by the first that needs it.
    """
    target = job.out / recipe.file_name(preset_of(job.weights), job.tile)
    if (current := up_to_date(target, job, recipe)) is not None:
        return row_of(current, recipe, "reused")
    if not shared:
        from anyir.conversion.source import Source

        shared["source"] = Source(job.weights, job.tile)
        shared["exporter"] = make_exporter(recipe.runtime, shared["source"])
    source: Source = shared["source"]
    exporter: Exporter = shared["exporter"]
    start = time.monotonic()
    path = job.scratch / target.name
    try:
        say("converting")
        export = exporter.export(recipe.precision, path)
        say("comparing")
        parity = compare_artifact(path, recipe, export, source)
        check(parity)
    except OutOfBounds:
        discard(target)
        raise
    manifest = describe(path, recipe, export, parity, source, time.monotonic() - start)
    put_in_place(path, manifest, target)
    return row_of(manifest, recipe, "built")


def compare_artifact(path: Path, recipe: Recipe, export: Export, source: Source) -> Parity:
    """Run the written file as an app would and compare it; say so where this machine cannot."""
    from anyir.conversion.runtimes import load_artifact

    if not runs_here(recipe):
        return not_measured(source, recipe.bounds, export.stages, "Core ML predicts on macOS and iOS only")
    draft = not_measured(source, recipe.bounds, [], "being measured")
    model = load_artifact(path, describe(path, recipe, export, draft, source, 0.0), threads=2)
    outputs = [model(tile) for tile in source.inputs]
    return measure(source, recipe.bounds, [*export.stages, ("artifact", outputs)])


def runs_here(recipe: Recipe) -> bool:
    """Whether there can be a runtime for a recipe's programs on this system."""
    return recipe.runtime != "coreml" or sys.platform == "darwin"


def describe(
    path: Path, recipe: Recipe, export: Export, parity: Parity, source: Source, seconds: float
) -> Manifest:
    """The manifest of a written artifact."""

    def tensor(name: str) -> Tensor:
        shape, low_high = list(contract.shape(source.tile)), list(contract.RANGE)
        return Tensor(name=name, shape=shape, dtype=contract.DTYPE, layout=contract.LAYOUT, range=low_high)

    return Manifest(
        name=path.stem,
        file=path.name,
        sha256=tree_sha256(path),
        bytes=tree_bytes(path),
        source=Origin(
            file=source.weights.name,
            sha256=sha256(source.weights),
            preset=preset_of(source.weights),
            config=source.network.config.to_dict(),
        ),
        runtime=recipe.runtime,  # type: ignore[arg-type]
        backend=recipe.backend,
        precision=recipe.precision,
        target=export.target,
        tile=source.tile,
        inputs=[tensor(contract.INPUT)],
        outputs=[tensor(contract.OUTPUT)],
        quantization=export.quantization,
        operators=export.operators,
        parity=parity,
        versions=versions(recipe.runtime),
        code_sha256=code_sha256(),
        seconds=round(seconds, 1),
    )


def up_to_date(target: Path, job: Job, recipe: Recipe) -> Manifest | None:
    """The manifest of an artifact that building again would only repeat; None if it must be built."""
    try:
        manifest = verify_artifact(target)
    except UserError:
        return None
    same = (
        manifest.source.sha256 == sha256(job.weights)
        and manifest.versions == versions(recipe.runtime)
        and manifest.code_sha256 == code_sha256()
        # What was built where it could not be run is measured where it can.
        and not (manifest.parity.status == "not measured" and runs_here(recipe))
    )
    return manifest if same else None


def code_sha256() -> str:
    """Digest of the code that an artifact and its figures depend on."""
    return hashlib.sha256("".join(sha256(file) for file in code_files()).encode()).hexdigest()


def code_files() -> list[Path]:
    """That code: what rewrites, converts, calibrates and compares."""
    import anyir.conversion
    import anyir.model

    conversion = Path(str(anyir.conversion.__file__)).parent
    model = Path(str(anyir.model.__file__)).parent
    names = ("config", "network", "metrics", "data/degradation_registry", "data/degradations", "data/camera")
    files = [path for path in sorted(conversion.rglob("*.py")) if path.parent.name != "commands"]
    return [*files, *sorted((model / "deploy").glob("*.py")), *(model / f"{name}.py" for name in names)]


def row_of(manifest: Manifest, recipe: Recipe, status: str) -> Row:
    """A manifest's figures as a row."""
    from anyir.conversion.build import Row

    literal = manifest.parity.literal
    operators = manifest.operators
    return Row(
        recipe=recipe.name,
        file=manifest.file,
        status=status,
        bytes=manifest.bytes,
        total=operators.total,
        delegated=operators.delegated,
        partitions=operators.partitions,
        parity=manifest.parity.status,
        max_error=literal.max_error if literal else None,
        psnr=literal.psnr if literal else None,
        loss=mean_loss(manifest.parity) if literal else None,
        seconds=manifest.seconds,
    )


def preset_of(weights: Path) -> str:
    """The preset that has these weights' config; ``custom`` if none has.

    File names begin with it, so it is not taken from the header, which may say anything.
    """
    from anyir.model.config import AnyIRConfig, preset_name

    return preset_name(AnyIRConfig.from_dict(read_header(weights)["config"])) or "custom"


def log_path(job: Job) -> Path:
    """Where a job's process writes what its toolchain prints."""
    first = job.recipes[0]
    name = first.name if first.runtime == "executorch" else first.runtime
    return job.out / f"{name}.log"


def put_in_place(path: Path, manifest: Manifest, target: Path) -> None:
    """Move a new artifact and its manifest to where an earlier pair may be.

    All is written before the first move. Between the moves the artifact is not the one that the manifest
    beside it describes, as its sha256 shows.
    """
    described = manifest_path(path)
    described.write_text(manifest.to_json(), encoding="utf-8")
    earlier = path.with_suffix(".earlier")
    if target.is_dir():  # the system replaces files and empty folders only
        os.replace(target, earlier)
    try:
        os.replace(path, target)
    except OSError:
        if earlier.is_dir():
            os.replace(earlier, target)
        raise
    os.replace(described, manifest_path(target))


def discard(target: Path) -> None:
    """Remove an artifact and its manifest, the manifest first: what has none is no artifact."""
    manifest_path(target).unlink(missing_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
