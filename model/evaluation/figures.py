"""The paper's figures 6 to 9 for one photo and one weights file, with their numbers, in a folder."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from anyir.model.config import SIZE_MULTIPLE
from anyir.model.errors import UserError
from anyir.model.evaluation.features import (
    BlockFeatures,
    activation_map,
    compare_splits,
    correlations,
    error_map,
    find_block,
    record,
    spectrum,
    splits,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

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
        numbers: of ``anyir.model.evaluation.features.compare_splits``.
    """
    values = np.array(numbers["activations"])
    from matplotlib.figure import Figure

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
        numbers: ``attention``, ``gate`` and ``fused``, each of ``anyir.model.evaluation.features.spectrum``.
    """
    from matplotlib.figure import Figure

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
    from matplotlib.figure import Figure

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


LEAST, MOST = 64, 512
"""Pixels a side: at less, the lowest of four levels has fewer than 8x8; more adds time and no insight."""
DEFAULT_BLOCK = "encoder.1.0"
"""The first of level 2: deep enough to have features, fine enough to see streaks."""
NUMBERS = "figures.json"
FIGURES = tuple(f"figure{number}.png" for number in range(6, 10))


def analyze(
    photo: Path,
    out: Path,
    *,
    weights: str | None,
    block: str | None,
    kind: str | None = None,
    severity: float = 0.6,
    seed: int = 0,
    truth: Path | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Draw figures 6 to 9 of the paper into ``out``; figure 9 only with ``kind`` or ``truth``.

    Args:
        photo: clean if ``kind`` is given, which degrades it; else degraded.
        weights: a file, a shipped preset, or None for ``small``.
        block: one of ``anyir.model.evaluation.features.block_names``, or None for the first of level 2.
        truth: the clean photo that belongs to a degraded ``photo``.

    Returns:
        What ``figures.json`` holds: inputs, the figures' numbers and the files' names.

    Raises:
        UserError: an unusable photo, weights without GatedDA, an unknown block, figures that are there,
            features that overflow.
    """
    _check_folder(out, overwrite)
    from anyir.model.checkpoint import find_weights, load_weights
    from anyir.model.data.decode import read_pixels
    from anyir.model.data.degradations import degrade
    from anyir.model.files import sha256

    path = find_weights(weights)
    digest = sha256(path)
    network = load_weights(path).use_additive_fusion()
    if sha256(path) != digest:  # a training that goes on writes it anew
        raise UserError(f"{path} changed while it was read; try again")
    block = block or DEFAULT_BLOCK
    find_block(network, block)
    pixels = read_pixels(photo)
    image, clean = _middle(pixels, photo), None
    if truth is not None:
        of_truth = read_pixels(truth)
        if of_truth.shape != pixels.shape:
            sizes = [f"{p.shape[1]}x{p.shape[0]}" for p in (of_truth, pixels)]
            raise UserError(f"{truth} has {sizes[0]} pixels and {photo} {sizes[1]}: they must be of one size")
        clean = _middle(of_truth, truth)
    if kind is not None:
        clean = image
        image = degrade(image[None], kind, severity=severity, seed=seed)[0]
    features = record(network, image, block)
    _check_finite(features, path)
    numbers, pictures = draw(features, image, clean)
    result = {
        "photo": photo.name,
        "size": [image.shape[2], image.shape[1]],
        "degradation": None if kind is None else {"kind": kind, "severity": severity, "seed": seed},
        "truth": None if truth is None else truth.name,
        "weights": path.name,
        "sha256": digest,
        "block": block,
        **numbers,
        "files": [*pictures, NUMBERS],
    }
    _write(out, {**pictures, NUMBERS: (json.dumps(result, indent=1) + "\n").encode()})
    return result


def draw(
    features: BlockFeatures, image: Tensor, clean: Tensor | None
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The numbers of the four figures, and the PNG files by name.

    Args:
        image: (3, H, W), what the network was given.
        clean: (3, H, W), what it should be, if that is known; without it there is no figure 9.
    """

    def to_error(maps: Tensor) -> dict[str, float | None] | None:
        if clean is None:
            return None
        height, width = maps.shape[-2:]
        return correlations(activation_map(maps), error_map(image, clean, (height, width)))

    part_numbers = {
        name: {"mean": float(part.abs().mean()), "to_error": to_error(part)}
        for name, part in features.parts.items()
    }
    split_numbers = compare_splits(features.stream)
    spectrum_numbers = {name: spectrum(getattr(features, name)) for name in ("attention", "gate", "fused")}
    part_correlations = {name: part["to_error"] for name, part in part_numbers.items()}
    numbers: dict[str, Any] = {"figure6": part_numbers, "figure7": split_numbers, "figure8": spectrum_numbers}
    pictures = {
        "figure6.png": part_maps(features, image, part_correlations),
        "figure7.png": split_distributions(split_numbers),
        "figure8.png": spectra(spectrum_numbers),
    }
    numbers["figure9"] = None
    if clean is not None:
        error, correlation = error_map(image, clean), to_error(features.gate)
        numbers["figure9"] = {"mean_error": float(error.mean()), "gate_to_error": correlation}
        pictures["figure9.png"] = error_and_gate(features, image, error, correlation)
    return numbers, pictures


def _middle(pixels: NDArray[Any], path: Path) -> Tensor:
    """The middle of (H, W, 3) pixels as (3, h, w) float in 0..1: multiples of 8, at most 512 a side."""
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST:
        raise UserError(f"{path} has {width}x{height} pixels; at least {LEAST} a side are due")
    h, w = (min(side, MOST) // SIZE_MULTIPLE * SIZE_MULTIPLE for side in (height, width))
    top, left = (height - h) // 2, (width - w) // 2
    part = pixels[top : top + h, left : left + w].astype(np.float32) / np.iinfo(pixels.dtype).max
    return torch.from_numpy(part).permute(2, 0, 1).contiguous()


def _check_finite(features: BlockFeatures, path: Path) -> None:
    """Of every map the sum too: means over channels and pixels are taken in float32."""
    maps = {**vars(features), **features.parts}
    del maps["parts"]
    for name, values in maps.items():
        if not values.abs().sum().isfinite():
            raise UserError(f"with {path} the features ({name}) overflow: there is nothing to draw")


def _check_folder(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is not a folder")
    if not overwrite and any((out / name).exists() for name in (NUMBERS, *FIGURES)):
        raise UserError(f"{out} holds figures; choose another --out, or add --overwrite")
    for name in (NUMBERS, *FIGURES):
        if (out / name).is_dir():  # found now, not between the first file's renaming and the last's
            raise UserError(f"{out / name} is a folder; move it, or choose another --out")


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Write all files beside the earlier ones, then rename them: a full disk leaves the earlier ones.

    Figure 9 of an earlier photo does not stay beside the new ones.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".analyze-") as beside:
        for name, data in files.items():
            Path(beside, name).write_bytes(data)
        for name in files:
            os.replace(Path(beside, name), out / name)
    if "figure9.png" not in files:
        (out / "figure9.png").unlink(missing_ok=True)
