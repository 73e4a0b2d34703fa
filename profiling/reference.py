"""The reference: what the literal float32 PyTorch network makes of the fixed set, with hashes.

A reference is a folder: ``reference.json``, ``inputs.npy`` and ``truths.npy`` (N, 3, H, W) uint8,
``outputs.npy`` (N, 3, H, W) float32, not clamped, and ``weights.safetensors``, a copy of what made them.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from anyir.conversion.samples import SEVERITY, as_input, make_cases
from anyir.conversion.source import literal_output
from anyir.model.checkpoint import find_weights, load_weights, read_header
from anyir.model.config import TileSize, preset_name
from anyir.model.device import choose_device, device_label, out_of_memory
from anyir.model.errors import UserError
from anyir.model.files import check_replaceable, is_json_with, scratch_folder, sha256, write_atomically

SCHEMA_VERSION = 1
ARRAYS = {"inputs": np.uint8, "truths": np.uint8, "outputs": np.float32}
Kind = Annotated[str, Field(pattern=r"^[a-z_]+(\+[a-z_]+)*$")]
"""Kinds become parts of pictures' names: none may lead out of their folder."""
RECORD, WEIGHTS_FILE = "reference.json", "weights.safetensors"


@dataclass(frozen=True)
class CaseRecord:
    """One tile of the set: where it comes from, and the sha256 of its arrays' bytes."""

    photo: str
    kind: Kind
    severity: float
    seed: int
    input_sha256: str
    truth_sha256: str
    output_sha256: str


@dataclass(frozen=True)
class Reference:
    """A checked reference folder.

    Attributes:
        folder: where it lies.
        weights, weights_sha256, preset, notes: the checkpoint, the preset that has its config, and what
            training noted in its header.
        accelerator: what ran the network.
        tile: side in pixels of the sheet that each tile is judged by, and of the tiles.
        versions: of Python, torch and numpy.
        files: file name -> sha256.
        cases: one entry a tile, in the order of the arrays.
        restore_size: height and width of tiles that are not as large as their sheets.
    """

    folder: Path
    weights: str
    weights_sha256: str
    preset: str | None
    notes: dict[str, Any]
    accelerator: str
    tile: int
    versions: dict[str, str]
    files: dict[str, str]
    cases: Annotated[list[CaseRecord], Field(min_length=1)]
    restore_size: TileSize | None = None

    @property
    def tile_size(self) -> TileSize:
        """Of the tiles."""
        return self.restore_size or TileSize.of(self.tile)

    def array(self, name: str) -> NDArray[Any]:
        """``inputs``, ``truths`` or ``outputs``, mapped from its file rather than read."""
        return np.lib.format.open_memmap(self.folder / f"{name}.npy", mode="r")  # never unpickles

    def digest(self) -> str:
        """Sha256 over the inputs, truths and outputs of every tile, by their own."""
        parts = [(c.input_sha256, c.truth_sha256, c.output_sha256) for c in self.cases]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        left_out = {"folder"} if self.restore_size else {"folder", "restore_size"}
        return {"schema": SCHEMA_VERSION, **{k: v for k, v in asdict(self).items() if k not in left_out}}


def make_reference(
    weights: str | Path | None,
    tile: int,
    folder: Path,
    *,
    restore_size: TileSize | None = None,
    on_start: Callable[[int], None] = lambda total: None,
    on_case: Callable[[], None] = lambda: None,
) -> Reference:
    """Run the literal network on the fixed set, on the GPU where there is one, and write a reference.

    Args:
        weights: a path, the name of a shipped preset, or None for ``small``.
        tile: side of the tiles, a multiple of 8.
        restore_size: height and width of tiles that are no such squares; ``tile`` is then the side of the
            sheets that they are judged by.
        folder: where to write; what is there of an earlier reference is replaced.
        on_start: called with the number of tiles before the first.
        on_case: called after each tile, for a progress bar.

    Raises:
        UserError: the folder has files of no reference; unusable weights, too little memory, or a network
            that returns NaN or infinity.
        OSError: a folder that cannot be written.
    """
    import torch

    path = find_weights(weights)
    data = path.read_bytes()
    network = load_weights(path)
    header = read_header(path)
    digest = hashlib.sha256(data).hexdigest()
    if sha256(path) != digest:
        raise UserError(f"{path} changed while it was read; try again")
    _check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()  # a read-only folder fails now, not after minutes
    device = choose_device()
    # A reference in TF32 would differ from every program by more than they differ from one another.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    network = network.to(device)

    size = restore_size or TileSize.of(tile)
    cases = make_cases(size)
    on_start(len(cases))
    outputs = np.empty((len(cases), 3, *size), np.float32)
    for index, case in enumerate(cases):
        try:
            with torch.inference_mode():
                result = literal_output(network, as_input(case.degraded), tile)
            outputs[index] = result[0].cpu().numpy()
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise UserError(f"not enough memory for tiles of {size}; choose a smaller --tile") from error
        if not np.isfinite(outputs[index]).all():
            raise UserError(f"{path.name} returns NaN or infinity for {case.kind}: not usable as a reference")
        on_case()
    arrays: dict[str, NDArray[Any]] = {
        "inputs": np.stack([case.degraded for case in cases]),
        "truths": np.stack([case.truth for case in cases]),
        "outputs": outputs,
    }
    files = {f"{name}.npy": _npy(array) for name, array in arrays.items()}
    files[WEIGHTS_FILE] = data  # not what the file holds by now
    reference = Reference(
        folder=folder,
        weights=path.stem,
        weights_sha256=digest,
        preset=preset_name(network.config),
        notes={k: v for k, v in header.items() if k not in ("config", "preset")},
        accelerator=device_label(device),
        tile=tile,
        restore_size=restore_size,
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        cases=[
            CaseRecord(
                photo=case.photo,
                kind=case.kind,
                severity=0.0 if case.kind == "clean" else SEVERITY,
                seed=case.seed,
                input_sha256=hash_array(case.degraded),
                truth_sha256=hash_array(case.truth),
                output_sha256=hash_array(outputs[index]),
            )
            for index, case in enumerate(cases)
        ],
    )
    files[RECORD] = (json.dumps(reference.to_dict(), indent=1) + "\n").encode()
    # All are whole before the first is in place: a full disk leaves an earlier reference as it was.
    with scratch_folder(folder, ".reference-") as scratch:
        for name, content in files.items():
            write_atomically(scratch / name, content)
        for name in files:
            (scratch / name).replace(folder / name)
    return reference


def _check_folder(folder: Path) -> None:
    """Refuse to write over files that are of no reference.

    Raises:
        UserError: which one.
    """
    there = [name for name in (*(f"{a}.npy" for a in ARRAYS), WEIGHTS_FILE) if (folder / name).exists()]
    record = folder / RECORD
    if there and not record.exists():
        raise UserError(
            f"{folder / there[0]} is there already, and of no earlier reference; name another --out"
        )
    if record.exists() and not there:
        check_replaceable(record, "reference", is_json_with("schema", "cases"))


def load_reference(folder: Path) -> Reference:
    """Read a reference and check that its files are the ones it was written with.

    Raises:
        UserError: missing, damaged, changed, or of another version.
    """
    path = folder / RECORD
    if not path.is_file():
        raise UserError(f"there is no reference in {folder}; make one with `anyir reference --out {folder}`")
    again = f"make it anew with `anyir reference --out {folder}`"
    try:
        data = json.loads(path.read_bytes())
        if data.pop("schema") != SCHEMA_VERSION:
            raise UserError(f"{path} is of another version; {again}")
        reference = TypeAdapter(Reference).validate_python({**data, "folder": folder})
        _ = reference.versions["torch"]
        files = {name: reference.files[name] for name in (*(f"{a}.npy" for a in ARRAYS), WEIGHTS_FILE)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is damaged; {again}") from error
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise UserError(f"{folder} lacks {name}; {again}")
        if sha256(folder / name) != digest:
            raise UserError(f"{folder / name} is not the file that reference.json describes; {again}")
    try:
        agrees = files[WEIGHTS_FILE] == reference.weights_sha256 and _arrays_are_the_cases(reference)
    except Exception as error:  # numpy's reader, fed with another file, may raise anything
        raise UserError(f"{folder} holds an array that cannot be read; {again}") from error
    if not agrees:
        raise UserError(f"{path} does not agree with the files that it names; {again}")
    return reference


def _arrays_are_the_cases(reference: Reference) -> bool:
    """Whether the arrays are what the cases say, tile by tile: two results may share a digest only then.

    This reads every array once, as hashing its file did; from here on they are mapped, not read.
    """
    shape = (len(reference.cases), 3, *reference.tile_size)
    for name, dtype in ARRAYS.items():
        array = reference.array(name)
        if array.dtype != dtype or array.shape != shape:
            return False
        hashes = (getattr(case, f"{name.removesuffix('s')}_sha256") for case in reference.cases)
        for tile, digest in zip(array, hashes, strict=True):
            if hash_array(tile) != digest or not np.isfinite(tile).all():
                return False
    return True


def hash_array(array: NDArray[Any]) -> str:
    """Hex sha256 of an array's bytes in C order, little-endian."""
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return hashlib.sha256(array.tobytes()).hexdigest()


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
