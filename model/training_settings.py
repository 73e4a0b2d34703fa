"""What a training run is asked to do, and where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyir.model.loss import Scale


@dataclass
class Settings:
    """What a run is asked to do; see ``anyir train --help``."""

    preset: str
    minutes: float
    batch: int
    crop: int
    seed: int = 0
    learning_rate: float = 5e-4
    balance: float = 0.0
    """Exponent by which a sample counts less for the damage done to it; see ``restoration_loss``."""
    loss_scale: Scale = "linear"
    compile: bool = False
    validate_every: float = 300.0
    """Seconds between validations."""


@dataclass
class Progress:
    """Where a run is: all of it is in the checkpoint."""

    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    """Training time in total."""
    chunk_seconds: float = 0.0
    """Time spent in the present chunk, of ``chunk_minutes``."""
    chunk_minutes: float = 0.0
    save: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    """One entry a validation."""
    chunks: list[dict[str, Any]] = field(default_factory=list)
    """One entry a finished chunk: how it was trained, how fast, and its last mean loss."""
