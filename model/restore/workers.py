"""A folder's photos by several processes at once: what ``anyir restore --jobs`` does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from anyir.model.device import keep_freed_memory
from anyir.model.errors import UserError
from anyir.model.processes import start_process
from anyir.model.restore.batch import Finished, Output, PhotoOutcome, Started, error_line, try_job
from anyir.model.restore.jobs import PhotoJob
from anyir.model.restore.restorer import Restorer, Setting, TileProgress

PATIENCE = 10.0
"""Seconds that processes have to end when they are told to, until they are killed."""


def share_threads(threads: int | None, processes: int) -> list[int | None]:
    """Threads of each process: as many in all as one process would have, and one each at least.

    Args:
        threads: in all; None for the cores that this process may use.
        processes: how many share them; one alone has them all, or the model's own choice.
    """
    if processes == 1:
        return [threads]
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [max(1, threads // processes + (i < threads % processes)) for i in range(processes)]


@dataclass
class _Worker:
    """A process, what it restores, and whether it has opened its model."""

    process: BaseProcess
    pipe: Connection
    threads: int | None
    ready: bool = False
    job: PhotoJob | None = None
    progress: TileProgress | None = None


class Workers:
    """Processes that restore photos, as a context: they end with it, at the latest a tile after.

    A process that ends by itself (a crash, the system's want of memory) is one failed photo; another takes
    its place.

    Args:
        make: makes a process's restorer, given its ``threads``; is pickled.
        threads: of each process.
        output: how results are written.
        resume: whether photos that an earlier run has done are kept.
    """

    def __init__(
        self, make: Callable[..., Restorer], threads: list[int | None], output: Output, *, resume: bool
    ) -> None:
        self.orders = (make, output, resume)
        self.threads = threads
        self.workers: list[_Worker] = []
        self.refusal = "no process could be started"
        self.setting: Setting

    def __enter__(self) -> Workers:
        """Start them, and wait until one has opened its model.

        Raises:
            UserError: none could.
        """
        try:
            for threads in self.threads:
                self._start(threads)
            while not any(worker.ready for worker in self.workers):
                if not self.workers:
                    raise UserError(self.refusal)
                for worker in self._heard():
                    self._take(worker)
        except BaseException:
            self._end(at_once=True)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(at_once=kind is not None)

    def restore(self, jobs: list[PhotoJob], *, started: Started, finished: Finished) -> list[PhotoOutcome]:
        """Restore every job; one that fails does not stop the others.

        Returns:
            Outcomes in the order of the jobs.
        """
        waiting = deque(jobs)
        outcomes: dict[PhotoJob, PhotoOutcome] = {}

        def end(job: PhotoJob, outcome: PhotoOutcome) -> None:
            outcomes[job] = outcome
            finished(job, outcome)

        while len(outcomes) < len(jobs):
            for worker in self.workers:
                if waiting and worker.ready and worker.job is None:
                    worker.job = waiting.popleft()
                    worker.progress = started(worker.job)
                    with contextlib.suppress(OSError):  # it has ended: its pipe will say so
                        worker.pipe.send(worker.job)
            for worker in self._heard():
                job = worker.job
                outcome = self._take(worker)
                if job is not None and outcome is not None:
                    end(job, outcome)
            if not self.workers:  # none could be started again
                for job in waiting:
                    started(job)
                    end(job, PhotoOutcome(input=str(job.source), status="failed", error=self.refusal))
        return [outcomes[job] for job in jobs]

    def _heard(self) -> list[_Worker]:
        """Workers that say something, or have ended."""
        said = wait([worker.pipe for worker in self.workers])
        return [worker for worker in self.workers if worker.pipe in said]

    def _take(self, worker: _Worker) -> PhotoOutcome | None:
        """What a worker says; its photo's outcome if it is that."""
        try:
            message: Any = worker.pipe.recv()
        except (EOFError, OSError):
            return self._lost(worker)
        if isinstance(message, Setting):
            self.setting, worker.ready = message, True
        elif isinstance(message, PhotoOutcome):
            worker.job = None
            return message
        elif isinstance(message, str):
            self.refusal = message
            self.workers.remove(worker)
        elif worker.progress is not None:
            worker.progress(*message)
        return None

    def _lost(self, worker: _Worker) -> PhotoOutcome | None:
        """A worker has ended by itself: its photo has failed."""
        worker.pipe.close()
        worker.process.join(PATIENCE)
        self.workers.remove(worker)
        how = _how_it_ended(worker.process.exitcode)
        if worker.job is None:
            self.refusal = f"a process that restores {how}"
            return None
        self._start(worker.threads)
        error = f"the process that restored it {how}"
        return PhotoOutcome(input=str(worker.job.source), status="failed", error=error)

    def _start(self, threads: int | None) -> None:
        process, pipe = start_process(_work, threads, *self.orders, hears_interrupt=False)
        self.workers.append(_Worker(process, pipe, threads))

    def _end(self, *, at_once: bool) -> None:
        try:
            for worker in self.workers:
                if at_once:
                    worker.process.terminate()
                worker.pipe.close()
            end = time.monotonic() + PATIENCE
            for worker in self.workers:
                worker.process.join(max(0.0, end - time.monotonic()))
        finally:
            for worker in self.workers:
                worker.process.kill()
            self.workers = []


def _how_it_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
        return f"was ended by {name}" + (" (is there enough memory?)" if name == "SIGKILL" else "")
    return f"was ended by signal {-code}"


class _Told(BaseException):
    """This process is told to end."""


def _work(
    pipe: Connection, threads: int | None, make: Callable[..., Restorer], output: Output, resume: bool
) -> None:
    """What a process does: a job comes through the pipe, its tiles and its outcome go back. Without a parent
    at the other end it ends, at the latest with the tile."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Told

    signal.signal(signal.SIGTERM, end)
    with contextlib.suppress(_Told, EOFError, ConnectionError):
        try:
            _serve(pipe, threads, make, output, resume)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what raises after this would be a traceback


def _serve(
    pipe: Connection, threads: int | None, make: Callable[..., Restorer], output: Output, resume: bool
) -> None:
    try:
        restorer = make(threads=threads)
    except (UserError, OSError, MemoryError) as error:
        pipe.send(error_line(error))
        return
    pipe.send(restorer.setting)

    def told(done: int, total: int) -> None:
        pipe.send((done, total))

    with keep_freed_memory():
        while True:
            job = pipe.recv()
            pipe.send(try_job(restorer, job, output, resume=resume, progress=told))
