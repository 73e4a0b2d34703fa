"""Weights on disk: safetensors files that carry the network's config, checked when read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.model.config import PRESETS, AnyIRConfig, preset_name
from anyir.model.errors import UserError
from anyir.model.files import write_atomically

if TYPE_CHECKING:
    from anyir.model.network import AnyIR

SHIPPED = Path(__file__).parent / "weights"
"""Folder of the weights that come with the package: ``<preset>.safetensors`` and its card."""

MOST = 10**15
"""Of steps or samples; no training takes more, and what lies above would not fit a random stream's seed."""

DEFAULT = "small"
"""Taken where no weights are named: a third of the work of the others; ``phone`` is better."""


def shipped_presets() -> list[str]:
    """Presets that come with weights, the default first."""
    return [name for name in (DEFAULT, "phone", "anyir") if (SHIPPED / f"{name}.safetensors").is_file()]


def find_weights(source: str | Path | None = None) -> Path:
    """Path of a weights file.

    Args:
        source: a path, the name of a shipped preset, or None for ``small``.

    Raises:
        UserError: nothing is there; the message lists what ships.
    """
    shipped = shipped_presets()
    source = DEFAULT if source is None else source
    if str(source) in shipped:
        return SHIPPED / f"{source}.safetensors"
    path = Path(source)
    if path.is_dir():
        raise UserError(f"{path} is a folder; a .safetensors file is due")
    if not path.is_file():
        raise UserError(f"no weights at {path}; shipped presets: {', '.join(shipped) or 'none'}")
    return path


def read_header(path: Path) -> dict[str, Any]:
    """The metadata of a weights file: ``preset``, ``config`` and what training noted.

    Raises:
        UserError: not a safetensors file, damaged, without an AnyIR config, or trained for no possible time.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a readable safetensors file ({error})") from error
    try:
        header = {**json.loads(metadata["anyir"]), "config": json.loads(metadata["config"])}
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path} carries no AnyIR config; was it written by `anyir train`?") from error
    try:
        check_amounts(header)
    except ValueError as error:
        raise UserError(f"{path} has a damaged header: {error}") from error
    return header


def check_amounts(record: dict[str, Any]) -> None:
    """Raises ValueError: steps, samples or hours of training that no training takes.

    A header or a card may be edited by hand, and training counts on from what they say.
    """
    for name, kind in (("steps", int), ("samples", int), ("hours", int | float)):
        value = record.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value <= MOST:
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"{name} is {value!r:.40}; it must be {what} in 0..10^15")


def load_weights(source: str | Path | None = None, *, preset: str | None = None) -> AnyIR:
    """A network in eval mode, float32, on the CPU, with the weights of ``source``.

    Args:
        source: a path, the name of a shipped preset, or None for ``small``.
        preset: if given, the preset that the weights must belong to.

    Raises:
        UserError: missing, damaged or foreign file, another preset's weights, numbers that are no
            floating-point ones, NaN or infinity.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from anyir.model.network import AnyIR

    path = find_weights(source)
    header = read_header(path)
    try:
        config = AnyIRConfig.from_dict(header["config"])
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} has a config that this version does not know: {error}") from error
    if preset is not None and config != PRESETS[preset]:
        raise UserError(f"{path} holds weights of preset {header.get('preset')!r}, not of {preset!r}")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged ({error})") from error
    with torch.device("meta"):  # a damaged config may ask for any size: shapes first, memory afterwards
        expected = {name: value.shape for name, value in AnyIR(config).state_dict().items()}
    if {name: value.shape for name, value in tensors.items()} != expected:
        raise UserError(f"{path} does not hold the tensors of the config that it names")
    for name, value in tensors.items():
        if value.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
            kind = str(value.dtype).removeprefix("torch.")
            raise UserError(
                f"{path} holds {name} as {kind}; weights are float16, bfloat16, float32 or float64"
            )
        if not torch.isfinite(value.float()).all():  # float64 holds more than is kept
            raise UserError(f"{path} holds NaN or infinity in {name}")
    network = AnyIR(config)
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    return network.eval()


def save_weights(
    network: AnyIR, path: Path, *, half: bool = True, notes: dict[str, Any] | None = None
) -> None:
    """Write ``network`` to ``path`` (beside, then renamed), with its config in the header.

    Args:
        half: store float16, half the size; its rounding is far below training noise.
        notes: plain data about the weights (steps, ...), kept in the header beside the preset's name.
    """
    import torch
    from safetensors.torch import save

    dtype = torch.float16 if half else torch.float32
    tensors = {k: v.detach().to("cpu", dtype).contiguous() for k, v in network.state_dict().items()}
    preset = preset_name(network.config)
    metadata = {
        "format": "pt",
        "config": json.dumps(network.config.to_dict()),
        "anyir": json.dumps({"preset": preset, **(notes or {})}),
    }
    write_atomically(path, _sort_metadata(save(tensors, metadata)))


def _sort_metadata(file: bytes) -> bytes:
    """A safetensors file with its metadata in order: the library shuffles it, and equal weights are to be
    equal files."""
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the numbers behind it stay aligned
    return len(text).to_bytes(8, "little") + text + file[8 + length :]
