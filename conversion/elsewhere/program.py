"""Running artifacts by a program outside of this Python, which gets tiles in a file and writes a file.

Such a program is called ``COMMAND ARTIFACT TILES OUT``. Both files hold float32 values of (1, 3, T, T) one
after the other. Each tile is restored by its own statistics. The last line that it prints is a JSON list,
the name and version of the runtime.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.model.errors import UserError
from anyir.model.processes import SAFE_PATH

Array = NDArray[np.float32]
LIMIT_S = 600
"""Most seconds that a program may take for a tile."""

LITERT_SCRIPT = """
import importlib, json, sys
import numpy as np
for name in ("tflite_runtime", "ai_edge_litert", "tensorflow"):
    try:
        found = importlib.import_module(name)
        break
    except ImportError:
        found = None
if found is None:
    sys.exit("none of tflite_runtime, ai_edge_litert and tensorflow is installed there")
if name == "tensorflow":
    Interpreter = found.lite.Interpreter
else:
    Interpreter = importlib.import_module(name + ".interpreter").Interpreter
image, restored, side, artifact, tiles, out = sys.argv[1:]
interpreter = Interpreter(model_path=artifact)
look, restore = map(interpreter.get_signature_runner, ("look", "restore"))
with open(out, "wb") as answers:
    for tile in np.fromfile(tiles, np.float32).reshape(-1, 1, 3, int(side), int(side)):
        answers.write(restore(**{image: tile}, **look(**{image: tile}))[restored].tobytes())
print(json.dumps([name.replace("_", "-"), found.__version__]))
"""


def is_older(runtime: str, than: str) -> bool:
    """Whether a LiteRT runtime, such as ``tflite-runtime 2.14.0``, came out before another one.

    ``ai-edge-litert`` began anew with 1.0 after the last ``tflite-runtime``, whose versions are TensorFlow's.
    """

    def age(said: str) -> tuple[bool, list[int]]:
        name, _, version = said.partition(" ")
        return name == "ai-edge-litert", [int(digits) for digits in re.findall(r"\d+", version)]

    return age(runtime) < age(than)


class OtherProgram:
    """An artifact that another program runs.

    Attributes:
        runtime: name and version of what ran, once something has.

    Args:
        command: its first words.
        where: what computes, for messages.
    """

    def __init__(self, command: Sequence[str | Path], artifact: Path, tile: int, where: str) -> None:
        self._command, self._artifact, self._tile, self._where = (
            list(map(str, command)),
            artifact,
            tile,
            where,
        )
        self.runtime = "nothing yet"

    def run(self, tiles: Sequence[Array]) -> list[Array]:
        """(1, 3, T, T), each -> the same, restored.

        Raises:
            UserError: it cannot be run, takes too long, refuses the artifact, or writes something else.
        """
        with tempfile.TemporaryDirectory() as scratch:
            given, out = Path(scratch) / "tiles.f32", Path(scratch) / "out.f32"
            given.write_bytes(np.stack(tiles).astype(np.float32).tobytes())
            self.runtime = " ".join(self._call(given, out, LIMIT_S * len(tiles)))
            restored = np.fromfile(out, np.float32) if out.exists() else np.empty(0, np.float32)
        shape = contract.shape(self._tile)
        if restored.size != len(tiles) * np.prod(shape):
            raise UserError(f"{self._artifact.name} by {self._where}: it wrote {restored.size} values")
        return list(restored.reshape(-1, *shape))

    def _call(self, given: Path, out: Path, limit_s: float) -> list[str]:
        command = [*self._command, str(self._artifact), str(given), str(out)]
        variables = {**os.environ, **SAFE_PATH}
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=limit_s, env=variables
            )
        except OSError as error:
            raise UserError(f"{self._where} cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise UserError(f"{self._where} took more than {limit_s} s") from error
        if ended.returncode != 0:
            said = (ended.stderr.strip() or f"exit code {ended.returncode}").splitlines()[-1]
            raise UserError(f"{self._artifact.name} by {self._where}: {said}")
        try:
            name, version = json.loads(ended.stdout.splitlines()[-1])
        except (ValueError, IndexError) as error:
            raise UserError(f"{self._where} does not say which runtime it has") from error
        return [name, version]


def litert_script(python: Sequence[str | Path], tile: int) -> list[str | Path]:
    """The words that run LiteRT programs by a Python with numpy and ``tflite_runtime`` (LiteRT's name until
    2024), ``ai_edge_litert`` or ``tensorflow``, and nothing of this project."""
    return [*python, "-c", LITERT_SCRIPT, contract.INPUT, contract.OUTPUT, str(tile)]


def other_python(python: str, artifact: Path, tile: int) -> OtherProgram:
    """A LiteRT program that another Python's runtime computes, such as an old one."""
    return OtherProgram(litert_script([python], tile), artifact, tile, python)
