"""Model cards: ``<weights>.json`` beside a weights file, written by training and evaluation alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anyir.model.checkpoint import MOST, read_header
from anyir.model.errors import UserError
from anyir.model.files import sha256, write_atomically


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class Run(_Part):
    """One training run: its config, and how it went."""

    means: list[Any] = []
    """Of what weights ``anyir average`` made the mean, each time."""


class Training(_Part):
    """How weights were trained, all runs together."""

    steps: int = Field(default=0, ge=0, le=MOST)
    samples: int = Field(default=0, ge=0, le=MOST)
    hours: float = Field(default=0.0, ge=0, le=MOST)
    runs: list[Run] = []

    def plain(self) -> dict[str, Any]:
        """As plain data, without what is not known."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Figures(_Part):
    benchmarks: dict[str, Any] = {}


class _Card(_Part):
    sha256: str | None = None
    training: Training = Training()
    figures: Figures = Figures()


def card_path(weights: Path) -> Path:
    return weights.with_suffix(".json")


def start_card(weights: Path, training: Training) -> None:
    """Begin the card of freshly written weights with how they were trained; figures come later."""
    _write(weights, {"training": training.plain()})


def read_training(weights: Path) -> Training:
    """How weights were trained, from the card beside them; empty without a card that describes them.

    Raises:
        UserError: the card is damaged.
    """
    card = _read(card_path(weights))
    return card.training if card.sha256 == sha256(weights) else Training()


def check_card(weights: Path) -> dict[str, Any]:
    """The card beside ``weights``, to which figures may be added; empty where there is none.

    Raises:
        UserError: the card that is there is damaged or belongs to other weights.
    """
    path = card_path(weights)
    card = _read(path)
    if card.sha256 not in (None, sha256(weights)):
        raise UserError(f"{path} describes other weights than {weights.name}; remove it to start anew")
    return card.model_dump(mode="json", exclude_unset=True)


def row_name(dataset: str, condition: str, stored: bool) -> str:
    """What a benchmark's row is called, in cards and tables."""
    return " ".join(filter(None, (dataset, condition, "stored" if stored else "")))


def check_whole(weights: Path, photos: dict[str, int]) -> None:
    """Figures of a part of a benchmark do not replace those of all of it.

    Args:
        photos: in the rows that are to be added, by ``row_name``.

    Raises:
        UserError: the card has one of these rows of more photos; also as ``check_card``.
    """
    had = check_card(weights).get("figures", {}).get("benchmarks", {})
    for name, count in photos.items():
        before = had[name].get("photos", 0) if isinstance(had.get(name), dict) else 0
        if isinstance(before, int) and before > count:
            raise UserError(
                f"{card_path(weights)} has {name} of {before} photos, and here are {count}; "
                "leave --card out, or remove that row from it"
            )


def add_figures(weights: Path, result: dict[str, Any]) -> Path:
    """Put evaluation figures into the card of ``weights`` and return the card's path.

    Args:
        result: what ``anyir eval`` measured; the figures of single photos are left out.

    Raises:
        UserError: as ``check_card``.
    """
    card = check_card(weights)
    figures = card.setdefault("figures", {})
    for row in result.get("rows", []):
        name = row_name(row["dataset"], row["condition"], row["stored"])
        how = {"tile": result["tile"], "noise_seed": result["noise_seed"]}
        figures.setdefault("benchmarks", {})[name] = {
            k: v for k, v in {**row, **how}.items() if k != "images"
        }
    for name in ("validation", "diagnostics"):
        if name in result:
            figures[name] = result[name]
    _write(weights, card)
    return card_path(weights)


def _read(path: Path) -> _Card:
    """A card; empty where there is none."""
    if not path.is_file():
        return _Card()
    try:
        return _Card.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        why = f"{where}: {problem['msg']}" if where else problem["msg"]
        raise UserError(f"{path} is no model card, or damaged; mend or remove it ({why})") from error


def _write(weights: Path, card: dict[str, Any]) -> None:
    header = read_header(weights)
    identity = {
        "preset": header.get("preset"),
        "sha256": sha256(weights),
        "bytes": weights.stat().st_size,
        "config": header["config"],
    }
    write_atomically(card_path(weights), (json.dumps({**card, **identity}, indent=1) + "\n").encode())
