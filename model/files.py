"""Files that are whole or not there: digests, replacing at once, and folders for unfinished files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a process at once; Windows has no SIGHUP."""


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and rename it there: readers see the old bytes or the new ones.

    Raises:
        OSError: the system refuses; it names ``path``, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:  # a full disk's has no name, others have the file's beside
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        # A read-only file system refuses this too, though nothing is there.
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def scratch_folder(out: Path, prefix: str) -> Iterator[Path]:
    """A new folder inside ``out``, removed at the end, also of an interrupted or terminated process.

    A killed process cannot do that: what such processes left is removed first. Each process holds a lock on
    a file beside its folder. The system takes the lock back when the process ends, so a folder in use is
    never taken for one that was left. On a file system without locks, nothing is removed.
    """
    from filelock import FileLock

    with _ended_as_by_ctrl_c():
        for left in out.glob(f"{prefix}*.lock"):
            _remove_unless_in_use(left)
        folder = out / f"{prefix}{secrets.token_hex(8)}"
        guard = folder.with_suffix(".lock")
        lock = FileLock(guard)
        with contextlib.suppress(OSError):  # no locks here, or a folder that the next line complains about
            lock.acquire()
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
            guard.unlink(missing_ok=True)


def _remove_unless_in_use(guard: Path) -> None:
    from filelock import FileLock, Timeout

    with contextlib.suppress(Timeout, OSError), FileLock(guard, timeout=0):
        shutil.rmtree(guard.with_suffix(""), ignore_errors=True)
        guard.unlink(missing_ok=True)  # Windows refuses while it is open, and removes it when it is closed


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let what would end the process at once raise ``KeyboardInterrupt``, so that it cleans up.

    A signal that is ignored, as ``nohup`` has it, stays so. A second one does not disturb the cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():  # Python's signals are the main thread's
        yield
        return
    caught = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]

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
