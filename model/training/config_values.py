"""What a recipe may say: every key, and which values it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from anyir.model.config import PRESETS
from anyir.model.errors import unknown
from anyir.model.training.acceleration import PRECISIONS
from anyir.model.training.loss import Distance, Scale
from anyir.model.training.settings import OptimizerName

LENGTHS = ("epochs", "steps", "minutes")
"""Keys of which a recipe has one: how long it runs."""

Check = Callable[[Any], Any]
"""Returns the value as it is used, or raises ValueError that says what it must be."""


def one_of(*known: str) -> Check:
    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(unknown("value", str(value), known))
        return str(value)

    return check


def whole(low: int, high: int, multiple: int = 1) -> Check:
    def check(value: Any) -> int:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not low <= value <= high
            or value % multiple
        ):
            of = f", a multiple of {multiple}" if multiple > 1 else ""
            raise ValueError(f"it must be a whole number in {low}..{high}{of}")
        return value

    return check


def number(low: float, high: float, *, above: bool = False) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, str) and value.replace("e", "").replace("-", "").isdigit():
            raise ValueError("YAML takes it for text: write 0.0002 or 2.0e-4")
        fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        if not fits or (above and value == low):
            raise ValueError(
                f"it must be a number in {low:g}..{high:g}" + (f", above {low:g}" if above else "")
            )
        return float(value)

    return check


def pair(low: float, high: float) -> Check:
    check_one = number(low, high)

    def check(value: Any) -> tuple[float, float]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError("it must be a list of two numbers")
        return check_one(value[0]), check_one(value[1])

    return check


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it must be text")
    return value


SETTINGS: dict[str, Check] = {
    "preset": one_of(*PRESETS),
    "crop": whole(16, 4096, multiple=8),
    "batch": whole(1, 65536),
    "epochs": number(0, 1e6, above=True),
    "steps": whole(1, 10**9),
    "minutes": number(0, 1e6, above=True),
    "optimizer": one_of(*get_args(OptimizerName)),
    "learning_rate": number(0, 1, above=True),
    "betas": pair(0, 0.99999),
    "weight_decay": number(0, 1),
    "warm_up": number(0, 1),
    "cosine_end": number(0, 100, above=True),
    "floor": number(0, 1),
    "fourier": number(0, 100),
    "colour": number(0, 100),
    "distance": one_of(*get_args(Distance)),
    "loss_scale": one_of(*get_args(Scale)),
    "balance": number(0, 1),
    "even_upsampling": truth,
    "precision": one_of(*PRECISIONS),
    "compile": truth,
    "seed": whole(0, 2**31),
    "validate_every": number(1, 1e6),
}
"""Keys that are settings of the trainer; see ``anyir.model.training.settings``."""

SOURCE: dict[str, Check] = {
    "dataset": text,
    "folder": text,
    "repeat": whole(1, 10**6),
    "degrade": text,
    "sigma": number(0, 50),
    "severity": pair(0, 1),
    "stored": truth,
}
"""Keys of an entry of ``sources``; see ``anyir.model.data.sources.Ingredient``."""


def check_value(key: str, value: Any, checks: dict[str, Check], where: str) -> Any:
    """The value of a key as it is used.

    Raises:
        ValueError: an unknown key or an impossible value; the message begins with ``where``.
    """
    if key not in checks:
        raise ValueError(where + unknown("key", key, checks))
    try:
        return checks[key](value)
    except ValueError as error:
        raise ValueError(f"{where}{key} is {value!r}: {error}") from None
