"""``anyir train``: train a preset by the clock, or a recipe by its epochs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from anyir.model.errors import UserError, unknown


def run(
    out: Annotated[Path, typer.Option(help="Folder for checkpoints, logs and the weights.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder of clean photos, searched below; repeatable.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe of docs/guides/configs.md or a YAML file; options override it."),
    ] = None,
    root: Annotated[
        list[Path] | None, typer.Option(help="Folder that the recipe's datasets lie below; repeatable.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Which network; by itself: anyir.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, max=1e6, help="Length of the chunk by the clock; by itself: 9.")
    ] = None,
    epochs: Annotated[
        float | None,
        typer.Option(min=1e-6, max=1e6, help="Length of the chunk in epochs, instead of minutes."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=10**9, help="Length of the chunk in steps, instead of minutes.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="A training folder to go on from, or a weights file to start from.")
    ] = None,
    grow: Annotated[
        Path | None,
        typer.Option(help="Weights of a smaller preset, or its name, to begin with: docs/guides/train.md."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, max=65536, help="Patches a step, of all processes; by itself: 16.")
    ] = None,
    crop: Annotated[
        int | None, typer.Option(min=16, max=4096, help="Side of a patch, a multiple of 8; by itself: 64.")
    ] = None,
    optimizer: Annotated[
        Literal["adamw", "muon"] | None,
        typer.Option(help="muon: for the convolutions, with AdamW for the rest; by itself: adamw."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=1e-7, max=1.0, help="At the chunk's peak; by itself: 0.0005.")
    ] = None,
    distance: Annotated[
        Literal["l1", "rmse"] | None,
        typer.Option(help="Loss of the pixels: l1, or rmse, as PSNR counts, but flat near 0; by itself: l1."),
    ] = None,
    colour: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Weight of a patch's colour cast in the loss; by itself: 0."),
    ] = None,
    balance: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Above 0, clean and mildly degraded photos count more in the loss."),
    ] = None,
    loss_scale: Annotated[
        Literal["linear", "log"] | None,
        typer.Option(help="log: an error counts by the share it shrinks, as in PSNR."),
    ] = None,
    even_upsampling: Annotated[
        bool | None,
        typer.Option(
            "--even-upsampling/--no-even-upsampling",
            help="Allow no grid on even surfaces; by itself: it may.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31, help="What every random choice is drawn from.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="bf16-mixed or 32-true; by itself bf16-mixed where the device has bfloat16."),
    ] = None,
    compile: Annotated[
        bool | None,
        typer.Option(
            "--compile/--no-compile",
            help="torch.compile the network (worth it on a GPU, and on a CPU from some ten minutes on).",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves torch's choice.")] = 0,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Threads that read and degrade a recipe's photos.")
    ] = 4,
    cache: Annotated[
        float, typer.Option(min=0, max=1e6, help="GiB of decoded photos that these threads keep.")
    ] = 4.0,
) -> None:
    """Train on clean photos that are degraded on the fly, or on the datasets of a recipe.

    The run goes on exactly where it was with --resume; interrupted, it loses less than a minute.

    Example: [bold]anyir train --preset small --data photos --minutes 60 --out runs/small[/bold]

    Example: [bold]anyir train --recipe three-degradations --root datasets --out runs/three[/bold]
    """
    from anyir.model.config import PRESETS

    if preset is not None and preset not in PRESETS:
        raise typer.BadParameter(unknown("preset", preset, PRESETS))
    if crop is not None and crop % 8:
        raise typer.BadParameter(f"--crop {crop} is not a multiple of 8")
    if precision not in (None, "bf16-mixed", "32-true"):
        raise typer.BadParameter(f"unknown precision {precision!r}; known: bf16-mixed, 32-true")
    if sum(length is not None for length in (minutes, epochs, steps)) > 1:
        raise typer.BadParameter("give one of --minutes, --epochs and --steps")
    if grow is not None and resume is not None:
        raise typer.BadParameter("give one of --resume and --grow")
    if recipe is None and (not data or root):
        raise typer.BadParameter("give --data FOLDER of clean photos, or --recipe NAME with --root FOLDER")
    if recipe is not None and (data or not root):
        raise typer.BadParameter("--recipe needs --root, the folder that its datasets lie below, not --data")

    from anyir.model.data.sources import MIXED, Ingredient
    from anyir.model.training.checkpoint import settings_of_interrupted
    from anyir.model.training.config import load_recipe, make_settings
    from anyir.model.training.data import Supply
    from anyir.model.training.run import train

    options = (
        "preset", "minutes", "epochs", "steps", "batch", "crop", "optimizer", "learning_rate", "distance",
        "colour", "balance", "loss_scale", "even_upsampling", "seed", "precision", "compile",
    )  # fmt: skip
    given = locals()
    explicit = {name: given[name] for name in options if given[name] is not None}
    loaded = load_recipe(recipe) if recipe is not None else None
    begun = settings_of_interrupted(resume) if resume and resume.suffix != ".safetensors" else {}
    settings, used_precision = make_settings(loaded, explicit, begun)
    if begun and settings.recipe != begun.get("recipe", ""):
        was = begun["recipe"] and f"recipe {begun['recipe']}"
        raise UserError(
            f"{resume} is in the middle of a chunk of {was or 'clean photos'}: name the same again"
        )
    if os.environ.get("RANK", "0") == "0":
        notes = changes(explicit, begun)
        if settings.sources != (begun.get("sources") or settings.sources):
            which = f"recipe {settings.recipe} trains on other sources now"
            notes.append(f"{which}: the run does not go on exactly")
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
    processes = int(os.environ.get("WORLD_SIZE", 1))  # torchrun's; the batch is that of all together
    if settings.batch % processes:
        raise typer.BadParameter(f"--batch {settings.batch} does not divide by {processes} processes")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; --out takes a folder")
    if resume is None or resume.resolve() != out.resolve():
        if (out / "checkpoint.json").is_file():
            raise UserError(f"{out} holds a training run; go on with --resume {out}, or choose another --out")
        if (out / f"{settings.preset}.safetensors").exists():
            raise UserError(f"{out} holds {settings.preset}.safetensors, which is kept: choose another --out")
    sources = loaded.sources if loaded else (Ingredient("photos", degrade=MIXED),)
    supply = Supply(sources, data or root or [], workers, int(cache * 2**30))
    train(settings, supply, out, resume, precision=used_precision, grow=grow, threads=threads)


def changes(explicit: dict[str, Any], begun: dict[str, Any]) -> list[str]:
    """What a user who goes on with an interrupted chunk should know of the options given.

    Args:
        explicit: settings named by options.
        begun: the chunk's settings; empty if none goes on.
    """
    from anyir.model.training.config_values import LENGTHS

    notes = []
    for key, value in explicit.items():
        option = "--" + key.replace("_", "-")
        if begun and key in LENGTHS and value != begun.get(key):
            notes.append(f"the interrupted chunk keeps its length: {option} is not used")
        elif key not in LENGTHS and key != "preset" and key in begun and value != begun[key]:
            notes.append(f"{option} was {begun[key]} and is now {value}: the run does not go on exactly")
    return notes
