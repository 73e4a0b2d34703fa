"""The time of a chunk of training: when it is over, when to save, when to validate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from anyir.model.training.settings import Progress

SAVE_EVERY = 50.0
"""Seconds between checkpoints: an interrupted run loses less than a minute."""


class ChunkClock:
    """Counts a chunk's seconds into its progress.

    Args:
        progress: of the run; its chunk may have been begun before.
        clock: seconds.
        validate_every: seconds between validations.
    """

    def __init__(self, progress: Progress, clock: Callable[[], float], validate_every: float) -> None:
        self._progress, self._clock, self._validate_every = progress, clock, validate_every
        now = clock()
        self._began = now - progress.chunk_seconds
        self._before = progress.seconds - progress.chunk_seconds
        self._saved = self._validated = now
        self._validation_seconds = 0.0

    def set(self, chunk_seconds: float) -> None:
        """Note in the progress how far the chunk is."""
        self._progress.chunk_seconds = chunk_seconds
        self._progress.seconds = self._before + chunk_seconds

    def seconds(self) -> float:
        """Seconds of the chunk so far."""
        return self._clock() - self._began

    def over(self, seconds: float) -> bool:
        """Whether the chunk's steps are done; or, after so many seconds, the rest of the chunk is needed
        for its last validation."""
        if self._progress.chunk_steps:
            return self._progress.share() >= 1
        return seconds + self._validation_seconds >= self._progress.chunk_minutes * 60

    def save_due(self, seconds: float) -> bool:
        """Whether a checkpoint is due after so many seconds of the chunk; ``saved`` begins anew."""
        return self._began + seconds - self._saved >= SAVE_EVERY

    def validation_due(self) -> bool:
        """Whether a validation is due; ``validated`` begins the count anew."""
        return self._clock() - self._validated >= self._validate_every

    def saved(self) -> None:
        self._saved = self._clock()

    def validated(self, seconds: float) -> None:
        """A validation has ended that took so many seconds."""
        self._validated, self._validation_seconds = self._clock(), seconds


@dataclass(frozen=True)
class Report:
    """How training goes, over the last few steps.

    Attributes:
        loss: mean over all processes.
        samples_per_second: of all processes together.
        waiting: share of the time (0..1) that the first process's device waited for its batches.
    """

    loss: float
    samples_per_second: float
    waiting: float


class Meter:
    """Samples a second and time spent waiting, of training alone: neither validation nor saving count.

    The first window, in which kernels are chosen, loaded and recorded, is left out of the totals.
    """

    def __init__(self) -> None:
        self._windows = 0
        self._samples, self._seconds, self._waited = 0, 0.0, 0.0
        self.begin_window()

    def begin_window(self) -> None:
        """Begin a window."""
        self._since = time.perf_counter()

    def end_window(self, loss: float, samples: int, waited: float) -> Report:
        """Close a window, when the device has done all its steps."""
        seconds = max(time.perf_counter() - self._since, 1e-9)
        if self._windows == 1:
            self._samples, self._seconds, self._waited = 0, 0.0, 0.0
        self._windows += 1
        self._samples += samples
        self._seconds += seconds
        self._waited += waited
        return Report(loss, samples / seconds, waited / seconds)

    def totals(self) -> tuple[float, float]:
        """Samples a second, and the share of the time that the device waited for batches."""
        seconds = max(self._seconds, 1e-9)
        return self._samples / seconds, self._waited / seconds
