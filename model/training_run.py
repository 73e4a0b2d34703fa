"""One ``anyir train`` from photos to weights: set up, train, report."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.model.errors import UserError
from anyir.model.training_log import TrainingLog, show_scores
from anyir.model.training_settings import Progress, Settings

if TYPE_CHECKING:
    from anyir.model.processes import Processes


def train(
    settings: Settings,
    data: list[Path],
    out: Path,
    resume: Path | None,
    *,
    precision: str,
    threads: int = 0,
) -> Progress:
    """Train one chunk and leave checkpoint, logs and ``<preset>.safetensors`` in ``out``.

    Under torchrun every process calls this; only the first prints and writes.

    Raises:
        UserError: unusable photos, a checkpoint that does not fit, a loss that is no number, too little
            memory, or another process that failed.
    """
    import torch

    from anyir.model.processes import start_processes

    if threads:
        torch.set_num_threads(threads)
    fabric, processes = start_processes(precision)
    with processes.ending_together():
        try:
            return _train(settings, data, out, resume, fabric, processes)
        except torch.OutOfMemoryError as error:
            raise UserError(f"not enough memory on {fabric.device}: choose a smaller --batch") from error


def _train(
    settings: Settings, data: list[Path], out: Path, resume: Path | None, fabric: Any, processes: Processes
) -> Progress:
    from contextlib import nullcontext

    from rich.console import Console

    from anyir.model.mixture import Sampler
    from anyir.model.photos import hold_out, list_photos
    from anyir.model.training import Trainer, device_name
    from anyir.model.training_state import check_resumable
    from anyir.model.validation import CROP, HELD_OUT

    console = Console(stderr=True, quiet=not processes.first)
    train_paths, held_out = hold_out(list_photos(data), HELD_OUT)
    if resume is not None:
        check_resumable(resume, settings.preset)
    out.mkdir(parents=True, exist_ok=True)
    photos, validation = _read(console, fabric.device, (train_paths, settings.crop), (held_out, CROP))
    for reason in photos.skipped + validation.skipped:
        console.print(f"skipped {reason}", highlight=False)
    processes.check_same("photos", len(photos), photos.pixels.shape[0])

    sampler = Sampler(photos, batch=settings.batch, crop=settings.crop, seed=settings.seed)
    trainer = Trainer(settings, sampler, validation.centre_crops(CROP), out, fabric, processes)
    if resume is not None:
        trainer.resume(resume)
    progress = trainer.progress
    where = (
        f"{processes.count} x {device_name(fabric.device)}"
        if processes.count > 1
        else device_name(fabric.device)
    )
    console.print(
        f"{settings.preset} on {where}, {fabric._precision.precision}: {len(photos)} photos, "
        f"{len(validation)} held out, from step {progress.step}"
    )
    log = TrainingLog(progress, out / "logs", console) if processes.first else None
    with stop_requests(processes) as asked_to_stop, log or nullcontext():
        finished = trainer.run(log.report if log else lambda report: None, asked_to_stop)
    if not finished:
        raise UserError(
            f"interrupted at step {progress.step}; go on with: anyir train --resume {out} "
            f"--out {out} --preset {settings.preset} and the same --data"
        )
    if processes.first:
        show_scores(progress.history[-1]["scores"])
        print(f"step {progress.step}: {out / (settings.preset + '.safetensors')}")
    return progress


def _read(console: Any, device: Any, *groups: tuple[list[Path], int]) -> list[Any]:
    """Read groups of photos, each with the size that they must have at least, behind one progress bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from anyir.model.photos import PhotoBank

    with Progress(TextColumn("reading photos"), BarColumn(), MofNCompleteColumn(), console=console) as bar:
        task = bar.add_task("", total=sum(len(paths) for paths, _ in groups))
        return [
            PhotoBank.load(paths, device=device, at_least=at_least, on_photo=lambda: bar.advance(task))
            for paths, at_least in groups
        ]


@contextmanager
def stop_requests(processes: Processes) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a wish to stop before the next step, when the state is whole.

    Alone, a second Ctrl-C stops at once. torchrun passes signals on to every process and waits 30
    seconds; it also sends them to those that are left when one has failed, which must then still say
    why. So there the wish is all that a signal does, until the process ends.
    """
    wishes: list[int] = []

    def wish(number: int, frame: Any) -> None:
        if wishes and processes.count == 1 and number == signal.SIGINT:
            raise KeyboardInterrupt
        wishes.append(number)

    previous = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(wishes)
    finally:
        if processes.count == 1:
            for number, handler in previous.items():
                signal.signal(number, handler)
