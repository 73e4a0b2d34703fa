import pytest
import torch

from tests.helpers import command_line


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def anyir(folder, command):
    """Run a command in the folder: (exit code, stdout, stderr)."""
    return command


@pytest.fixture
def command():
    """Run a command: (exit code, stdout, stderr)."""

    def run(*arguments):
        process = command_line.anyir(*arguments)
        return process.returncode, process.stdout, process.stderr

    return run


@pytest.fixture
def torch_threads():
    """Small tiles want one thread; the setting is the process's, so it is put back."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
