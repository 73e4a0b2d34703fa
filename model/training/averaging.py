"""A mean of two weights files of one preset, which can be better than both (docs/lab/training.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anyir.model.checkpoint import find_weights, load_weights, read_header, save_weights
from anyir.model.config import preset_name
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.model_card import card_path, read_training, start_card


def average(first: Path, second: Path, share: float, out: Path) -> Path:
    """Write the mean of two weights files, and the beginning of its model card.

    Weights of one run lie in one valley, between whose ends a mean makes sense (Wortsman et al., Model
    soups, 2022); weights that were trained apart from random numbers do not.

    The card takes over the preset and the record of the one that was trained longer, and its last chunk says
    of what this is a mean; training counts on from there.

    Args:
        first, second: weights files, or names of presets that ship.
        share: of the second, between 0 and 1.
        out: a weights file that does not exist yet.

    Returns:
        ``out``.

    Raises:
        UserError: missing, damaged or different networks, trained weights without their card, a file that
            is there already, a folder that is not, or a share out of its range.
    """
    if not 0 < share < 1:
        raise UserError(f"a share of {share} is no mean: it lies between 0 and 1")
    if out.suffix != ".safetensors":
        raise UserError(f"{out} does not end in .safetensors")
    for path in (out, card_path(out)):
        if path.exists() or path.is_symlink():
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
    headers = [read_header(path) for path in paths]
    longer = max((0, 1), key=lambda number: headers[number].get("steps", 0))
    record = _record(paths, longer, headers[longer].get("steps", 0), (1 - share, share))
    ours, theirs = one.state_dict(), other.state_dict()
    one.load_state_dict({name: (1 - share) * ours[name] + share * theirs[name] for name in ours})
    notes: dict[str, Any] = {key: record[key] for key in ("steps", "samples", "hours") if key in record}
    notes["preset"] = preset_name(one.config, headers[longer].get("preset"))
    save_weights(one, out, notes=notes)
    try:
        start_card(out, record)
    except BaseException:
        out.unlink()
        raise
    return out


def _record(paths: list[Path], longer: int, steps: int, shares: tuple[float, float]) -> dict[str, Any]:
    """How the mean was trained: the record of the longer trained of the two, and of what it is a mean."""
    record = read_training(paths[longer])
    if steps and not record.get("chunks"):
        raise UserError(f"{paths[longer]} was trained for {steps} steps, and no card beside it says how")
    if not record.get("chunks"):
        return {}
    # What was measured at the end of the last chunk is of that end, not of the mean.
    record["history"] = [entry for entry in record.get("history", []) if entry.get("step") != steps]
    ends = [
        {"sha256": sha256(path), "share": round(part, 6)} for path, part in zip(paths, shares, strict=True)
    ]
    chunk = record["chunks"][-1]
    chunk["means"] = [*chunk.get("means", []), ends]  # the last of them is this one
    return record
