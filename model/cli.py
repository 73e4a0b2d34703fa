"""The ``anyir`` command: a table of subcommands and the one place where errors become lines."""

from __future__ import annotations

import atexit
import importlib.metadata
import inspect
import io
import os
import re
import signal
import sys
import time
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from anyir.model.errors import Interrupted, UserError, one_line, show_traceback

COMMANDS = {
    "restore": "anyir.model.commands.restore",
    "degrade": "anyir.model.commands.degrade",
    "train": "anyir.model.commands.train",
    "average": "anyir.model.commands.average",
    "teach": "anyir.model.commands.teach",
    "dim-parts": "anyir.model.commands.dim_parts",
    "stay-pairs": "anyir.model.commands.stay_pairs",
    "eval": "anyir.model.commands.eval",
    "data": "anyir.model.commands.data",
    "analyze": "anyir.model.commands.analyze",
    "complexity": "anyir.model.commands.complexity",
    "convert": "anyir.conversion.commands.convert",
    "sensitivity": "anyir.conversion.commands.sensitivity",
    "verify": "anyir.conversion.commands.verify",
    "reference": "anyir.profiling.commands.reference",
    "profile": "anyir.profiling.commands.profile",
    "report": "anyir.profiling.commands.report",
    "bench": "anyir.profiling.commands.bench",
    "judge": "anyir.profiling.commands.judge",
    "android stage": "anyir.profiling.commands.stage_android",
    "ios stage": "anyir.profiling.commands.stage_ios",
}
"""Subcommand, or group and subcommand -> module whose function ``run`` implements it.

These modules import nothing heavy."""

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended, as shells have it."""

GROUPS = {
    "android": "Prepare and measure the Android app.",
    "ios": "Prepare and measure the iOS app.",
}


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
    app.callback()(_options)
    groups = {"": app}
    for group, text in GROUPS.items():
        groups[group] = typer.Typer(help=text, rich_markup_mode="rich")
        app.add_typer(groups[group], name=group)
    for path, module in COMMANDS.items():
        group, _, name = path.rpartition(" ")
        run = import_module(module).run
        groups[group].command(name, help=_unwrapped(run.__doc__))(run)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        print(f"anyir {importlib.metadata.version('anyir')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Options of ``anyir`` itself."""


def _unwrapped(docstring: str) -> str:
    """A docstring whose paragraphs are single lines, to be wrapped to the terminal's width."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def main() -> None:
    """Run the command line. Exit code 0 on success, 1 on failure, 2 on bad usage, 130 after Ctrl-C."""
    # torch's threads spin while they wait for each other. On a machine that is busy with other work a
    # spinning thread keeps the one it waits for off its core: 5 to 15 times slower, measured on 2 cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What Apple's GPU lacks runs on the CPU instead of failing.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    _take_closed_streams()
    # A file's name may have characters that the terminal's encoding lacks.
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        # Not standalone: usage errors become one line here too, instead of a box of eight.
        code = build_app()(sys.argv[1:] or ["--help"], standalone_mode=False)
    except UserError as error:
        _fail(str(error), error, code=INTERRUPTED if isinstance(error, Interrupted) else 1)
    except TyperException as error:
        message = error.format_message().replace(": Value error, ", ": ")  # pydantic's words
        _fail(f"{message} ({_file_for_an_option() or _help_of(error)})", error, code=2)
    except (KeyboardInterrupt, typer.Abort) as error:
        _fail("interrupted", error, code=INTERRUPTED)
    except MemoryError as error:
        _fail("not enough memory", error)
    except ModuleNotFoundError as error:
        if (error.name or "anyir").partition(".")[0] == "anyir":
            raise
        install = "pip install -c constraints.txt -e '.[train,convert,report,analyze]'"
        _fail(f"{error.name} is missing: {install}", error)
    except ImportError as error:
        if "shared object" not in str(error):  # the loader's words
            raise
        _fail(f"a library could not be loaded; is there enough memory? ({error})", error)
    except OSError as error:  # a full disk, a read-only folder: the system's words, in one line
        where = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", error)
    else:
        if code == INTERRUPTED:  # typer turns Ctrl-C into this code, without a word
            _fail("interrupted", code=INTERRUPTED)
        sys.exit(code if isinstance(code, int) else 0)


def _take_closed_streams() -> None:
    """Give the null device what the caller has closed of stdin, stdout and stderr.

    A file that is opened next would get their numbers, and what C code says would end in it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stderr is None:  # print would take stdout in its place
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _help_of(error: TyperException) -> str:
    """Where the command that was used wrongly says how it is used."""
    context = getattr(error, "ctx", None)
    names: list[str] = []
    while context is not None and context.parent is not None:  # the outermost is ``anyir``, by any name
        names.insert(0, str(context.info_name))
        context = context.parent
    return f"see {' '.join(['anyir', *names])} --help"


def _file_for_an_option() -> str | None:
    """A hint where a name that begins with a dash was taken for options."""
    for word in sys.argv[1:]:
        if re.match(r"-[^-].*\.\w+$", word) or (word.startswith("-") and os.path.isfile(word)):
            return f"if {word} is a file, write ./{word}"
    return None


def _fail(message: str, error: BaseException | None = None, *, code: int = 1) -> None:
    """End with one line, after the traceback if ``ANYIR_DEBUG`` asks for it."""
    # Under torchrun every process sees the same mistake; the first on each machine says it. The others
    # wait for that: torchrun ends all as soon as one has left.
    if os.environ.get("LOCAL_RANK", "0") == "0":
        if error is not None:
            show_traceback(error)
        print(f"anyir: {one_line(message)}", file=sys.stderr)
    else:
        time.sleep(10)
    if code == INTERRUPTED:  # once more, while the interpreter ends, it is no other end than this one
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


if __name__ == "__main__":
    main()
