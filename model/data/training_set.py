"""The photos of a training config's datasets, the validation split among them, and samples made from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anyir.model.data.dataset_spec import MIXTURE, NOISE_AT_FULL, DatasetSpec
from anyir.model.data.degradations import degrade
from anyir.model.data.discovery import Dataset, find_dataset
from anyir.model.data.mixture import SAVED_SHARE, SHARES, STORED_SHARE, as_saved, as_stored
from anyir.model.data.pairing import Pair
from anyir.model.errors import UserError


@dataclass(frozen=True)
class TrainDataset:
    """A dataset's spec with the photos that were found for it."""

    spec: DatasetSpec
    pairs: list[Pair]

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        return len(self.pairs) * self.spec.repeat

    def describe(self) -> str:
        """One line: which photos, what is done to them, how many."""
        spec = self.spec
        how = f" with {spec.degrade}" if spec.degrade else ""
        sigma = "" if spec.sigma is None else f" of sigma {spec.sigma:g}"
        return f"{spec.dataset}{how}{sigma}: {len(self.pairs)} photos, {self.samples} samples an epoch"


def find_training_set(specs: Iterable[DatasetSpec], roots: Iterable[Path]) -> list[TrainDataset]:
    """The photos of every dataset, in the first root that has them.

    Raises:
        UserError: a dataset that is in no root, or has degraded photos without their one clean partner.
    """
    found: dict[tuple[str, str], Dataset] = {}
    specs, roots = list(specs), list(roots)
    for name, folder in dict.fromkeys((spec.dataset, spec.folder) for spec in specs):
        if not roots:
            raise UserError(f"--data is missing: the folder that {name} lies below")
        found[name, folder] = find_dataset(name, "train", *(root / folder for root in roots))
        found[name, folder].check_partners()
    return [TrainDataset(spec, found[spec.dataset, spec.folder].pairs) for spec in specs]


def split_off_validation(datasets: list[TrainDataset], count: int) -> tuple[list[TrainDataset], list[Path]]:
    """Take up to ``count`` clean photos, evenly spaced, out of all datasets, to validate with.

    They are taken from the clean datasets if there are any, else from the pairs' clean photos; every
    pair with one of them is left out.

    Raises:
        UserError: fewer than two different clean photos.
    """
    from anyir.model.data.photo_bank import validation_split

    clean = [dataset for dataset in datasets if dataset.pairs[0].degraded is None]
    photos = sorted({pair.clean for dataset in clean or datasets for pair in dataset.pairs})
    _, validation = validation_split(photos, count)
    gone = set(validation)
    left = [replace(each, pairs=[p for p in each.pairs if p.clean not in gone]) for each in datasets]
    if empty := [dataset.spec.dataset for dataset in left if not dataset.pairs]:
        raise UserError(f"{empty[0]} has too few photos for a validation split")
    return left, validation


def degrade_sample(clean: Tensor, spec: DatasetSpec, generator: np.random.Generator) -> Tensor:
    """A clean crop (3, H, W) in 0..1, degraded as its dataset's spec says."""
    kind, stored = spec.degrade, spec.stored
    severity = generator.uniform(*(spec.severity or (0.0, 1.0)))
    saved = False
    if kind == MIXTURE:
        shares = np.fromiter(SHARES.values(), float)
        kind = str(generator.choice(list(SHARES), p=shares / shares.sum()))
        stored = bool(generator.random() < STORED_SHARE)
        saved = "jpeg" not in kind and bool(generator.random() < SAVED_SHARE)
    if spec.sigma is not None:
        severity = spec.sigma / NOISE_AT_FULL
    degraded = clean
    if kind not in ("", "clean"):
        seed = int(generator.integers(2**31))
        degraded = degrade(clean[None], kind, severity=float(severity), seed=seed)[0]
    if saved:
        return as_saved(degraded[None], torch.Generator().manual_seed(int(generator.integers(2**31))))[0]
    if not stored:
        return degraded
    # A file's 8 bits are rounded; PromptIR's noise is cut, as are the figures it is compared by.
    return (degraded.clamp(0, 1) * 255).floor() / 255 if spec.sigma is not None else as_stored(degraded)


def to_float(pixels: Any) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255
