"""A process's share of every batch, and how long its device waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]
"""(degraded, clean), each (B, 3, H, W)."""
MakeBatch = Callable[[int, slice], Batch]
"""(step, rows) -> those rows of the step's batch, always the same."""


def make_loader(device: torch.device, make: MakeBatch, rows: slice) -> Loader:
    """Batches made in the way that suits the device.

    Args:
        rows: this process's share of a batch.
    """
    return (CudaLoader if device.type == "cuda" else Loader)(make, rows)


class Loader:
    """Batches made when they are asked for: on a CPU there is nothing to do meanwhile."""

    def __init__(self, make: MakeBatch, rows: slice) -> None:
        self._make_rows, self._rows = make, rows
        self._waited = 0.0

    def take(self, step: int) -> Batch:
        """This process's rows of the batch of ``step``."""
        started = time.perf_counter()
        batch = self._make(step)
        self._waited += time.perf_counter() - started
        return batch

    def prepare(self, step: int) -> None:
        """Begin the batch of ``step`` where that is possible beside the work already queued."""

    def waited(self) -> float:
        """Seconds that the device has waited since the last call, which waits for the device."""
        waited, self._waited = self._waited, 0.0
        return waited

    def _make(self, step: int) -> Batch:
        return self._make_rows(step, self._rows)


class CudaLoader(Loader):
    """The next batch is made on a stream of its own, beside the training of the present one.

    Two events on the training stream enclose the wait: one after a step's last kernel, one where the
    next batch is ready. They are read only when the loss is, so that they cost training nothing.
    """

    def __init__(self, make: MakeBatch, rows: slice) -> None:
        super().__init__(make, rows)
        # Goes first: what makes a batch is many small kernels, of which the CPU waits for a few.
        self._side = torch.cuda.Stream(priority=-1)
        self._side.wait_stream(torch.cuda.current_stream())  # the photos may still be on their way
        self._prepared: tuple[int, Batch] | None = None
        self._idle_since: torch.cuda.Event | None = None
        self._waits: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def prepare(self, step: int) -> None:
        self._idle_since = self._mark()
        with torch.cuda.stream(self._side):
            self._prepared = step, self._make(step)

    def take(self, step: int) -> Batch:
        idle_since = self._idle_since or self._mark()
        self._idle_since = None
        if self._prepared is None or self._prepared[0] != step:
            self.prepare(step)
            self._idle_since = None
        assert self._prepared is not None
        (_, batch), self._prepared = self._prepared, None
        training = torch.cuda.current_stream()
        training.wait_stream(self._side)
        for tensor in batch:
            tensor.record_stream(training)  # the side stream may not reuse its memory before
        self._waits.append((idle_since, self._mark()))
        return batch

    def waited(self) -> float:
        # What comes now, a checkpoint or a validation, is no waiting for data.
        self._idle_since = None
        waits, self._waits = self._waits, []
        if waits:
            waits[-1][1].synchronize()
        return sum(before.elapsed_time(after) for before, after in waits) / 1000

    def _mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event
