"""Model cards: ``<weights>.json`` beside a weights file, written by training and evaluation alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from anyir.model.checkpoint import check_amounts, read_header
from anyir.model.errors import UserError
from anyir.model.files import sha256, write_atomically
from anyir.model.training.settings import Progress


def card_path(weights: Path) -> Path:
    return weights.with_suffix(".json")


def start_card(weights: Path, training: dict[str, Any]) -> None:
    """Begin the card of freshly written weights with how they were trained; figures come later."""
    _write(weights, {"training": training})


def read_training(weights: Path) -> dict[str, Any]:
    """How weights were trained, from the card beside them; empty without a card that describes them.

    Raises:
        UserError: the card is damaged.
    """
    card = _read(card_path(weights))
    return dict(card.get("training", {})) if card.get("sha256") == sha256(weights) else {}


def check_card(weights: Path) -> dict[str, Any]:
    """The card beside ``weights``, to which figures may be added; empty where there is none.

    Raises:
        UserError: the card that is there is damaged or belongs to other weights.
    """
    path = card_path(weights)
    card = _read(path)
    if card.get("sha256", sha256(weights)) != sha256(weights):
        raise UserError(f"{path} describes other weights than {weights.name}; remove it to start anew")
    return card


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


def _read(path: Path) -> dict[str, Any]:
    """A card; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        card = _pairs(json.loads(path.read_text(encoding="utf-8")))
        training = _pairs(card.get("training", {}))
        check_amounts(training)
        Progress().go_on(training)
        for entry in (*training.get("chunks", ()), *training.get("history", ())):
            if not isinstance(_pairs(entry).get("means", []), list):
                raise TypeError("means that are no list")
        _pairs(_pairs(card.get("figures", {})).get("benchmarks", {}))
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is no model card, or damaged; mend or remove it ({error})") from error
    return card


def _pairs(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} where keys and values are due")
    return value


def _write(weights: Path, card: dict[str, Any]) -> None:
    header = read_header(weights)
    identity = {
        "preset": header.get("preset"),
        "sha256": sha256(weights),
        "bytes": weights.stat().st_size,
        "config": header["config"],
    }
    write_atomically(card_path(weights), (json.dumps({**card, **identity}, indent=1) + "\n").encode())
