"""What two entries cost beside the one program that they replace, in which each tile judges by itself.

    python -m anyir.profiling.one_program build/artifacts/small_*_fp32_256x256.{pte,tflite} --weights small

Builds the one program for each artifact, then runs all in turn, each in a process of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from anyir.conversion import contract
from anyir.conversion.artifact import import_runtime, load_artifact
from anyir.conversion.base import THREADS, Promise
from anyir.model.errors import UserError
from anyir.model.files import write_atomically
from anyir.model.processes import end_with_parent, log_output, start_process

if TYPE_CHECKING:
    from anyir.conversion.manifest import Manifest

BACKENDS = {"executorch": "xnnpack", "litert": "cpu"}
ONE = "one program"


def build_one(artifact: Path, manifest: Manifest, weights: Path, folder: Path) -> Path:
    """The whole network as one float32 program, made with the tools and settings of an artifact's runtime.

    One that is in ``folder`` already, of the same weights, tile and code, is kept.

    Raises:
        UserError: the artifact is not float32, of other weights, or of a runtime that this cannot build for.
    """
    from anyir.conversion.digest import code_sha256
    from anyir.model.checkpoint import load_weights
    from anyir.model.files import sha256

    if manifest.runtime not in BACKENDS or manifest.precision != "fp32":
        due = " or ".join(BACKENDS)
        raise UserError(f"{artifact.name} is {manifest.runtime} {manifest.precision}; {due} fp32 is due")
    if manifest.source.sha256 != sha256(weights):
        raise UserError(f"{artifact.name} was made from other weights than {weights.name}")
    if manifest.restore_size is not None:
        raise UserError(f"{artifact.name} takes tiles of {manifest.tile_size}; square ones are due")
    path = folder / f"one_{manifest.tile}_{manifest.source.sha256[:8]}_{code_sha256()[:8]}{artifact.suffix}"
    if path.exists():
        return path
    import torch

    from anyir.model.deploy.network import to_deploy

    deployed = to_deploy(load_weights(weights), manifest.tile, manifest.tile)
    example = torch.zeros(contract.shape(manifest.tile))
    if manifest.runtime == "executorch":
        from anyir.conversion.executorch.exporter import lower, whole_graph_partitioner
        from anyir.conversion.executorch.xnnpack_layout import free_rows

        with free_rows():
            programs = {"forward": torch.export.export(deployed, (example,))}
            data = lower(programs, whole_graph_partitioner()).data
    else:
        from anyir.conversion.litert.exporter import to_litert

        data = to_litert({"forward": (deployed, {contract.INPUT: example})})
    write_atomically(path, data)
    return path


def load_one(path: Path, runtime: str) -> Callable[[Any], Any]:
    """What runs a program of one entry on a tile, with as many copies as an artifact's runner makes."""
    if runtime == "executorch":
        import torch
        from executorch.runtime import Runtime

        program = Runtime.get().load_program(path)
        forward = program.load_method("forward")
        return lambda tile: (forward.execute([torch.from_numpy(tile)])[0].numpy(), program)[0]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
    interpreter.allocate_tensors()
    [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(tile: Any) -> Any:
        interpreter.set_tensor(taken["index"], tile)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return run


def serve(connection: Connection, path: Path, runtime: str, promise: Promise | None, log: Path) -> None:
    """Load a program and run its entries whenever it is asked: sends milliseconds by entry, and peak memory.

    Receives the tile's shape, then True for each time, then False.
    """
    from anyir.model.device import peak_memory
    from anyir.profiling.environment import current_memory

    end_with_parent()
    log_output(log)
    import_runtime(runtime, BACKENDS[runtime])
    tile = np.random.default_rng(0).random(connection.recv(), dtype=np.float32)
    before = current_memory()
    if promise is None:
        one = load_one(path, runtime)
        runs: dict[str, Callable[[], Any]] = {ONE: lambda: one(tile)}
    else:
        model = load_artifact(path, promise, both=True)
        own = model.look(tile)
        runs = {
            contract.RESTORE: lambda: model.restore(tile, own),
            contract.LOOK: lambda: model.look(tile),
        }
    while connection.recv():
        taken = {}
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            taken[name] = 1000 * (time.perf_counter() - start)
        connection.send((taken, peak_memory() - before))


@dataclass
class Form:
    """One program, how long its entries took each time in ms, and its peak memory in bytes.

    Attributes:
        of: the artifact whose program it is, or whose two entries it computes in one.
        promise: None for one program.
    """

    of: Manifest
    path: Path
    promise: Promise | None
    samples: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0

    def start(self, log: Path) -> tuple[BaseProcess, Connection]:
        variables = {"OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "PASSIVE"}
        process, pipe = start_process(
            serve, self.path, self.of.runtime, self.promise, log, variables=variables
        )
        pipe.send(contract.shape(self.of.tile))
        return process, pipe

    def run(self, pipe: Connection, *, counts: bool) -> None:
        pipe.send(True)
        taken, self.memory = pipe.recv()
        for name, ms in taken.items() if counts else ():
            self.samples.setdefault(name, []).append(ms)


def measure(artifacts: list[Path], weights: str | None, folder: Path, runs: int) -> None:
    """Build, run in turn, and print medians and fastest runs in ms, peak memory and size in MB."""
    from anyir.conversion.manifest import verify_artifact
    from anyir.model.checkpoint import find_weights

    forms: list[Form] = []
    for path in artifacts:
        manifest = verify_artifact(path)
        one = build_one(path, manifest, find_weights(weights), folder)
        forms += [Form(manifest, one, None), Form(manifest, path, Promise.of(manifest))]
    with tempfile.TemporaryDirectory() as logs, ExitStack() as stack:
        pipes = []
        for i, form in enumerate(forms):
            process, pipe = form.start(Path(logs) / f"{i}.log")
            stack.callback(process.terminate)
            pipes.append(pipe)
        for index in range(runs + 2):  # two that do not count
            first = index % len(forms)
            for i in [*range(first, len(forms)), *range(first)]:
                forms[i].run(pipes[i], counts=index >= 2)
    medians = {form.of.name: median(form.samples[ONE]) for form in forms if form.promise is None}
    for form in forms:
        for name, values in form.samples.items():
            share = median(values) / medians[form.of.name]
            print(f"{form.of.name} {name}: {median(values):.1f} ms ({min(values):.1f}), {share:.3f} of {ONE}")
        what, size = ONE if form.promise is None else "both entries", form.path.stat().st_size / 1e6
        print(f"{form.of.name} {what}: peak memory {form.memory / 1e6:.0f} MB, file {size:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("artifacts", nargs="+", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--folder", type=Path, default=Path("build/one_program"))
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    try:
        measure(given.artifacts, given.weights, given.folder, given.runs)
    except UserError as error:
        sys.exit(f"one_program: {error}")
