"""The parent's side of a worker: requests with a time limit, and crashes as one line."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from anyir.profiling.worker import Job

LOAD_LIMIT_S = 600.0
RUN_LIMIT_S = 300.0


class WorkerError(Exception):
    """Why a worker gave no figures; ``unsupported`` if this machine cannot run such a program at all."""

    def __init__(self, message: str, *, unsupported: bool = False) -> None:
        super().__init__(" ".join(message.split()))
        self.unsupported = unsupported


class WorkerProcess:
    """One running worker.

    CUDA is hidden from it: the PyTorch row is the processor's baseline for the programs. What Core ML runs on
    it chooses itself.
    """

    def __init__(self, job: Job) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by ``close``)
        environment = {
            **os.environ,
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": str(job.threads),
            "OMP_WAIT_POLICY": "PASSIVE",  # a worker that waits must not spin while another is timed
        }
        self.process = subprocess.Popen(
            # -P: modules of the folder that the command is run in are not imported.
            [sys.executable, "-P", "-m", "anyir.profiling.worker", job.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
        )

    def request(self, do: str, *, limit_s: float, **arguments: Any) -> dict[str, Any]:
        """Ask for one thing and wait for the answer.

        Args:
            do: a method of ``worker.Session``.
            limit_s: seconds after which the worker is ended.

        Raises:
            WorkerError: it answered with an error, crashed, or took too long.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise WorkerError(self._how_it_ended()) from error
        answer = json.loads(self._read_line(do, limit_s))
        if "error" in answer:
            raise WorkerError(answer["error"], unsupported=answer.get("unsupported", False))
        return answer

    def close(self) -> None:
        """End the process and wait for it."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(OSError):  # it may be gone already
                self.process.stdin.close()  # the worker's loop ends
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()

    def _read_line(self, do: str, limit_s: float) -> bytes:
        assert self.process.stdout is not None
        descriptor, line = self.process.stdout.fileno(), b""
        end = time.monotonic() + limit_s
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self.process.kill()
                raise WorkerError(f"no answer to {do} in {limit_s:g} s")
            chunk = os.read(descriptor, 65536)
            if not chunk:
                raise WorkerError(self._how_it_ended())
            line += chunk
        return line

    def _how_it_ended(self) -> str:
        code = self.process.wait()
        how = f"with exit code {code}"
        if code < 0:
            how = f"by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                how += ", perhaps for want of memory"
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f"the process ended {how}{': ' + lines[-1][:300] if lines else ''}"
