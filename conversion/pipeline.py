"""One artifact, step by step: reuse, export, run and compare, describe, move into place."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from pkgutil import resolve_name

from anyir.conversion import contract
from anyir.conversion.artifact import import_runtime, load_artifact, load_evaluator
from anyir.conversion.base import Export, Exporter, Promise, Unsupported
from anyir.conversion.choice import is_chosen
from anyir.conversion.digest import code_sha256, versions
from anyir.conversion.gates import check_gates
from anyir.conversion.manifest import (
    SCHEMA_VERSION,
    Entries,
    Entry,
    Manifest,
    Operators,
    Origin,
    OtherSize,
    Parity,
    Tensor,
    Weights,
    verify_artifact,
)
from anyir.conversion.parity import OutOfBounds, check, mean_loss, measure, not_measured
from anyir.conversion.placing import discard, put_in_place
from anyir.conversion.recipes import MIXED, Recipe
from anyir.conversion.restore_size import RestoreSize
from anyir.conversion.runtimes import find_backend, find_runtime
from anyir.conversion.source import Source, run_program
from anyir.conversion.tree import tree_bytes, tree_sha256
from anyir.model.checkpoint import read_header
from anyir.model.config import AnyIRConfig, TileSize, preset_name
from anyir.model.errors import UserError
from anyir.model.files import sha256


@dataclass(frozen=True)
class Job:
    """Recipes that are built one after the other, because they share their first steps.

    Attributes:
        name: of its log file.
        weights: the file that is read.
        described: what manifests say of it.
        tile: side of sheets, and of tiles where these have no size of their own, in pixels.
        out: folder of the artifacts.
        scratch: folder inside ``out`` for files that are not finished; removed at the end.
        threads: CPU threads.
        tile_size: of tiles that are not as large as sheets.
        other_sizes: of tiles that one program takes, too.
    """

    name: str
    weights: Path
    described: Weights
    tile: int
    out: Path
    scratch: Path
    recipes: tuple[Recipe, ...]
    threads: int
    tile_size: TileSize | None = None
    other_sizes: tuple[TileSize, ...] = ()

    @property
    def log(self) -> Path:
        """Where its process writes what the toolchain prints."""
        return self.out / f"{self.name}.log"

    def target(self, recipe: Recipe) -> Path:
        """Where a recipe's artifact goes."""
        name = recipe.file_name(self.described.preset, self.tile, self.tile_size, self.other_sizes)
        return self.out / name


@dataclass(frozen=True)
class BuildRow:
    """What became of one recipe.

    Attributes:
        status: ``built``, ``reused`` (the artifact was up to date) or ``failed``.
        reason: of a failure, one line.
        total, delegated, partitions: operators of ``restore``, those that the backend takes, and its calls.
        look_partitions: calls of ``look``.
        psnr: of the artifact against the literal network, dB; None: not measured, or identical.
        note: what a person should know of one that was built, one line.
    """

    recipe: str
    file: str
    status: str
    reason: str | None = None
    bytes: int | None = None
    total: int | None = None
    delegated: int | None = None
    partitions: int | None = None
    look_partitions: int | None = None
    parity: str | None = None
    max_error: float | None = None
    psnr: float | None = None
    loss: float | None = None
    seconds: float | None = None
    note: str | None = None


def failed_row(job: Job, recipe: Recipe, reason: str) -> BuildRow:
    """The row of a recipe that could not be built; ``reason`` becomes one line."""
    line = f"{' '.join(reason.split())[:300]} (log: {job.log.name})"
    return BuildRow(recipe.name, job.target(recipe).name, "failed", reason=line)


def row_of(manifest: Manifest, recipe: Recipe, status: str) -> BuildRow:
    """A manifest's figures as a row."""
    literal = manifest.parity.literal
    operators = manifest.entries.restore.operators
    return BuildRow(
        recipe=recipe.name,
        file=manifest.file,
        status=status,
        bytes=manifest.bytes,
        total=operators.total,
        delegated=operators.delegated,
        partitions=operators.partitions,
        look_partitions=manifest.entries.look.operators.partitions,
        parity=manifest.parity.status,
        max_error=literal.max_error if literal else None,
        psnr=literal.psnr if literal else None,
        loss=mean_loss(manifest.parity) if literal else None,
        seconds=manifest.seconds,
        note="; ".join(map(describe_other, manifest.other_sizes or ())) or None,
    )


def describe_other(other: OtherSize) -> str:
    """For people: "tiles of 384x384: 72.1 dB"."""
    literal = other.parity.literal
    if literal is None:
        return f"tiles of {other.size}: not measured"
    psnr = "equal" if literal.psnr is None else f"{literal.psnr:.1f} dB"
    return f"tiles of {other.size}: {psnr}"


def describe_weights(path: Path) -> Weights:
    """What manifests say of a weights file.

    The preset is the one that has this config, ``custom`` if none has. File names begin with it, so it is not
    taken from the header, which may say anything.

    Raises:
        UserError: not a weights file.
    """
    config = AnyIRConfig.from_dict(read_header(path)["config"])
    return Weights(
        file=path.name,
        sha256=sha256(path),
        preset=preset_name(config) or "custom",
        config=config.to_dict(),
    )


class Pipeline:
    """The steps for a job's recipes, and what they share: the network, and what its exporter keeps."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @cached_property
    def source(self) -> Source:
        return Source(self.job.weights, self.job.tile, self.job.tile_size, self.job.other_sizes)

    @cached_property
    def exporter(self) -> Exporter:
        """Imports the toolchain."""
        exporter: Exporter = resolve_name(find_runtime(self.job.recipes[0].runtime).exporter)(self.source)
        return exporter

    def build(self, recipe: Recipe, say: Callable[[str], None]) -> BuildRow:
        """1. Reuse what is up to date. 2. Export. 3. Run and compare. 4. Describe. 5. Move into place.

        An artifact that is out of bounds removes the earlier one: what these weights make is known to be no
        good. Any other failure keeps the earlier one.

        Args:
            say: called with what is being done.

        Raises:
            UserError: a package of the runtime is not installed, among other reasons.
        """
        if (missing := find_runtime(recipe.runtime).missing) is not None:
            raise UserError(missing)
        target = self.job.target(recipe)
        if (current := up_to_date(target, self.job, recipe)) is not None:
            return row_of(current, recipe, "reused")
        source, exporter = self.source, self.exporter
        start = time.monotonic()
        path = self.job.scratch / target.name
        try:
            say("converting")
            export = exporter.export(recipe.backend, recipe.precision, path)
            check_calls(export.operators, recipe, export.refused)
            say("comparing")
            entries = describe_entries(export.operators, source, export.dtype)
            origin = Origin(self.job.described.sha256, recipe.runtime, recipe.precision, self.job.tile)
            promise = Promise(
                source.tile, source.tile_size, entries, origin, recipe.backend, source.other_sizes
            )
            parity = compare_artifact(path, recipe, export, source, promise)
            check(parity)
            others = [self.compare_other(size, path, recipe, export, promise) for size in source.other_sizes]
        except OutOfBounds:
            discard(target)
            raise
        seconds = time.monotonic() - start
        manifest = describe(path, recipe, export, entries, parity, others, self.job, seconds)
        put_in_place(path, manifest, target)
        return row_of(manifest, recipe, "built")

    def compare_other(
        self, size: TileSize, path: Path, recipe: Recipe, export: Export, promise: Promise
    ) -> OtherSize:
        """Compare tiles of another size, within the same bounds."""
        source = Source(self.job.weights, self.job.tile, size)
        # What came before the artifact was computed with tiles of the first size.
        parity = compare_artifact(path, recipe, replace(export, stages=[]), source, promise)
        check(parity)
        return OtherSize(height=size.height, width=size.width, parity=parity)


def up_to_date(target: Path, job: Job, recipe: Recipe) -> Manifest | None:
    """The manifest of an artifact that building again would only repeat; None if it must be built."""
    try:
        manifest = verify_artifact(target)
    except UserError:
        return None
    backend = find_backend(recipe.runtime, recipe.backend)
    same = (
        manifest.source.sha256 == job.described.sha256
        and manifest.versions == versions(recipe.runtime)
        and manifest.code_sha256 == code_sha256()
        and (recipe.precision != MIXED or is_chosen(manifest.quantization, job.weights))
        # What was built where it could not be run is measured where it can.
        and (manifest.parity.status == "measured" or backend.why_not_here is not None)
    )
    return manifest if same else None


def compare_artifact(path: Path, recipe: Recipe, export: Export, source: Source, promise: Promise) -> Parity:
    """Run the written file as an app would and compare it; say so where this machine cannot.

    Raises:
        UserError: more calls of the backend than the recipe has.
    """
    backend, stages = find_backend(recipe.runtime, recipe.backend), list(export.stages)
    try:
        import_runtime(recipe.runtime, recipe.backend)
    except Unsupported as error:
        if backend.why_not_here is None:
            raise
        return not_measured(source, recipe.bounds, stages, str(error))
    model = load_artifact(path, promise, both=True)
    check_calls(model.operators, recipe, export.refused)
    # Both may be here: one is the other's check.
    if backend.evaluator not in (None, backend.runner) and not backend.is_evaluated:
        stages.append(("evaluated", run_program(load_evaluator(path, promise), source.inputs)))
    stages.append(("artifact", outputs := run_program(model, source.inputs)))
    check_gates(recipe.bounds, source, outputs.tiles, model)
    return measure(source, recipe.bounds, stages, evaluated=backend.why_not_here)


def check_calls(
    operators: Mapping[str, Operators], recipe: Recipe, refused: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a program of which an entry falls into more pieces than its recipe allows.

    Raises:
        UserError: which entry, its calls and the recipe's, and what the backend refused, where that is known.
    """
    for entry, counted in operators.items():
        if counted.partitions not in (None, recipe.calls):
            left = "; ".join(refused.get(entry, ()))
            raise UserError(
                f"{entry} enters {recipe.backend} {counted.partitions} times for {counted.delegated} of "
                f"{counted.total} operators; calls by its recipe: {recipe.calls}"
                f"{f'; refused: {left}' if left else ''}"
            )


def describe_entries(operators: dict[str, Operators], source: Source, dtype: str = contract.DTYPE) -> Entries:
    """What both entries take and give.

    Args:
        dtype: of all tensors.
    """

    def image(name: str, tile: int | TileSize) -> Tensor:
        shape, low_high = list(contract.shape(tile)), list(contract.RANGE)
        return Tensor(name=name, shape=shape, dtype=dtype, layout=contract.LAYOUT, range=low_high)

    statistics = source.statistic_shapes
    given = [
        Tensor(name=name, shape=list(shape), dtype=dtype, layout=contract.OPAQUE, range=None)
        for name, shape in zip(contract.statistic_names(len(statistics)), statistics, strict=True)
    ]
    sheet = image(contract.INPUT, source.tile)
    tile, restored = (image(name, source.tile_size) for name in (contract.INPUT, contract.OUTPUT))
    return Entries(
        look=Entry(inputs=[sheet], outputs=given, operators=operators[contract.LOOK]),
        restore=Entry(inputs=[tile, *given], outputs=[restored], operators=operators[contract.RESTORE]),
    )


def describe(
    path: Path,
    recipe: Recipe,
    export: Export,
    entries: Entries,
    parity: Parity,
    others: list[OtherSize],
    job: Job,
    seconds: float,
) -> Manifest:
    """The manifest of a written artifact."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        name=path.stem,
        file=path.name,
        sha256=tree_sha256(path),
        bytes=tree_bytes(path),
        source=job.described,
        runtime=recipe.runtime,
        backend=recipe.backend,
        precision=recipe.precision,
        target=export.target,
        tile=job.tile,
        restore_size=RestoreSize.of(job.tile_size),
        other_sizes=others or None,
        entries=entries,
        quantization=export.quantization,
        parity=parity,
        versions=versions(recipe.runtime),
        code_sha256=code_sha256(),
        seconds=round(seconds, 1),
    )
