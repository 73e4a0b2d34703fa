"""``anyir train``: train a preset on clean photos, or a config on its datasets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from anyir.model.config import MOST_THREADS

OPTIONS = {
    "preset": "preset", "max_steps": "max_steps", "epochs": "epochs", "data": "data.roots",
    "batch_size": "data.batch_size", "crop": "data.crop", "learning_rate": "optim.learning_rate",
    "seed": "seed", "precision": "precision", "compile": "compile",
    "workers": "data.workers", "cache_gib": "data.cache_gib",
}  # fmt: skip
"""Option -> the key of the config that it sets."""


def run(
    config: Annotated[
        str | None,
        typer.Option(help="A config of docs/guides/configs.md, or a YAML file."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of clean photos, or with --config of its datasets; repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints, logs and the weights; default: --resume's.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Which network; default: anyir.")] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(min=1, max=10**9, help="Length of the run and its schedule; default: 10000."),
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(min=1e-6, max=1e6, help="Length of the run in epochs, instead of steps.")
    ] = None,
    max_minutes: Annotated[
        float | None,
        typer.Option(min=0.01, max=1e6, help="Save and stop after so long; --resume goes on from there."),
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="A training folder to go on from, exactly.")] = None,
    init: Annotated[
        Path | None,
        typer.Option(help="Weights to begin with: of this preset, or of a smaller one, which grows."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=65536, help="Samples a step, of all processes; default: 16.")
    ] = None,
    crop: Annotated[
        int | None, typer.Option(min=16, max=4096, help="Side of a sample, a multiple of 8; default: 64.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=1e-7, max=1.0, help="At the schedule's peak; default: 0.0005.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31, help="What every random choice is drawn from.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="bf16-mixed or 32-true; default: bf16-mixed on a GPU that has bfloat16."),
    ] = None,
    compile: Annotated[
        bool | None,
        typer.Option(
            "--compile/--no-compile",
            help="torch.compile the network (worth it on a GPU, and on a CPU from some ten minutes on).",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any key of the config: loss.balance=0.4."),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=0, max=MOST_THREADS, help="CPU threads; 0 leaves torch's choice.")
    ] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Threads that read and degrade photos; default: 4.")
    ] = None,
    cache_gib: Annotated[
        float | None, typer.Option(min=0, max=1e6, help="GiB of decoded photos that these keep; default: 4.")
    ] = None,
) -> None:
    """Train on clean photos that are degraded on the fly, or on the datasets of a config.

    Interrupted, a run loses less than a minute and goes on exactly where it was with --resume.

    Example: [bold]anyir train --preset small --data photos --max-steps 4000 --out runs/small[/bold]

    Example: [bold]anyir train --config three-degradations --data datasets --out runs/three[/bold]
    """
    given = dict(locals())
    if max_steps is not None and epochs is not None:
        raise typer.BadParameter("give one of --max-steps and --epochs")
    if resume is not None and (init is not None or config is not None):
        raise typer.BadParameter(
            "--resume has weights and a config of its own: leave out --init and --config"
        )
    if resume is None and (not data or out is None):
        raise typer.BadParameter("give --data FOLDER of clean photos and --out FOLDER, or --resume FOLDER")

    from anyir.model.training.checkpoint import read_checkpoint
    from anyir.model.training.config import change_config, make_config, merge, nested
    from anyir.model.training.config_file import load_config, parse_settings
    from anyir.model.training.run import train

    given["data"] = [str(folder.absolute()) for folder in data] if data else None
    changes: dict[str, Any] = {}
    for option, key in OPTIONS.items():
        if given[option] is not None:
            changes = merge(changes, nested(key, given[option]))
    changes = merge(changes, parse_settings(settings or []))
    if resume is not None:
        asked = change_config(read_checkpoint(resume).config, changes)
    elif config is not None:
        asked = load_config(config, changes)
    else:
        asked = make_config(changes)
    processes = int(os.environ.get("WORLD_SIZE", 1))  # torchrun's; the batch is that of all together
    batch, crops = asked.data.batch_size, asked.data.crops_per_photo
    if batch % (processes * crops):
        each = f" with {crops} crops a photo" if crops > 1 else ""
        raise typer.BadParameter(f"--batch-size {batch} does not divide by {processes} processes{each}")
    folder = out or resume
    assert folder is not None
    train(asked, folder, resume=resume, init=init, max_minutes=max_minutes, threads=threads)
