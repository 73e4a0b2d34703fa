import sys

import pytest

from anyir.model import cli


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def anyir(folder, capfd, monkeypatch):
    """Run the command in the folder: (exit code, stdout, stderr)."""
    # Without the other packages, whose commands are imported with the rest.
    both = {name: cli.COMMANDS[name] for name in ("restore", "degrade")}
    monkeypatch.setattr(cli, "COMMANDS", both)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["anyir", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return run
