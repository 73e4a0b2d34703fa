"""``anyir eval``: figures of trained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    weights: Annotated[
        str | None, typer.Option(help="A file or a shipped preset; default: the best that ships.")
    ] = None,
    noise: Annotated[
        Path | None, typer.Option(help="Folder of clean photos to denoise, e.g. CBSD68.")
    ] = None,
    sigma: Annotated[list[int], typer.Option(help="Noise level on 0..255; repeatable.")] = [15, 25, 50],  # noqa: B006
    data: Annotated[
        list[Path] | None, typer.Option(help="Training folders: evaluate on what they hold out; repeatable.")
    ] = None,
    card: Annotated[bool, typer.Option(help="Write the figures into the card beside the weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every photo's figures.")] = False,
) -> None:
    """PSNR and SSIM on full RGB photos, beside the paper's figures and the degraded input.

    Example: [bold]anyir eval --weights small --noise CBSD68 --sigma 15 --sigma 25 --sigma 50[/bold]
    """
    if noise is None and not data:
        raise typer.BadParameter("nothing to evaluate on: give --noise FOLDER or --data FOLDER")
    if any(s < 0 or s > 255 for s in sigma):
        raise typer.BadParameter("--sigma must lie in 0..255")

    import json
    import sys

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from anyir.model.card import add_figures
    from anyir.model.checkpoints import find_weights, load_weights, read_header, sha256
    from anyir.model.evaluation import evaluate_noise, evaluate_validation
    from anyir.model.photos import list_photos
    from anyir.model.training_run import show_scores

    path = find_weights(weights)
    network = load_weights(path).use_additive_fusion()
    result: dict[str, object] = {"weights": path.name, "sha256": sha256(path), "notes": read_header(path)}
    if noise is not None:
        result["noise_photos"] = noise.name
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("denoising", total=len(list_photos([noise])) * len(sigma))
            result["noise"] = rows = evaluate_noise(network, noise, sigma, on_photo=lambda: bar.advance(task))
        if not as_json:
            table = Table(
                "sigma", "input dB", "restored dB", "SSIM", "paper dB", title=f"{path.name}, {noise.name}"
            )
            for row in rows:
                paper = "" if row["paper_psnr"] is None else f"{row['paper_psnr']:.2f}"
                figures = (f"{row['input_psnr']:.2f}", f"{row['psnr']:.2f}", f"{row['ssim']:.4f}")
                table.add_row(str(row["sigma"]), *figures, paper)
            Console().print(table)
    if data:
        result["validation"] = scores = evaluate_validation(network, data)
        if not as_json:
            show_scores(scores)
    if card:
        print(f"card: {add_figures(path, result)}", file=sys.stderr)
    if as_json:
        print(json.dumps(result, indent=2))
