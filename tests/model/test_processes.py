"""Child processes: both ends of their pipe, their environment, their log and their end."""

import os
import signal
import subprocess
import sys

import pytest

from anyir.model.errors import show_traceback
from anyir.model.processes import environment, log_output, start_process


def answer(connection, *arguments):
    """Send the arguments and some of the environment, then whatever is asked for."""
    connection.send((arguments, os.environ.get("ANYIR_TEST"), os.environ.get("PYTHONSAFEPATH")))
    connection.send(connection.recv() * 2)


def tell_interrupt(connection):
    connection.send(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)


def print_to(connection, path):
    log_output(path)
    print("from Python")
    sys.stdout.flush()
    os.write(2, b"from a library\n")


def fail_with_a_log(connection, path):
    terminal = log_output(path)
    try:
        raise ValueError("of a toolchain")
    except ValueError as error:
        show_traceback(error, terminal)


def test_both_sides_send_and_the_child_has_its_own_environment(monkeypatch):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    process, connection = start_process(answer, "job", 7, variables={"ANYIR_TEST": "set"})
    assert connection.recv() == (("job", 7), "set", "1")
    connection.send(21)
    assert connection.recv() == 42
    process.join(60)
    assert process.exitcode == 0
    assert "ANYIR_TEST" not in os.environ
    assert "PYTHONSAFEPATH" not in os.environ


def test_the_end_of_a_child_is_the_end_of_its_pipe():
    process, connection = start_process(int)  # takes no connection: it dies before it has said anything
    with pytest.raises((EOFError, ConnectionError)):
        connection.recv()
    process.join(60)
    assert process.exitcode == 1


def test_nothing_is_imported_from_the_folder_that_the_command_runs_in(tmp_path, monkeypatch):
    (tmp_path / "signal.py").write_text("open('imported', 'w')")  # what multiprocessing itself imports
    monkeypatch.chdir(tmp_path)
    start_process(int)[0].join(60)
    assert not (tmp_path / "imported").exists()


def test_what_a_child_prints_is_in_its_log(tmp_path):
    process, _ = start_process(print_to, tmp_path / "log")
    process.join(60)
    assert (tmp_path / "log").read_text() == "from Python\nfrom a library\n"


@pytest.mark.parametrize(("value", "shown"), [("1", True), ("0", False)])
def test_debug_shows_on_the_terminal_what_failed_in_a_child(tmp_path, monkeypatch, capfd, value, shown):
    monkeypatch.setenv("ANYIR_DEBUG", value)
    process, _ = start_process(fail_with_a_log, tmp_path / "log")
    process.join(60)
    said = capfd.readouterr().err
    assert ("Traceback" in said, said.endswith("ValueError: of a toolchain\n")) == (shown, shown)
    assert (tmp_path / "log").read_text() == ""


@pytest.mark.parametrize("hears", [True, False])
def test_a_child_hears_ctrl_c_or_leaves_it_to_its_parent(hears):
    before = signal.getsignal(signal.SIGINT)
    process, connection = start_process(tell_interrupt, hears_interrupt=hears)
    assert connection.recv() is not hears
    assert signal.getsignal(signal.SIGINT) is before
    process.join(60)


def test_an_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("ANYIR_TEST", "before")
    with environment({"ANYIR_TEST": "meanwhile", "ANYIR_OTHER": "x"}):
        assert os.environ["ANYIR_TEST"] == "meanwhile"
    assert os.environ["ANYIR_TEST"] == "before"
    assert "ANYIR_OTHER" not in os.environ


def test_what_c_code_prints_goes_to_stderr_and_results_stay_alone():
    """C code writes into a pipe when its buffer is full, or at the end: long after the call."""
    code = """
import ctypes
from anyir.model.processes import printing_to_stderr
print("before", end=" ")
with printing_to_stderr():
    ctypes.CDLL(None).puts(b"INFO: a library")
print("after")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "before after\n"
    assert done.stderr == "INFO: a library\n"
