"""Building artifacts: side by side in processes, each failure a row, each success a file and a manifest."""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anyir.conversion.processes import start_process
from anyir.conversion.recipes import Recipe
from anyir.model.checkpoint import find_weights
from anyir.model.files import scratch_folder, write_atomically

PROCESSES = 2
REPORT = "conversion.json"
"""Name of the file, beside the artifacts, with a row for every recipe of the last run."""


@dataclass(frozen=True)
class Row:
    """What became of one recipe.

    Attributes:
        status: ``built``, ``reused`` (the artifact was up to date) or ``failed``.
        reason: of a failure, one line.
        psnr: of the artifact against the literal network, dB; None: not measured, or identical.
    """

    recipe: str
    file: str
    status: str
    reason: str | None = None
    bytes: int | None = None
    total: int | None = None
    delegated: int | None = None
    partitions: int | None = None
    parity: str | None = None
    max_error: float | None = None
    psnr: float | None = None
    loss: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Job:
    """Recipes of one runtime that share their first steps, for one process.

    Attributes:
        scratch: folder inside ``out`` for files that are not finished; removed at the end.
    """

    weights: Path
    tile: int
    out: Path
    scratch: Path
    recipes: tuple[Recipe, ...]
    threads: int


def plan(weights: Path, tile: int, out: Path, scratch: Path, recipes: list[Recipe]) -> list[Job]:
    """Group recipes: LiteRT's share a converted program, and so do Core ML's; ExecuTorch's share none."""
    groups: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        key = recipe.name if recipe.runtime == "executorch" else recipe.runtime
        groups.setdefault(key, []).append(recipe)
    threads = max(1, multiprocessing.cpu_count() // PROCESSES)
    return [Job(weights, tile, out, scratch, tuple(group), threads) for group in groups.values()]


def build(
    weights: str | Path | None,
    tile: int,
    out: Path,
    recipes: list[Recipe],
    *,
    on_progress: Callable[[str, str], None] = lambda recipe, text: None,
) -> list[Row]:
    """Build artifacts and write ``conversion.json`` beside them.

    Args:
        weights: as for ``load_weights``.
        tile: side in pixels, a multiple of 8.
        on_progress: called with a recipe's name and what it is doing, or its final status.

    Returns:
        One row a recipe, in the order given.

    Raises:
        UserError: weights that cannot be loaded.
        OSError: a folder that cannot be written.
    """
    from anyir.model.checkpoint import load_weights

    path = find_weights(weights)
    load_weights(path)  # damaged or foreign weights end here, in one line, and not once a process
    out.mkdir(parents=True, exist_ok=True)
    (out / REPORT).unlink(missing_ok=True)  # interrupted, this build leaves none rather than an earlier one's
    rows: dict[str, Row] = {}

    def finish(row: Row) -> None:
        rows[row.recipe] = row
        on_progress(row.recipe, row.status)

    with scratch_folder(out, ".build-") as scratch:
        # All build from one copy: a training that goes on may replace the file while they do.
        copy = scratch / "weights" / path.name
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
        run_jobs(plan(copy, tile, out, scratch, recipes), finish, on_progress)
    ordered = [rows[recipe.name] for recipe in recipes]
    report = {"weights": path.name, "tile": tile, "rows": [asdict(row) for row in ordered]}
    write_atomically(out / REPORT, (json.dumps(report, indent=1) + "\n").encode())
    return ordered


def run_jobs(
    jobs: list[Job],
    finish: Callable[[Row], None],
    on_progress: Callable[[str, str], None],
    target: Callable[..., None] | None = None,
) -> None:
    """Run jobs in processes, ``PROCESSES`` at a time; a process that dies fails its remaining recipes.

    Args:
        target: what a process runs, with a connection and a job.
    """
    from anyir.conversion.worker import work

    waiting = list(jobs)
    running: dict[Any, tuple[Any, Job, list[str]]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < PROCESSES:
                job = waiting.pop(0)
                process, ours = start_process(target or work, job)
                running[ours] = (process, job, [recipe.name for recipe in job.recipes])
            ready: list[Any] = multiprocessing.connection.wait(list(running))
            for connection in ready:
                process, job, left = running[connection]
                try:
                    kind, message = connection.recv()
                except (EOFError, ConnectionError):
                    process.join()
                    for name in left:
                        finish(failed(job, name, f"the process died (exit code {process.exitcode})"))
                    del running[connection]
                    continue
                if kind == "progress":
                    on_progress(*message)
                else:
                    row = Row(**message)
                    left.remove(row.recipe)
                    finish(row)
    finally:
        for process, _, _ in running.values():
            process.terminate()
            process.join()


def failed(job: Job, recipe: str, reason: str) -> Row:
    """The row of a recipe that could not be built; ``reason`` becomes one line."""
    from anyir.conversion.worker import log_path, preset_of

    name = next(r for r in job.recipes if r.name == recipe).file_name(preset_of(job.weights), job.tile)
    line = f"{' '.join(reason.split())[:300]} (log: {log_path(job).name})"
    return Row(recipe, name, "failed", reason=line)
