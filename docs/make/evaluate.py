"""Put the shipped weights' figures into docs/guides/evaluate.md: `.venv/bin/python docs/make/evaluate.py`."""

import json
from pathlib import Path
from typing import Any

from anyir.model.checkpoint import SHIPPED, shipped_presets

PAGE = Path(__file__).parents[1] / "guides" / "evaluate.md"
BEGIN, END = "<!-- figures: docs/make/evaluate.py -->\n", "<!-- end of figures -->\n"


def benchmark_table(benchmarks: dict[str, dict[str, Any]]) -> list[str]:
    """A card's benchmarks as a Markdown table: measured, the paper's, and the gap."""
    lines = [
        "| benchmark | photos | input dB | restored dB | SSIM | paper dB | paper SSIM | gap dB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in benchmarks.items():
        paper = row["paper"] or {}
        cells = (
            name,
            str(row["photos"]),
            _figure(row["input_psnr"], ".2f"),
            _figure(row["psnr"], ".2f"),
            _figure(row["ssim"], ".4f"),
            _figure(paper.get("psnr"), ".2f"),
            _figure(paper.get("ssim"), ".3f"),
            _figure(row["gap_psnr"], "+.2f"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _figure(value: float | None, spec: str) -> str:
    return "" if value is None else format(value, spec)


def figures() -> str:
    """What stands between the two marks: a table for every preset that ships."""
    lines: list[str] = []
    for preset in shipped_presets():
        card = json.loads((SHIPPED / f"{preset}.json").read_text())
        benchmarks = card.get("figures", {}).get("benchmarks")
        lines += ["", f"`{preset}`:", ""]
        lines += benchmark_table(benchmarks) if benchmarks else ["Not measured."]
    return "\n".join(lines) + "\n\n"


def render(page: str) -> str:
    """The page with the figures replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + figures() + END + after


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text()))
