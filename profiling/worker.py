"""A program in a process of its own: its memory is its own, and its crash ends nothing else.

``Worker`` is the parent's side, with time limits; ``serve`` is what the process runs. Requests are methods of
``Session`` by name, with their arguments.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.model.errors import UserError
from anyir.model.processes import end_with_parent, log_output, start_process

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from anyir.model.restore.tile_models import LookModel

LOAD_LIMIT_S = 600.0
RUN_LIMIT_S = 300.0


@dataclass(frozen=True)
class Program:
    """What one worker runs.

    Attributes:
        path: an artifact, or PyTorch weights (``.safetensors``).
        inputs: the reference's ``inputs.npy``.
        outputs: where to write what the program makes of them, (N, 3, H, W) float32.
        log: where to write what the process prints, its libraries' output included.
        threads: CPU threads.
        sheet: side of the sheets that inputs are judged by; None: each is its own.
    """

    path: Path
    inputs: Path
    outputs: Path
    log: Path
    threads: int
    sheet: int | None = None


class WorkerError(Exception):
    """Why a worker gave no figures; ``unsupported`` if this machine cannot run such a program at all."""

    def __init__(self, message: str, *, unsupported: bool = False) -> None:
        super().__init__(" ".join(message.split()))
        self.unsupported = unsupported


class Worker:
    """One running worker.

    CUDA is hidden from it: the PyTorch row is the processor's baseline for the programs. What Core ML runs on
    it chooses itself.
    """

    def __init__(self, program: Program) -> None:
        self._log = program.log
        variables = {
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": str(program.threads),
            "OMP_WAIT_POLICY": "PASSIVE",  # a worker that waits must not spin while another is timed
        }
        self.process, self._connection = start_process(serve, program, variables=variables)

    def request(self, do: str, *, limit_s: float, **arguments: Any) -> dict[str, Any]:
        """Ask for one thing and wait for the answer.

        Args:
            do: a method of ``Session``.
            limit_s: seconds after which the worker is ended.

        Raises:
            WorkerError: it answered with an error, crashed, or took too long.
        """
        try:
            self._connection.send((do, arguments))
            if not self._connection.poll(limit_s):
                self.process.kill()
                raise WorkerError(f"no answer to {do} in {limit_s:g} s")
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerError(self._how_it_ended()) from error
        if "error" in answer:
            raise WorkerError(answer["error"], unsupported=answer.get("unsupported", False))
        return answer

    def close(self) -> None:
        """End the process and wait for it."""
        self._connection.close()  # its loop ends
        self.process.join(timeout=10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _how_it_ended(self) -> str:
        self.process.join()
        code = self.process.exitcode or 0
        how = f"with exit code {code}"
        if code < 0:
            how = f"by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                how += ", perhaps for want of memory"
        printed = self._log.read_text(errors="replace") if self._log.exists() else ""
        lines = printed.strip().splitlines()
        return f"the process ended {how}{': ' + lines[-1][:300] if lines else ''}"


class Session:
    """A worker's state: the model, once loaded, and the inputs. Requests are its public methods."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._inputs = np.load(program.inputs, mmap_mode="r")
        self._model: LookModel | None = None
        self._statistics: Any = None
        self._memory_before = 0

    def load(self) -> dict[str, Any]:
        """Load the program and run both entries once. The file was just hashed, so it comes from memory."""
        from anyir.profiling.environment import current_memory

        open_model = self._prepare()
        self._inputs.max()  # reads them all: their pages would count as the program's, one by one
        self._memory_before = current_memory()
        model, load_ms = timed(open_model)
        tile, sheet = self._tile(0), self._sheet(0)
        self._model = model
        self._statistics, first_look_ms = timed(model.look, sheet)
        _, first_run_ms = timed(model.restore, tile, self._statistics)
        return {
            "load_ms": load_ms,
            "first_look_ms": first_look_ms,
            "first_run_ms": first_run_ms,
            "accelerator": model.accelerator,
        }

    def run(self, index: int) -> dict[str, Any]:
        """One timed run of each entry, from input arrays to output arrays.

        The tile comes first, with the statistics of the round before: in a photo, tiles follow tiles.
        """
        assert self._model is not None
        tile, sheet = self._tile(index), self._sheet(index)
        _, ms = timed(self._model.restore, tile, self._statistics)
        self._statistics, look_ms = timed(self._model.look, sheet)
        return {"ms": ms, "look_ms": look_ms}

    def restore_all(self) -> dict[str, Any]:
        """Every tile of the set with its own statistics, written to the program's ``outputs``; the memory
        taken by then, and what the backend took of each entry.

        The peak is read before the outputs are gathered in memory and the operators are counted.
        """
        from anyir.model.device import peak_memory

        model = self._model
        assert model is not None
        peak = peak_memory() - self._memory_before
        outputs = np.empty(self._inputs.shape, np.float32)
        for index in range(len(self._inputs)):
            outputs[index] = model.restore(self._tile(index), model.look(self._sheet(index)))[0]
        np.save(self.program.outputs, outputs)
        # As counted in the loaded program, where its runtime lets it be counted.
        counted = {entry: count.model_dump() for entry, count in getattr(model, "operators", {}).items()}
        return {"peak_memory_bytes": max(0, peak), "counted": counted}

    def _tile(self, index: int) -> Any:
        from anyir.conversion.samples import as_input

        return as_input(self._inputs[index % len(self._inputs)])

    def _sheet(self, index: int) -> Any:
        from anyir.model.restore.look import own_sheet

        tile = self._tile(index)
        return tile if self.program.sheet is None else own_sheet(tile, self.program.sheet)

    def _prepare(self) -> Any:
        """Check the file and import its runtime; returns what then loads it."""
        path, threads = self.program.path, self.program.threads
        if path.suffix == ".safetensors":
            import torch  # noqa: F401  (the runtime of this row)

            from anyir.model.checkpoint import load_weights
            from anyir.model.restore.tile_models import TorchModel

            return lambda: TorchModel(load_weights(path), threads=threads)
        from anyir.conversion.artifact import import_runtime, load_artifact
        from anyir.conversion.base import Promise
        from anyir.conversion.manifest import verify_artifact

        manifest = verify_artifact(path)
        import_runtime(manifest.runtime, manifest.backend)
        return lambda: load_artifact(path, Promise.of(manifest), threads=threads, both=True)


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What a call returns, and its milliseconds."""
    start = time.perf_counter()
    result = function(*arguments)
    return result, 1000 * (time.perf_counter() - start)


def serve(connection: Connection, program: Program) -> None:
    """Answer requests, ``(method of Session, arguments)``, until the parent closes the connection."""
    end_with_parent()
    log_output(program.log)
    session = Session(program)
    while True:
        try:
            do, arguments = connection.recv()
        except EOFError:
            return
        connection.send(answer(session, do, arguments))


def answer(session: Session, do: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a request returns, or why it failed."""
    from anyir.conversion.base import Unsupported

    try:
        return getattr(session, do)(**arguments)
    except Unsupported as error:
        return {"error": str(error), "unsupported": True}
    except UserError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "not enough memory"}
    except Exception as error:  # of whatever library runs the program: it becomes the row's reason
        return {"error": f"{type(error).__name__}: {error}"}
