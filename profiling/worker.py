"""The process that runs one program: its memory is its own, and its crash ends nothing else.

``python -m anyir.profiling.worker JOB`` takes a job as JSON, then requests as lines on standard input,
and answers each with one line of JSON on standard output. What libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.model.restore.restorer import TileModel


@dataclass(frozen=True)
class Job:
    """What one worker runs.

    Attributes:
        path: an artifact, or PyTorch weights (``.safetensors``).
        inputs: the reference's ``inputs.npy``.
        outputs: where to write what the program makes of them, (N, 3, T, T) float32.
        threads: CPU threads.
    """

    path: str
    inputs: str
    outputs: str
    threads: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Session:
    """A worker's state: the model, once loaded, and the inputs. Requests are its public methods."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._inputs = np.load(job.inputs, mmap_mode="r")
        self._model: TileModel | None = None
        self._memory_before = 0

    def load(self) -> dict[str, Any]:
        """Load the program and run it once. The file was just hashed, so it comes from memory."""
        from anyir.profiling.host import current_memory

        open_model = self._prepare()
        self._inputs.max()  # reads them all: their pages would count as the program's, one by one
        self._memory_before = current_memory()
        start = time.perf_counter()
        model = open_model()
        loaded = time.perf_counter()
        tile = self._tile(0)
        started = time.perf_counter()
        model(tile)
        ended = time.perf_counter()
        self._model = model
        return {
            "load_ms": 1000 * (loaded - start),
            "first_run_ms": 1000 * (ended - started),
            "accelerator": model.accelerator,
            # As counted in the loaded program, where its runtime lets it be counted.
            "counted": operators.model_dump() if (operators := getattr(model, "operators", None)) else {},
        }

    def run(self, index: int) -> dict[str, Any]:
        """One timed run, from input array to output array."""
        assert self._model is not None
        tile = self._tile(index)
        start = time.perf_counter()
        self._model(tile)
        return {"ms": 1000 * (time.perf_counter() - start)}

    def restore_all(self) -> dict[str, Any]:
        """Every tile of the set, written to the job's ``outputs``; and the memory taken by then.

        The peak is read before the outputs are gathered in memory.
        """
        from anyir.profiling.host import peak_memory

        assert self._model is not None
        peak = peak_memory() - self._memory_before
        outputs = np.empty(self._inputs.shape, np.float32)
        for index in range(len(self._inputs)):
            outputs[index] = self._model(self._tile(index))[0]
        np.save(self.job.outputs, outputs)
        return {"peak_memory_bytes": max(0, peak)}

    def _tile(self, index: int) -> Any:
        from anyir.conversion.samples import as_input

        return as_input(self._inputs[index % len(self._inputs)])

    def _prepare(self) -> Any:
        """Check the file and import its runtime; returns what then loads it."""
        path = Path(self.job.path)
        if path.suffix == ".safetensors":
            import torch  # noqa: F401  (the runtime of this row)

            from anyir.model.checkpoint import load_weights
            from anyir.model.restore.restorer import TorchModel

            return lambda: TorchModel(load_weights(path), threads=self.job.threads)
        from anyir.conversion.manifest import verify_artifact
        from anyir.conversion.runtimes import import_runtime, load_artifact

        manifest = verify_artifact(path)
        import_runtime(manifest)
        return lambda: load_artifact(path, manifest, threads=self.job.threads)


def serve(session: Session, requests: TextIO, answers: TextIO) -> None:
    """Answer requests, ``{"do": method, **arguments}`` a line, until there are no more."""
    from anyir.conversion.runtimes import Unsupported

    for line in requests:
        request = json.loads(line)
        method = getattr(session, request.pop("do"))
        try:
            answer = method(**request)
        except Unsupported as error:
            answer = {"error": str(error), "unsupported": True}
        except UserError as error:
            answer = {"error": str(error)}
        except MemoryError:
            answer = {"error": "not enough memory"}
        except Exception as error:  # of whatever library runs the program: it becomes the row's reason
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(Session(Job(**json.loads(sys.argv[1]))), sys.stdin, answers)


if __name__ == "__main__":
    main()
