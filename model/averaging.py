"""A mean of two weights files of one preset, which can be better than both (docs/training.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anyir.model.card import card_path, read_training, start_card
from anyir.model.checkpoints import find_weights, load_weights, save_weights, sha256
from anyir.model.config import preset_name
from anyir.model.errors import UserError


def average(first: Path, second: Path, share: float, out: Path) -> Path:
    """Write the mean of two weights files, and the beginning of its model card.

    Weights of one run lie in one valley, between whose ends a mean makes sense (Wortsman et al., Model
    soups, 2022); weights that were trained apart from random numbers do not.

    The card takes over the record of the one that was trained longer, whose last chunk then says what it
    was averaged with; training counts on from there.

    Args:
        first, second: weights files, or names of presets that ship.
        share: of the second, between 0 and 1.
        out: a weights file that does not exist yet.

    Returns:
        ``out``.

    Raises:
        UserError: missing, damaged or different networks, a file that is there already, or a folder that is
            not.
    """
    if out.suffix != ".safetensors":
        raise UserError(f"{out} does not end in .safetensors")
    for path in (out, card_path(out)):
        if path.exists():
            raise UserError(f"{path} is there already, and kept: choose another --out")
    if not out.parent.is_dir():
        raise UserError(f"{out.parent} is no folder")
    paths = [find_weights(first), find_weights(second)]
    one, other = (load_weights(path) for path in paths)
    if one.config != other.config:
        names = (preset_name(network.config) or "an unnamed preset" for network in (one, other))
        raise UserError("these are different networks: " + " and ".join(names))
    if sha256(paths[0]) == sha256(paths[1]):
        raise UserError(f"{paths[0]} and {paths[1]} are the same weights")
    ours, theirs = one.state_dict(), other.state_dict()
    one.load_state_dict({name: (1 - share) * ours[name] + share * theirs[name] for name in ours})
    record = _record(paths, (1 - share, share))
    notes: dict[str, Any] = {key: record[key] for key in ("steps", "samples", "hours") if key in record}
    save_weights(one, out, notes=notes)
    start_card(out, record)
    return out


def _record(paths: list[Path], shares: tuple[float, float]) -> dict[str, Any]:
    """How the mean was trained: what the longer trained of the two says, and the other's sha256 and share."""
    records = [read_training(path) for path in paths]
    longer = 0 if records[0].get("steps", 0) >= records[1].get("steps", 0) else 1
    record, shorter = records[longer], 1 - longer
    if chunks := record.get("chunks"):
        chunks[-1]["averaged_with"] = {"sha256": sha256(paths[shorter]), "share": round(shares[shorter], 6)}
    return record
