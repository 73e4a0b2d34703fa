"""Make docs/models.md from the shipped model cards: `.venv/bin/python docs/models.py`."""

import json
from pathlib import Path
from typing import Any

from anyir.model.checkpoints import SHIPPED, shipped_presets

PAGE = Path(__file__).parent / "models.md"

INTRODUCTION = """# Shipped weights

This page is made from the model cards beside the weights (`model/weights/<preset>.json`) by
`docs/models.py`; `anyir eval --card` writes the figures. PSNR is in dB on full RGB; SSIM is
scikit-image's default.
"""

COMMON = """
## What the weights were trained on

Clean photos, degraded on the fly ([degradations.md](degradations.md)): 432 photos of BSDS500 without
the 68 of CBSD68, and 60 of Urban100 at half size; 12 of them are held out. Both sets are published for
research; none of their photos is in this repository. The weights are released under the project's
licence (Apache-2.0); mind the data sets' own terms if you ship a product.

Nothing else was seen: no real rain, haze, snow, blur or darkness, no camera noise after a pipeline, no
JPEG artifacts. Expect less on real photos than the tables say.
"""


def noise_table(benchmarks: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "Benchmarks. Noise: Gaussian, one seed a photo, not clipped (`stored`: clipped and cut to 8 bits):",
        "",
        "| photos | input | restored | SSIM | paper (Table 1) |",
        "|---|---|---|---|---|",
    ]
    for name, row in benchmarks.items():
        paper = "" if row["paper"] is None else f"{row['paper']['psnr']:.2f}"
        figures = f"{row['input_psnr']:.2f} | {row['psnr']:.2f} | {row['ssim']:.4f}"
        lines.append(f"| {name} | {figures} | {paper} |")
    return [*lines, ""]


def validation_table(scores: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        "Held-out photos, severities 0.25 to 1 in turn:",
        "",
        "| degradation | input PSNR | restored PSNR | gain | input SSIM | restored SSIM |",
        "|---|---|---|---|---|---|",
    ]
    for kind, s in scores.items():
        if "input_psnr" in s:
            before, gain, ssim = (
                f"{s['input_psnr']:.2f}",
                f"{s['psnr'] - s['input_psnr']:+.2f}",
                s["input_ssim"],
            )
            lines.append(f"| {kind} | {before} | {s['psnr']:.2f} | {gain} | {ssim:.4f} | {s['ssim']:.4f} |")
        else:
            lines.append(f"| {kind} (do no harm) | | {s['psnr']:.2f} | | | {s['ssim']:.4f} |")
    return [*lines, ""]


def section(preset: str) -> list[str]:
    card = json.loads((SHIPPED / f"{preset}.json").read_text())
    training = card["training"]
    lines = [
        f"## `{preset}`",
        "",
        f"`{preset}.safetensors`, float16, {card['bytes'] / 1e6:.1f} MB, sha256 `{card['sha256']}`.",
        "",
        f"Trained for {training['hours']:.2f} hours, {training['steps']:,} steps, "
        f"{training['samples']:,} patches:",
        "",
        "| minutes | hardware | precision | batch | crop | learning rate | balance | patches/s | last loss |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in training["chunks"]:
        lines.append(
            f"| {c['minutes']:g} | {c['hardware']} | {c['precision']} | {c['batch']} | {c['crop']} | "
            f"{c['learning_rate']:g} | {c['balance']} | {c['samples_per_second']} | "
            f"{'' if c['loss'] is None else round(c['loss'], 4)} |"
        )
    lines += ["", *(f"{note}\n" for note in card.get("notes", []))]
    figures = card.get("figures", {})
    if "benchmarks" in figures:
        lines += noise_table(figures["benchmarks"])
    if "validation" in figures:
        lines += validation_table(figures["validation"])
    return lines


def render() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for preset in shipped_presets():
        lines += section(preset)
    return "\n".join(lines).rstrip() + "\n" + COMMON


if __name__ == "__main__":
    PAGE.write_text(render())
