"""One dataset of a training config: which photos, how often, and what is done to them."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from anyir.model.data.dataset_registry import DATASETS
from anyir.model.data.degradation_registry import parse_kind
from anyir.model.errors import unknown

MIXTURE = "mixture"
"""The degradation that is drawn for every sample from the table in ``anyir.model.data.mixture``."""
NOISE_AT_FULL = 50
"""Sigma of noise at severity 1."""

Severity = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class DatasetSpec:
    """An entry of ``data.datasets`` in a training config.

    Attributes:
        dataset: a name in ``DATASETS``, of which the train split is taken.
        folder: where below the root it lies; needed for ``photos``, which would take all photos there.
        repeat: how often each of its photos comes in an epoch.
        degrade: for clean photos, a degradation, ``mixture``, or empty for none.
        sigma: of noise, instead of a severity.
        severity: lowest and highest; uniform in between; by default 0 to 1.
        stored: whether the degraded sample is clipped and cut to 8 bits, as in a file.
    """

    dataset: str
    folder: str = ""
    repeat: int = Field(default=1, ge=1, le=10**6)
    degrade: str = ""
    sigma: float | None = Field(default=None, ge=0, le=NOISE_AT_FULL)
    severity: tuple[Severity, Severity] | None = None
    stored: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError: values that do not fit together."""
        if self.dataset not in DATASETS:
            raise ValueError(unknown("dataset", self.dataset, DATASETS))
        if not DATASETS[self.dataset].train:
            raise ValueError(f"{self.dataset} has no train split")
        if self.degrade not in ("", MIXTURE):
            parse_kind(self.degrade)
        if self.degrade and DATASETS[self.dataset].paired:
            raise ValueError(f"{self.dataset} is degraded already; leave out degrade")
        if self.sigma is not None and self.degrade != "noise":
            raise ValueError("sigma needs degrade: noise")
        why = "beside sigma" if self.sigma is not None else "" if self.degrade else "without degrade"
        if self.severity is not None and why:
            raise ValueError(f"severity means nothing {why}")
        if self.severity is not None and self.severity[0] > self.severity[1]:
            raise ValueError(f"severity {list(self.severity)} must be [lowest, highest]")
        if self.stored and self.degrade in ("", MIXTURE):
            why = "beside mixture" if self.degrade else "without degrade"
            raise ValueError(f"stored means nothing {why}")

    def __str__(self) -> str:
        """What a person says of it: ``photos degrade=noise sigma=25``, without what goes without saying."""
        said = [
            f"{each.name}={getattr(self, each.name)}"
            for each in fields(self)[1:]
            if getattr(self, each.name) not in ("", 1, None, False)
        ]
        return " ".join([self.dataset, *said])
