"""What an app carries: chosen artifacts with their manifests, and the reference's tiles.

Two subfolders of the app's assets, which hold nothing else, and a list of what is in them::

    models/NAME.tflite, NAME.pte, NAME.mlpackage    as built, each with its manifest NAME.json
    reference/reference.json         what the tiles are, and the sha256 of each
    reference/inputs.u8, truths.u8   (N, 3, T, T) and (distinct truths, 3, T, T) bytes, without a header
    reference/outputs.f32            (N, 3, T, T) float32, little-endian, not clamped
    staged.json                      every file above with its sha256

Outputs stay float32: in half precision the reference itself would be 70 dB from the network's outputs, and
programs differ from it by less.
"""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.conversion.runtimes import find_runtime
from anyir.model.errors import UserError
from anyir.model.files import copy_file, scratch_folder, sha256, write_atomically
from anyir.profiling.candidates import check_same_source, failed_builds
from anyir.profiling.reference import Reference

if TYPE_CHECKING:
    from anyir.conversion.manifest import Manifest

INDEX = "staged.json"
FOLDERS = ("models", "reference")
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class App:
    """An app that assets are for.

    Attributes:
        name: as messages have it.
        backends: runtime -> the backend that it runs, of those that recipes build for.
    """

    name: str
    backends: dict[str, str]


ANDROID = App(
    name="Android",
    # A LiteRT program's GPU is the app's choice.
    backends={"executorch": "xnnpack", "litert": "cpu"},
)
IOS = App(
    name="iOS",
    backends={"coreml": "mlprogram", "executorch": "xnnpack"},
)


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
    app: App,
    artifacts: Path,
    reference: Reference,
    out: Path,
    only: str = "*",
    on_file: Callable[[str], None] = lambda name: None,
) -> Staged:
    """Put artifacts and reference tiles where an app's builds take them.

    All is written beside the two subfolders, which it then replaces whole: a fault before that leaves what
    an earlier stage put there.

    Args:
        artifacts: what ``anyir convert`` wrote.
        reference: of the same weights and tile.
        out: the app's assets folder; made where it is missing.
        only: shell pattern on the artifacts' names without suffix.
        on_file: called with each file's name when it was written.

    Raises:
        UserError: nothing to stage, a damaged artifact, one of other weights or another tile than the
            reference, or subfolders that no earlier stage wrote.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; name a folder with --out")
    for folder in (out / name for name in FOLDERS):
        if os.path.lexists(folder) and not (out / INDEX).is_file():
            raise UserError(f"{folder} is in the way: no stage wrote it; move it, or name another --out")
    if reference.restore_size is not None:
        raise UserError(
            f"apps measure square tiles; the reference has tiles of {reference.tile_size}: make it without "
            "--restore-size"
        )
    chosen, left_out = choose(app, artifacts, reference, only)
    out.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out, ".staging-") as fresh:
        for name in FOLDERS:
            (fresh / name).mkdir()
        for path, manifest in chosen.items():
            _copy(path, manifest, fresh / "models")
            on_file(path.name)
        _write_reference(reference, fresh / "reference")
        on_file("reference")
        written = [path for path in sorted(fresh.rglob("*")) if path.is_file()]
        size = sum(path.stat().st_size for path in written)
        files = {path.relative_to(fresh).as_posix(): sha256(path) for path in written}
        # The list first: with it a stage that is cut short can be done again.
        index = {"schema": SCHEMA_VERSION, "files": files}
        write_atomically(out / INDEX, (json.dumps(index, indent=1) + "\n").encode())
        for name in FOLDERS:
            if os.path.lexists(out / name):
                os.replace(out / name, fresh / f"earlier-{name}")
            os.replace(fresh / name, out / name)
    return Staged([path.name for path in chosen], len(reference.cases), size, left_out)


def choose(
    app: App, artifacts: Path, reference: Reference, only: str
) -> tuple[dict[Path, Manifest], dict[str, str]]:
    """The folder's artifacts that an app can run and whose name fits, checked, sorted by name.

    Returns:
        Each with the manifest that it was checked against, and ``Staged.left_out``.

    Raises:
        UserError: as for :func:`stage`.
    """
    from anyir.conversion.manifest import verify_artifact

    if not artifacts.is_dir():
        raise UserError(f"there is no folder {artifacts}; `anyir convert --out {artifacts}` makes it")
    suffixes = sorted((find_runtime(runtime).suffix for runtime in app.backends), reverse=True)
    named = [path for path in sorted(artifacts.iterdir()) if path.suffix in suffixes]
    if not named:
        raise UserError(f"there is no {' or '.join(suffixes)} in {artifacts}; `anyir convert` makes them")
    fitting = [path for path in named if fnmatch.fnmatchcase(path.stem, only)]
    if not fitting:
        raise UserError(f"no artifact in {artifacts} is named {only}; {named[0].stem} is one")
    chosen = {}
    failed = failed_builds(artifacts)
    left_out = {path.stem: failed[path.stem] for path in fitting if path.stem in failed}
    for path in (path for path in fitting if path.stem not in failed):
        manifest = verify_artifact(path)
        if manifest.backend != app.backends.get(manifest.runtime):
            continue
        try:
            check_same_source(path, manifest, reference)
        except UserError as error:
            raise UserError(f"{error}, or choose with --only") from error
        chosen[path] = manifest
    if not chosen and left_out:
        name, why = next(iter(left_out.items()))
        raise UserError(f"{name} was {why}; run `anyir convert` again")
    if not chosen:
        raise UserError(f"{app.name} runs none of the artifacts in {artifacts} that are named {only}")
    return chosen, left_out


def _copy(path: Path, manifest: Manifest, folder: Path) -> None:
    """Copy an artifact, with the manifest that it was checked against.

    Raises:
        UserError: the artifact changed between the check and the copy.
    """
    from anyir.conversion.manifest import manifest_path
    from anyir.conversion.tree import tree_sha256

    copy = folder / path.name
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        target = copy / file.relative_to(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_file(file, target)
    if tree_sha256(copy) != manifest.sha256:
        raise UserError(f"{path.name} changed while it was copied; wait until {path.parent} is built")
    manifest_path(copy).write_text(manifest.to_json(), encoding="utf-8")


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
