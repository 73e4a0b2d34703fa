"""What a training run is asked for: one object, made from a YAML file and checked by its types.

``anyir train --config NAME|FILE`` reads it, every part of training takes it or one of its parts, and a
checkpoint stores it. A new knob is one field here and its use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from anyir.model.config import PRESETS
from anyir.model.data.dataset_registry import DATASETS
from anyir.model.data.dataset_spec import MIXTURE, DatasetSpec
from anyir.model.errors import UserError, unknown

Fraction = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=100)]
Rate = Annotated[float, Field(gt=0, le=1)]
Beta = Annotated[float, Field(ge=0, le=0.99999)]

LENGTHS = ("max_steps", "epochs")
"""Keys of which a config has one: how long a run is, and with it the learning rate's schedule."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataConfig(_Part):
    """What to train on, and how its samples are cut."""

    datasets: tuple[DatasetSpec, ...] = Field(default=(DatasetSpec("photos", degrade=MIXTURE),), min_length=1)
    roots: tuple[Path, ...] = ()
    """Folders that the datasets lie below (``--data``)."""
    batch_size: int = Field(default=16, ge=1, le=65536)
    """Samples a step, of all processes together."""
    crop: int = Field(default=64, ge=16, le=4096, multiple_of=8)
    """Side of a sample in pixels."""
    crops_per_photo: int = Field(default=1, ge=1, le=256)
    """Consecutive samples of a batch that are crops of one degraded photo and share their statistics, as the
    tiles of a photo do when it is restored; 1: each crop is a photo of its own, as in the paper. The batch
    keeps its size: it has ``batch_size / crops_per_photo`` photos."""
    workers: int = Field(default=4, ge=1, le=256)
    """Threads that read and degrade photos, where they are not held on the device."""
    cache_gib: float = Field(default=4.0, ge=0, le=1e6)
    """Decoded photos that these threads keep."""

    @property
    def in_memory(self) -> bool:
        """Whether the photos are decoded once and kept on the device: clean ones of one folder, degraded by
        the table of ``anyir.model.data.mixture``, or whatever several crops of each are taken of. Anything
        else is read as it is needed."""
        return self.crops_per_photo > 1 or self.datasets == (DatasetSpec("photos", degrade=MIXTURE),)

    @model_validator(mode="after")
    def _whole_photos(self) -> DataConfig:
        if self.batch_size % self.crops_per_photo:
            batch, crops = self.batch_size, self.crops_per_photo
            raise ValueError(f"batch_size is {batch}: no multiple of crops_per_photo, which is {crops}")
        held = all(spec.degrade == MIXTURE or DATASETS[spec.dataset].paired for spec in self.datasets)
        if self.crops_per_photo > 1 and not held:
            raise ValueError(
                f"crops_per_photo is {self.crops_per_photo}: above 1 it takes pairs and clean photos with "
                "degrade: mixture, which are held in memory"
            )
        if self.crops_per_photo > 1 and any(spec.severity is not None for spec in self.datasets):
            raise ValueError("severity means nothing where crops_per_photo is above 1: it is 0 to 1")
        return self


class LossConfig(_Part):
    """See ``anyir.model.training.loss.restoration_loss``."""

    distance: Literal["l1", "rmse"] = "l1"
    """``l1`` draws every pixel to the median of what it may have been, as in the paper; ``rmse``, the root
    of a sample's mean square (flat near 0), to the mean, which PSNR asks for."""
    fourier: Weight = 0.1
    """Weight of the L1 distance of the Fourier coefficients; 0 leaves the pixels alone."""
    harm: Weight = 0.0
    """Weight of the part of a sample's error that is above its input's: what was made worse."""
    colour: Weight = 0.0
    """Weight of the shift of each channel's mean: a colour cast, which the other terms hardly see."""
    balance: Fraction = 0.0
    """A sample counts by the inverse of the damage done to it, to this power."""


class OptimConfig(_Part):
    """See ``anyir.model.training.optim``."""

    name: Literal["adamw", "muon"] = "adamw"
    """``muon``: for the convolutions that mix channels, with AdamW for the rest."""
    learning_rate: Rate = 5e-4
    """At the schedule's peak."""
    betas: tuple[Beta, Beta] = (0.9, 0.99)
    weight_decay: Fraction = 0.01
    even_upsampling: bool = False
    """Whether no grid is allowed on even surfaces (``even_out_upsampling``)."""


class ScheduleConfig(_Part):
    """The learning rate over a run: a warmup along a line, then a cosine."""

    warmup_ratio: Fraction = 0.03
    """Share of the steps in which the rate rises; AdamW's moments settle meanwhile."""
    cosine_end: float = Field(default=1.0, gt=0, le=100)
    """Share of the steps at which the cosine reaches its lowest rate; above 1 the run ends before."""
    min_lr_ratio: Fraction = 0.02
    """Lowest rate, as a share of the peak."""

    @model_validator(mode="after")
    def _warmup_comes_first(self) -> ScheduleConfig:
        if self.cosine_end < self.warmup_ratio:
            end, warmup = f"{self.cosine_end:g}", f"{self.warmup_ratio:g}"
            raise ValueError(f"cosine_end is {end}, before the warmup ends at {warmup}")
        return self


class TrainConfig(_Part):
    """A whole run. Its length is ``max_steps`` or ``epochs``; the latter becomes the former once the photos
    have been counted."""

    name: str = ""
    """Of the file it was read from, without the suffix."""
    about: str = ""
    """One line: what it is for."""
    preset: str = "anyir"
    max_steps: int | None = Field(default=None, ge=1, le=10**9)
    epochs: float | None = Field(default=None, gt=0, le=1e6)
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    seed: int = Field(default=0, ge=0, le=2**31)
    """What every random choice is drawn from."""
    precision: Literal["bf16-mixed", "32-true"] | None = None
    """Fabric's names: autocast to bfloat16 over float32 weights, or float32 alone; None: what suits the
    device."""
    compile: bool = False
    validate_every: int = Field(default=1000, ge=1, le=10**9)
    """Steps between validations."""

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, preset: str) -> str:
        if preset not in PRESETS:
            raise ValueError(unknown("preset", preset, PRESETS))
        return preset

    @model_validator(mode="after")
    def _one_length(self) -> TrainConfig:
        if (self.max_steps is None) == (self.epochs is None):
            raise ValueError("give one of max_steps and epochs: how long the run is")
        return self

    @property
    def steps(self) -> int:
        """The run's length; ``with_steps`` has settled it."""
        assert self.max_steps is not None
        return self.max_steps

    def with_steps(self, samples: int) -> TrainConfig:
        """The same config with its length in steps.

        Args:
            samples: in an epoch.
        """
        if self.epochs is None:
            return self
        steps = max(1, round(self.epochs * samples / self.data.batch_size))
        return self.model_copy(update={"max_steps": steps, "epochs": None})


DEFAULT_STEPS = 10_000
"""Length of a run where neither a config nor an option names one."""


def make_config(content: dict[str, Any], where: str = "") -> TrainConfig:
    """A config from plain keys and values.

    Args:
        where: what an error's line begins with, such as a file.

    Raises:
        UserError: an unknown key or an impossible value; one line that names the key.
    """
    try:
        if all(content.get(key) is None for key in LENGTHS):
            content = {**content, "max_steps": DEFAULT_STEPS}
        # As JSON, lists stand for tuples and text for paths, and the types are strict all the same.
        text = json.dumps(content, default=str, ensure_ascii=False)
        return TrainConfig.model_validate_json(text.encode())
    except UnicodeEncodeError as error:  # a checkpoint could not hold it
        word = text[text.rindex('"', 0, error.start) + 1 : text.index('"', error.end)]
        raise UserError(f"{word} is no UTF-8, as all in a training config must be; rename it") from None
    except ValidationError as error:
        raise UserError(f"{where}: {first_problem(error)}" if where else first_problem(error)) from None


def change_config(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """The same config but for some keys, given as in a file.

    Raises:
        UserError: as ``make_config``.
    """
    return make_config(merge(config.model_dump(mode="json", exclude_none=True), changes))


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Keys and values of both; those of ``above`` win, part by part. The length comes from one of them."""
    merged = dict(below)
    if any(key in above for key in LENGTHS):
        merged = {key: value for key, value in merged.items() if key not in LENGTHS}
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def nested(key: str, value: Any) -> dict[str, Any]:
    """``loss.balance`` and 0.4 -> {"loss": {"balance": 0.4}}."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def differences(one: TrainConfig, other: TrainConfig) -> dict[str, tuple[Any, Any]]:
    """Values that differ, by their key (``loss.balance``)."""
    old, new = (_flat(config.model_dump(mode="json")) for config in (one, other))
    return {key: (old[key], new[key]) for key in old if old[key] != new[key]}


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def first_problem(error: ValidationError) -> str:
    """What is wrong with a config, in one line that names the key and what it may be."""
    problem = error.errors(include_url=False)[0]
    key = _dotted(problem["loc"])
    kind, value = problem["type"], problem["input"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        *place, name = problem["loc"]
        return unknown("key", str(name), _keys(place)) + (f" (in {_dotted(place)})" if place else "")
    if kind == "literal_error":
        return f"{key} is {value!r:.60}; known: {problem['ctx']['expected'].replace(' or ', ', ')}"
    if kind == "float_type" and isinstance(value, str) and value.replace("e", "").replace("-", "").isdigit():
        return f"{key} is {value!r}: YAML takes it for text: write 0.0002 or 2.0e-4"
    message = problem["msg"].removeprefix("Value error, ")
    if kind in ("value_error", "missing", "missing_argument"):
        return f"{key}: {message}" if key else message
    return f"{key} is {value!r:.60}: {message[0].lower()}{message[1:]}"


def _dotted(place: Any) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _keys(place: list[Any]) -> list[str]:
    """The keys that a part of a config has."""
    owner: Any = TrainConfig
    for step in place:
        if isinstance(step, str):
            owner = owner.__pydantic_fields__[step].annotation
            owner = get_args(owner)[0] if get_origin(owner) is tuple else owner
    return list(owner.__pydantic_fields__)
