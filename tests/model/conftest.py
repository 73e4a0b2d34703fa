import sys

import pytest

from anyir.model import cli


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def anyir(folder, command):
    """Run a command in the folder: (exit code, stdout, stderr)."""
    return command


@pytest.fixture
def command(capfd, monkeypatch):
    """Run a command: (exit code, stdout, stderr)."""
    # Without the other packages, whose commands are imported with the rest.
    own = {name: module for name, module in cli.COMMANDS.items() if module.startswith("anyir.model.")}
    monkeypatch.setattr(cli, "COMMANDS", own)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["anyir", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return run
