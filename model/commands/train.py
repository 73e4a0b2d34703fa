"""``anyir train``: train a preset by the clock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from anyir.model.errors import UserError


def run(
    data: Annotated[list[Path], typer.Option(help="Folder of clean photos, searched below; repeatable.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, logs and the weights.")],
    preset: Annotated[str, typer.Option(help="Which network.")] = "anyir",
    minutes: Annotated[float, typer.Option(min=0.01, help="Length of the chunk; the clock decides.")] = 9.0,
    resume: Annotated[
        Path | None, typer.Option(help="A training folder to go on from, or a weights file to start from.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Patches a step, of all processes.")] = 16,
    crop: Annotated[int, typer.Option(min=16, help="Side of a patch in pixels, a multiple of 8.")] = 64,
    learning_rate: Annotated[float, typer.Option(min=1e-7, max=1.0, help="At the chunk's peak.")] = 5e-4,
    balance: Annotated[
        float,
        typer.Option(min=0, max=1, help="Above 0, clean and mildly degraded photos count more in the loss."),
    ] = 0.0,
    loss_scale: Annotated[
        Literal["linear", "log"],
        typer.Option(help="log: an error counts by the share it shrinks, as in PSNR."),
    ] = "linear",
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="What every random choice is drawn from.")] = 0,
    precision: Annotated[str, typer.Option(help="bf16-mixed or 32-true.")] = "bf16-mixed",
    compile: Annotated[bool, typer.Option(help="torch.compile the network (worth it on a GPU).")] = False,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves torch's choice.")] = 0,
) -> None:
    """Train on clean photos that are degraded on the fly, and stop by the clock.

    The run goes on exactly where it was with --resume; interrupted, it loses less than a minute.

    Example: [bold]anyir train --preset small --data photos --minutes 60 --out runs/small[/bold]
    """
    from anyir.model.config import PRESETS

    if preset not in PRESETS:
        raise typer.BadParameter(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    if crop % 8:
        raise typer.BadParameter(f"--crop {crop} is not a multiple of 8")
    if precision not in ("bf16-mixed", "32-true"):
        raise typer.BadParameter(f"unknown precision {precision!r}; known: bf16-mixed, 32-true")
    processes = int(os.environ.get("WORLD_SIZE", 1))  # torchrun's; the batch is that of all together
    if batch % processes:
        raise typer.BadParameter(f"--batch {batch} does not divide by {processes} processes")
    if (out / "checkpoint.json").is_file() and (resume is None or resume.resolve() != out.resolve()):
        raise UserError(f"{out} holds a training run; go on with --resume {out}, or choose another --out")

    from anyir.model.training import Settings
    from anyir.model.training_run import train

    settings = Settings(
        preset=preset,
        minutes=minutes,
        batch=batch,
        crop=crop,
        seed=seed,
        learning_rate=learning_rate,
        balance=balance,
        loss_scale=loss_scale,
        compile=compile,
    )
    train(settings, data, out, resume, precision=precision, threads=threads)
