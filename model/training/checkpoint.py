"""Training checkpoints: everything needed to go on exactly.

A checkpoint is a folder with ``checkpoint.json`` and one ``checkpoint-<hash>.safetensors``. The JSON is
replaced last and names the other file's hash, so that whatever moment a run is killed at, the folder
holds one complete checkpoint.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from anyir.model.checkpoint import MOST
from anyir.model.errors import UserError
from anyir.model.files import write_atomically
from anyir.model.model_card import Training
from anyir.model.training.config import TrainConfig
from anyir.model.training.data import Fingerprint

INDEX = "checkpoint.json"


class Progress(BaseModel):
    """Where a run is."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    step: int = Field(default=0, ge=0, le=MOST)
    """Steps done, of ``max_steps``."""
    samples: int = Field(default=0, ge=0, le=MOST)
    """Trained with in these steps."""
    seconds: float = Field(default=0.0, ge=0, le=MOST)
    """Time trained; nothing depends on it."""
    before: Training = Training()
    """The runs that made the weights it began with."""
    began_with: str = ""
    """Preset and sha256 of those weights; empty if none."""

    @property
    def total_steps(self) -> int:
        """Of all runs together: the place in the stream of batches, so that none is seen twice."""
        return self.before.steps + self.step


class Checkpoint(BaseModel):
    """What ``checkpoint.json`` holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1] = 1
    tensors: str
    """Name of the file in the same folder that holds them."""
    sha256: str
    config: TrainConfig
    progress: Progress
    fingerprint: Fingerprint

    @field_validator("tensors")
    @classmethod
    def _in_the_folder(cls, name: str) -> str:
        if Path(name).name != name:
            raise ValueError(f"{name} is not in its folder")
        return name

    @property
    def finished(self) -> bool:
        """Whether the run is over."""
        return self.progress.step >= self.config.steps


def save_checkpoint(
    folder: Path,
    tensors: dict[str, Tensor],
    config: TrainConfig,
    progress: Progress,
    fingerprint: Fingerprint,
) -> None:
    """Write a checkpoint and remove the one before it.

    Args:
        tensors: flat names to tensors on any device.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = {*folder.glob("checkpoint-*.safetensors"), *folder.glob(".*.part")}  # of a killed run
    data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    path = folder / f"checkpoint-{digest[:12]}.safetensors"
    write_atomically(path, data)
    index = Checkpoint(
        tensors=path.name, sha256=digest, config=config, progress=progress, fingerprint=fingerprint
    )
    write_atomically(folder / INDEX, index.model_dump_json(indent=1).encode())
    for old in before - {path}:
        old.unlink(missing_ok=True)


def read_checkpoint(folder: Path) -> Checkpoint:
    """What a training folder's checkpoint says of the run, without its tensors.

    Raises:
        UserError: no checkpoint, or a damaged one.
    """
    path = folder / INDEX
    if not path.is_file():
        raise UserError(f"no {INDEX} in {folder}; --resume takes a training folder")
    try:
        checkpoint = Checkpoint.model_validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        why = f"{where}: {problem['msg']}" if where else problem["msg"]
        raise UserError(f"{path} is damaged ({why})") from error
    if checkpoint.config.max_steps is None:
        raise UserError(f"{path} is damaged (config.max_steps is missing)")
    return checkpoint


def load_tensors(folder: Path, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """A checkpoint's tensors, on the CPU.

    Raises:
        UserError: a damaged or missing file, or NaN in it.
    """
    path = folder / checkpoint.tensors
    if not path.is_file():
        raise UserError(f"{folder / INDEX} names {checkpoint.tensors}, which is not in its folder")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != checkpoint.sha256:
        raise UserError(f"{path} is damaged: its sha256 is not the one in {INDEX}")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error})") from error
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise UserError(f"{path} holds NaN or infinity in {name}; begin anew")
    return tensors


def gather_tensors(
    network: nn.Module, averaged: nn.Module, optimizers: dict[str, torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Weights, averaged weights and all that the optimizers remember, under flat names."""
    tensors = {f"model.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in averaged.state_dict().items()}
    for name, optimizer in optimizers.items():
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{number}.{k}": v for k, v in state.items()}
    return tensors


def scatter_tensors(
    tensors: dict[str, Tensor],
    network: nn.Module,
    averaged: nn.Module,
    optimizers: dict[str, torch.optim.Optimizer],
) -> None:
    """The opposite of ``gather_tensors``: load everything where it belongs.

    Raises:
        UserError: the tensors are not those of this network and these optimizers.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    try:
        network.load_state_dict(parts.pop("model"))
        averaged.load_state_dict(parts.pop("average"))
    except (RuntimeError, KeyError) as error:
        raise UserError("the checkpoint holds another network's tensors") from error
    if parts and parts.keys() != optimizers.keys():
        raise UserError(f"the checkpoint is of other optimizers: {', '.join(sorted(parts))}")
    for name, moments in parts.items():
        _load_moments(optimizers[name], moments)


def _load_moments(optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in moments.items():
        number, _, moment = key.partition(".")
        state.setdefault(int(number), {})[moment] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    # Give every moment its weight's place in memory again, which a file does not keep: a GPU's fused AdamW
    # refuses moments that are laid out otherwise.
    for group in optimizer.param_groups:
        for weight in group["params"]:
            for moment, value in optimizer.state[weight].items():
                if value.shape == weight.shape:
                    optimizer.state[weight][moment] = torch.empty_like(weight).copy_(value)
