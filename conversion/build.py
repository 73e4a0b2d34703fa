"""Building artifacts: side by side in processes, each failure a row, each success a file and a manifest."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import multiprocessing.connection
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from anyir.conversion.choice import Choice, choice_path
from anyir.conversion.pipeline import BuildRow, Job, Pipeline, describe_weights, failed_row
from anyir.conversion.recipes import MIXED, Recipe
from anyir.conversion.runtimes import find_runtime
from anyir.model.checkpoint import find_weights, load_weights
from anyir.model.config import TileSize
from anyir.model.errors import UserError, show_traceback
from anyir.model.files import copy_file, scratch_folder, sha256, write_atomically
from anyir.model.processes import end_with_parent, log_output, start_process

PROCESSES = 2
REPORT = "conversion.json"
"""Name of the file, beside the artifacts, with a row for every recipe of the last run."""


def build(
    weights: str | Path | None,
    tile: int,
    out: Path,
    recipes: list[Recipe],
    *,
    tile_size: TileSize | None = None,
    other_sizes: Sequence[TileSize] = (),
    on_progress: Callable[[str, str], None] = lambda recipe, text: None,
) -> list[BuildRow]:
    """Build artifacts and write ``conversion.json`` beside them.

    Args:
        weights: as for ``load_weights``.
        tile: side of sheets, and of tiles, in pixels, a multiple of 8.
        tile_size: of tiles that are not as large as sheets: height and width, likewise.
        other_sizes: of tiles that one program takes, too, each once; Core ML programs alone can.
        on_progress: called with a recipe's name and what it is doing, or its final status.

    Returns:
        One row a recipe, in the order given.

    Raises:
        UserError: weights that cannot be loaded, or a file where the folder should be.
        OSError: a folder that cannot be written.
    """
    path = find_weights(weights)
    load_weights(path)  # damaged or foreign weights end here, in one line, and not once a process
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UserError(f"{out} is a file; name a folder for the artifacts") from error
    rows: dict[str, BuildRow] = {}

    def finish(row: BuildRow) -> None:
        rows[row.recipe] = row
        on_progress(row.recipe, row.status)

    with scratch_folder(out, ".build-") as scratch:
        # All build from one copy: a training that goes on may replace the file while they do.
        copy = scratch / "weights" / path.name
        copy.parent.mkdir()
        copy_file(path, copy)
        if choice_path(path).is_file():
            copy_file(choice_path(path), choice_path(copy))
        # Interrupted from here on, this build leaves no report rather than an earlier one's.
        (out / REPORT).unlink(missing_ok=True)
        run_jobs(plan(copy, tile, out, scratch, recipes, tile_size, other_sizes), finish, on_progress)
        ordered = [noted(rows[recipe.name], recipe, copy) for recipe in recipes]
    report = {"weights": path.name, "tile": tile, "rows": [asdict(row) for row in ordered]}
    write_atomically(out / REPORT, (json.dumps(report, indent=1) + "\n").encode())
    return ordered


def noted(row: BuildRow, recipe: Recipe, weights: Path) -> BuildRow:
    """A row that says so where a mixed program's choice was measured with other weights."""
    built = recipe.precision == MIXED and row.status != "failed"
    if not built or not choice_path(weights).is_file():
        return row
    return replace(row, note=Choice.load(choice_path(weights)).of_other_weights(sha256(weights)))


def plan(
    weights: Path,
    tile: int,
    out: Path,
    scratch: Path,
    recipes: list[Recipe],
    tile_size: TileSize | None = None,
    other_sizes: Sequence[TileSize] = (),
) -> list[Job]:
    """Group recipes: those of a runtime whose precisions share a converted program are one job."""
    groups: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        together = find_runtime(recipe.runtime).one_conversion
        groups.setdefault(recipe.runtime if together else recipe.name, []).append(recipe)
    threads = max(1, multiprocessing.cpu_count() // PROCESSES)
    described = describe_weights(weights)
    return [
        Job(
            name, weights, described, tile, out, scratch, tuple(group), threads, tile_size, tuple(other_sizes)
        )
        for name, group in groups.items()
    ]


def run_jobs(
    jobs: list[Job],
    finish: Callable[[BuildRow], None],
    on_progress: Callable[[str, str], None],
    target: Callable[..., object] | None = None,
) -> None:
    """Run jobs in processes, ``PROCESSES`` at a time; a process that dies fails its remaining recipes.

    Args:
        target: what a process runs, with a connection and a job; by default ``work``.
    """
    waiting = list(jobs)
    running: dict[Any, tuple[BaseProcess, Job, list[Recipe]]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < PROCESSES:
                job = waiting.pop(0)
                process, ours = start_process(target or work, job)
                running[ours] = (process, job, list(job.recipes))
            ready: list[Any] = multiprocessing.connection.wait(list(running))
            for connection in ready:
                process, job, left = running[connection]
                try:
                    kind, message = connection.recv()
                except (EOFError, ConnectionError):
                    process.join()
                    for recipe in left:
                        finish(failed_row(job, recipe, f"the process died (exit code {process.exitcode})"))
                    del running[connection]
                    continue
                if kind == "progress":
                    on_progress(*message)
                else:
                    row = BuildRow(**message)
                    left[:] = [recipe for recipe in left if recipe.name != row.recipe]
                    finish(row)
    finally:
        for process, _, _ in running.values():
            process.terminate()
            process.join()


def work(connection: Connection, job: Job) -> None:
    """What a process does: build a job's recipes one after the other.

    Sends ``("progress", (recipe, text))`` and, for each recipe, ``("row", {...})``. What the toolchains
    print goes to the job's log.
    """
    end_with_parent()
    try:
        terminal = log_output(job.log)
    except OSError as error:
        for recipe in job.recipes:
            row = failed_row(job, recipe, f"the log cannot be written: {error.strerror}")
            tell(connection, "row", asdict(row))
        return
    import torch

    torch.set_num_threads(job.threads)
    pipeline = Pipeline(job)
    for recipe in job.recipes:

        def say(text: str, name: str = recipe.name) -> None:
            tell(connection, "progress", (name, text))

        say("checking")
        try:
            row = pipeline.build(recipe, say)
        except Exception as error:  # whatever the toolchain raises becomes the recipe's row
            with contextlib.suppress(OSError):  # the log's disk may be what is full
                traceback.print_exc()
                sys.stderr.flush()
            show_traceback(error, terminal)
            row = failed_row(job, recipe, reason_of(error))
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
