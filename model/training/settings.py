"""What a training run is asked to do, and where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from anyir.model.training.loss import FOURIER_WEIGHT
from anyir.model.training.schedule import FLOOR, WARM_UP

if TYPE_CHECKING:
    from anyir.model.training.loss import Distance, Scale

OptimizerName = Literal["adamw", "muon"]


@dataclass
class Settings:
    """What a run is asked to do; see ``anyir train --help`` and docs/guides/configs.md.

    A chunk ends after ``epochs`` or ``steps`` where they are not 0, else after ``minutes``.
    """

    preset: str
    minutes: float
    batch: int
    crop: int
    seed: int = 0
    recipe: str = ""
    sources: tuple[str, ...] = ()
    """What the recipe trains on, an ``Ingredient`` each."""
    epochs: float = 0.0
    steps: int = 0
    optimizer: OptimizerName = "adamw"
    learning_rate: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warm_up: float = WARM_UP
    cosine_end: float = 1.0
    floor: float = FLOOR
    """These three: see ``anyir.model.training.optim.learning_rate``."""
    fourier: float = FOURIER_WEIGHT
    """Weight of the loss in the Fourier domain."""
    colour: float = 0.0
    """Weight of a patch's colour cast in the loss; see ``restoration_loss``."""
    distance: Distance = "l1"
    """Of a sample's pixels from the clean ones; see ``restoration_loss``."""
    balance: float = 0.0
    """Exponent by which a sample counts less for the damage done to it; see ``restoration_loss``."""
    loss_scale: Scale = "linear"
    even_upsampling: bool = False
    """Whether no grid is allowed on even surfaces; see ``even_out_upsampling``."""
    compile: bool = False
    validate_every: float = 300.0
    """Seconds between validations."""
    grown_from: str = ""
    """Preset and sha256 of the smaller network that a first chunk began with; empty if none."""
    photos: tuple[int, ...] = ()
    """What tells the run's photos from others (``Material.identity``); empty before they are found."""
    held_out: str = ""
    """What tells the photos that are held out from others (``Material.held_out``)."""


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
    chunk_step: int = 0
    """Steps done in the present chunk, of ``chunk_steps`` if that is not 0: then the clock does not count."""
    chunk_steps: int = 0
    save: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    """One entry a validation."""
    chunks: list[dict[str, Any]] = field(default_factory=list)
    """One entry a finished chunk: how it was trained, how fast, and its last mean loss."""

    def go_on(self, record: dict[str, Any]) -> None:
        """Count on from the training that a model card records, so that no batch is seen twice.

        Raises:
            TypeError: a record of other kinds of values.
        """
        self.step, self.samples = record.get("steps", 0), record.get("samples", 0)
        self.seconds = record.get("hours", 0.0) * 3600
        self.chunks, self.history = list(record.get("chunks", [])), list(record.get("history", []))
        self.check()

    def check(self) -> None:
        """Raises TypeError: a value of another kind; ValueError: a number that no training reaches. Both may
        come from a damaged file."""
        for name, default in vars(Progress()).items():
            value = getattr(self, name)
            if not isinstance(value, int | float if isinstance(default, float) else type(default)):
                raise TypeError(f"{name} is {value!r:.40}")
            # NaN is refused as well, and what would not fit a random stream's seed.
            if isinstance(value, int | float) and not 0 <= value <= 10**15:
                raise ValueError(f"{name} is {value!r:.40}")

    def share(self) -> float:
        """How much of the chunk is done, 0..1 and, at its end, a little more."""
        if self.chunk_steps:
            return self.chunk_step / self.chunk_steps
        return self.chunk_seconds / (self.chunk_minutes * 60)

    def begin_chunk(self, settings: Settings) -> None:
        """Start a new chunk of the length that is asked for."""
        self.chunk_seconds, self.chunk_step = 0.0, 0
        self.chunk_minutes, self.chunk_steps = settings.minutes, settings.steps
