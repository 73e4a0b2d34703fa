"""Files and folders of photos through one ``Restorer``: what ``anyir restore`` does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anyir.model.errors import UserError
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.photo.writer import FORMATS, check_output, write_photo
from anyir.model.restore.restorer import Restorer, TileProgress


@dataclass
class PhotoOutcome:
    """What became of one file; ``status`` is ``restored``, ``failed`` or ``skipped``."""

    input: str
    status: str
    output: str | None = None
    width: int | None = None
    height: int | None = None
    tiles: int | None = None
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class PhotoJob:
    """One photo to restore."""

    source: Path
    target: Path


def find_jobs(source: Path, target: Path) -> tuple[list[PhotoJob], list[Path]]:
    """The photos below ``source`` and where each goes, and the files that are no photos.

    A folder's photos are found by their suffixes, at any depth, and keep their names, formats and
    subfolders. Hidden files and folders (thumbnails) are left out, and so is what is in ``target``, which may
    lie inside ``source``.

    Raises:
        UserError: no such file, or a file where a folder is due, or the other way round.
        OSError: the system refuses to list a folder.
    """
    if not source.is_dir():
        if not source.exists():
            raise UserError(f"there is no file or folder {source}")
        return [PhotoJob(source, target)], []
    if target.exists() and not target.is_dir():
        raise UserError(f"{source} is a folder and {target} is not; name a folder for the output")
    if target.exists() and target.samefile(source):
        raise UserError(f"{target} is the input folder, whose photos are never overwritten; name another")
    jobs, others = [], []
    for folder, folders, names in os.walk(source, onerror=_raise):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not (target.exists() and (here / name).samefile(target))
        )
        others += [here / name for name in folders if name.startswith(".") or (here / name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".")]  # links are not gone into either
        for path in (here / name for name in sorted(names)):
            if path.suffix.lower() in FORMATS and not path.name.startswith("."):
                jobs.append(PhotoJob(path, target / path.relative_to(source)))
            else:
                others.append(path)
    if not jobs:
        raise UserError(f"there is no photo in {source} ({', '.join(FORMATS)})")
    return jobs, others


def why_left_out(path: Path) -> str:
    """What a file or folder is that ``find_jobs`` found and that is no job."""
    if path.name.startswith("."):
        return "hidden"
    if path.is_dir():
        return "a link to a folder"
    if path.suffix.lower() == ".avif":
        return "AVIF is not written: name the file alone, with another suffix for OUT"
    return "not a photo"


def _raise(error: OSError) -> None:
    raise error


def restore_file(
    source: str | Path,
    target: str | Path,
    *,
    restorer: Restorer | str | Path | None = None,
    strength: float | None = None,
    overwrite: bool = False,
    keep_metadata: bool = True,
    progress: TileProgress | None = None,
) -> PhotoOutcome:
    """Restore one photo as ``anyir restore`` does: upright, with its depth, alpha, EXIF and ICC profile.

    Args:
        source: a photo, which is never overwritten.
        target: the file to write; its suffix is its format.
        restorer: a ``Restorer``, made once for many photos, or the weights, artifact or preset to make one
            with; None for ``small``.
        strength: share of the restoration in the result, 0..1; 1 by default. A ``Restorer`` has its own.
        overwrite: whether another existing file may be replaced.
        keep_metadata: whether EXIF and the ICC profile are written.
        progress: called after every tile.

    Returns:
        What was done; its notes say what the target's format cannot hold.

    Raises:
        UserError: a bad input or output, or a model that failed; nothing was left behind.
        OSError: the system refuses to read the input.
    """
    job = PhotoJob(Path(source), Path(target))
    if job.source.is_dir():
        raise UserError(f"{job.source} is a folder; name a photo")
    photo = read_job(job, [job.source], overwrite=overwrite)  # before the seconds that a model takes
    if not isinstance(restorer, Restorer):
        restorer = Restorer(restorer, strength=1.0 if strength is None else strength)
    elif strength is not None:
        raise UserError("the restorer has a strength of its own; leave strength out")
    return restore_job(restorer, job, photo, keep_metadata=keep_metadata, progress=progress)


def read_job(job: PhotoJob, inputs: list[Path], *, overwrite: bool = False) -> Photo:
    """Decode a job's photo, and make sure that its result can be written.

    Args:
        job: from where to where.
        inputs: every file that must not be overwritten.
        overwrite: whether another existing file may be.

    Raises:
        UserError: a bad input or output.
        OSError: the system refuses to read the input.
    """
    photo = read_photo(job.source)
    check_output(job.target, inputs, overwrite=overwrite)
    return photo


def restore_job(
    restorer: Restorer,
    job: PhotoJob,
    photo: Photo,
    *,
    keep_metadata: bool = True,
    progress: TileProgress | None = None,
) -> PhotoOutcome:
    """Restore a job's photo, whose pixels are overwritten in memory, and write the result.

    Args:
        restorer: what restores.
        job: from where to where.
        photo: what ``read_job`` returned.
        keep_metadata: whether EXIF and the ICC profile are written.
        progress: called after every tile.

    Raises:
        UserError: the model or the writing failed; nothing was left behind.
    """
    start = time.perf_counter()
    height, width = photo.pixels.shape[:2]
    try:
        restorer.restore_into(photo.pixels, photo.pixels, progress=progress)
    except UserError as error:
        raise UserError(f"{job.source}: {error}") from error
    except MemoryError as error:
        raise UserError(f"{job.source}: not enough memory for {width}x{height} pixels") from error
    notes = photo.notes + write_photo(job.target, photo, keep_metadata=keep_metadata)
    return PhotoOutcome(
        input=str(job.source),
        status="restored",
        output=str(job.target),
        width=width,
        height=height,
        tiles=len(restorer.plan(width, height)),
        seconds=round(time.perf_counter() - start, 3),
        notes=notes,
    )


def restore_jobs(
    restorer: Restorer,
    jobs: list[PhotoJob],
    *,
    overwrite: bool = False,
    keep_metadata: bool = True,
    started: Callable[[PhotoJob], TileProgress | None] = lambda job: None,
    finished: Callable[[PhotoOutcome], None] = lambda outcome: None,
) -> list[PhotoOutcome]:
    """Restore every job; one that fails does not stop the others.

    Args:
        started: called before each photo; returns what is told of its tiles.
        finished: called after each photo, restored or failed.
    """
    inputs = [job.source for job in jobs]
    outcomes = []
    for job in jobs:
        progress = started(job)
        try:
            photo = read_job(job, inputs, overwrite=overwrite)
            outcome = restore_job(restorer, job, photo, keep_metadata=keep_metadata, progress=progress)
        except (UserError, OSError, MemoryError) as error:
            outcome = PhotoOutcome(input=str(job.source), status="failed", error=_line(error))
        outcomes.append(outcome)
        finished(outcome)
    return outcomes


def _line(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
