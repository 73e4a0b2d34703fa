"""The tables, the sentences and the picture of docs/performance.md, from what `anyir bench` wrote.

`.venv/bin/python docs/make/performance.py docs/lab/bench.json [MORE.json]`: writes
docs/images/performance.svg, and the rest into the page between its marks. MORE is a run of the same programs
with other threads.
"""

import re
import sys
import textwrap
from pathlib import Path

from anyir.profiling.bench.programs import NETWORKS, PRECISIONS
from anyir.profiling.bench.results import (
    FP32,
    HEADINGS,
    INT8,
    BenchResults,
    figures,
    findings,
    rate,
    table,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/images/performance.svg"
RUNTIMES = {"litert": "LiteRT", "executorch": "ExecuTorch"}
LEAST_SHARE = 0.03
"""Of an entry's time: kinds of operators with less are summed up."""


def main() -> None:
    results, *more = (BenchResults.load(Path(argument)) for argument in sys.argv[1:])
    text = PAGE.read_text(encoding="utf-8")
    parts = {
        "programs": programs(results),
        "findings": [wrapped(line, bullet="- ") for line in [*findings(results), *missing(results)]],
        "threads": threads([results, *more]),
        "operators": operators(results),
    }
    for name, lines in parts.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = mark.sub(
            lambda found, lines=lines: found[1] + "\n".join(["", *lines, "", ""]) + found[2], text
        )
    PAGE.write_text(text, encoding="utf-8")
    plot(results)


def wrapped(text: str, bullet: str = "") -> str:
    """As lines of at most 100 columns."""
    indent = " " * len(bullet)
    return textwrap.fill(text, 100, initial_indent=bullet, subsequent_indent=indent, break_on_hyphens=False)


def as_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        f"|{'---|' * len(headings)}",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
    ]


def programs(results: BenchResults) -> list[str]:
    """A table of all programs, and a line of what it was measured on."""
    where, tile = results.environment, results.rows[0].tile
    runs = max(len(row.samples_ms) for row in results.rows)
    about = (
        f"Tiles of {tile}x{tile}, medians of {runs} runs in turn. Threads: {results.threads}, cores: "
        f"{results.cores_allowed}. {where.device}. {results.note} Products of 1024x1024 matrices in the same "
        f"run: {rate(results, FP32) * 1000:.0f} giga multiply-adds a second in float32, "
        f"{rate(results, INT8) * 1000:.0f} in 8 bits."
    )
    return [*as_table(HEADINGS, table(results)), "", wrapped(about)]


def missing(results: BenchResults) -> list[str]:
    """Networks, their runtimes, and precisions that this run does not have."""
    rows = results.rows
    names = [name for name in NETWORKS if name not in {row.network for row in rows}]
    built = {(row.network, row.runtime) for row in rows}
    pairs = [(name, runtime) for name in dict(built) for runtime in RUNTIMES]
    names += [
        f"{name} by {RUNTIMES[runtime]}" for name, runtime in sorted(pairs) if (name, runtime) not in built
    ]
    names += [name for name in PRECISIONS if name not in {row.precision for row in rows}]
    return [f"Not in this run: {', '.join(names)}."] if names else []


def threads(runs: list[BenchResults]) -> list[str]:
    """Milliseconds of each program, a column a run."""
    if len(runs) == 1:
        return ["This run was with one number of threads only."]
    by_program: dict[tuple[str, str, str], list[str]] = {}
    for i, results in enumerate(runs):
        for row in results.rows:
            if row.samples_ms:
                cells = by_program.setdefault((row.network, row.runtime, row.precision), [""] * len(runs))
                cells[i] = f"{figures(results, row)['ms']:.0f}"
    headings = ("network", "runtime", "precision", *(f"ms, threads: {results.threads}" for results in runs))
    said = [f"{r.threads} threads on {r.cores_allowed} cores: {r.note}" for r in runs[1:] if r.note]
    return [
        *as_table(headings, [(*key, *cells) for key, cells in by_program.items()]),
        *(["", wrapped(" ".join(said))] if said else []),
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
    shown = [(kind, [share.get(kind, 0.0) for share in shares]) for kind in large]
    shown.append(("others", [1 - sum(share.get(kind, 0) for kind in large) for share in shares]))
    names = [f"{row.network} {row.precision}" for row in rows]
    return as_table(
        ("operator", *names), [(kind, *(f"{100 * share:.0f} %" for share in each)) for kind, each in shown]
    )


def plot(results: BenchResults) -> None:
    """Milliseconds for each giga multiply-add, a bar a program, and what the matrix product takes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "anyir"
    from matplotlib import pyplot

    rows = [row for row in results.rows if row.samples_ms]
    labels = [f"{row.network}, {RUNTIMES[row.runtime]} {row.precision}" for row in rows]
    values = [figures(results, row)["ms_per_gmac"] for row in rows]
    colours = ["#00897b" if row.network.startswith("anyir") else "#90a4ae" for row in rows]
    figure, axes = pyplot.subplots(figsize=(8, 0.3 * len(rows) + 1))
    bars = axes.barh(labels[::-1], values[::-1], color=colours[::-1])
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.axvline(1 / rate(results, FP32), color="#e65100", linestyle="--", label="matrix product, float32")
    axes.axvline(1 / rate(results, INT8), color="#e65100", linestyle=":", label="8 bits")
    axes.set_xlabel("ms for each giga multiply-add (less is better)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
