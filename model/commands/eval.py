"""``anyir eval``: figures of weights and of artifacts, beside the paper's."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from anyir.model.config import MOST_THREADS, SIZE_MULTIPLE
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.model.evaluation.benchmark import Restore, Trial

SIGMAS = [15, 25, 50]
FINE = ("good", "collection")
"""Datasets of photos that must stay as they are, unless told otherwise."""


def run(
    with_: Annotated[
        str | None,
        typer.Option("--with", help="A weights file, a shipped preset, or an artifact; default: small."),
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="Dataset by its name in docs/guides/datasets.md; repeatable.")
    ] = None,
    table: Annotated[
        int | None,
        typer.Option(
            min=1, max=5, help="All datasets of the paper's table; with --dataset, whose figures to show."
        ),
    ] = None,
    root: Annotated[
        list[Path] | None, typer.Option(help="Folder that the datasets lie below; repeatable.")
    ] = None,
    sigma: Annotated[
        list[int] | None,
        typer.Option(
            min=0, max=255, help="Noise on clean photos, on 0..255; repeatable; default 15, 25, 50."
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--as", help="What clean photos are turned into, instead of noise: see the guide; repeatable."
        ),
    ] = None,
    real: Annotated[
        bool,
        typer.Option("--real", help="The benchmark of photos as people take them."),
    ] = False,
    every: Annotated[int, typer.Option(min=1, help="Judge one photo in so many of each row.")] = 1,
    stored: Annotated[
        bool, typer.Option("--stored", help="Cut the noisy photo to 8 bits first, as PromptIR's code does.")
    ] = False,
    tile: Annotated[
        int | None,
        typer.Option(min=SIZE_MULTIPLE, help="Tiles instead of whole photos; an artifact has its own size."),
    ] = None,
    statistics: Annotated[
        Literal["photo", "tile"] | None,
        typer.Option(help="Of tiles: see anyir restore; default: photo."),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, max=MOST_THREADS, help="CPU threads; 0 for all cores.")] = 0,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Training folders: evaluate on their validation split; repeat."),
    ] = None,
    diagnostics: Annotated[
        Path | None,
        typer.Option(help="Clean photos: measure colour cast, grid, flat surfaces, agreement of tile sizes."),
    ] = None,
    card: Annotated[bool, typer.Option(help="Write the figures into the card beside the weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every photo's figures.")] = False,
) -> None:
    """PSNR and SSIM on full RGB photos, beside the paper's figures and the degraded input.

    Example: [bold]anyir eval --dataset cbsd68 --root CBSD68 --sigma 25 --with small[/bold]
    """
    named = bool(dataset) or table is not None
    if not named and not real and not data and diagnostics is None:
        raise typer.BadParameter(
            "nothing to evaluate on: give --dataset NAME, --table N, --real, --data FOLDER or "
            "--diagnostics FOLDER"
        )
    if (named or real) and not root:
        raise typer.BadParameter(
            "--dataset, --table and --real need --root, the folder that the datasets lie below"
        )
    if root and not named and not real:
        raise typer.BadParameter("--root means nothing without --dataset, --table or --real")
    if real and (named or sigma or condition or stored):
        raise typer.BadParameter("--real has sets and conditions of its own: leave the others out")
    if card and (real or every > 1):
        raise typer.BadParameter("--card is for whole benchmarks: leave --real and --every out")

    import json
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from anyir.model.device import keep_freed_memory
    from anyir.model.evaluation.benchmark import evaluate_validation, restore_tiled, restore_whole, run_trial
    from anyir.model.evaluation.diagnostics import measure_diagnostics
    from anyir.model.evaluation.suite import WHOLE, plan_suite
    from anyir.model.evaluation.tables import show_benchmarks, show_diagnostics, show_photos
    from anyir.model.model_card import add_figures, check_whole, row_name
    from anyir.model.restore.tile_models import TorchModel, open_model, own_tile
    from anyir.model.training.run import show_scores

    missing: list[str] = []
    if real:
        trials, missing = plan_suite(root or [], every=every)
    else:
        trials = choose_trials(
            dataset or [], table, root or [], sigma, condition or [], stored=stored, every=every
        )
    notes = dict.fromkeys(note for trial in trials for note in trial.notes)
    for line in [*(f"note: {note}" for note in notes), *(f"left out: {line}" for line in missing)]:
        print(line, file=sys.stderr)
    idle = [name for name, given in (("--sigma", sigma), ("--stored", stored)) if given]
    if idle and all(trial.sigma is None for trial in trials):
        raise typer.BadParameter(
            f"{idle[0]} means nothing where no photo is given noise: name a clean dataset"
        )
    model = open_model(with_, threads=threads or None)
    weights = find_weights_file(with_) if isinstance(model, TorchModel) else None
    if card and weights is None:
        raise UserError(f"--card writes beside weights; {with_} is an artifact, whose figures --json prints")
    if card and weights is not None:
        photos = {row_name(t.dataset, t.condition, t.stored): len(t.pairs) for t in trials}
        check_whole(weights, photos)  # before the hours that datasets take
    if diagnostics is not None and model.tile is not None:
        raise UserError(f"--diagnostics compares tile sizes; {with_} has one, fixed")
    if real and model.tile is None and tile is None:
        tile = WHOLE
    whole = model.tile is None and tile is None
    if whole and statistics is not None:
        raise typer.BadParameter("--statistics means nothing for whole photos: give --tile")
    restore: Restore = restore_whole(model) if whole else restore_tiled(model, tile, statistics)
    result: dict[str, Any] = describe_model(model, weights, with_)
    result["tile"] = None if whole else own_tile(model) or tile
    result["missing"] = missing
    console = Console(stderr=True)
    if trials:
        progress = Progress(console=console, transient=True, disable=not console.is_terminal)
        with keep_freed_memory(), progress as bar:
            result["rows"] = rows = []
            for trial in trials:
                task = bar.add_task(f"{trial.dataset} {trial.condition}", total=len(trial.judged))
                rows.append(
                    run_trial(restore, trial, table=table, on_photo=lambda t=task: bar.advance(t))  # type: ignore[misc]
                )
        if table is not None and not dataset:
            result["average"] = average_row(rows, table)
    if data:
        result["validation"] = evaluate_validation(restore, data)
    if diagnostics is not None:
        result["diagnostics"] = measure_diagnostics(
            restore, lambda tile: restore_tiled(model, tile), diagnostics
        )
    finite = without_infinity(result)
    if as_json:
        print(json.dumps(finite, indent=2), flush=True)
    else:
        if real or (trials and not any(row["paper"] for row in result["rows"])):
            show_photos(result)
        elif trials:
            show_benchmarks(result)
        if data:
            show_scores(result["validation"])
        if diagnostics is not None:
            show_diagnostics(result["diagnostics"])
    if card and weights is not None:  # last: a full disk does not take the figures with it
        print(f"card: {add_figures(weights, finite)}", file=sys.stderr)


def without_infinity(value: Any) -> Any:
    """The same data with None for infinity, the PSNR of equal images, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_infinity(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_infinity(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def choose_trials(
    datasets: list[str],
    table: int | None,
    roots: list[Path],
    sigmas: list[int] | None,
    conditions: list[str],
    *,
    stored: bool = False,
    every: int = 1,
) -> list[Trial]:
    """The rows that were asked for, in order.

    Raises:
        UserError: an unknown dataset, or one that is below none of the roots.
    """
    from anyir.model.data.discovery import find_dataset
    from anyir.model.evaluation.benchmark import plan_trials
    from anyir.model.evaluation.conditions import UNCHANGED
    from anyir.model.evaluation.paper import TABLES

    wanted = [(b.dataset, b.condition) for b in TABLES[table].benchmarks] if table is not None else []
    trials = []
    for name in datasets or dict.fromkeys(name for name, _ in wanted):
        of_table = [int(c.removeprefix("sigma ")) for n, c in wanted if n == name and c.startswith("sigma ")]
        found = find_dataset(name, "test", *roots)
        chosen = conditions or ([UNCHANGED] if name in FINE and not sigmas else [])
        noise = sigmas or of_table or ([] if chosen else SIGMAS)
        trials += plan_trials(found, noise, conditions=chosen, stored=stored, every=every)
    return trials


def find_weights_file(source: str | None) -> Path:
    from anyir.model.checkpoint import find_weights

    return find_weights(source)


def describe_model(model: Any, weights: Path | None, source: str | None) -> dict[str, Any]:
    """What was measured: names, hashes, and what ran it."""
    import json

    from anyir.model.checkpoint import read_header
    from anyir.model.evaluation.benchmark import NOISE_SEED
    from anyir.model.files import sha256

    described: dict[str, Any] = {"with": model.name, "accelerator": model.accelerator}
    if weights is not None:
        described |= {"sha256": sha256(weights), "notes": read_header(weights)}
    else:  # opening it has checked the artifact against its manifest
        manifest = json.loads(Path(str(source)).with_suffix(".json").read_text())
        described |= {"sha256": manifest["sha256"]}
    return {**described, "noise_seed": NOISE_SEED}


def average_row(rows: list[dict[str, Any]], table: int) -> dict[str, Any]:
    """The mean over the rows, as the paper's last column has it, beside the paper's."""
    from anyir.model.evaluation.paper import TABLES

    means = {key: sum(row[key] for row in rows) / len(rows) for key in ("psnr", "ssim")}
    paper = TABLES[table].average
    return {**means, "paper": None if paper is None else {"psnr": paper[0], "ssim": paper[1]}}
