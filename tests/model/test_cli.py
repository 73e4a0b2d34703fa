import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from anyir.model.cli import COMMANDS, main
from anyir.model.commands.complexity import measure_table, print_table, print_table_as_json
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.evaluation.complexity import measure_complexity
from anyir.model.evaluation.memory import measure_memory
from tests.helpers.command_line import TERMINAL, anyir, anyir_process

# Typer itself takes pydantic, where it is installed, for a command's options.
TYPERS = {"pydantic"}
HEAVY = (
    "torch",
    "numpy",
    "executorch",
    "coremltools",
    "coreai",
    "PIL",
    "jinja2",
    "matplotlib",
    "lightning_fabric",
    *TYPERS,
)

HELP = f"""
import contextlib, io, json, sys
from anyir.model.cli import COMMANDS, main

shown = {{}}
for name in ("", *COMMANDS):
    sys.argv = ["anyir", *name.split(), "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code
    shown[name] = (code, said.getvalue(), [heavy for heavy in {HEAVY} if heavy in sys.modules])
print(json.dumps(shown))
"""


@pytest.fixture(scope="module")
def shown():
    """``--help`` of ``anyir`` and of every command: {name: (exit code, text, heavy modules loaded)}."""
    environment = {**os.environ, **TERMINAL}
    process = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, env=environment)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_help_lists_the_commands_without_importing_torch(shown):
    code, text, heavy = shown[""]
    assert (code, heavy) == (0, [])
    for name in COMMANDS:
        assert name.split()[0] in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_without_importing_torch(name, shown):
    code, text, heavy = shown[name]
    assert code == 0
    assert set(heavy) <= TYPERS
    assert f"anyir {name}" in text
    assert "Example:" in text


def test_a_process_is_a_command_too():
    process = anyir_process("--help")
    assert (process.returncode, process.stderr) == (0, "")
    assert all(name.split()[0] in process.stdout for name in COMMANDS)


def test_version():
    assert anyir("--version").stdout == f"anyir {importlib.metadata.version('anyir')}\n"


@pytest.mark.slow
def test_complexity_as_json():
    result = anyir("complexity", "--preset", "anyir", "--json")
    figures = json.loads(result.stdout)
    assert figures["parameters"] == pytest.approx(6.29e6, rel=0.02)
    assert figures["multiply_adds"] == pytest.approx(19e9, rel=0.02)


@pytest.mark.slow
def test_complexity_as_the_papers_table(capsys):
    rows = measure_table([measure_complexity("tiny", PRESETS["tiny"], 64, 64)])
    print_table_as_json(rows)
    table = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in table["paper"]][-1] == "AnyIR (paper)"
    (row,) = table["rows"]
    assert [memory["mode"] for memory in row["memory"]] == ["inference", "training"]
    for memory in row["memory"]:
        assert memory["peak_mib"] > memory["before_mib"] >= 0
    print_table(rows)
    shown = capsys.readouterr().out
    for words in ("3556 M", "tiny (here)", "in a process of", f"{row['memory'][1]['peak_mib']:.0f}"):
        assert words in shown


@pytest.mark.slow
def test_memory_that_cannot_be_measured_is_one_line():
    with pytest.raises(UserError, match="training of tiny at 64x60 could not be measured: "):
        measure_memory("tiny", "training", 60, 64)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["frobnicate"], 2, "No such command 'frobnicate'. (see anyir --help)"),
        (["convert", "--only", "onnx*"], 2, "no recipe matches 'onnx*'; recipes: executorch_xnnpack_fp32"),
        (["reference", "--tile", "100000"], 2, "--tile"),
        (["train", "--data", "x", "--out", "y", "--seed", "9" * 25], 2, "--seed"),
        (["complexity", "--preset", "huge"], 2, "unknown preset 'huge'; known: anyir"),
        (["complexity", "--height", "100"], 2, "multiples of 8 (see anyir complexity --help)"),
        (
            ["restore", "x.png", "y.png", "--statistics", "all"],
            2,
            "'--statistics': 'all' is not one of 'photo', 'tile'. (see anyir restore --help)",
        ),
        (["complexity", "--table", "--width", "4096"], 2, "4096x224 is too large, 2048 a side is the limit"),
        (["android"], 2, "Missing command"),
        (["android", "frobnicate"], 2, "No such command"),
        (["ios", "stage", "frobnicate"], 2, "(frobnicate) (see anyir ios stage --help)"),
        (["train", "--data", "/nowhere", "--out", "build/never"], 1, "anyir: /nowhere is not a folder"),
        (
            ["train", "--data", "x", "--out", "y", "--crop", "65"],
            1,
            "data.crop is 65: input should be a multiple of 8",
        ),
        (["train", "--data", "x", "--out", "y", "--precision", "fp8"], 1, "known: 'bf16-mixed', '32-true'"),
    ],
)
def test_bad_usage_is_one_line(arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = anyir(*arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().count("\n") == 0


@pytest.mark.parametrize(
    "arguments",
    [("--max-minutes", "inf"), ("--epochs", "inf"), ("--cache-gib", "inf"), ("--batch-size", "9" * 12)],
)
def test_training_has_an_end(arguments, tmp_path):
    result = anyir("train", "--data", tmp_path, "--out", tmp_path / "run", *arguments)
    assert result.returncode == 2
    assert result.stderr.startswith(f"anyir: Invalid value for '{arguments[0]}': ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("threads", ["1025", "9" * 14])
@pytest.mark.parametrize(
    "command",
    [
        ("restore", "x.png", "y.png"),
        ("eval", "--real"),
        ("train",),
        ("bench",),
        ("judge", "photos", "out"),
        ("profile",),
    ],
)
def test_threads_have_a_limit(command, threads, folder):
    result = anyir(*command, "--threads", threads)
    assert result.returncode == 2
    assert result.stderr.startswith(
        "anyir: Invalid value for '--threads': Input should be less than or equal to 1024 "
    )
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("encoding", "name"), [("utf-8", "\udcff.png"), ("latin-1", "\u65e5.png")])
def test_names_that_the_terminal_cannot_show(encoding, name, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / name)
    command = [sys.executable, "-m", "anyir.model.cli", "degrade", name, "out.png", "--kind", "noise"]
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    result = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.startswith(b"degraded \\u")
    assert (tmp_path / "out.png").is_file()


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "anyir: interrupted\n"),
        (MemoryError(), 1, "anyir: not enough memory\n"),
        (OSError(28, "No space left on device", "x.png"), 1, "anyir: No space left on device: x.png\n"),
        (
            ImportError("libtorch_cpu.so: failed to map segment from shared object"),
            1,
            "anyir: a library could not be loaded; is there enough memory? "
            "(libtorch_cpu.so: failed to map segment from shared object)\n",
        ),
        (UserError("two\nlines"), 1, "anyir: two lines\n"),
    ],
)
def test_what_ends_a_command_is_one_line(monkeypatch, capsys, error, code, line):
    def fail(*_):
        raise error

    monkeypatch.setattr("anyir.model.evaluation.complexity.measure_complexity", fail)
    monkeypatch.setattr(sys, "argv", ["anyir", "complexity", "--preset", "tiny"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert (exit_.value.code, *capsys.readouterr()) == (code, "", line)


@pytest.mark.slow
def test_a_second_interrupt_while_the_process_ends_is_like_the_first():
    code = """
import atexit, sys, time
from anyir.model import cli
from anyir.model.evaluation import complexity

def interrupted(*_):
    raise KeyboardInterrupt

atexit.register(time.sleep, 1)
complexity.measure_complexity = interrupted
sys.argv = ["anyir", "complexity", "--preset", "tiny"]
cli.main()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "anyir: interrupted\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == ""
    assert process.returncode == 130


@pytest.mark.parametrize(("value", "shown"), [("1", True), ("0", False), ("", False)])
def test_debug_shows_the_traceback_that_the_line_hides(monkeypatch, value, shown):
    monkeypatch.setenv("ANYIR_DEBUG", value)
    result = anyir("restore", "/nowhere.jpg", "/tmp/out.jpg")
    *before, line = result.stderr.splitlines()
    assert (result.returncode, line) == (1, "anyir: there is no file or folder /nowhere.jpg")
    assert before[:1] == (["Traceback (most recent call last):"] if shown else [])
    assert any("in find_jobs" in text for text in before) == shown
