"""Which photos are restored and where each goes: files and folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.photo.formats import READABLE_SUFFIXES, WRITABLE

_WRITTEN_AS = {".gif": ".png", ".mpo": ".jpg"}
"""What is read and not written gets a second suffix."""


@dataclass(frozen=True)
class PhotoJob:
    """One photo to restore."""

    source: Path
    target: Path


def find_jobs(source: Path, target: Path) -> tuple[list[PhotoJob], list[Path]]:
    """The photos below ``source`` and where each goes, and the files that are no photos.

    A folder's photos are found by their suffixes, at any depth, and keep their names, formats and
    subfolders; formats that are not written (GIF) get a second suffix. Hidden files and folders
    (thumbnails) are left out, and so is what is in ``target``, which may lie inside ``source``.

    Raises:
        UserError: no such file, or a file where a folder is due, or the other way round.
        OSError: the system refuses to list a folder.
    """
    if not source.is_dir():
        if not source.exists():
            raise UserError(f"there is no file or folder {source}")
        return [PhotoJob(source, target)], []
    place = Path(os.path.realpath(target))  # also where folders of it do not exist yet
    if place.exists() and not place.is_dir():
        raise UserError(f"{source} is a folder and {target} is not; name a folder for the output")
    if place.exists() and place.samefile(source):
        raise UserError(f"{target} is the input folder, whose photos are never overwritten; name another")
    jobs: list[PhotoJob] = []
    others: list[Path] = []
    for folder, folders, names in os.walk(source, onerror=_raise):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if not (place.exists() and (here / name).samefile(place))
        )
        others += [here / name for name in folders if name.startswith(".") or (here / name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".")]  # links are not gone into either
        for path in (here / name for name in sorted(names)):
            if path.suffix.lower() in READABLE_SUFFIXES and not path.name.startswith("."):
                jobs.append(PhotoJob(path, target / path.relative_to(source)))
            else:
                others.append(path)
    if not jobs:
        raise UserError(f"there is no photo in {source} ({', '.join(READABLE_SUFFIXES)})")
    return _with_writable_names(jobs), others


def _with_writable_names(jobs: list[PhotoJob]) -> list[PhotoJob]:
    """Add a suffix where the photo's own is not written: ``photo.gif.png``."""
    taken = {job.target for job in jobs}
    named = []
    for job in jobs:
        target = job.target
        if target.suffix.lower() not in WRITABLE:
            added = _WRITTEN_AS[target.suffix.lower()]
            while target in taken or target == job.target:
                target = target.with_name(target.name + added)
            taken.add(target)
        named.append(PhotoJob(job.source, target))
    return named


def why_left_out(path: Path) -> str:
    """What a file or folder is that ``find_jobs`` found and that is no job."""
    if path.name.startswith("."):
        return "hidden"
    if path.is_dir():
        return "a link to a folder"
    return "not a photo"


def _raise(error: OSError) -> None:
    raise error
