"""Files and folders of photos through one ``Restorer``: what ``anyir restore`` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anyir.model.errors import UserError
from anyir.model.photo.encoder import Encoding, check_fits
from anyir.model.photo.formats import output_format
from anyir.model.photo.reader import Photo, read_photo, read_size
from anyir.model.photo.writer import Inputs, check_output, check_room, settled, write_photo
from anyir.model.restore.jobs import PhotoJob
from anyir.model.restore.need import Need
from anyir.model.restore.restorer import Restorer, Setting, TileProgress


@dataclass
class PhotoOutcome:
    """What became of one file; ``status`` is ``restored``, ``fine`` (nothing was written), ``kept``,
    ``failed`` or ``skipped``."""

    input: str
    status: str
    output: str | None = None
    width: int | None = None
    height: int | None = None
    tiles: int | None = None
    seconds: float | None = None
    need: Need | None = None
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "need": None if self.need is None else self.need.to_dict()}


def restore_file(
    source: str | Path,
    target: str | Path,
    *,
    restorer: Restorer | str | Path | None = None,
    strength: float | None = None,
    overwrite: bool = False,
    keep_metadata: bool = True,
    quality: int | None = None,
    lossless: bool = False,
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
        keep_metadata: whether EXIF, the ICC profile and all else that the file says is written.
        quality: 1..100 for JPEG, WebP, HEIC and AVIF; 95 by default.
        lossless: whether WebP and HEIC are written without loss.
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
    output = Output(Inputs([job.source]), Encoding(keep_metadata, quality, lossless), overwrite)
    photo = read_job(job, output)  # before the seconds that a model takes
    if not isinstance(restorer, Restorer):
        restorer = Restorer(restorer, strength=1.0 if strength is None else strength)
    elif strength is not None:
        raise UserError("the restorer has a strength of its own; leave strength out")
    return restore_job(restorer, job, photo, output, progress=progress)


@dataclass(frozen=True)
class Output:
    """How results are written.

    Attributes:
        inputs: files that must not be overwritten.
        encoding: quality and metadata.
        overwrite: whether other existing files may be.
        need: whether to look first at how much a photo needs to be restored.
        only_if_needed: whether to leave a photo alone that is fine as it is.
    """

    inputs: Inputs
    encoding: Encoding = field(default_factory=Encoding)
    overwrite: bool = False
    need: bool = False
    only_if_needed: bool = False


def read_job(job: PhotoJob, output: Output) -> Photo:
    """Decode a job's photo, and make sure that its result can be written.

    Raises:
        UserError: a bad input or output.
        OSError: the system refuses to read the input.
    """
    if not job.source.exists():
        raise UserError(f"there is no file {job.source}")
    check_output(job.target, output.inputs, overwrite=output.overwrite)
    photo = read_photo(job.source)
    check_fits(photo, output_format(job.target), output.encoding)
    check_room(job.target, photo, output.encoding)
    return photo


def restore_job(
    restorer: Restorer,
    job: PhotoJob,
    photo: Photo,
    output: Output,
    *,
    progress: TileProgress | None = None,
) -> PhotoOutcome:
    """Restore a job's photo, whose pixels are overwritten in memory, and write the result.

    Args:
        restorer: what restores.
        job: from where to where.
        photo: what ``read_job`` returned.
        output: how the result is written.
        progress: called after every tile.

    Raises:
        UserError: the model or the writing failed; nothing was left behind.
    """
    start = time.perf_counter()
    height, width = photo.pixels.shape[:2]
    need = None
    try:
        if output.need or output.only_if_needed:
            need = restorer.need(photo.pixels)
            if output.only_if_needed and not need.needed:
                seconds = round(time.perf_counter() - start, 3)
                return PhotoOutcome(
                    str(job.source),
                    "fine",
                    None,
                    width,
                    height,
                    seconds=seconds,
                    need=need,
                    notes=photo.notes,
                )
        made = restorer.restore_into(photo.pixels, photo.pixels, progress=progress)
    except UserError as error:
        raise UserError(f"{job.source}: {error}") from error
    except MemoryError as error:
        raise UserError(f"{job.source}: not enough memory for {width}x{height} pixels") from error
    written = write_photo(
        job.target, photo, output.encoding, inputs=output.inputs, overwrite=output.overwrite
    )
    return PhotoOutcome(
        input=str(job.source),
        status="restored",
        output=str(job.target),
        width=width,
        height=height,
        tiles=len(restorer.plan(width, height)),
        seconds=round(time.perf_counter() - start, 3),
        need=need,
        notes=photo.notes + made + written,
    )


def is_done(job: PhotoJob, output: Output) -> bool:
    """Whether an earlier run has restored a job: OUT is a photo of IN's size, and not older.

    Only the files' beginnings are read; a result is never half a file.

    Raises:
        UserError: OUT is something else, and may not be replaced.
    """
    place = settled(job.target)
    if not place.exists():
        return False
    output.inputs.refuse(job.target)
    wrong = None
    if place.stat().st_mtime < job.source.stat().st_mtime:
        wrong = f"is older than {job.source}"
    else:
        try:
            if read_size(place) != read_size(job.source):
                wrong = f"has another size than {job.source}"
        except UserError as error:
            wrong = f"cannot be compared with its input ({error})"
    if wrong is not None and not output.overwrite:
        raise UserError(f"{job.target} exists and {wrong}; give --overwrite to replace it")
    return wrong is None


def count_tiles(setting: Setting, jobs: list[PhotoJob]) -> dict[PhotoJob, int]:
    """How many tiles every photo is cut into, from the files' beginnings; 0 for one that cannot be read."""
    tiles = {}
    for job in jobs:
        try:
            tiles[job] = len(setting.plan(*read_size(job.source)))
        except (UserError, OSError):
            tiles[job] = 0
    return tiles


Started = Callable[[PhotoJob], TileProgress | None]
"""Called before each photo; returns what is told of its tiles."""
Finished = Callable[[PhotoJob, PhotoOutcome], None]
"""Called after each photo, restored, fine, kept or failed."""


def restore_jobs(
    restorer: Restorer,
    jobs: list[PhotoJob],
    output: Output,
    *,
    resume: bool = False,
    started: Started = lambda job: None,
    finished: Finished = lambda job, outcome: None,
) -> list[PhotoOutcome]:
    """Restore every job, one after the other; one that fails does not stop the others.

    Args:
        output: how results are written.
        resume: whether jobs that an earlier run has done are kept as they are.
        started: see ``Started``.
        finished: see ``Finished``.
    """
    outcomes = []
    for job in jobs:
        outcomes.append(try_job(restorer, job, output, resume=resume, progress=started(job)))
        finished(job, outcomes[-1])
    return outcomes


def try_job(
    restorer: Restorer, job: PhotoJob, output: Output, *, resume: bool, progress: TileProgress | None
) -> PhotoOutcome:
    """Restore one photo of a folder, or keep what an earlier run has made of it. A failure is an outcome."""
    try:
        if resume and is_done(job, output):
            return PhotoOutcome(input=str(job.source), status="kept", output=str(job.target))
        return restore_job(restorer, job, read_job(job, output), output, progress=progress)
    except (UserError, OSError, MemoryError) as error:
        return PhotoOutcome(input=str(job.source), status="failed", error=error_line(error))


def error_line(error: Exception) -> str:
    """An error as the user reads it."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
