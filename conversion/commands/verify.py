"""``anyir verify``: are artifacts what their manifests say?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.conversion.base import Runner
    from anyir.conversion.elsewhere.program import OtherProgram
    from anyir.conversion.manifest import Manifest, Stage


class Arch(StrEnum):
    """Processors that can be emulated."""

    ARM64 = "arm64"


def run(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Artifacts, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    python: Annotated[
        str | None,  # no Path, which makes ./python the python on PATH
        typer.Option(
            metavar="PYTHON",
            help="Run LiteRT programs by another Python's runtime, such as an old tflite-runtime. The oldest "
            "that ran one is named in its manifest.",
        ),
    ] = None,
    arch: Annotated[
        Arch | None,
        typer.Option(help="Run LiteRT and ExecuTorch programs by another processor's libraries, emulated."),
    ] = None,
) -> None:
    """Check artifacts against their manifests: schema, sha256, and their output on the parity photos.

    Core ML packages run on macOS only; elsewhere they are computed operator by operator, and the row says so.

    Example: [bold]anyir verify build/artifacts[/bold]
    """
    if python is not None and arch is not None:
        raise typer.BadParameter("--python and --arch: one of them")
    import json

    from rich.console import Console
    from rich.progress import track
    from rich.table import Column, Table
    from rich.text import Text

    artifacts = find_artifacts(paths)
    console = Console(stderr=True)
    bar = track(artifacts, "verifying", console=console, transient=True, disable=not console.is_terminal)
    rows = [_verify(path, python, arch) for path in bar]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        table = Table(Column("artifact", overflow="fold"), "", "output on the parity photos")
        for row in rows:
            good = row["status"] == "ok"
            table.add_row(
                Text(row["artifact"]),
                "ok" if good else "[red]failed[/red]",
                Text(row["parity"] if good else ""),
            )
        Console().print(table)
        for row in rows:
            if row["reason"]:
                Console().print(
                    f"{row['artifact']}: {row['reason']}", style="red", markup=False, soft_wrap=True
                )
    if any(row["status"] != "ok" for row in rows):
        raise typer.Exit(1)


def find_artifacts(paths: list[Path]) -> list[Path]:
    """The artifacts named, and those in the folders named.

    Raises:
        UserError: a path that does not exist, or a folder without artifacts.
    """
    from anyir.conversion.runtimes import SUFFIXES

    found: list[Path] = []
    for path in paths:
        if path.is_dir() and path.suffix not in SUFFIXES:
            inside = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES)
            if not inside:
                raise UserError(f"no artifacts in {path}; build them with `anyir convert`")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UserError(f"no artifact at {path}")
    return found


def _verify(path: Path, python: str | None, arch: Arch | None) -> dict[str, Any]:
    from anyir.conversion.manifest import verify_artifact
    from anyir.model.errors import one_line, show_traceback

    try:
        manifest = verify_artifact(path)
        if (python or arch) and manifest.restore_size is not None:
            raise UserError(f"--python and --arch take square tiles; its are {manifest.tile_size}")
        if python is not None and manifest.runtime == "litert":
            parity = _run_by(python, path, manifest)
        elif arch is not None:
            parity = _run_on_arm64(path, manifest)
        else:
            parity = _run_again(path, manifest)
    except Exception as error:  # whatever a runtime raises of a program is said as its reason
        show_traceback(error)
        told = str(error) if isinstance(error, UserError) else one_line(f"{type(error).__name__}: {error}")
        reason = told.removeprefix(f"{path.name}: ")  # what prints it names the artifact, too
        return {"artifact": path.name, "status": "failed", "parity": None, "reason": reason}
    return {"artifact": path.name, "status": "ok", "parity": parity, "reason": None}


def _run_again(path: Path, manifest: Manifest) -> str:
    from anyir.conversion.artifact import import_runtime, load_artifact
    from anyir.conversion.base import Promise, Unsupported
    from anyir.conversion.parity import recheck
    from anyir.conversion.runtimes import find_backend

    try:
        import_runtime(manifest.runtime, manifest.backend)
    except Unsupported as error:
        return f"not compared here: {error}"
    model = load_artifact(path, Promise.of(manifest), both=True)
    share = compare_operators(model, manifest)
    figures = _figures(recheck(manifest.parity, manifest.tile_size, model))
    for other in manifest.other_sizes or ():
        figures += f"; {other.size}: {_figures(recheck(other.parity, other.size, model))}"
    how = ", evaluated" if find_backend(manifest.runtime, manifest.backend).is_evaluated else ""
    return f"{figures}{how}{share}"


def _run_by(python: str, path: Path, manifest: Manifest) -> str:
    from anyir.conversion.elsewhere.program import other_python

    program = other_python(python, path, manifest.tile)
    compared = _compare_outputs(program, path, manifest)
    _note_oldest(path, manifest, program.runtime)
    return compared


def _note_oldest(path: Path, manifest: Manifest, runtime: str) -> None:
    """Name a runtime that ran an artifact in its manifest, unless an older one is named there."""
    from anyir.conversion.elsewhere.program import is_older
    from anyir.conversion.manifest import manifest_path
    from anyir.model.files import write_atomically

    known = manifest.oldest_runtime
    if known is not None and not is_older(runtime, known):
        return
    noted = manifest.model_copy(update={"oldest_runtime": runtime})
    try:
        write_atomically(manifest_path(path), noted.to_json().encode())
    except OSError as error:
        raise UserError(f"its manifest cannot be written: {error.strerror}") from error


def _run_on_arm64(path: Path, manifest: Manifest) -> str:
    from anyir.conversion.elsewhere.arm64 import arm64_program

    program = arm64_program(path, manifest.runtime, manifest.backend, manifest.tile)
    if program is None:
        return f"not compared: no arm64 Linux runs {manifest.runtime} programs for {manifest.backend}"
    return f"{_compare_outputs(program, path, manifest)} on arm64, emulated"


def _compare_outputs(program: OtherProgram, path: Path, manifest: Manifest) -> str:
    """What another program makes of the parity photos, against the manifest and this machine's runtime."""
    import numpy as np

    from anyir.conversion.artifact import open_artifact
    from anyir.conversion.parity import recheck
    from anyir.conversion.samples import as_input, parity_cases

    tiles = [as_input(case.degraded) for case in parity_cases(manifest.tile_size)]
    outputs = program.run(tiles)
    answers = iter(outputs)
    figures = _figures(recheck(manifest.parity, manifest.tile_size, lambda tile: next(answers)))
    here = open_artifact(path)
    error = max(float(np.abs(here(tile) - output).max()) for tile, output in zip(tiles, outputs, strict=True))
    return f"{figures}; {error:.2g} from {here.accelerator} here; by {program.runtime}"


def _figures(stage: Stage) -> str:
    psnr = "identical" if stage.psnr is None else f"{stage.psnr:.1f} dB"
    return f"{psnr}, max error {stage.max_error:.2g}"


def compare_operators(model: Runner, manifest: Manifest) -> str:
    """What the backend takes of each loaded entry, if that can be counted and the manifest says otherwise.

    Another processor or another version of the runtime may take more or less of the same program, so that
    only another total is an error.

    Raises:
        UserError: both totals.
    """
    others = ""
    for entry, counted in model.operators.items():
        said = getattr(manifest.entries, entry).operators
        if counted.total != said.total:
            raise UserError(
                f"its manifest says {said.total} operators in {entry}; loaded here: {counted.total}"
            )
        if counted != said:
            others += (
                f"; {entry}: {counted.delegated} of {counted.total} operators delegated here, calls: "
                f"{counted.partitions}, and {said.delegated}, calls: {said.partitions}, by its manifest"
            )
    return others
