"""The table and the picture of docs/performance.md, from what `anyir bench` wrote.

`.venv/bin/python docs/make/performance.py docs/lab/bench.json`: writes docs/images/performance.svg, and the
tables into the page between its marks.
"""

import re
import sys
from pathlib import Path

from anyir.profiling.bench.results import FP32, HEADINGS, INT8, BenchResults, figures, rate, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/images/performance.svg"
LEAST_SHARE = 0.03
"""Of an entry's time: kinds of operators with less are summed up."""


def main() -> None:
    results = BenchResults.load(Path(sys.argv[1]))
    text = PAGE.read_text(encoding="utf-8")
    for name, lines in (("programs", programs(results)), ("operators", operators(results))):
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = mark.sub(
            lambda found, lines=lines: found[1] + "\n".join(["", *lines, "", ""]) + found[2], text
        )
    PAGE.write_text(text, encoding="utf-8")
    plot(results)


def programs(results: BenchResults) -> list[str]:
    """A table of all programs, and a line of what it was measured on."""
    where, tile = results.environment, results.rows[0].tile
    head = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    runs = max(len(row.samples_ms) for row in results.rows)
    return [
        *head,
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in table(results)),
        "",
        f"Tiles of {tile}x{tile} in float32, medians of {runs} runs in turn. Threads: {results.threads}, "
        f"cores: {results.cores_allowed}.",
        f"{where.device}. {results.note}".strip(),
        f"Products of 1024x1024 matrices in the same run: {rate(results, FP32) * 1000:.0f} giga",
        f"multiply-adds a second in float32, {rate(results, INT8) * 1000:.0f} in 8 bits.",
    ]


def operators(results: BenchResults) -> list[str]:
    """Share of time of each kind of operator, a column an ExecuTorch program."""
    rows = [row for row in results.rows if row.operators_ms]
    shares = []
    for row in rows:
        times = row.operators_ms or {}
        whole = sum(times.values())
        shares.append({kind: ms / whole for kind, ms in times.items()})
    kinds = sorted(
        {kind for share in shares for kind in share}, key=lambda k: -max(s.get(k, 0) for s in shares)
    )
    large = [kind for kind in kinds if max(share.get(kind, 0) for share in shares) >= LEAST_SHARE]
    lines = [f"| operator | {' | '.join(row.network for row in rows)} |", f"|---|{'---|' * len(rows)}"]
    for kind in large:
        lines.append(f"| {kind} | {' | '.join(f'{100 * share.get(kind, 0):.0f} %' for share in shares)} |")
    rest = [1 - sum(share.get(kind, 0) for kind in large) for share in shares]
    return [*lines, f"| others | {' | '.join(f'{100 * share:.0f} %' for share in rest)} |"]


def plot(results: BenchResults) -> None:
    """Milliseconds for each giga multiply-add, a bar a program, and what the matrix product takes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "anyir"
    from matplotlib import pyplot

    rows = [row for row in results.rows if row.samples_ms]
    labels = [f"{row.network}\n{'LiteRT' if row.runtime == 'litert' else 'ExecuTorch'}" for row in rows]
    values = [figures(results, row)["ms_per_gmac"] for row in rows]
    colours = ["#00897b" if row.network.startswith("anyir") else "#90a4ae" for row in rows]
    figure, axes = pyplot.subplots(figsize=(7, 0.5 * len(rows) + 1))
    bars = axes.barh(labels[::-1], values[::-1], color=colours[::-1])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.axvline(1 / rate(results, FP32), color="#e65100", linestyle="--", label="matrix product")
    axes.set_xlabel("processor ms for each giga multiply-add (less is better)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
