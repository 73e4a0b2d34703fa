"""Files that are whole or not there: digests, replacing at once, and folders for unfinished files."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from anyir.model.errors import UserError

_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a process at once; Windows has no SIGHUP."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk, a quota, or what a file may have."""


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(path: Path) -> None:
    """Find out before long work whether a file can be put in place at ``path``. Nothing is made.

    Raises:
        UserError: it is a folder, or files cannot be made where it would be.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file")
    folder = path.absolute().parent
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror})") from error


def check_replaceable(path: Path, what: str, is_earlier: Callable[[bytes], bool]) -> None:
    """As ``check_writable``, for a file that replaces an earlier one of its kind and nothing else.

    Args:
        what: its kind, in words.
        is_earlier: whether these bytes are a file of that kind.

    Raises:
        UserError: as ``check_writable``, or something else lies there.
    """
    check_writable(path)
    if not (path.exists() or path.is_symlink()):
        return
    with contextlib.suppress(OSError):  # a link to nowhere, or one that may not be read
        if is_earlier(path.read_bytes()):
            return
    raise UserError(f"{path} is there already, and no earlier {what}; name another --out")


def is_json_with(*keys: str) -> Callable[[bytes], bool]:
    """Whether bytes are a JSON object that has all of these keys."""

    def check(data: bytes) -> bool:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and found.keys() >= set(keys)

    return check


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's bytes.

    Raises:
        OSError: the system refuses; of a full disk it names ``target``, where Python names the source.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Put a file in place at once: readers see the old bytes or the new ones.

    Raises:
        OSError: the system refuses; it names ``path``, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing_file(path, replace=True) as file:
        file.write(data)


@contextmanager
def appearing_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A file to write, which is at ``path`` when the block has ended, whole and on the disk, or not at all.

    On Linux it has no name before, so that a killed process leaves nothing. Elsewhere, and on file systems
    that do not know that, it lies beside ``path`` under a short hidden name.

    Args:
        path: the file to be, in a folder that exists.
        replace: whether a file that is there by then is replaced, in one step.

    Raises:
        FileExistsError: there is one, and ``replace`` is False. It stays as it is.
        OSError: the system refuses; it names ``path``, and nothing is left behind.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.part")  # short: the file's own name may be the longest
    try:
        handle = _open_nameless(path.parent)
        nameless = handle is not None
        if handle is None:
            handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with open(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(handle)
            if nameless:
                _link_nameless(handle, beside if replace else path)
        if replace:
            os.replace(beside, path)
        elif not nameless:
            _move_without_replacing(beside, path)
    except OSError as error:  # a full disk's has no name, others have the file's beside
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        # A read-only file system refuses this too, though nothing is there.
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _open_nameless(folder: Path) -> int | None:
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:  # a file system without them; any other reason comes again with a name
        return None


def _link_nameless(handle: int, path: Path) -> None:
    # With a folder's descriptor, Python calls linkat, which follows the link to the file itself.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{handle}", path.name, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _move_without_replacing(source: Path, path: Path) -> None:
    try:
        os.link(source, path)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # no hard links here (FAT): take the name with an empty file first
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.replace(source, path)


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
