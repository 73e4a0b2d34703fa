"""Training checkpoints: everything needed to go on exactly, in pieces small enough to carry.

A checkpoint is a folder with ``checkpoint.json`` and ``state-<save>-<n>.safetensors`` files of at
most 15 MiB. The index is replaced last and names the hash of every piece, so that whatever moment
a run is killed at, the folder holds one complete checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from anyir.model.checkpoint import load_weights
from anyir.model.errors import UserError
from anyir.model.files import sha256, write_atomically
from anyir.model.network import AnyIR
from anyir.model.training.config_values import LENGTHS, SETTINGS, check_value
from anyir.model.training.settings import Progress, Settings

INDEX = "checkpoint.json"
PIECE_BYTES = 15 * 2**20 - 64 * 1024  # room for the file's header
_FORMAT = 1


def save_state(folder: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write a checkpoint and remove the one before it.

    Args:
        tensors: flat names to tensors on any device.
        meta: JSON data; ``save``, which grows with every checkpoint, names the pieces: a new one
            never touches the files of the one before it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = {*folder.glob("state-*.safetensors"), *folder.glob(".*.part")}  # the latter of a killed run
    pieces: list[dict[str, str]] = []
    for number, piece in enumerate(_split(tensors)):
        path = folder / f"state-{meta['save']:06d}-{number}.safetensors"
        write_atomically(path, save(piece))
        pieces.append({"file": path.name, "sha256": sha256(path)})
        before.discard(path)
    index = {"format": _FORMAT, **meta, "pieces": pieces}
    write_atomically(folder / INDEX, json.dumps(index, indent=1).encode())
    for path in before:
        path.unlink(missing_ok=True)


def load_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint back, on the CPU.

    Raises:
        UserError: no checkpoint, damaged or missing pieces, or NaN in them.
    """
    path = folder / INDEX
    meta = _read_index(folder)
    try:
        pieces = [(str(piece["file"]), str(piece["sha256"])) for piece in meta["pieces"]]
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error})") from error
    tensors: dict[str, Tensor] = {}
    for name, digest in pieces:
        piece = folder / name
        if Path(name).name != name or not piece.is_file():
            raise UserError(f"{path} names {name}, which is not in its folder")
        data = piece.read_bytes()
        if sha256(piece) != digest:
            raise UserError(f"{piece} is damaged: its sha256 is not the one in {INDEX}")
        try:
            tensors |= load(data)
        except SafetensorError as error:
            raise UserError(f"{piece} is damaged ({error})") from error
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise UserError(f"{folder} holds NaN or infinity in {name}; resume from an earlier checkpoint")
    return tensors, meta


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    if not path.is_file():
        raise UserError(f"no {INDEX} in {folder}; --resume takes a training folder or a .safetensors file")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error})") from error
    found = meta.get("format") if isinstance(meta, dict) else None
    if found != _FORMAT:
        raise UserError(f"{path} has format {found}; this version reads {_FORMAT}")
    return dict(meta)


def settings_of_interrupted(folder: Path) -> dict[str, Any]:
    """What the interrupted chunk in a training folder was asked to do, precision included; empty if it ended.

    Raises:
        UserError: no checkpoint, or a damaged one.
    """
    meta = _read_index(folder)
    if _progress_of(meta, folder).share() >= 1:
        return {}
    settings = meta.get("settings", {})
    if not isinstance(settings, dict):
        raise UserError(f"{folder / INDEX} is damaged (settings)")
    known = {*Settings.__dataclass_fields__, "precision"}
    begun = {key: value for key, value in settings.items() if key in known}
    try:
        for key in SETTINGS.keys() & begun.keys():
            if not (key in LENGTHS and begun[key] == 0):  # those that the chunk does not go by
                check_value(key, begun[key], SETTINGS, "")
    except ValueError as error:
        raise UserError(f"{folder / INDEX} is damaged: {error}") from None
    return {key: tuple(value) if isinstance(value, list) else value for key, value in begun.items()}


def _progress_of(meta: dict[str, Any], folder: Path) -> Progress:
    try:
        progress = Progress(**meta["progress"])
        progress.check()
        progress.share()
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise UserError(f"{folder / INDEX} does not say where its training is ({error})") from error
    return progress


def check_resumable(source: Path, preset: str) -> AnyIR | tuple[dict[str, Tensor], dict[str, Any]]:
    """What ``--resume`` names: a network from a weights file, or the state of a training folder.

    Raises:
        UserError: missing, damaged, or of another preset.
    """
    if source.suffix == ".safetensors":
        return load_weights(source, preset=preset)
    tensors, meta = load_state(source)
    _progress_of(meta, source)
    if meta.get("preset") != preset:
        raise UserError(f"{source} trains preset {meta.get('preset')!r}, not {preset!r}")
    return tensors, meta


def _split(tensors: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    pieces: list[dict[str, Tensor]] = [{}]
    filled = 0
    for name, tensor in tensors.items():
        data = tensor.detach().cpu().contiguous()
        size = data.numel() * data.element_size()
        if pieces[-1] and filled + size > PIECE_BYTES:
            pieces.append({})
            filled = 0
        pieces[-1][name] = data
        filled += size
    return pieces


def gather_tensors(
    network: nn.Module, ema: nn.Module, optimizers: dict[str, torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Weights, averaged weights and all that the optimizers remember, under flat names."""
    tensors = {f"model.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.state_dict().items()}
    for name, optimizer in optimizers.items():
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{number}.{k}": v for k, v in state.items()}
    return tensors


def scatter_tensors(
    tensors: dict[str, Tensor],
    network: nn.Module,
    ema: nn.Module,
    optimizers: dict[str, torch.optim.Optimizer],
) -> None:
    """The opposite of ``gather_tensors``: load everything where it belongs.

    Where the checkpoint is of other optimizers, these begin anew.

    Raises:
        UserError: the tensors are not those of this network.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    try:
        network.load_state_dict(parts.pop("model"))
        ema.load_state_dict(parts.pop("ema"))
    except (RuntimeError, KeyError) as error:
        raise UserError("the checkpoint holds another network's tensors") from error
    if parts.keys() != optimizers.keys():
        return
    for name, optimizer in optimizers.items():
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in parts[name].items():
            number, _, moment = key.partition(".")
            moments.setdefault(int(number), {})[moment] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        _lay_out_as_weights(optimizer)


def _lay_out_as_weights(optimizer: torch.optim.Optimizer) -> None:
    """Give every moment its weight's place in memory again, which a file does not keep: a GPU's fused AdamW
    refuses moments that are laid out otherwise."""
    for group in optimizer.param_groups:
        for weight in group["params"]:
            state = optimizer.state[weight]
            for name, moment in state.items():
                if moment.shape == weight.shape:
                    state[name] = torch.empty_like(weight).copy_(moment)
