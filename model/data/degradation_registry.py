"""Every degradation in one list: what it is called, when it is applied, and which sets it belongs to.

To add one, write its function in ``degradations.py`` and add an entry at the end of ``DEGRADATIONS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from anyir.model.errors import unknown


@dataclass(frozen=True)
class Degradation:
    """A single degradation, or a mixture of several, which only says what sets it belongs to.

    Its numbers in the sets seed what is random there, so they stay: an entry that is added takes numbers that
    are not taken, and changes no figure of the others. None means that it does not belong to the set.

    Attributes:
        name: the function of this name in ``degradations`` applies it; ``a+b`` for a mixture.
        title: for people; a mixture's is made of its parts'.
        severity: what a severity of 0 to 1 means; a mixture's parts have theirs.
        order: parts of a mixture are applied from the lowest to the highest.
        stream: of its random numbers in training batches; the singles' numbers differ.
        training: how often it is drawn in training, relative to the others; 0 is never.
        on_surfaces: whether training also applies it to smooth surfaces, where nothing is to be restored.
        validation: its number in the validation set.
        calibration: its number among the photos that fix the ranges of static quantization.
        parity: its number in the set that programs are compared on.
    """

    name: str
    title: str = ""
    severity: str = ""
    order: int | None = None
    stream: int | None = None
    training: float = 0.0
    on_surfaces: bool = False
    validation: int | None = None
    calibration: int | None = None
    parity: int | None = None


CLEAN = "clean"
"""The photo as it is, beside the degradations in every set."""

# Light is lost first, at the scene; rain or snow falls in front of it; haze lies over all. The camera's own
# faults come last. (The order of CDD-11: OneRestore, Guo et al. 2024.)
DEGRADATIONS: tuple[Degradation, ...] = (
    Degradation(CLEAN, "Clean", "nothing to restore", training=0.14, on_surfaces=True, parity=8),
    Degradation(
        "noise", "Noise", "sigma 0 to 50 of 255", order=60, stream=6,
        training=0.2,  # the most of those that are made, because its whole range of sigma is asked for
        on_surfaces=True, validation=0, calibration=0, parity=0,
    ),
    Degradation(
        "rain", "Rain", "few and faint streaks to many and bright ones", order=10, stream=1,
        training=0.12, validation=1, calibration=1, parity=1,
    ),
    Degradation(
        "haze", "Haze", "scattering 0.04 to 0.2", order=30, stream=3,
        training=0.035, validation=2, calibration=2, parity=2,
    ),
    Degradation(
        "motion_blur", "Motion blur", "paths of 2 to 25 pixels", order=50, stream=5,
        training=0.05, on_surfaces=True, validation=3, calibration=3, parity=3,
    ),
    Degradation(
        "defocus_blur", "Defocus blur", "disks of radius 0.5 to 5 pixels", order=40, stream=4,
        training=0.045, on_surfaces=True, validation=4, calibration=4, parity=4,
    ),
    Degradation(
        "low_light", "Low light", "0.5 to 4 stops too dark", order=0, stream=0,
        training=0.06, validation=5, calibration=5, parity=5,
    ),
    Degradation(
        "snow", "Snow", "few flakes to many, and a veil of up to 15 %", order=20, stream=2,
        training=0.04, validation=6, calibration=6, parity=6,
    ),
    Degradation(
        "camera_noise", "Camera noise", "shot noise of variance 0.0001 to 0.012", order=70, stream=7,
        training=0.05, on_surfaces=True, validation=9, calibration=7,
    ),
    Degradation(
        "jpeg", "JPEG", "quality 90 to 10", order=80, stream=8,
        training=0.05, on_surfaces=True, validation=10, calibration=8,
    ),
    Degradation("camera_noise+jpeg", training=0.025, on_surfaces=True),
    # The mixtures of CDD-11.
    Degradation("low_light+haze", training=0.005),
    Degradation("low_light+rain", training=0.005),
    Degradation("low_light+snow", training=0.005),
    Degradation("haze+rain", training=0.005),
    Degradation("haze+snow", training=0.005, validation=8, calibration=10),
    Degradation("low_light+haze+rain", training=0.005, validation=7, calibration=9, parity=7),
    Degradation("low_light+haze+snow", training=0.005),
    # As photographs of the world have them: docs/lab/real-degradations.md compares them with such.
    Degradation(
        "underexposure", "Underexposure", "2 to 7 stops too dark, with noise, a cast and a curve",
        order=5, stream=9, training=0.1, validation=11, calibration=11,
    ),
    Degradation(
        "heavy_rain", "Heavy rain", "a shower to a downpour with a veil", order=15, stream=10,
        training=0.075, validation=12, calibration=12,
    ),
    Degradation(
        "near_snow", "Near snow", "few to many flakes of radius 1 to 25 pixels", order=25, stream=11,
        training=0.045, validation=13, calibration=13,
    ),
    Degradation(
        "dense_haze", "Dense haze", "mean optical thickness 0.2 to 2.4", order=35, stream=12,
        training=0.075, validation=14, calibration=14,
    ),
    Degradation(
        "grain", "Grain", "deviation 2 to 42 of 255, grey or coloured, fine or coarse", order=75,
        stream=13, training=0.09, on_surfaces=True, validation=15, calibration=15,
    ),
    Degradation(
        "impulse_noise", "Salt and pepper", "0.2 to 12 % of the pixels", order=77, stream=14,
        training=0.015, on_surfaces=True, validation=16, calibration=16,
    ),
    Degradation(
        "web_copy", "Web copy", "shrunk to 1 / 1.1 to 1 / 2.6 and saved twice", order=85, stream=15,
        training=0.03, on_surfaces=True, validation=17, calibration=17,
    ),
    Degradation(
        "fine_rain", "Fine rain", "few to many long and faint streaks", order=12, stream=16, training=0.09,
    ),
    Degradation("motion_blur+camera_noise", training=0.015, on_surfaces=True),
    Degradation("defocus_blur+grain", training=0.015, on_surfaces=True),
    Degradation("heavy_rain+dense_haze", training=0.01),
    Degradation("near_snow+dense_haze", training=0.005),
    Degradation("underexposure+motion_blur", training=0.005),
)  # fmt: skip


def find_degradation(name: str) -> Degradation:
    """A single degradation.

    Raises:
        ValueError: there is none of this name; the message lists them.
    """
    known = {one.name: one for one in DEGRADATIONS if one.order is not None}
    if name not in known:
        raise ValueError(f"{unknown('degradation', name, known)}, and mixtures joined by +")
    return known[name]


def single_kinds() -> tuple[str, ...]:
    """The single degradations."""
    return tuple(one.name for one in DEGRADATIONS if one.order is not None)


def parse_kind(kind: str) -> list[str]:
    """The single degradations of a mixture ``a+b+c``, in the order they are applied.

    Raises:
        ValueError: an unknown kind, or one named twice; the message lists the kinds.
    """
    parts = [find_degradation(name) for name in kind.split("+")]
    if len(set(parts)) != len(parts):
        raise ValueError(f"{kind!r} names a degradation twice")
    return [part.name for part in sorted(parts, key=lambda part: (part.order, part.stream))]


def kinds_of(which: Literal["stream", "validation", "calibration", "parity"]) -> dict[str, int]:
    """The kinds that belong to a set, each with its number there, in the order of the numbers."""
    numbers = {one.name: number for one in DEGRADATIONS if (number := getattr(one, which)) is not None}
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


def kind_title(kind: str) -> str:
    """A kind in words: ``Low light + haze + rain``. One that is not known here is named as it is."""
    titles = {one.name: one.title for one in DEGRADATIONS if one.title}
    first, *others = (titles.get(part) or part.replace("_", " ").capitalize() for part in kind.split("+"))
    return " + ".join([first, *(title if title.isupper() else title.lower() for title in others)])
