"""What the Android app carries: chosen artifacts with their manifests, and the reference's tiles.

Written to a folder (the app's assets)::

    models/NAME.tflite, NAME.pte     as built, each with its manifest NAME.json
    reference/reference.json         what the tiles are, and the sha256 of each
    reference/inputs.u8, truths.u8   (N, 3, T, T) and (distinct truths, 3, T, T) bytes, without a header
    reference/outputs.f32            (N, 3, T, T) float32, little-endian, not clamped
    staged.json                      every file above with its sha256: what the next stage may replace

Outputs stay float32: in half precision the reference itself would be 70 dB from the network's outputs, and
programs differ from it by less.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.model.errors import UserError
from anyir.model.files import scratch_folder, sha256, write_atomically
from anyir.profiling.candidates import failed_builds
from anyir.profiling.reference import Reference

if TYPE_CHECKING:
    from anyir.conversion.manifest import Manifest

INDEX = "staged.json"
SCHEMA_VERSION = 1
BACKENDS = {"executorch": "xnnpack", "litert": "cpu"}
"""What Android runs, of the backends that recipes build for. A LiteRT program's GPU is the app's choice."""


@dataclass(frozen=True)
class Staged:
    """What was put into the folder: file names of the models, number of tiles, bytes in all.

    Attributes:
        left_out: name -> why, of artifacts of an earlier build, whose recipes failed since.
    """

    models: list[str]
    tiles: int
    bytes: int
    left_out: dict[str, str]


def stage(
    artifacts: Path,
    reference: Reference,
    out: Path,
    only: str = "*",
    on_file: Callable[[str], None] = lambda name: None,
) -> Staged:
    """Put artifacts and reference tiles where the app's builds take them.

    Everything is written beside the folder's files and moved in at the end: a fault leaves what an earlier
    stage put there. Of the folder's files only those that an earlier stage wrote, and that are still as it
    wrote them, are replaced or removed.

    Args:
        artifacts: what ``anyir convert`` wrote.
        reference: of the same weights and tile.
        out: the app's assets folder; made where it is missing.
        only: shell pattern on the artifacts' names without suffix.
        on_file: called with each file's name when it was written.

    Raises:
        UserError: nothing to stage, a damaged artifact, one of other weights or another tile than the
            reference, or files in the way that no earlier stage wrote or that were changed since.
    """
    chosen, left_out = choose(artifacts, reference, only)
    before = _earlier(out)
    out.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out, ".staging-") as fresh:
        (fresh / "models").mkdir()
        (fresh / "reference").mkdir()
        for path in chosen:
            for source in (path, path.with_suffix(".json")):
                shutil.copyfile(source, fresh / "models" / source.name)
            on_file(path.name)
        _write_reference(reference, fresh / "reference")
        on_file("reference")
        files = {
            path.relative_to(fresh).as_posix(): sha256(path)
            for path in sorted(fresh.rglob("*"))
            if path.is_file()
        }
        _check_copies(fresh / "models", files, chosen, artifacts)
        present = _replaceable(out, before, files)
        size = sum((fresh / name).stat().st_size for name in files)
        # Until all is in place the index has old and new: a stage that is cut short can be done again.
        _write_index(out, files, present)
        for old in present:
            (out / old).unlink(missing_ok=True)
        for name in files:
            (out / name).parent.mkdir(exist_ok=True)
            os.replace(fresh / name, out / name)
    _write_index(out, files)
    return Staged([path.name for path in chosen], len(reference.cases), size, left_out)


def _write_index(out: Path, files: dict[str, str], replaced: dict[str, str] | None = None) -> None:
    index = {"schema": SCHEMA_VERSION, "files": files}
    if replaced:
        index["replaced"] = replaced
    write_atomically(out / INDEX, (json.dumps(index, indent=1) + "\n").encode())


def choose(artifacts: Path, reference: Reference, only: str) -> tuple[dict[Path, Manifest], dict[str, str]]:
    """The folder's artifacts that a phone can run and whose name fits, checked, sorted by name.

    Returns:
        Each with the manifest that it was checked against, and ``Staged.left_out``.

    Raises:
        UserError: as for :func:`stage`.
    """
    from anyir.conversion.manifest import verify_artifact

    if not artifacts.is_dir():
        raise UserError(f"there is no folder {artifacts}; `anyir convert --out {artifacts}` makes it")
    named = [path for path in sorted(artifacts.iterdir()) if path.suffix in (".pte", ".tflite")]
    if not named:
        raise UserError(f"there is no .tflite or .pte in {artifacts}; `anyir convert` makes them")
    fitting = [path for path in named if fnmatch.fnmatchcase(path.stem, only)]
    if not fitting:
        raise UserError(f"no artifact in {artifacts} is named {only}; {named[0].stem} is one")
    chosen = {}
    failed = failed_builds(artifacts)
    left_out = {path.stem: failed[path.stem] for path in fitting if path.stem in failed}
    for path in (path for path in fitting if path.stem not in failed):
        manifest = verify_artifact(path)
        if manifest.backend != BACKENDS.get(manifest.runtime):
            continue
        if manifest.source.sha256 != reference.weights_sha256:
            raise UserError(
                f"{path.name} was made from weights {manifest.source.sha256[:12]} and the reference from "
                f"{reference.weights_sha256[:12]}; make both from the same weights, or choose with --only"
            )
        if manifest.tile != reference.tile:
            raise UserError(
                f"{path.name} takes tiles of {manifest.tile} and the reference has tiles of "
                f"{reference.tile}; make both with the same --tile, or choose with --only"
            )
        chosen[path] = manifest
    if not chosen and left_out:
        name, why = next(iter(left_out.items()))
        raise UserError(f"{name} was {why}; run `anyir convert` again")
    if not chosen:
        raise UserError(f"Android runs none of the artifacts in {artifacts} that are named {only}")
    return chosen, left_out


def _write_reference(reference: Reference, folder: Path) -> None:
    from anyir.profiling.quality import summarise_reference

    inputs, truths, outputs = (reference.array(name) for name in ("inputs", "truths", "outputs"))
    distinct = list(dict.fromkeys(case.truth_sha256 for case in reference.cases))
    first = [[case.truth_sha256 for case in reference.cases].index(digest) for digest in distinct]
    (folder / "inputs.u8").write_bytes(np.ascontiguousarray(inputs).tobytes())
    (folder / "truths.u8").write_bytes(np.ascontiguousarray(truths[first]).tobytes())
    (folder / "outputs.f32").write_bytes(np.ascontiguousarray(outputs, dtype="<f4").tobytes())
    index: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "tile": reference.tile,
        "cases": [
            {
                "kind": case.kind,
                "photo": case.photo,
                "truth": distinct.index(case.truth_sha256),
                "input_sha256": case.input_sha256,
                "truth_sha256": case.truth_sha256,
                "output_sha256": case.output_sha256,
            }
            for case in reference.cases
        ],
        "summary": summarise_reference(reference, None).model_dump(mode="json"),
    }
    (folder / "reference.json").write_text(json.dumps(index, indent=1) + "\n")


def _check_copies(folder: Path, files: dict[str, str], chosen: dict[Path, Manifest], artifacts: Path) -> None:
    """Each copied manifest says what was checked, weights and tile among it, and its program is the copy.

    Raises:
        UserError: the artifact changed between the check and the copy.
    """
    from anyir.conversion.manifest import Manifest, manifest_path

    for path, checked in chosen.items():
        try:
            copied = Manifest.load(manifest_path(folder / path.name))
        except UserError:  # caught half written
            copied = None
        if copied != checked or files[f"models/{path.name}"] != checked.sha256:
            raise UserError(f"{path.name} changed while it was copied; wait until {artifacts} is built")


def _replaceable(out: Path, before: dict[str, set[str]], files: dict[str, str]) -> dict[str, str]:
    """What an earlier stage left in the folder, each file with its sha256. Nothing is touched.

    Args:
        before: what :func:`_earlier` returned.
        files: what is to be written.

    Raises:
        UserError: something is in the way that no earlier stage wrote, or that is not as it was written:
            another file, a folder, a link.
    """
    present = {}
    for name in {**before, **files}:
        path = blamed = out / name
        if path.parent.is_symlink():  # names have two parts: nothing else leads out of the folder
            blamed, why = path.parent, "it is a link"
        elif path.is_symlink():
            why = "it is a link"
        elif path.parent.exists() and not path.parent.is_dir():
            blamed, why = path.parent, "it is no folder"
        elif not path.exists():
            continue
        elif name not in before:
            why = "no earlier `anyir android stage` wrote it"
        elif not path.is_file() or (found := sha256(path)) not in before[name]:
            why = "it was changed since `anyir android stage` wrote it"
        else:
            present[name] = found
            continue
        raise UserError(f"{blamed} is in the way: {why}; move it, or name another --out")
    return present


def _earlier(out: Path) -> dict[str, set[str]]:
    """What earlier stages wrote: paths inside the folder, each with the sha256 that it may have.

    These are two for a file that a stage was to replace when it was cut short.

    Raises:
        UserError: the folder is a file, or its index is damaged or names files outside.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; name a folder with --out")
    index = out / INDEX
    if not index.exists():
        return {}
    found: dict[str, set[str]] = {}
    try:
        data = json.loads(index.read_bytes())
        for name, digest in (*data["files"].items(), *data.get("replaced", {}).items()):
            path = Path(name)
            if len(path.parts) != 2 or ".." in path.parts or path.is_absolute() or b"\0" in os.fsencode(name):
                raise ValueError("a name outside the folder")
            found.setdefault(name, set()).add(digest)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{index} is damaged; remove what is in {out} and stage again") from error
    return found
