"""Make docs/explanation/models.md and docs/lab/weights.md from the shipped model cards, and from what
`anyir eval --real --json` printed into docs/lab/photos.

Run `.venv/bin/python docs/make/models.py`. The words of the first page are in docs/make/models.txt: read them
again after shipping other weights.
"""

import json
import textwrap
from pathlib import Path
from typing import Any

from anyir.model.checkpoint import SHIPPED, shipped_presets
from anyir.model.evaluation.tables import PHOTO_COLUMNS, photo_cells

DOCS = Path(__file__).parents[1]
PAGE = DOCS / "explanation" / "models.md"
RECORD = DOCS / "lab" / "weights.md"
PHOTOS = DOCS / "lab" / "photos"
PAPER_SIGMA_25 = "31.46"

RECORD_INTRODUCTION = """# Training record of the shipped weights

Made from the model cards beside the weights (`model/weights/<preset>.json`) by
`docs/make/models.py`. What the rows of the training tables led to is in [Runs](training.md).
"""


def cards() -> dict[str, dict[str, Any]]:
    """Preset -> its card."""
    return {preset: json.loads((SHIPPED / f"{preset}.json").read_text()) for preset in shipped_presets()}


def comparison(cards: dict[str, dict[str, Any]]) -> list[str]:
    """The presets side by side."""
    found = {preset: card["figures"] for preset, card in cards.items()}
    measured = [set(figures["validation"]) for figures in found.values()]
    shared = set.intersection(*measured)  # others came after some of the weights were measured
    kinds = {
        preset: {kind: score for kind, score in figures["validation"].items() if kind in shared}
        for preset, figures in found.items()
    }
    rows: dict[str, list[str]] = {
        "file": [f"{card['bytes'] / 1e6:.1f} MB" for card in cards.values()],
        "patches trained on (`phone`, `anyir`: since they grew from `small`)": [
            f"{card['training']['samples']:,}" for card in cards.values()
        ],
        f"CBSD68 at sigma 25 (paper: {PAPER_SIGMA_25})": [
            f"{figures['benchmarks']['cbsd68 sigma 25']['psnr']:.2f} dB" for figures in found.values()
        ],
        f"mean gain over the {len(shared - {'clean'})} degradations that all were measured on": [
            f"{sum(map(gain, degraded)) / len(degraded):+.2f} dB"
            for degraded in ([s for s in scores.values() if "input_psnr" in s] for scores in kinds.values())
        ],
        "clean photos, restored": [f"{scores['clean']['psnr']:.1f} dB" for scores in kinds.values()],
    }
    head = [f"| | {' | '.join(f'`{preset}`' for preset in cards)} |", f"|---|{'---|' * len(cards)}"]
    return [*head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())]


def photos() -> list[str]:
    """What `anyir eval --real` measured: a table for each of docs/lab/photos/<preset>.json."""
    lines = []
    for path in sorted(PHOTOS.glob("*.json")):
        result = json.loads(path.read_text())
        lines += [f"| `{path.stem}` | {' | '.join(PHOTO_COLUMNS)} |", f"|---|{'---|' * len(PHOTO_COLUMNS)}"]
        lines += [f"| {' | '.join(photo_cells(row))} |" for row in result["rows"]]
        lines.append("")
    return lines[:-1]


def gain(score: dict[str, Any]) -> float:
    """Of a degradation, in dB over the degraded photos."""
    return score["psnr"] - score["input_psnr"]


def gains(cards: dict[str, dict[str, Any]]) -> list[str]:
    """A row for each degradation, two columns for each preset."""
    names = " | ".join(f"`{preset}` | as JPEG" for preset in cards)
    lines = [f"| degradation | input | {names} |", f"|---|---|{'---|---|' * len(cards)}"]
    scores = [card["figures"]["validation"] for card in cards.values()]
    for kind, first in scores[0].items():
        cells = []
        for score in (each.get(kind) for each in scores):
            if score is None:  # a kind that came after those weights were measured
                cells += ["", ""]
                continue
            cells.append(f"{gain(score):+.2f}" if "input_psnr" in score else f"{score['psnr']:.1f} dB")
            cells.append(f"{gain(score['saved']):+.2f}" if "saved" in score else "")
        degraded = f"{first['input_psnr']:.2f}" if "input_psnr" in first else ""
        lines.append(f"| {kind.replace('_', ' ')} | {degraded} | {' | '.join(cells)} |")
    return lines


def severity_table(scores: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "Validation split: PSNR (SSIM) degraded and restored, and the gain in dB by severity:",
        "",
        "| degradation | input | restored | gain | 0.25 | 0.5 | 0.75 | 1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, s in scores.items():
        restored = f"{s['psnr']:.2f} ({s['ssim']:.3f})"
        if "input_psnr" not in s:
            lines.append(f"| {kind} | | {restored} | | | | | |")
            continue
        split = s.get("by_severity", {})
        by = " | ".join(
            f"{gain(split[key]):+.2f}" if key in split else "" for key in ("0.25", "0.5", "0.75", "1.0")
        )
        before = f"{s['input_psnr']:.2f} ({s['input_ssim']:.3f})"
        lines.append(f"| {kind} | {before} | {restored} | {gain(s):+.2f} | {by} |")
    return [*lines, ""]


def diagnostics(found: dict[str, Any]) -> list[str]:
    """What a mean hides."""
    cast, grid, flat, tiles = (found[key] for key in ("colour_cast", "grid", "flat_surfaces", "tiles"))
    levels = ", ".join(f"{level}: {shift:+.1f}" for level, shift in flat["shift"].items())
    shift = ", ".join(f"{v:+.2f}" for v in cast["shift"])
    apart = ", ".join(f"{kind} {row['spread']:.2f}" for kind, row in tiles["kinds"].items())
    return [
        f"Diagnostics, on {cast['photos']} photos of {found['folder']}:",
        "",
        "| | |",
        "|---|---|",
        f"| colour cast at sigma {cast['sigma']}, red, green, blue, of 255 | {shift} |",
        "| a grid of 8 pixels or less in flat areas, above its surroundings (chance gives about +2 dB) | "
        f"{grid['mean_db']:+.2f} dB in the mean, {grid['largest_db']:+.2f} dB at most; "
        f"amplitude {grid['amplitude']:.2f} of 255 |",
        f"| smooth grey surfaces, by their level in 0..1, change by, of 255 | {levels} |",
        f"| tiles of 128, 256 and 512 pixels are apart by at most, in dB | {apart} |",
        "",
    ]


def record(preset: str, card: dict[str, Any]) -> list[str]:
    """One preset's section of the lab's page."""
    training = card["training"]
    lines = [
        f"## `{preset}`",
        "",
        f"`{preset}.safetensors`, float16, {card['bytes'] / 1e6:.1f} MB, sha256",
        f"`{card['sha256']}`.",
        "",
        f"Trained for {training['hours']:.2f} hours, {training['steps']:,} steps, "
        f"{training['samples']:,} patches:",
        "",
        "| minutes | hardware | precision | batch | crop | optimizer, rate | loss | patches/s | last loss |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in training["runs"]:
        config = run["config"]
        data, optim, loss = config["data"], config["optim"], config["loss"]
        colour = f", colour {loss['colour']}" if loss.get("colour") else ""
        lines.append(
            f"| {run['minutes']:g} | {run['hardware']} | {config['precision']} | "
            f"{data['batch_size']} | {data['crop']} | "
            f"{optim.get('name', 'adamw')}, {optim['learning_rate']:g} | "
            f"{loss.get('distance', 'l1')}, balance {loss['balance']}{colour} | "
            f"{run['samples_per_second']} | "
            f"{'' if run['loss'] is None else round(run['loss'], 4)} |"
        )
    lines += [
        "",
        *(textwrap.fill(note, 100, break_on_hyphens=False) + "\n" for note in card.get("notes", [])),
    ]
    figures = card.get("figures", {})
    if "validation" in figures:
        lines += severity_table(figures["validation"])
    if "diagnostics" in figures:
        lines += diagnostics(figures["diagnostics"])
    return lines


def main() -> None:
    found = cards()
    words = (Path(__file__).parent / "models.txt").read_text()
    page = words.replace("@COMPARISON@", "\n".join(comparison(found)))
    page = page.replace("@GAINS@", "\n".join(gains(found)))
    PAGE.write_text(page.replace("@PHOTOS@", "\n".join(photos())))
    sections = [line for preset, card in found.items() for line in record(preset, card)]
    RECORD.write_text("\n".join([RECORD_INTRODUCTION, *sections]).rstrip() + "\n")


if __name__ == "__main__":
    main()
