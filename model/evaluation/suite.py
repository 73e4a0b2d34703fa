"""The benchmark of photos as people take them: its sets as data, and which of them a user has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.evaluation.benchmark import Trial, plan_trials
from anyir.model.evaluation.conditions import JPEG_QUALITIES, STOPS, UNCHANGED


@dataclass(frozen=True)
class PhotoSet:
    """One row of the benchmark.

    Attributes:
        dataset: its name in ``anyir.model.data.dataset_registry.DATASETS``.
        condition: what its clean photos are turned into, as ``CONDITIONS`` names it; empty for pairs.
        sigma: of noise in colour, on the 0..255 scale, in place of a condition.
        every: one photo in so many is judged, so that all sets together take minutes.
    """

    dataset: str
    condition: str = ""
    sigma: int | None = None
    every: int = 1


WHOLE = 1280
"""Side of the tiles, above that of the sets' photos: each is seen whole, after one look, as ``anyir restore``
looks. Its smaller tiles take twice the time and change little (docs/explanation/one-look.md)."""

SUITE = (
    PhotoSet("polyu"),
    PhotoSet("lol"),
    PhotoSet("gopro"),
    PhotoSet("rain100l", every=4),
    PhotoSet("cbsd68", sigma=25, every=8),
    PhotoSet("cbsd68", "grey-noise-25", every=8),
    PhotoSet("cbsd68", "bw-noise-25", every=8),
    *(PhotoSet("cbsd68", f"jpeg-{quality}", every=16) for quality in JPEG_QUALITIES),
    *(PhotoSet("cbsd68", f"dark-{stops}", every=8) for stops in STOPS),
    PhotoSet("good", UNCHANGED),
    PhotoSet("collection", UNCHANGED, every=3),
)
"""Real noise, darkness, motion blur, and made rain; CBSD68 with what files and cameras do; photos that are
fine."""


def plan_suite(roots: list[Path], *, every: int = 1) -> tuple[list[Trial], list[str]]:
    """The rows whose photos are below the roots, and a line for each set that is not there.

    Args:
        roots: folders that the sets lie below.
        every: one in so many of the photos that each row has.

    Raises:
        UserError: no set is there, or one that has degraded photos without their partner.
    """
    from anyir.model.data.discovery import Dataset, find_dataset

    found: dict[str, Dataset | UserError] = {}
    for name in dict.fromkeys(entry.dataset for entry in SUITE):
        try:
            found[name] = find_dataset(name, "test", *roots)
        except UserError as error:
            found[name] = error
    for dataset in found.values():
        if isinstance(dataset, Dataset) and len(dataset.pairs) < dataset.info.count:
            dataset.notes.append(
                f"{dataset.name}: {len(dataset.pairs)} of the {dataset.info.count} published photos are there"
            )
    missing = [str(error) for error in found.values() if isinstance(error, UserError)]
    if len(missing) == len(found):
        raise UserError(f"no set of the benchmark is there: {missing[0]}")
    trials: list[Trial] = []
    for entry in SUITE:
        dataset = found[entry.dataset]
        if isinstance(dataset, Dataset):
            sigmas = [] if entry.sigma is None else [entry.sigma]
            conditions = [entry.condition] if entry.condition else []
            trials += plan_trials(dataset, sigmas, conditions=conditions, every=entry.every * every)
    return trials, missing
