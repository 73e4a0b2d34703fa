"""Running LiteRT programs by the library of another Python, such as one that has an old runtime.

The other Python needs numpy and ``tflite_runtime`` (LiteRT's name until 2024), ``ai_edge_litert`` or
``tensorflow``, and nothing of this project: it runs ``SCRIPT``.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.model.errors import UserError

Array = NDArray[np.float32]
LIMIT_S = 600
"""Most seconds that the other Python may take for a tile."""

SCRIPT = """
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
artifact, image, out, image_name, restored_name = sys.argv[1:]
interpreter = Interpreter(model_path=artifact)
tile = np.load(image)
statistics = interpreter.get_signature_runner("look")(**{image_name: tile})
restored = interpreter.get_signature_runner("restore")(**{image_name: tile}, **statistics)
np.save(out, restored[restored_name])
print(json.dumps([name.replace("_", "-"), found.__version__]))
"""


class OtherPython:
    """A program that another Python's runtime computes, a tile by its own statistics.

    Attributes:
        runtime: name and version of what ran, once something has.

    Args:
        python: the interpreter.
    """

    def __init__(self, python: Path, artifact: Path) -> None:
        self._python, self._artifact = python, artifact
        self.runtime = "nothing yet"

    def __call__(self, tile: Array, /) -> Array:
        """(1, 3, T, T) -> the same.

        Raises:
            UserError: there is no such interpreter, it has no runtime, or the runtime refuses the program.
        """
        with tempfile.TemporaryDirectory() as scratch:
            image, out = Path(scratch) / "image.npy", Path(scratch) / "out.npy"
            np.save(image, tile)
            names = contract.INPUT, contract.OUTPUT
            command = [str(self._python), "-c", SCRIPT, *map(str, (self._artifact, image, out)), *names]
            try:
                ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
            except OSError as error:
                raise UserError(f"{self._python} cannot be run: {error.strerror}") from error
            except subprocess.TimeoutExpired as error:
                raise UserError(f"{self._python} took more than {LIMIT_S} s for a tile") from error
            if ended.returncode != 0:
                said = (ended.stderr.strip() or f"exit code {ended.returncode}").splitlines()[-1]
                raise UserError(f"{self._artifact.name} by {self._python}: {said}")
            name, version = json.loads(ended.stdout.splitlines()[-1])
            self.runtime = f"{name} {version}"
            restored: Array = np.load(out)
        return restored
