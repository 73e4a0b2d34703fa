"""Means of weights: along a run, and of two weights files of one preset (docs/lab/training.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel

from anyir.model.checkpoint import find_weights, load_weights, read_header, save_weights
from anyir.model.config import preset_name
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.model_card import Training, card_path, read_training, start_card
from anyir.model.network import AnyIR
from anyir.model.training.schedule import average_decay


class RunningAverage(AveragedModel):
    """The exponential mean of a network's weights over a run, whose decay grows with the steps.

    ``module`` is the averaged network, in eval mode. torch's own mean has one decay for all steps.
    """

    module: AnyIR

    def __init__(self, network: AnyIR) -> None:
        super().__init__(network, multi_avg_fn=self._lerp)
        self.requires_grad_(False)
        self.eval()
        self._decay = 0.0

    def update(self, network: AnyIR, step: int) -> None:
        """Take in the weights after a step of the run, counted from 0."""
        self._decay = average_decay(step)
        self.update_parameters(network)

    def _lerp(self, averaged: Any, current: Any, count: Any) -> None:
        # ``count`` may lie on a GPU, which reading it would wait for.
        torch._foreach_lerp_(averaged, current, 1 - self._decay)


def average(first: Path, second: Path, share: float, out: Path) -> Path:
    """Write the mean of two weights files, and the beginning of its model card.

    Weights of one run lie in one valley, between whose ends a mean makes sense (Wortsman et al., Model
    soups, 2022); weights that were trained apart from random numbers do not.

    The card takes over the record of the one that was trained longer, and its last run says of what this is
    a mean; training counts on from there.

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
    steps = [read_header(path).get("steps", 0) for path in paths]
    longer = paths[0] if steps[0] >= steps[1] else paths[1]
    training = _record(longer, max(steps), paths, (1 - share, share))
    ours, theirs = one.state_dict(), other.state_dict()
    one.load_state_dict({name: (1 - share) * ours[name] + share * theirs[name] for name in ours})
    notes = {"steps": training.steps, "samples": training.samples} if training.steps else {}
    save_weights(one, out, notes=notes)
    try:
        start_card(out, training)
    except BaseException:
        out.unlink()
        raise
    return out


def _record(longer: Path, steps: int, paths: list[Path], shares: tuple[float, float]) -> Training:
    """How the mean was trained: the record of the longer trained of the two, and of what it is a mean."""
    training = read_training(longer)
    if not training.runs:
        if steps:
            raise UserError(f"{longer} was trained for {steps} steps, and no card beside it says how")
        return Training()
    ends = [
        {"sha256": sha256(path), "share": round(part, 6)} for path, part in zip(paths, shares, strict=True)
    ]
    last = training.runs[-1]
    last = last.model_copy(update={"means": [*last.means, ends]})  # the newest mean comes last
    return training.model_copy(update={"runs": [*training.runs[:-1], last]})
