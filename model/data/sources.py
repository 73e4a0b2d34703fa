"""What a recipe's training set consists of: photos of several datasets, each with its degradation."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anyir.model.data.dataset_registry import DATASETS
from anyir.model.data.degradations import degrade, parse_kind
from anyir.model.data.discovery import Dataset, find_dataset
from anyir.model.data.mixture import MIXTURE, SAVED_SHARE, STORED_SHARE, as_saved, as_stored
from anyir.model.data.pairing import Pair
from anyir.model.errors import UserError, unknown

MIXED = "mixture"
"""The degradation that is drawn from ``MIXTURE`` for every sample."""
NOISE_AT_FULL = 50
"""Sigma of noise at severity 1."""


@dataclass(frozen=True)
class Ingredient:
    """One line of a recipe's ``sources``.

    Attributes:
        dataset: a name in ``DATASETS``.
        folder: where below the root it lies; needed for ``photos``, which would take all photos there.
        repeat: how often each of its photos comes in an epoch.
        degrade: for clean photos, a degradation, ``mixture``, or empty for none.
        sigma: of noise, instead of a severity.
        severity: lowest and highest; uniform in between.
        stored: whether the degraded sample is clipped and cut to 8 bits, as in a file.
    """

    dataset: str
    folder: str = ""
    repeat: int = 1
    degrade: str = ""
    sigma: float | None = None
    severity: tuple[float, float] = (0.0, 1.0)
    stored: bool = False

    def __str__(self) -> str:
        """What a person says of it: ``photos degrade=noise sigma=25``, without what goes without saying."""
        said = [f"{each.name}={getattr(self, each.name)}" for each in fields(self) if self._unusual(each)]
        return " ".join([self.dataset, *said])

    def _unusual(self, each: Field[Any]) -> bool:
        return each.name != "dataset" and getattr(self, each.name) != each.default

    def __post_init__(self) -> None:
        """Raises ValueError: values that do not fit together."""
        if self.dataset not in DATASETS:
            raise ValueError(unknown("dataset", self.dataset, DATASETS))
        if not DATASETS[self.dataset].train:
            raise ValueError(f"{self.dataset} has no train split")
        if self.repeat < 1:
            raise ValueError(f"repeat is {self.repeat}; it must be at least 1")
        if self.degrade not in ("", MIXED):
            parse_kind(self.degrade)
        if self.degrade and any(layout.degraded for layout in DATASETS[self.dataset].train):
            raise ValueError(f"{self.dataset} is degraded already; leave out degrade")
        if self.sigma is not None and (self.degrade != "noise" or not 0 <= self.sigma <= NOISE_AT_FULL):
            raise ValueError(f"sigma {self.sigma} needs degrade: noise and must lie in 0..{NOISE_AT_FULL}")
        low, high = self.severity
        if not 0 <= low <= high <= 1:
            raise ValueError(f"severity {list(self.severity)} must be [lowest, highest] in 0..1")


@dataclass(frozen=True)
class Part:
    """An ingredient with the photos that were found for it."""

    ingredient: Ingredient
    pairs: list[Pair]

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        return len(self.pairs) * self.ingredient.repeat

    def describe(self) -> str:
        """One line: which photos, what is done to them, how many."""
        one = self.ingredient
        how = f" with {one.degrade}" if one.degrade else ""
        sigma = "" if one.sigma is None else f" of sigma {one.sigma:g}"
        return f"{one.dataset}{how}{sigma}: {len(self.pairs)} photos, {self.samples} samples an epoch"


def find_parts(ingredients: list[Ingredient], roots: list[Path]) -> list[Part]:
    """The photos of every ingredient, in the first root that has them.

    Raises:
        UserError: a dataset that is in no root, or has degraded photos without their one clean partner.
    """
    found: dict[tuple[str, str], Dataset] = {}
    for place in dict.fromkeys((one.dataset, one.folder) for one in ingredients):
        found[place] = _find(*place, roots)
        found[place].check_partners()
    return [Part(one, found[one.dataset, one.folder].pairs) for one in ingredients]


def _find(name: str, folder: str, roots: list[Path]) -> Dataset:
    if not roots:
        raise UserError(f"--root is missing: the folder that {name} lies below")
    return find_dataset(name, "train", *(root / folder for root in roots))


def hold_out_photos(parts: list[Part], count: int) -> tuple[list[Part], list[Path]]:
    """Take up to ``count`` clean photos, evenly spaced, out of all parts, to validate with.

    They are taken from the clean datasets if there are any, else from the pairs' clean photos; every
    pair with one of them is left out.

    Raises:
        UserError: fewer than two different clean photos.
    """
    from anyir.model.data.photo_bank import hold_out

    clean = [part for part in parts if part.pairs[0].degraded is None]
    photos = sorted({pair.clean for part in clean or parts for pair in part.pairs})
    _, held_out = hold_out(photos, count)
    gone = set(held_out)
    left = [replace(part, pairs=[p for p in part.pairs if p.clean not in gone]) for part in parts]
    if empty := [part.ingredient.dataset for part in left if not part.pairs]:
        raise UserError(f"{empty[0]} has too few photos to hold some out for validation")
    return left, held_out


def degrade_sample(clean: Tensor, ingredient: Ingredient, generator: np.random.Generator) -> Tensor:
    """A clean crop (3, H, W) in 0..1, degraded as its ingredient says."""
    kind, severity, stored = ingredient.degrade, generator.uniform(*ingredient.severity), ingredient.stored
    saved = False
    if kind == MIXED:
        kind = str(
            generator.choice(list(MIXTURE), p=np.fromiter(MIXTURE.values(), float) / sum(MIXTURE.values()))
        )
        stored = bool(generator.random() < STORED_SHARE)
        saved = "jpeg" not in kind and bool(generator.random() < SAVED_SHARE)
    if ingredient.sigma is not None:
        severity = ingredient.sigma / NOISE_AT_FULL
    degraded = clean
    if kind not in ("", "clean"):
        seed = int(generator.integers(2**31))
        degraded = degrade(clean[None], kind, severity=float(severity), seed=seed)[0]
    if saved:
        return as_saved(degraded[None], torch.Generator().manual_seed(int(generator.integers(2**31))))[0]
    if not stored:
        return degraded
    # A file's 8 bits are rounded; PromptIR's noise is cut, as are the figures it is compared by.
    return (degraded.clamp(0, 1) * 255).floor() / 255 if ingredient.sigma is not None else as_stored(degraded)


def to_float(pixels: Any) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255
