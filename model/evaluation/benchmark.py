"""PSNR and SSIM of a network or an artifact on whole datasets, by the paper's protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from anyir.model.config import SIZE_MULTIPLE
from anyir.model.data.discovery import Dataset
from anyir.model.data.pairing import Pair
from anyir.model.errors import UserError, unknown
from anyir.model.evaluation.conditions import CONDITIONS, UNCHANGED, gaussian, luma
from anyir.model.evaluation.paper import find_benchmark
from anyir.model.files import sha256

if TYPE_CHECKING:
    from torch import Tensor

    from anyir.model.restore.tile_models import TileModel

NOISE_SEED = 0
SMALLEST = 8
"""Pixels a side that SSIM's window and padding by reflection need."""
HARM_SHIFT = 2.0
"""A photo that was fine is worse where its mean brightness shifts by more than this of 255: about where one
sees it beside the original."""

Restore = Callable[["Tensor"], "Tensor"]
"""(B, 3, H, W) float in about 0..1 -> the same shape, clipped to 0..1."""


def restore_whole(model: TileModel) -> Restore:
    """A model that takes any size, on whole photos: reflected up to multiples of 8, then cropped."""
    import torch
    import torch.nn.functional as F

    def restore(images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, -width % SIZE_MULTIPLE, 0, -height % SIZE_MULTIPLE), mode="reflect")
        restored = torch.as_tensor(model(padded.numpy()))[..., :height, :width]
        if not torch.isfinite(restored).all():
            raise UserError(f"{model.name} on {model.accelerator} returned NaN or infinity")
        return restored.clamp(0, 1)

    return restore


def restore_tiled(
    model: TileModel, tile: int | None = None, statistics: Literal["photo", "tile"] | None = None
) -> Restore:
    """A model through ``Restorer``: in tiles, its own size if it is fixed to one; ``statistics`` as there."""
    import numpy as np
    import torch

    from anyir.model.restore.restorer import Restorer

    restorer = Restorer(model, tile=tile, statistics=statistics)

    def restore(images: Tensor) -> Tensor:
        photos = images.permute(0, 2, 3, 1).numpy()
        return torch.from_numpy(np.stack([restorer(photo) for photo in photos])).permute(0, 3, 1, 2)

    return restore


@dataclass(frozen=True)
class Trial:
    """One row of a results table before it is measured: photos, and what is done to them.

    Attributes:
        dataset: name of the dataset.
        condition: as in ``anyir.model.evaluation.paper.Benchmark``, or a key of ``CONDITIONS``.
        pairs: its photos.
        expected: how many the published benchmark has; 0 where that is not known.
        sigma: of Gaussian noise on the 0..255 scale, for clean photos.
        stored: whether the noisy photo is clipped and cut to 8 bits before the network, as in
            PromptIR's code, instead of being given to it as it is.
        every: one of so many of its photos is judged, from the first on.
        notes: what to know of its figures, one line each.
    """

    dataset: str
    condition: str
    pairs: list[Pair]
    expected: int = 0
    sigma: int | None = None
    stored: bool = False
    every: int = 1
    notes: tuple[str, ...] = ()

    @property
    def judged(self) -> list[tuple[int, Pair]]:
        """Its photos, each with its place in the dataset, which seeds its noise."""
        return list(enumerate(self.pairs))[:: self.every]


def plan_trials(
    dataset: Dataset,
    sigmas: list[int],
    *,
    conditions: Sequence[str] = (),
    stored: bool = False,
    every: int = 1,
) -> list[Trial]:
    """The rows that a dataset gives: for clean ones one a sigma and a condition, else one a degradation.

    Args:
        dataset: what was found.
        sigmas: of Gaussian noise on the 0..255 scale.
        conditions: keys of ``CONDITIONS``.
        stored: whether noisy photos are cut to 8 bits first.
        every: one of so many photos is judged.

    Raises:
        UserError: an unknown condition; degraded photos without a clean partner: a part of a benchmark is not
            the benchmark; a link to a photo that is not there; conditions for photos that are degraded.
    """
    for condition in conditions:
        if condition not in CONDITIONS:
            raise UserError(unknown("condition", condition, CONDITIONS))
    dataset.check_partners()
    for path in (path for pair in dataset.pairs for path in (pair.clean, pair.degraded)):
        if path is not None and not path.exists():  # now, not after hours of others
            raise UserError(f"{path} is a link to nothing; mend or remove it")
    name, expected = dataset.name, dataset.info.count
    rest: dict[str, Any] = {"every": every, "notes": (*dataset.notes, *_counted_twice(dataset))}
    if not dataset.is_paired:
        noisy = [Trial(name, f"sigma {s}", dataset.pairs, expected, s, stored, **rest) for s in sigmas]
        return noisy + [Trial(name, condition, dataset.pairs, expected, **rest) for condition in conditions]
    if conditions:
        raise UserError(f"{name} is degraded already: {conditions[0]} takes clean photos")
    kinds = dict.fromkeys(pair.kind for pair in dataset.pairs)
    if not dataset.info.kinds:
        return [Trial(name, "", dataset.pairs, expected, **rest)]
    order = list(dataset.info.kinds.values())
    return [
        Trial(name, kind, [p for p in dataset.pairs if p.kind == kind], expected // len(order), **rest)
        for kind in sorted(kinds, key=order.index)
    ]


def _counted_twice(dataset: Dataset) -> list[str]:
    """A line for each photo whose file is, byte by byte, one of before."""
    seen: dict[str, Path] = {}
    lines = []
    for path in (pair.degraded or pair.clean for pair in dataset.pairs):
        first = seen.setdefault(sha256(path), path)
        if first is not path:
            lines.append(f"{dataset.name}: {path} is the same photo as {first.name} and counts twice")
    return lines


def run_trial(
    restore: Restore, trial: Trial, *, table: int | None = None, on_photo: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Measure one row: full RGB, whole photos, means over photos (equal ones count as ``EQUAL``),
    beside the paper's figures.

    Noise is Gaussian and seeded for each photo with ``NOISE_SEED`` plus its place in the dataset. The
    output is clipped to 0..1 and not rounded.

    Args:
        restore: what is measured.
        trial: on what.
        table: the paper's table to compare with; None for the first that has such a column.
        on_photo: called after each photo.

    Returns:
        ``{"dataset", "condition", "sigma", "stored", "every", "photos", "expected", "psnr", "ssim",
        "input_psnr", "input_ssim", "worst_psnr", "worst_gain", "worse", "largest_shift", "largest_spread",
        "paper": {"table", "psnr", "ssim"} or None, "gap_psnr", "gap_ssim", "images": [...]}``. ``worse`` is
        how many photos lost more than ``WORSE_DB``; of photos that were fine, ``HARM_DB`` and ``HARM_SHIFT``
        say it. ``largest_shift`` is of the mean brightness against the truth's, ``largest_spread`` how far a
        pixel's three colours are apart at most; both of 255.

    Raises:
        UserError: a photo that cannot be read, is smaller than 8x8, or differs in size from its partner.
    """
    from anyir.model.metrics import EQUAL

    images: list[dict[str, Any]] = []
    for place, pair in trial.judged:
        images.append(_measure(restore, trial, pair, place))
        on_photo()
    keys = ("psnr", "ssim", "input_psnr", "input_ssim")
    means = {key: sum(min(image[key], EQUAL) for image in images) / len(images) for key in keys}
    row: dict[str, Any] = {
        "dataset": trial.dataset,
        "condition": trial.condition,
        "sigma": trial.sigma,
        "stored": trial.stored,
        "every": trial.every,
        "photos": len(images),
        "expected": trial.expected,
        **means,
        **_extremes(images, fine=trial.condition == UNCHANGED),
    }
    return {**row, **_beside_paper(row, table), "images": images}


def _extremes(images: list[dict[str, Any]], *, fine: bool) -> dict[str, Any]:
    """The worst photos of a row; ``fine``: there was nothing to restore."""
    from anyir.model.metrics import EQUAL, HARM_DB, WORSE_DB

    gains = [min(i["psnr"], EQUAL) - min(i["input_psnr"], EQUAL) for i in images]
    harmed = [i["psnr"] < HARM_DB or abs(i["brightness_shift"]) > HARM_SHIFT for i in images]
    return {
        "worst_psnr": min(min(image["psnr"], EQUAL) for image in images),
        "worst_gain": min(gains),
        "worse": sum(harmed) if fine else sum(gain < -WORSE_DB for gain in gains),
        "largest_shift": max((image["brightness_shift"] for image in images), key=abs),
        "largest_spread": max(image["spread"] for image in images),
    }


def _measure(restore: Restore, trial: Trial, pair: Pair, place: int) -> dict[str, Any]:
    import torch

    from anyir.model.data.decode import check_sizes, read_float
    from anyir.model.metrics import psnr, ssim

    clean = read_float(pair.clean)
    height, width = clean.shape[-2:]
    if min(height, width) < SMALLEST:
        raise UserError(f"{pair.clean} is smaller than 8x8 pixels, which SSIM and padding need")
    if pair.degraded is None:
        generator = torch.Generator().manual_seed(NOISE_SEED + place)
        make = CONDITIONS[trial.condition] if trial.sigma is None else gaussian(trial.sigma)
        degraded, clean = make(clean, generator)
        if trial.stored:
            degraded = (degraded.clamp(0, 1) * 255).floor() / 255
    else:
        degraded = read_float(pair.degraded)
        check_sizes(pair, degraded.shape[-2:], clean.shape[-2:])
    restored = restore(degraded)
    figures: dict[str, Any] = {"name": pair.name, "width": width, "height": height}
    for prefix, image in (("", restored), ("input_", degraded)):
        figures[f"{prefix}psnr"] = psnr(image=image, reference=clean, data_range=1.0)
        figures[f"{prefix}ssim"] = ssim(image=image, reference=clean, data_range=1.0)
    figures["brightness_shift"] = float(luma(restored).mean() - luma(clean).mean()) * 255
    figures["spread"] = float((restored.amax(dim=1) - restored.amin(dim=1)).max()) * 255
    return figures


def _beside_paper(row: dict[str, Any], table: int | None) -> dict[str, Any]:
    found = find_benchmark(row["dataset"], row["condition"], table)
    if found is None or found[1].psnr is None:
        return {"paper": None, "gap_psnr": None, "gap_ssim": None}
    number, paper = found
    return {
        "paper": {"table": number, "psnr": paper.psnr, "ssim": paper.ssim},
        "gap_psnr": row["psnr"] - paper.psnr,
        "gap_ssim": None if paper.ssim is None else row["ssim"] - paper.ssim,
    }


def evaluate_validation(restore: Restore, folders: list[Path]) -> dict[str, dict[str, Any]]:
    """PSNR and SSIM for each degradation on the validation split of training with ``folders``."""
    import torch

    from anyir.model.data.photo_bank import PhotoBank, list_photos, validation_split
    from anyir.model.training.validation import CROP, VALIDATION_PHOTOS, validate

    photos = list_photos(folders)
    _, paths = validation_split(photos, VALIDATION_PHOTOS)
    bank = PhotoBank.load(paths, device=torch.device("cpu"), at_least=CROP, use="validation", of=len(photos))
    for reason in bank.skipped:
        print(f"note: left out {reason}", file=sys.stderr)
    return validate(restore, bank.centre_crops(CROP), detailed=True)
