"""Folders for unfinished files: gone when their process ends, whichever way it does."""

import os
import signal
import subprocess
import sys

import pytest

from anyir.conversion.scratch import scratch_folder

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
from anyir.conversion.scratch import scratch_folder
with scratch_folder(Path({str(tmp_path)!r}), {PREFIX!r}) as folder:
    (folder / "unfinished").write_bytes(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    with scratch_folder(tmp_path, PREFIX) as used:
        assert subprocess.run([sys.executable, "-c", killed], timeout=60).returncode == -signal.SIGKILL
        [left] = set(tmp_path.iterdir()) - {used}
        assert (left / "unfinished").exists()
        with scratch_folder(tmp_path, PREFIX) as folder:
            assert set(tmp_path.iterdir()) == {used, folder}
    assert list(tmp_path.iterdir()) == []
