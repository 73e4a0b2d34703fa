"""What tests/model/training/test_distributed.py starts under torchrun, to be seen by no test collector.

``curves PHOTOS OUT [RESUME]`` trains with a clock that makes runs repeatable and writes the losses;
``command HAPPENING ARGUMENT...`` runs ``anyir`` with something happening in the second process.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch

from anyir.model.data.mixture import Sampler
from anyir.model.data.photo_bank import PhotoBank, list_photos
from anyir.model.training import trainer as training
from anyir.model.training.distributed import start_processes
from anyir.model.training.settings import Settings

SETTINGS = Settings("tiny", minutes=0.8, batch=4, crop=32, balance=0.5, loss_scale="log")
HAPPENS_AT = 4
"""Step; the loss is looked at after every tenth."""


class Clock:
    """Seconds that pass one at a time, so that a run by the clock can be repeated exactly."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def train_with_curve(photos: Path, out: Path, resume: Path | None, stop_at: int | None = None) -> list[float]:
    """Train to the chunk's end, or to step ``stop_at``; the loss of every step of all processes together."""
    training.CHECK_EVERY = 1
    fabric, processes = start_processes("32-true")
    bank = PhotoBank.load(list_photos([photos]), device=fabric.device, at_least=32)
    sampler = Sampler(bank, batch=SETTINGS.batch, crop=SETTINGS.crop, seed=SETTINGS.seed)
    trainer = training.Trainer(
        SETTINGS, sampler, bank.centre_crops(32)[:1], out, fabric, processes, clock=Clock()
    )
    if resume:
        trainer.resume(resume)
    losses: list[float] = []
    trainer.run(lambda report: losses.append(report.loss), lambda: trainer.progress.step == stop_at)
    if processes.first and processes.count > 1:
        assert len({len(b) for b in trainer.batches.take(0)}) == 1
        assert len(trainer.batches.take(0)[0]) == SETTINGS.batch // processes.count
    return losses


def curves(photos: str, out: str, begun: str) -> None:
    results = {
        "whole": train_with_curve(Path(photos), Path(out) / "whole", None),
        "resumed": train_with_curve(Path(photos), Path(out) / "resumed", Path(begun)),
        "begun": train_with_curve(Path(photos), Path(out) / "begun", None, stop_at=8),
    }
    if os.environ["RANK"] == "0":
        (Path(out) / "curves.json").write_text(json.dumps(results))


def command(happening: str, *arguments: str) -> None:
    make = Sampler.__call__

    def sample(self: Sampler, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        degraded, clean = make(self, step)
        if os.environ["RANK"] == "1" and step == HAPPENS_AT:
            if happening == "nan":
                degraded = degraded * float("nan")
            elif happening == "error":
                raise OSError(5, "Input/output error", "photo.png")
            elif happening != "nothing":
                os.kill(os.getpid(), getattr(signal, happening))
        return degraded, clean

    Sampler.__call__ = sample  # type: ignore[method-assign]
    from anyir.model.cli import main

    sys.argv = ["anyir", *arguments]
    main()


if __name__ == "__main__":
    {"curves": curves, "command": command}[sys.argv[1]](*sys.argv[2:])
