"""One ``anyir train`` from a config to weights: set up, train, report."""

from __future__ import annotations

import math
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from anyir.model.checkpoint import find_weights, load_weights
from anyir.model.config import PRESETS
from anyir.model.device import keep_freed_memory, out_of_memory
from anyir.model.errors import Interrupted, UserError
from anyir.model.restore.alone import alone_in
from anyir.model.training.acceleration import FULL, MIXED, check_precision, has_bfloat16
from anyir.model.training.checkpoint import INDEX, load_tensors, read_checkpoint
from anyir.model.training.config import TrainConfig, differences
from anyir.model.training.data import BadPhotos, open_data
from anyir.model.training.distributed import Processes, start_processes
from anyir.model.training.logger import Report, TrainingLog, show_scores
from anyir.model.training.net2net import check_growth
from anyir.model.training.trainer import Trainer, device_name

_CHANGES_NOTHING = ("name", "about", "validate_every", "data.roots", "data.workers", "data.cache_gib")
"""Keys of a config that a run may change where it goes on, and repeat all the same."""


def train(
    config: TrainConfig,
    out: Path,
    *,
    resume: Path | None = None,
    init: Path | None = None,
    max_minutes: float | None = None,
    threads: int = 0,
) -> Trainer:
    """Train and leave checkpoint, logs and ``<preset>.safetensors`` in ``out``.

    Args:
        resume: a training folder to go on from.
        init: instead, a weights file or the name of a shipped preset to begin with.
        max_minutes: save and return after so long, wherever the run is; ``resume`` goes on from there.
        threads: of the CPU; 0 leaves torch's choice.

    Under torchrun every process calls this; only the first prints and writes.

    Raises:
        UserError: another run writes into ``out``, unusable photos, a checkpoint or weights that do not fit,
            a loss that is no number, too little memory, or another process that failed.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is written.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; --out takes a folder")
    try:
        str(out).encode()
    except UnicodeEncodeError:  # safetensors opens no such file, at the run's end
        raise UserError(f"{out} is no UTF-8, as a training folder's name must be; choose another") from None
    with alone_in(out) if int(os.environ.get("RANK", 0)) == 0 else nullcontext():  # torchrun's number
        _check_folders(config, out, resume, init)
        if threads:
            torch.set_num_threads(threads)
        fabric, processes = start_processes(config.precision)
        memory = keep_freed_memory() if fabric.device.type == "cpu" else nullcontext()
        with memory, processes.ending_together():
            try:
                return _train(config, out, resume, init, max_minutes, fabric, processes)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                raise UserError(
                    f"not enough memory on {fabric.device}: choose a smaller --batch-size"
                ) from error


def _check_folders(config: TrainConfig, out: Path, resume: Path | None, init: Path | None) -> None:
    """Before anything is read: that nothing is overwritten, and that what training begins with fits."""
    if resume is None or resume.resolve() != out.resolve():
        if (out / INDEX).is_file():
            raise UserError(f"{out} holds a training run; go on with --resume {out}, or choose another --out")
        if (out / f"{config.preset}.safetensors").exists():
            raise UserError(f"{out} holds {config.preset}.safetensors, which is kept: choose another --out")
    if init is not None:
        check_growth(load_weights(init).config, PRESETS[config.preset])
    if resume is not None:
        checkpoint = read_checkpoint(resume)
        for key, (before, now) in differences(checkpoint.config, config).items():
            if key in ("preset", "optim.name"):
                raise UserError(f"{resume} trains {key} {before!r}, not {now!r}; --init begins another run")
        if checkpoint.progress.step >= (config.max_steps or checkpoint.config.steps):
            weights = resume / f"{config.preset}.safetensors"
            raise UserError(
                f"the run in {resume} is over, after step {checkpoint.progress.step}; another one begins "
                f"from its weights with --init {shlex.quote(str(weights))}"
            )
        load_tensors(resume, checkpoint)


def _train(
    config: TrainConfig,
    out: Path,
    resume: Path | None,
    init: Path | None,
    max_minutes: float | None,
    fabric: Any,
    processes: Processes,
) -> Trainer:
    console = Console(stderr=True, quiet=not processes.first)
    say = partial(console.print, highlight=False, markup=False, soft_wrap=True)
    data = open_data(config.data, config.seed, fabric.device, console)
    processes.check_same("photos", *data.fingerprint.training)
    precision = fabric._precision.precision
    check_precision(
        fabric.device, precision, compiles=config.compile, crops_per_photo=config.data.crops_per_photo
    )
    config = config.with_steps(data.samples).model_copy(update={"precision": precision})
    out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config, data, out, fabric, processes)
    if resume is not None:
        trainer.resume(resume)
        for note in _changes(resume, trainer):
            say(f"note: {note}: the run does not go on exactly")
    elif init is not None:
        trainer.begin_with(find_weights(init))
        before = trainer.progress.before.runs
        split = before[-1].model_dump().get("validation_split") if before else None
        if split not in (None, data.fingerprint.validation):
            say("note: the validation split is another than in the run before, which may have trained on it")
    where = device_name(fabric.device)
    if processes.count > 1:
        where = f"{processes.count} x {where}"
    say(
        f"{config.preset} on {where}, {precision}: {data.samples} samples an epoch, "
        f"from step {trainer.progress.step} to {config.max_steps}"
    )
    if precision == MIXED and not has_bfloat16(fabric.device):
        say(f"note: this device has no bfloat16 and emulates it: --precision {FULL} is many times faster")
    log = TrainingLog(config.steps, trainer.history, out / "logs", console) if processes.first else None
    bad = BadPhotos(data, processes, console)

    def report(latest: Report) -> None:
        bad.share()
        if log:
            log.report(latest)

    end = math.inf
    with closing(data), stop_requests(processes) as interrupted, log or nullcontext():
        try:
            if config.compile:
                say(f"compiled in {trainer.compile_ahead():.0f} s")
            if max_minutes is not None:
                end = time.monotonic() + 60 * max_minutes
            finished = trainer.fit(report, lambda: interrupted() or time.monotonic() >= end)
        except RuntimeError as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            # A signal also ends the compilers at work, and what they leave half-written stays in the cache.
            cause = str(getattr(error, "inner_exception", error)).partition("\n")[0]
            why = "was interrupted" if interrupted() else f"failed ({cause})"
            kind = Interrupted if interrupted() else UserError
            raise kind(
                f"torch.compile {why} at step {trainer.progress.step}; if it fails again, remove its cache "
                "(torchinductor_<user> in the temporary folder) or leave out --compile"
            ) from error
    if not finished:
        (time_is_up,) = processes.maximum(time.monotonic() >= end)
        why = f"stopped after {max_minutes:g} minutes" if time_is_up else "interrupted"
        line = (
            f"{why} at step {trainer.progress.step} of {config.max_steps}; "
            f"go on with: anyir train --resume {shlex.quote(str(out))}"
        )
        if not time_is_up:
            raise Interrupted(line)
        say(line)
    elif processes.first:
        show_scores(trainer.history.entries[-1]["scores"])
        print(f"step {trainer.progress.step}: {out / (config.preset + '.safetensors')}")
    return trainer


def _changes(resume: Path, trainer: Trainer) -> list[str]:
    """What is not as it was when the run was begun."""
    checkpoint = read_checkpoint(resume)
    changed = differences(checkpoint.config, trainer.config)
    notes = [
        f"{key} was {before} and is now {now}"
        for key, (before, now) in changed.items()
        if key not in _CHANGES_NOTHING
    ]
    if checkpoint.fingerprint != trainer.data.fingerprint:
        notes.append("the photos are others than before")
    return notes


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
