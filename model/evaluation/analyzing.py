"""One ``anyir analyze``: from a photo and weights to figures and their numbers in a folder."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.model.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from anyir.model.evaluation.features import BlockFeatures

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
    from anyir.model.checkpoint import find_weights, load_weights, sha256
    from anyir.model.data.decode import read_pixels
    from anyir.model.data.degradations import degrade
    from anyir.model.evaluation.features import find_block, record

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
    from anyir.model.evaluation import analysis, figures

    def to_error(maps: Tensor) -> dict[str, float | None] | None:
        if clean is None:
            return None
        height, width = maps.shape[-2:]
        return analysis.correlations(
            analysis.activation_map(maps), analysis.error_map(image, clean, (height, width))
        )

    part_numbers = {
        name: {"mean": float(part.abs().mean()), "to_error": to_error(part)}
        for name, part in features.parts.items()
    }
    split_numbers = analysis.compare_splits(features.stream)
    spectrum_numbers = {
        name: analysis.spectrum(getattr(features, name)) for name in ("attention", "gate", "fused")
    }
    part_correlations = {name: part["to_error"] for name, part in part_numbers.items()}
    numbers: dict[str, Any] = {"figure6": part_numbers, "figure7": split_numbers, "figure8": spectrum_numbers}
    pictures = {
        "figure6.png": figures.part_maps(features, image, part_correlations),
        "figure7.png": figures.split_distributions(split_numbers),
        "figure8.png": figures.spectra(spectrum_numbers),
    }
    numbers["figure9"] = None
    if clean is not None:
        error, correlation = analysis.error_map(image, clean), to_error(features.gate)
        numbers["figure9"] = {"mean_error": float(error.mean()), "gate_to_error": correlation}
        pictures["figure9.png"] = figures.error_and_gate(features, image, error, correlation)
    return numbers, pictures


def _middle(pixels: NDArray[Any], path: Path) -> Tensor:
    """The middle of (H, W, 3) pixels as (3, h, w) float in 0..1: multiples of 8, at most 512 a side."""
    import numpy as np
    import torch

    height, width = pixels.shape[:2]
    if min(height, width) < LEAST:
        raise UserError(f"{path} has {width}x{height} pixels; at least {LEAST} a side are due")
    h, w = (min(side, MOST) // 8 * 8 for side in (height, width))
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
