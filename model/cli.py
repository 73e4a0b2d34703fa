"""The ``anyir`` command: a table of subcommands and the one place where errors become lines."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import typer

from anyir.model.errors import UserError

COMMANDS = {
    "restore": "anyir.model.commands.restore",
    "degrade": "anyir.model.commands.degrade",
    "train": "anyir.model.commands.train",
    "eval": "anyir.model.commands.eval",
    "complexity": "anyir.model.commands.complexity",
    "convert": "anyir.conversion.commands.convert",
    "verify": "anyir.conversion.commands.verify",
    "reference": "anyir.profiling.commands.reference",
    "profile": "anyir.profiling.commands.profile",
    "report": "anyir.profiling.commands.report",
}
"""Subcommand -> module whose function ``run`` implements it. These modules import nothing heavy."""


def build_app() -> typer.Typer:
    """The command-line application, with every subcommand registered."""
    app = typer.Typer(
        name="anyir",
        help="Restore noisy, hazy, rainy, blurred, dark or snowy photos, and take the network to phones.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    for name, module in COMMANDS.items():
        app.command(name)(import_module(module).run)
    return app


def main() -> None:
    """Run the command line. Exit code 0 on success, 1 on failure, 2 on bad usage."""
    # torch's threads spin while they wait for each other. On a machine that is busy with other work a
    # spinning thread keeps the one it waits for off its core: 5 to 15 times slower, measured on 2 cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        build_app()()
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted", code=130)
    except OSError as error:  # a full disk, a read-only folder: the system's words, in one line
        where = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or error}{where}")


def _fail(message: str, code: int = 1) -> None:
    print(f"anyir: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
