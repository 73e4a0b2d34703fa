"""A photo, or raw frames, from standard input to standard output."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

import numpy as np

from anyir.model.errors import UserError
from anyir.model.photo.encoder import Encoding, check_fits, write_to
from anyir.model.photo.formats import WRITABLE
from anyir.model.photo.reader import MOST_PIXELS, Photo, read_photo_from
from anyir.model.restore.restorer import Restorer, TileProgress

NAME = "standard input"


def pipe_format(name: str | None) -> str:
    """The format that is called ``png``, ``jpg`` and so on.

    Raises:
        UserError: none is named, or an unknown one.
    """
    format_ = WRITABLE.get(f".{(name or '').lower().removeprefix('.')}")
    if format_ is None:
        known = ", ".join(suffix.removeprefix(".") for suffix in WRITABLE)
        raise UserError(f"standard output has no suffix: give --format, one of {known}")
    return format_


def frame_size(text: str) -> tuple[int, int]:
    """Width and height out of ``1280x720``.

    Raises:
        UserError: it is not like that.
    """
    match = re.fullmatch(r"([1-9]\d{0,9})[xX]([1-9]\d{0,9})", text)
    if match is None or int(match[1]) * int(match[2]) > MOST_PIXELS:
        raise UserError(f"--size {text:.60} is no size such as 1280x720")
    return int(match[1]), int(match[2])


def read_pipe(source: BinaryIO, format_: str, encoding: Encoding) -> Photo:
    """The photo that comes through a pipe, of which all is read.

    Raises:
        UserError: no image, or one that the format cannot hold.
    """
    data = source.read()
    if not data:
        raise UserError(f"{NAME} is empty; an image file is due")
    photo = read_photo_from(io.BytesIO(data), NAME)
    check_fits(photo, format_, encoding)
    return photo


def restore_pipe(
    restorer: Restorer,
    photo: Photo,
    target: BinaryIO,
    format_: str,
    encoding: Encoding,
    *,
    progress: TileProgress | None = None,
) -> list[str]:
    """Restore a photo, whose pixels are overwritten, and write the file when it is complete.

    Returns:
        Notes about what was changed, and what the format cannot hold.

    Raises:
        UserError: the model or the encoder failed; nothing was written then. Or nobody reads any more.
    """
    notes = restorer.restore_into(photo.pixels, photo.pixels, progress=progress)
    made = io.BytesIO()
    notes += write_to(made, photo, format_, encoding)
    _write(target, made.getbuffer())
    return photo.notes + notes


def restore_frames(
    restorer: Restorer, source: BinaryIO, target: BinaryIO, width: int, height: int
) -> tuple[int, list[str]]:
    """Restore raw RGB frames, 3 bytes a pixel, row by row, each by itself, until there are no more.

    Returns:
        How many there were, and notes about what was changed, each once.

    Raises:
        UserError: no frame, or half a one, or nobody reads any more. Frames before that were written.
    """
    count = 0
    notes: dict[str, None] = {}
    frame = np.empty((height, width, 3), np.uint8)
    while filled := _fill(source, frame.reshape(-1).data):
        if filled < frame.nbytes:
            raise UserError(
                f"{NAME} ends in frame {count + 1}: {filled} bytes of {frame.nbytes}; "
                f"is --size {width}x{height} right?"
            )
        notes |= dict.fromkeys(restorer.restore_into(frame, frame))
        _write(target, frame.reshape(-1).data)
        count += 1
    if not count:
        raise UserError(f"{NAME} is empty; raw RGB frames of {width}x{height} are due")
    return count, list(notes)


def _fill(source: BinaryIO, place: memoryview) -> int:
    filled = 0
    while filled < len(place) and (data := source.read(len(place) - filled)):
        place[filled : filled + len(data)] = data
        filled += len(data)
    return filled


def _write(target: BinaryIO, data: memoryview) -> None:
    try:
        target.write(data)
        target.flush()
    except BrokenPipeError as error:
        raise UserError("nobody reads standard output any more") from error
