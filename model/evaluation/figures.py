"""The paper's figures 6 to 9 drawn with matplotlib, each as the bytes of a PNG."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from anyir.model.evaluation.analysis import activation_map, splits
from anyir.model.evaluation.features import BlockFeatures

INCH = 2.6
"""Width of one panel."""
TITLES = 0.42
"""Height in inches for two lines above the panels."""
ATTENTION, GATE, FUSED = "#2a6fbb", "#d1662b", "#3d8f52"
PATHS = (("attention", ATTENTION), ("GatedDA", GATE))


def part_maps(features: BlockFeatures, image: Tensor, correlations: dict[str, Any]) -> bytes:
    """Figure 6: where alpha, beta and gamma are active, beside the photo.

    Args:
        image: (3, H, W), what the network was given.
        correlations: a part -> its correlation with the error map, shown where known.
    """
    figure, panels = _panels(1 + len(features.parts), image)
    _photo(panels[0], image, "input")
    for panel, (name, part) in zip(panels[1:], features.parts.items(), strict=True):
        _map(panel, activation_map(part), name, correlations.get(name))
    return _png(figure)


def split_distributions(numbers: dict[str, Any]) -> bytes:
    """Figure 7: the activations of a block's input channels under both splits, and their distributions.

    Args:
        numbers: of ``anyir.model.evaluation.analysis.compare_splits``.
    """
    values = np.array(numbers["activations"])
    figure = Figure(figsize=(4 * INCH, 2 * INCH), layout="constrained")
    grid = figure.subplots(2, 2, width_ratios=(2, 1), sharex="col", sharey="col")
    for (left, right), (name, halves) in zip(grid, splits(len(values)).items(), strict=True):
        for half, (path, colour) in zip(halves, PATHS, strict=True):
            left.bar(half, values[half], color=colour, width=0.8, label=f"to {path}")
            right.ecdf(values[half], color=colour)
        found = numbers[name]
        left.set_title(f"{name}-split: redundancy within a path {found['redundancy']:.3f}", loc="left")
        chance = f"(by chance {numbers['random']['distance']:.3f})"
        right.set_title(f"distance {found['distance']:.3f} {chance}", loc="left")
        left.set_ylabel("mean |activation|")
        right.set_ylabel("share of channels")
        left.set_ylim(0, 1.25 * values.max())
        left.legend(frameon=False, ncols=2, loc="upper right")
    grid[1, 0].set_xlabel("channel of the block's input")
    grid[1, 1].set_xlabel("mean |activation|")
    return _png(figure)


def spectra(numbers: dict[str, dict[str, Any]]) -> bytes:
    """Figure 8: singular values, and the variance that the first components hold together.

    Args:
        numbers: ``attention``, ``gate`` and ``fused``, each of ``anyir.model.evaluation.analysis.spectrum``.
    """
    figure = Figure(figsize=(4 * INCH, 1.4 * INCH), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = {"attention": ("attention", ATTENTION), "gate": ("GatedDA", GATE), "fused": ("fused", FUSED)}
    for key, (name, colour) in names.items():
        values, cumulative = numbers[key]["singular_values"], numbers[key]["cumulative_variance"]
        index = range(1, len(values) + 1)
        left.semilogy(index, np.maximum(values, 1e-6), color=colour, label=name)
        label = f"{name}: 90 % in {numbers[key]['components_90']} of {len(values)}"
        right.plot(index, cumulative, color=colour, label=label)
    right.axhline(0.9, color="#999999", linewidth=0.8, linestyle=":")
    right.set_ylim(None, 1.02)
    left.set_ylabel("singular value / greatest")
    right.set_ylabel("cumulative variance")
    for axes in (left, right):
        axes.set_xlabel("component")
        axes.legend(frameon=False)
    return _png(figure)


def error_and_gate(
    features: BlockFeatures, image: Tensor, error: Tensor, correlation: dict[str, Any] | None
) -> bytes:
    """Figure 9: the photo, the network's result, the error map and the output of GatedDA.

    Args:
        image: (3, H, W), what the network was given.
        error: (H, W), of the photo against the truth.
    """
    figure, panels = _panels(4, image)
    _photo(panels[0], image, "input")
    _photo(panels[1], features.restored, "restored")
    _map(panels[2], error, "error of the input")
    _map(panels[3], activation_map(features.gate), "output of GatedDA", correlation)
    return _png(figure)


def _panels(count: int, image: Tensor) -> tuple[Figure, Any]:
    """Panels side by side that fill the figure but for their titles."""
    height = INCH * image.shape[-2] / image.shape[-1]
    figure = Figure(figsize=(count * INCH, height + TITLES))
    top = height / (height + TITLES)
    return figure, figure.subplots(
        1, count, gridspec_kw={"left": 0, "right": 1, "bottom": 0, "top": top, "wspace": 0.02}
    )


def _photo(panel: Any, image: Tensor, title: str) -> None:
    panel.imshow(image.clamp(0, 1).permute(1, 2, 0).numpy())
    panel.set_title(title, fontsize=9)
    panel.set_axis_off()


def _map(panel: Any, values: Tensor, title: str, correlation: dict[str, Any] | None = None) -> None:
    """A map from dark to bright; the title says between which values, and what it has of the error."""
    # The brightest and darkest hundredth would leave everything else one colour.
    low, high = torch.quantile(values.flatten(), torch.tensor([0.01, 0.99])).tolist()
    panel.imshow(values.numpy(), cmap="magma", vmin=low, vmax=high, interpolation="nearest")
    to_error = correlation and correlation["spearman"]
    with_error = "" if to_error is None else f", {to_error:+.2f} with error"
    panel.set_title(f"{title}\n{low:.3g} to {high:.3g}{with_error}", fontsize=9)
    panel.set_axis_off()


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()
