"""Folders for unfinished files, which do not outlive the process that fills them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def scratch_folder(out: Path, prefix: str) -> Iterator[Path]:
    """A new folder inside ``out``, removed at the end, also of an interrupted or terminated process.

    A killed one cannot do that: what such processes left is removed first. Each holds a lock on its folder,
    which the system takes back when the process ends, so a folder in use is never taken for a left one.
    """
    with _ended_as_by_ctrl_c():
        with _locked(out):  # so that nobody sweeps the new folder before it is locked itself
            for left in out.glob(f"{prefix}*"):
                _remove_unless_in_use(left)
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out))
            lock = _lock(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = _lock(folder)
    try:
        yield
    finally:
        os.close(lock)


def _lock(folder: Path) -> int:
    """Wait for a lock on a folder and hold it until the descriptor that is returned is closed."""
    descriptor = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks: then nothing is swept either
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _remove_unless_in_use(folder: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let what would end the process at once raise ``KeyboardInterrupt``, so that it cleans up.

    A signal that is ignored, as ``nohup`` has it, stays so. A second one does not disturb the cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():  # Python's signals are the main thread's
        yield
        return
    caught = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in caught:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in caught:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)
