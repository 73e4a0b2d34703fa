"""One run at a time in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.photo.writer import is_circle


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make a folder, and let no second run write into it meanwhile. What was made goes again if nothing
    came of it.

    The lock is on the folder itself, so that no file is left in it, and the system takes it back when the
    process ends, however that comes. On a file system without locks, and on Windows, there is none.

    Raises:
        UserError: another run writes into this folder, or it cannot be made.
    """
    place = Path(os.path.realpath(folder))
    made = [each for each in (place, *place.parents) if not each.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "a link in a circle" if is_circle(place) else error.strerror
        raise UserError(f"the folder {folder} cannot be made ({why})") from error
    try:
        handle = _lock(place)
    except BlockingIOError as error:
        raise UserError(f"another run writes into {folder}; wait for it, or name another folder") from error
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
        with contextlib.suppress(OSError):  # it is not empty
            for each in made:
                each.rmdir()


def _lock(folder: Path) -> int | None:
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # no locks here
        os.close(handle)
        return None
    return handle
