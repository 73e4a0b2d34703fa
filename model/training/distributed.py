"""The processes of one training run: one, or as many as torchrun started.

Every process holds the whole network and trains on its rows of each batch; Lightning Fabric averages
the gradients. What all must agree on, above all when to stop, is decided by the first process and
shared over a channel of its own between the CPUs, so that no decision waits for a GPU.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from anyir.model.device import choose_device
from anyir.model.errors import UserError
from anyir.model.training.acceleration import best_precision

_FAILURE = "anyir/failure"
"""Key of the processes' common store under which the first that fails says why."""
_LAST_WORDS = timedelta(seconds=5)
"""How long the first process waits to learn why another has left."""


class Processes:
    """Those that train together.

    Attributes:
        rank: this one's number; 0 is the first, which alone writes files and prints.
        count: how many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count
        self._channel = dist.new_group(backend="gloo") if count > 1 else None

    @property
    def first(self) -> bool:
        return self.rank == 0

    def rows(self, batch: int, together: int = 1) -> slice:
        """This process's rows of a batch.

        Args:
            together: rows that follow one another and are not parted, such as crops of a photo.

        Raises:
            ValueError: the batch does not divide by the processes.
        """
        share = batch // self.count
        if batch % (self.count * together):
            each = f" with {together} crops a photo" if together > 1 else ""
            raise ValueError(f"a batch of {batch} does not divide by {self.count} processes{each}")
        return slice(self.rank * share, (self.rank + 1) * share)

    def maximum(self, *values: float) -> list[float]:
        """The greatest of what all processes give, value by value; waits for all of them."""
        return self._reduce(values, dist.ReduceOp.MAX)

    def mean(self, value: float) -> float:
        """The mean of what all processes give; NaN if one of them gives it."""
        return self._reduce([value], dist.ReduceOp.SUM)[0] / self.count

    def gather(self, lines: list[str]) -> list[str]:
        """The lines that all processes give, process by process; waits for all of them."""
        if self._channel is None or not self.maximum(len(lines))[0]:
            return lines
        every: list[list[str]] = [[] for _ in range(self.count)]
        dist.all_gather_object(every, lines, group=self._channel)
        return [line for some in every for line in some]

    def check_same(self, what: str, *values: float) -> None:
        """Check that all processes see the same, such as the same photos.

        Raises:
            UserError: they do not; on every process.
        """
        if self.maximum(*values) != [-v for v in self.maximum(*(-v for v in values))]:
            raise UserError(f"the processes see different {what}: give every machine the same files")

    def _reduce(self, values: Any, operation: Any) -> list[float]:
        if self._channel is None:
            return [float(v) for v in values]
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, operation, group=self._channel)
        return tensor.tolist()

    @contextmanager
    def ending_together(self) -> Iterator[None]:
        """Within it a failure of one process ends all of them, and the first says why in one line.

        What the others share with it breaks off when it exits; the reason travels through the store in
        which all of them met. torchrun sends SIGTERM to those that are left, which has to wait until
        they have said why; in a run's loop it is a wish to stop (``stop_requests``).
        """
        if self.count == 1:
            yield
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            yield
        except Exception as error:
            if self.first and _broke_off(error):
                raise _why_another_left() from None
            if self.first:
                raise
            expected = isinstance(error, UserError | OSError | torch.OutOfMemoryError) or _broke_off(error)
            if not _broke_off(error):
                words = str(error) if expected else f"{type(error).__name__}: {error}"
                _tell(f"process {self.rank}: {words.splitlines()[0]}")
            if not expected:
                raise
            _leave(1)
        except KeyboardInterrupt:
            if self.first:
                raise
            _leave(130)
        else:
            self.maximum(0)  # none leaves while another may still fail
            dist.destroy_process_group()


def start_processes(precision: str | None) -> tuple[Any, Processes]:
    """Lightning Fabric for the device at hand, and the processes: several if torchrun started this one.

    Args:
        precision: None for what suits the device.

    Raises:
        UserError: more processes on this machine than it has GPUs.
    """
    import logging

    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    count = int(os.environ.get("WORLD_SIZE", 1))
    if count == 1:
        device = choose_device()
        chosen: Any = precision or best_precision(device)
        return Fabric(accelerator=device.type, devices=1, precision=chosen), Processes()
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    if torch.cuda.is_available() and here > torch.cuda.device_count():
        raise UserError(f"{here} processes on a machine with {torch.cuda.device_count()} GPUs: one each")
    # Apple's GPU has no collectives; there and without a GPU the processes train on the CPU.
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    fabric = Fabric(
        accelerator=accelerator,
        devices=here,
        num_nodes=count // here,
        strategy="ddp",
        precision=precision or best_precision(torch.device(accelerator)),  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric, Processes(fabric.global_rank, fabric.world_size)


def _store() -> Any:
    return dist.distributed_c10d._get_default_store()


def _why_another_left() -> UserError:
    try:
        _store().wait([_FAILURE], _LAST_WORDS)
        return UserError(_store().get(_FAILURE).decode())
    except RuntimeError:  # time-out, or the store has gone
        return UserError(
            "another process of this run has ended without a word (killed, or out of memory?); "
            "--resume goes on from the last checkpoint"
        )


def _tell(reason: str) -> None:
    try:
        _store().set(_FAILURE, reason)
    except RuntimeError:
        print(f"anyir: {reason}", file=sys.stderr)  # the store has gone, and the first process with it


def _broke_off(error: BaseException) -> bool:
    """Whether an error comes from another process having left."""
    words = str(error)
    return isinstance(error, RuntimeError) and (
        isinstance(error, dist.DistError) or "gloo" in words or "Connection" in words
    )


def _leave(code: int) -> None:
    """End this process without waiting for work that it shares with others and that may never end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
