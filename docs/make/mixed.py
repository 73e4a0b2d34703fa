"""The table and the picture of 8-bit convolutions, from what `anyir sensitivity` wrote beside weights.

`.venv/bin/python docs/make/mixed.py model/weights/small.safetensors`: writes docs/images/mixed.svg, and the
table into docs/explanation/quantization.md between its marks. `make mixed` measures the weights anew before.
"""

import re
import sys
from pathlib import Path

from anyir.conversion.choice import Choice, Point, choice_path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/quantization.md"
PICTURE = ROOT / "docs/images/mixed.svg"
CHOSEN, OTHER, GATE = "#00897b", "#90a4ae", "#e65100"


def main() -> None:
    weights = Path(sys.argv[1])
    choice = Choice.load(choice_path(weights))
    text = PAGE.read_text(encoding="utf-8")
    lines = "\n".join(["", *table(choice, weights), "", ""])
    mark = re.compile(r"(<!-- mixed -->\n).*?(<!-- end -->)", re.DOTALL)
    PAGE.write_text(mark.sub(lambda found: found[1] + lines + found[2], text), encoding="utf-8")
    plot(choice, weights)


def table(choice: Choice, weights: Path) -> list[str]:
    """A row for each set that was tried, and which weights they are of."""
    rows = []
    for point in choice.front:
        kind, loss = point.cost.worst
        number = f"**{point.modules}, chosen**" if point.modules == choice.chosen else str(point.modules)
        cells = (
            number,
            f"{point.macs_share:.0%}".replace("%", " %"),
            f"{point.saved_bytes / 1e6:.1f}",
            f"{kind.replace('_', ' ')}, {loss:.2f} dB",
            f"{point.cost.colour:.2f}",
            f"{point.cost.banding:.2f}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return [
        "| in 8 bits | of multiply-adds | MB saved | worst kind loses | colour, of 255 | ramp, of 255 |",
        f"|{'---|' * 6}",
        *rows,
        "",
        f"Measured with weights {choice.weights_sha256[:12]} of `{weights.stem}`, at tiles of {choice.tile}.",
    ]


def plot(choice: Choice, weights: Path) -> None:
    """What the sets cost: their worst loss against their size, and the tightest gate against their work."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "anyir"
    from matplotlib import pyplot

    figure, (losses, gates) = pyplot.subplots(1, 2, figsize=(9, 3.6))
    draw(losses, choice, lambda point: point.saved_bytes / 1e6, lambda point: point.cost.worst[1])
    losses.axhline(choice.gates.loss, color=GATE, linestyle="--", label="gate")
    losses.set(xlabel="MB saved (more is better)", ylabel="dB that the worst degradation loses")
    draw(gates, choice, lambda point: 100 * point.macs_share, lambda point: point.cost.used(choice.gates))
    gates.axhline(1, color=GATE, linestyle="--", label="gate")
    gates.set(xlabel="% of multiply-adds in 8 bits (more is better)", ylabel="share of the tightest gate")
    for axes in (losses, gates):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{weights.stem}, weights {choice.weights_sha256[:12]}: convolutions in 8 bits", fontsize=11
    )
    figure.tight_layout()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Date": None})


def draw(axes, choice: Choice, across, up) -> None:  # type: ignore[no-untyped-def]
    """The sets as points on a line, each with its number of convolutions.

    Args:
        across, up: what makes a coordinate of a ``Point``.
    """

    def place(point: Point) -> tuple[float, float]:
        return across(point), max(up(point), 1e-3)

    axes.plot(*zip(*map(place, choice.front), strict=True), color=OTHER, zorder=1)
    for point in choice.front:
        chosen = point.modules == choice.chosen
        axes.scatter(
            *place(point), color=CHOSEN if chosen else OTHER, label="chosen" if chosen else None, zorder=2
        )
        axes.annotate(point.modules, place(point), xytext=(4, 5), textcoords="offset points", fontsize=8)


if __name__ == "__main__":
    main()
