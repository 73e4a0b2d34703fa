"""One ``anyir train`` from photos to weights: set up, show progress, log, report."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import Any

from anyir.model.errors import UserError
from anyir.model.training import Progress, Settings, Trainer, check_resumable, device_name


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

    Raises:
        UserError: unusable photos, a checkpoint that does not fit, or a loss that is no number.
    """
    import torch
    from lightning.fabric import Fabric
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from torch.utils.tensorboard import SummaryWriter

    from anyir.model.mixture import Sampler
    from anyir.model.photos import PhotoBank, hold_out, list_photos
    from anyir.model.validation import CROP, HELD_OUT

    train_paths, held_out = hold_out(list_photos(data), HELD_OUT)
    if resume is not None:
        check_resumable(resume, settings.preset)
    if threads:
        torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    fabric = Fabric(accelerator="auto", devices=1, precision=precision)  # type: ignore[arg-type]
    with Bar(TextColumn("reading photos"), BarColumn(), MofNCompleteColumn(), console=console) as bar:
        task = bar.add_task("", total=len(train_paths) + len(held_out))

        def read(paths: list[Path], at_least: int) -> PhotoBank:
            return PhotoBank.load(
                paths, device=fabric.device, at_least=at_least, on_photo=lambda: bar.advance(task)
            )

        photos, validation = read(train_paths, settings.crop), read(held_out, CROP)
    for reason in photos.skipped + validation.skipped:
        console.print(f"skipped {reason}", highlight=False)

    sampler = Sampler(photos, batch=settings.batch, crop=settings.crop, seed=settings.seed)
    trainer = Trainer(settings, sampler, validation.centre_crops(CROP), out, fabric)
    if resume is not None:
        trainer.resume(resume)
    progress = trainer.progress
    console.print(
        f"{settings.preset} on {device_name(fabric.device)}, {precision}: {len(photos)} photos, "
        f"{len(validation)} held out, from step {progress.step}"
    )
    logs = SummaryWriter(str(out / "logs"))
    first_step, first_seconds = progress.step, progress.seconds
    logged = len(progress.history)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    # A killed run ends like an interrupted one: with a checkpoint.
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Bar(*columns, console=console) as bar:
            task = bar.add_task("", total=progress.chunk_minutes * 60)

            def on_step(progress: Progress, loss: float) -> None:
                nonlocal logged
                rate = (progress.step - first_step) / max(progress.seconds - first_seconds, 1e-9)
                text = f"step {progress.step}  loss {loss:.4f}  {rate * settings.batch:.1f} patches/s"
                bar.update(task, completed=progress.chunk_seconds, description=text)
                logs.add_scalar("loss", loss, progress.step)
                logs.add_scalar("patches per second", rate * settings.batch, progress.step)
                for entry in progress.history[logged:]:
                    log_scores(logs, entry)
                logged = len(progress.history)

            trainer.run(on_step)
    except KeyboardInterrupt:
        raise UserError(
            f"interrupted at step {progress.step}; go on with: anyir train --resume {out} "
            f"--out {out} --preset {settings.preset} and the same --data"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
        for entry in progress.history[logged:]:
            log_scores(logs, entry)
        logs.close()
    show_scores(progress.history[-1]["scores"])
    print(f"step {progress.step}: {out / (settings.preset + '.safetensors')}")
    return progress


def log_scores(logs: Any, entry: dict[str, Any]) -> None:
    """Write one validation to TensorBoard."""
    for kind, scores in entry["scores"].items():
        logs.add_scalar(f"PSNR/{kind}", scores["psnr"], entry["step"])


def show_scores(scores: dict[str, dict[str, float]]) -> None:
    """Print a validation as a table: PSNR before and after, and the gain."""
    from rich.console import Console
    from rich.table import Table

    table = Table("degradation", "input dB", "restored dB", "gain dB", title="PSNR, held-out photos")
    for kind, values in scores.items():
        before = values.get("input_psnr")
        gain = "" if before is None else f"{values['psnr'] - before:+.2f}"
        table.add_row(kind, "" if before is None else f"{before:.2f}", f"{values['psnr']:.2f}", gain)
    Console().print(table)
