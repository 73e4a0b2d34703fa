"""Where a photo is written: never over an input, never half, and only where it can be."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.files import appearing_file
from anyir.model.photo.encoder import Encoding, sample_bytes, write_to
from anyir.model.photo.formats import output_format
from anyir.model.photo.reader import Photo

_SMALL = 2**18
"""Pixels below which the work is so short that the disk itself may say it."""
_MARGIN = 0.25
"""Share of the estimated size below which a disk counts as full: a restored photo has less noise."""


class Inputs:
    """Files that must stay as they are, however their names are spelt or linked.

    They are known by device and inode, and by their places, which stay theirs when another program puts new
    files there.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.files: dict[tuple[int, int], Path] = {}
        self.places: dict[Path, Path] = {}
        for path in paths:
            self.places[settled(path)] = path
            try:
                status = path.stat()
            except OSError:  # it is not there: there is nothing to keep
                continue
            self.files[status.st_dev, status.st_ino] = path

    def refuse(self, path: Path) -> None:
        """Raises ``UserError`` if ``path`` is one of them."""
        source = self.places.get(settled(path))
        if source is None:
            try:
                status = path.stat()
            except OSError:  # nothing there
                return
            source = self.files.get((status.st_dev, status.st_ino))
        if source is not None:
            raise UserError(f"{path} is the input {source}, which is never overwritten; name another file")


def settled(path: Path) -> Path:
    """The place of a file, its folder without links and dots, also where folders do not exist yet.

    A link as the file itself stays: it is what would be replaced.
    """
    return Path(os.path.realpath(path.parent)) / path.name


def check_output(path: Path, inputs: Inputs, *, overwrite: bool) -> None:
    """Find out before the long work whether ``path`` can be written. Nothing is made.

    Args:
        path: the file to be.
        inputs: files that must stay as they are.
        overwrite: whether another existing file may be replaced.

    Raises:
        UserError: it is an input, exists, is a folder, a pipe or a device, has an unknown suffix or too long
            a name, or the system does not let files be made there.
    """
    place = settled(path)
    try:
        if path.name == ".." or place.is_dir():
            raise UserError(f"{path} is a folder; name the output file")
        output_format(path)
        inputs.refuse(path)
        if place.exists() and not place.is_file():
            raise UserError(f"{path} is a pipe or a device, which is not replaced; for pipes, OUT is -")
        if (place.exists() or place.is_symlink()) and not overwrite:
            what = "is a link in a circle" if is_circle(place) else "exists"
            raise UserError(f"{path} {what}; give --overwrite to replace it")
        folder = place.parent
        while not folder.exists():
            if is_circle(folder):
                raise UserError(f"{_shown(path.parent, folder)} is a link in a circle; name another folder")
            folder = folder.parent
        if not folder.is_dir():
            raise UserError(f"{_shown(path.parent, folder)} is a file, not a folder")
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"files cannot be made in {path.parent} ({error.strerror})") from error


def is_circle(path: Path) -> bool:
    """Whether a path is a symbolic link that leads to itself, by way of others or not."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _shown(folder: Path, place: Path) -> Path:
    """A folder as the user spelt it, if it is the one that was meant."""
    return folder if settled(folder) == settled(place) else place


def check_room(path: Path, photo: Photo, encoding: Encoding) -> None:
    """Find out before the long work whether the disk is full, as far as it can be told.

    Raises:
        UserError: there is by far too little room for such a photo.
    """
    folder = settled(path).parent
    while not folder.exists():
        folder = folder.parent
    height, width = photo.pixels.shape[:2]
    if height * width < _SMALL:
        return
    needed = sample_bytes(photo, output_format(path), encoding) * height * width
    free = shutil.disk_usage(folder).free
    if free < needed * _MARGIN:
        raise UserError(
            f"{path}: the disk has {free / 1e6:.3g} MB left, and this photo takes about {needed / 1e6:.3g} MB"
        )


def write_photo(
    path: Path,
    photo: Photo,
    encoding: Encoding | None = None,
    *,
    inputs: Inputs | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write a photo in the format of ``path``'s suffix. It appears there when it is complete.

    Returns:
        Notes for the user about what the format cannot hold.

    Raises:
        UserError: the format cannot hold the photo, a file is there (by now), or the system refuses: a full
            disk, a read-only folder. Nothing is left behind then.
    """
    format_ = output_format(path)
    place = settled(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if inputs is not None:
            inputs.refuse(path)
        with appearing_file(place, replace=overwrite) as file:
            notes = write_to(file, photo, format_, encoding or Encoding())
            if inputs is not None:
                inputs.refuse(path)  # what is there by now
    except FileExistsError as error:
        raise UserError(f"{path} exists; give --overwrite to replace it") from error
    except OSError as error:
        raise UserError(f"{path} could not be written ({error.strerror or error})") from error
    return notes
