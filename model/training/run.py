"""One ``anyir train`` from photos to weights: set up, train, report."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.model.errors import UserError
from anyir.model.training.logger import TrainingLog, show_scores
from anyir.model.training.settings import Progress, Settings

if TYPE_CHECKING:
    from anyir.model.training.clock import Report
    from anyir.model.training.data import Supply
    from anyir.model.training.distributed import Processes


def train(
    settings: Settings,
    supply: Supply,
    out: Path,
    resume: Path | None,
    *,
    precision: str | None,
    grow: Path | None = None,
    threads: int = 0,
) -> Progress:
    """Train one chunk and leave checkpoint, logs and ``<preset>.safetensors`` in ``out``.

    Args:
        resume: a training folder or a weights file to go on from.
        grow: instead, weights of a smaller preset to begin with.

    Under torchrun every process calls this; only the first prints and writes.

    Raises:
        UserError: unusable photos, a checkpoint that does not fit, a loss that is no number, too little
            memory, or another process that failed.
    """
    from contextlib import nullcontext

    import torch

    from anyir.model.device import out_of_memory
    from anyir.model.training.acceleration import keep_freed_memory
    from anyir.model.training.distributed import start_processes

    if threads:
        torch.set_num_threads(threads)
    fabric, processes = start_processes(precision)
    memory = keep_freed_memory() if fabric.device.type == "cpu" else nullcontext()
    with memory, processes.ending_together():
        try:
            return _train(settings, supply, out, resume, grow, fabric, processes)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise UserError(f"not enough memory on {fabric.device}: choose a smaller --batch") from error


def _train(
    settings: Settings,
    supply: Supply,
    out: Path,
    resume: Path | None,
    grow: Path | None,
    fabric: Any,
    processes: Processes,
) -> Progress:
    from contextlib import closing, nullcontext

    from rich.console import Console

    from anyir.model.checkpoint import find_weights, load_weights
    from anyir.model.config import PRESETS
    from anyir.model.training.acceleration import FULL, MIXED, has_bfloat16
    from anyir.model.training.checkpoint import check_resumable
    from anyir.model.training.data import BadPhotos
    from anyir.model.training.net2net import check_growth
    from anyir.model.training.trainer import Trainer, device_name

    console = Console(stderr=True, quiet=not processes.first)
    say = partial(console.print, highlight=False, markup=False, soft_wrap=True)
    if resume is not None:
        check_resumable(resume, settings.preset)
    if grow is not None:  # before the photos are read
        check_growth(load_weights(grow).config, PRESETS[settings.preset])
    material = supply.load(console, fabric.device, settings)
    processes.check_same("photos", *material.identity)
    if settings.photos not in ((), material.identity):  # those of an interrupted chunk
        say("note: the photos are others than before: the run does not go on exactly")
    settings.photos, settings.held_out = material.identity, material.held_out
    if settings.epochs:
        settings.steps = max(1, round(settings.epochs * material.samples / settings.batch))
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(settings, material.sampler, material.validation, out, fabric, processes)
    if resume is not None:
        trainer.resume(resume)
    elif grow is not None:
        trainer.grow(find_weights(grow))
    progress = trainer.progress
    chunk = progress.chunks[-1] if progress.chunks else {}
    if chunk.get("held_out", material.held_out) != material.held_out:
        say("note: other photos are held out than in the chunk before, which may have trained on them")
    where = (
        f"{processes.count} x {device_name(fabric.device)}"
        if processes.count > 1
        else device_name(fabric.device)
    )
    say(
        f"{settings.preset} on {where}, {fabric._precision.precision}: {material.samples} samples an epoch, "
        f"from step {progress.step}" + (f", {progress.chunk_steps} steps" if progress.chunk_steps else "")
    )
    if fabric._precision.precision == MIXED and not has_bfloat16(fabric.device):
        say(f"note: this device has no bfloat16 and emulates it: --precision {FULL} is many times faster")
    log = TrainingLog(progress, out / "logs", console) if processes.first else None
    bad = BadPhotos(material, processes, console)

    def report(latest: Report) -> None:
        bad.share()
        if log:
            log.report(latest)

    with closing(material), stop_requests(processes) as asked_to_stop, log or nullcontext():
        try:
            if settings.compile:
                say(f"compiled in {trainer.compile_ahead():.0f} s; now the clock runs")
            finished = trainer.run(report, asked_to_stop)
        except RuntimeError as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            # A signal also ends the compilers at work, and what they leave half-written stays in the cache.
            cause = str(getattr(error, "inner_exception", error)).partition("\n")[0]
            why = "was interrupted" if asked_to_stop() else f"failed ({cause})"
            raise UserError(
                f"torch.compile {why} at step {progress.step}; if it fails again, remove its cache "
                "(torchinductor_<user> in the temporary folder) or leave out --compile"
            ) from error
    if not finished:
        folder = shlex.quote(str(out))
        same = "--recipe and --root" if settings.recipe else "--data"
        raise UserError(
            f"interrupted at step {progress.step}; go on with: anyir train --resume {folder} --out {folder} "
            f"and the same {same}"
        )
    if processes.first:
        show_scores(progress.history[-1]["scores"])
        if progress.chunk_step == 0:
            say("note: no step fitted into the chunk: the weights are those that it began with")
        print(f"step {progress.step}: {out / (settings.preset + '.safetensors')}")
    return progress


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
