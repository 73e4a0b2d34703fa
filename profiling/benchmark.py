"""Profiling: every program runs in its own process, and their samples interleave in time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from anyir.conversion.contract import ENTRIES
from anyir.conversion.restore_size import RestoreSize
from anyir.model.errors import UserError
from anyir.profiling.candidates import Candidate, find_candidates
from anyir.profiling.environment import HostEnvironment, describe_host
from anyir.profiling.quality import PictureWriter, compare_outputs, summarise_reference
from anyir.profiling.reference import Reference, hash_array
from anyir.profiling.schema import Artifact, Latency, Look, Quality, Results, Row, percentiles
from anyir.profiling.worker import LOAD_LIMIT_S, RUN_LIMIT_S, Program, Worker, WorkerError


@dataclass(frozen=True)
class BenchmarkSettings:
    """How to measure: runs that count, runs before them, CPU threads a program."""

    runs: int = 20
    warmups: int = 3
    threads: int = 2


@dataclass
class Measurement:
    """One candidate in the making: its process and what was measured so far, of tiles and of looks."""

    candidate: Candidate
    worker: Worker | None = None
    loaded: dict[str, Any] = field(default_factory=dict)
    samples_ms: list[float] = field(default_factory=list)
    look_samples_ms: list[float] = field(default_factory=list)
    restored: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    unsupported: bool = False

    @property
    def alive(self) -> bool:
        return self.error is None

    def ask(self, do: str, limit_s: float, **arguments: Any) -> dict[str, Any]:
        """The worker's answer; an empty one, and an error on record, where it has none."""
        assert self.worker is not None
        try:
            return self.worker.request(do, limit_s=limit_s, **arguments)
        except WorkerError as error:
            self.error, self.unsupported = str(error), error.unsupported
            self.samples_ms, self.look_samples_ms = [], []
            return {}


def profile(
    artifacts: Path,
    reference: Reference,
    out: Path,
    settings: BenchmarkSettings,
    *,
    on_start: Callable[[int], None] = lambda total: None,
    on_step: Callable[[str], None] = lambda what: None,
) -> Results:
    """Measure every artifact of a folder, and PyTorch, on this machine, and compare their outputs.

    Order: each program loads and runs once, in turn; then warm-ups and timed runs go round robin,
    each round starting with another program; last, each restores the whole set for the comparison.

    Args:
        artifacts: what ``anyir convert`` wrote.
        reference: made from the same weights, with the same tile.
        out: the results file; pictures go to ``pictures/`` beside it. Nothing is written to ``out``.
        settings: runs, warm-ups, threads.
        on_start: called with the number of steps before the first.
        on_step: called before each step with what it is, for a progress bar.

    Returns:
        One row for every artifact, for every recipe that could not be built, and for PyTorch.

    Raises:
        UserError: nothing to measure, or artifacts of other weights or another tile.
    """
    candidates = find_candidates(artifacts, reference)
    host = describe_host()
    pictures = PictureWriter(out.parent / "pictures")
    runs = [Measurement(candidate, error=candidate.error) for candidate in candidates]
    with tempfile.TemporaryDirectory(prefix="anyir-profile-") as scratch, ExitStack() as stack:
        outputs = {run.candidate.name: Path(scratch) / f"{run.candidate.name}.npy" for run in runs}
        measured = [run for run in runs if run.alive]
        rounds = settings.warmups + settings.runs
        on_start(sum(2 if run.candidate.is_evaluated else rounds + 2 for run in measured))
        for run in measured:
            assert run.candidate.path is not None
            program = Program(
                path=run.candidate.path,
                inputs=reference.folder / "inputs.npy",
                outputs=outputs[run.candidate.name],
                log=Path(scratch) / f"{run.candidate.name}.log",
                threads=settings.threads,
                sheet=reference.tile,
            )
            run.worker = Worker(program)
            stack.callback(run.worker.close)
            on_step(f"load {run.candidate.name}")
            run.loaded = run.ask("load", LOAD_LIMIT_S)
        timed = [run for run in measured if not run.candidate.is_evaluated]
        measure_in_turn(timed, settings, on_step)
        rows = []
        for run in runs:
            if run.alive:
                on_step(f"compare {run.candidate.name}")
                run.restored = run.ask("restore_all", RUN_LIMIT_S * len(reference.cases))
            if run.worker is not None:
                run.worker.close()
            rows.append(_row(run, outputs[run.candidate.name], reference, settings, host, pictures))
            # Those of all programs together would be gigabytes for large tiles.
            outputs[run.candidate.name].unlink(missing_ok=True)
    summary = summarise_reference(reference, pictures)
    return Results(schema=3, environment=host, reference=summary, rows=rows)


def measure_in_turn(
    runs: list[Measurement], settings: BenchmarkSettings, on_step: Callable[[str], None]
) -> None:
    """Warm up and time all programs, one run of each in a round, so that they share what slows them.

    One that fails drops out with its reason; the others go on.
    """
    for index in range(settings.warmups + settings.runs):
        first = index % max(1, len(runs))
        for run in runs[first:] + runs[:first]:
            on_step(f"run {index + 1} of {run.candidate.name}")
            if not run.alive:
                continue
            answer = run.ask("run", RUN_LIMIT_S, index=index)
            if answer and index >= settings.warmups:
                run.samples_ms.append(answer["ms"])
                run.look_samples_ms.append(answer["look_ms"])


def latency(samples_ms: list[float], warmups: int) -> Latency:
    """Samples with their percentiles, rounded to a microsecond."""
    samples = [round(sample, 3) for sample in samples_ms]
    p50, p90, p99 = (round(value, 3) for value in percentiles(samples))
    return Latency(
        warmups=warmups,
        n=len(samples),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        samples_ms=samples,
        split=None,
    )


def _row(
    run: Measurement,
    outputs: Path,
    reference: Reference,
    settings: BenchmarkSettings,
    host: HostEnvironment,
    pictures: PictureWriter,
) -> Row:
    candidate = run.candidate
    quality: dict[str, Quality] = {}
    digest = None
    if run.alive:
        try:
            made = np.load(outputs, mmap_mode="r")
            quality = compare_outputs(made, reference, candidate.name, pictures)
            digest = hash_array(made)
        except UserError as error:
            run.error = str(error)
    ok = run.error is None
    timed = ok and not candidate.is_evaluated
    status, why = "ok", run.error
    if ok and not timed:
        status, why = "evaluated", candidate.why_evaluated
    elif not ok:
        status = "unsupported" if run.unsupported else "failed"
    # As counted in the loaded program, where that can be; else as the conversion did.
    look, restore = (run.restored.get("counted", {}).get(e) or getattr(candidate, e) for e in ENTRIES)
    artifact = None
    if candidate.path is not None and candidate.sha256 is not None:
        artifact = Artifact(name=candidate.path.name, sha256=candidate.sha256, bytes=candidate.bytes)
    return Row(
        status=status,  # type: ignore[arg-type]  # checked by the schema
        error=why,
        name=candidate.name,
        engine=None,
        artifact=artifact,
        preset=reference.preset,
        runtime=candidate.runtime,  # type: ignore[arg-type]  # checked by the schema
        runtime_version=candidate.runtime_version,
        backend=candidate.backend,
        precision=candidate.precision,
        tile=reference.tile,
        restore_size=RestoreSize.of(reference.restore_size),
        device=host.device,
        os=host.os,
        accelerator=run.loaded["accelerator"] if ok else None,
        threads=settings.threads if candidate.takes_threads else None,
        delegated=restore["delegated"],
        operators=restore["total"],
        partitions=restore["partitions"],
        load_ms=round(run.loaded["load_ms"], 3) if timed else None,
        load_again_ms=None,
        first_run_ms=round(run.loaded["first_run_ms"], 3) if timed else None,
        latency=latency(run.samples_ms, settings.warmups) if timed else None,
        look=_look(run, look, settings) if timed else None,
        peak_memory_bytes=run.restored["peak_memory_bytes"] if timed else None,
        pss_bytes=None,
        output_sha256=digest if ok else None,
        quality=quality,
        conditions=None,
        sustained=None,
    )


def _look(run: Measurement, operators: dict[str, int | None], settings: BenchmarkSettings) -> Look:
    return Look(
        delegated=operators["delegated"],
        operators=operators["total"],
        partitions=operators["partitions"],
        first_run_ms=round(run.loaded["first_look_ms"], 3),
        latency=latency(run.look_samples_ms, settings.warmups),
    )
