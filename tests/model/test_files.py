"""Files that are whole or not there, and folders that go when their process ends, whichever way it does."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from anyir.model.files import appearing_file, copy_file, scratch_folder, write_atomically

PREFIX = ".build-"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_that_ends_the_process_is_as_ctrl_c(number, tmp_path):
    def build():
        with scratch_folder(tmp_path, PREFIX) as folder:
            (folder / "unfinished").write_bytes(b"x")
            os.kill(os.getpid(), number)

    before = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under `nohup`
    try:
        with pytest.raises(KeyboardInterrupt):
            build()
        assert list(tmp_path.iterdir()) == []
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        with scratch_folder(tmp_path, PREFIX) as folder:
            os.kill(os.getpid(), signal.SIGHUP)
            assert folder.is_dir()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_is_not(tmp_path):
    killed = f"""
import os, signal
from pathlib import Path
from anyir.model.files import scratch_folder
with scratch_folder(Path({str(tmp_path)!r}), {PREFIX!r}) as folder:
    (folder / "unfinished").write_bytes(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    with scratch_folder(tmp_path, PREFIX) as used:
        assert subprocess.run([sys.executable, "-c", killed], timeout=60).returncode == -signal.SIGKILL
        [left] = folders(tmp_path) - {used}
        assert (left / "unfinished").exists()
        with scratch_folder(tmp_path, PREFIX) as folder:
            assert folders(tmp_path) == {used, folder}
    assert list(tmp_path.iterdir()) == []


def folders(place):
    return {path for path in place.iterdir() if path.is_dir()}


def test_many_at_once_do_not_take_one_another_for_left(tmp_path):
    seen = []

    def work():
        for _ in range(20):
            with scratch_folder(tmp_path, PREFIX) as folder:
                (folder / "file").write_bytes(b"x")
                seen.append((folder / "file").exists())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 80
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_sweeps_nothing(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / f"{PREFIX}left").mkdir()
    (tmp_path / f"{PREFIX}left.lock").touch()
    monkeypatch.setattr("filelock._unix.lock_fd_nonblocking", refuse)
    with scratch_folder(tmp_path, PREFIX) as folder:
        assert len(folders(tmp_path)) == 2
    assert not folder.exists()
    assert (tmp_path / f"{PREFIX}left").exists()


def test_nothing_here_needs_what_only_unix_has():
    """``anyir convert --help`` has to work on Windows, which has no ``fcntl`` and no SIGHUP."""
    code = """
import signal, sys
sys.modules["fcntl"] = None
del signal.SIGHUP
import anyir.model.files, anyir.conversion.commands.convert, anyir.profiling.commands.stage
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "folder" / "file").mkdir(parents=True)
    with pytest.raises(OSError, match="directory") as caught:
        write_atomically(tmp_path / "folder" / "file", b"new")
    assert caught.value.filename == str(tmp_path / "folder" / "file")
    assert len(list((tmp_path / "folder").iterdir())) == 1


def test_a_read_only_file_system_is_said_of_the_file_itself(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_atomically(tmp_path / "file", b"new")
    assert caught.value.filename == str(tmp_path / "file")


@pytest.fixture(params=["nameless", "named", "without hard links"])
def kind_of_disk(request, monkeypatch):
    """Linux's file systems, others, and FAT's."""
    if request.param != "nameless":
        monkeypatch.setattr("anyir.model.files._open_nameless", lambda folder: None)
    if request.param == "without hard links":

        def refuse(*_, **__):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("kind_of_disk")
class TestAppearingFile:
    def test_it_is_there_when_it_is_whole(self, tmp_path):
        with appearing_file(tmp_path / "file", replace=False) as file:
            file.write(b"half")
            assert not (tmp_path / "file").exists()
            file.write(b" and half")
        assert (tmp_path / "file").read_bytes() == b"half and half"
        assert len(list(tmp_path.iterdir())) == 1

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
    def test_a_failure_leaves_nothing(self, tmp_path, error):
        def fail():
            with appearing_file(tmp_path / "file", replace=True) as file:
                file.write(b"half")
                raise error

        with pytest.raises(error):
            fail()
        assert list(tmp_path.iterdir()) == []

    def test_what_is_there_by_then_stays_or_is_replaced(self, tmp_path):
        def write(replace):
            with appearing_file(tmp_path / "file", replace=replace) as file:
                file.write(b"new")
                (tmp_path / "file").write_bytes(b"meanwhile")

        with pytest.raises(FileExistsError) as refused:
            write(replace=False)
        assert refused.value.filename == str(tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == b"meanwhile"
        write(replace=True)
        assert (tmp_path / "file").read_bytes() == b"new"
        assert len(list(tmp_path.iterdir())) == 1

    def test_others_may_read_it_as_any_new_file(self, tmp_path):
        (tmp_path / "usual").write_bytes(b"")
        with appearing_file(tmp_path / "file", replace=False) as file:
            file.write(b"x")
        assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_killed_process_leaves_nothing(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from anyir.model.files import appearing_file
with appearing_file(Path({str(tmp_path)!r}) / "file", replace=False) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_full_disk_is_the_copy_s_and_not_the_source_s(tmp_path):
    (tmp_path / "source").write_bytes(b"x" * 100_000)
    with pytest.raises(OSError, match="No space left") as refused:
        copy_file(tmp_path / "source", Path("/dev/full"))
    assert refused.value.filename == "/dev/full"
