"""What two entries cost beside the one program that they replace, in which each tile judges by itself.

    python -m anyir.profiling.one_program --weights small --tile 256 --runs 20

Builds both forms in float32 for ExecuTorch and LiteRT, then runs them in turn, each in a process of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from pkgutil import resolve_name
from statistics import median
from typing import Any

import numpy as np

from anyir.conversion import contract
from anyir.conversion.artifact import import_runtime, load_artifact
from anyir.conversion.base import THREADS, Promise
from anyir.conversion.manifest import Origin
from anyir.conversion.pipeline import describe_entries
from anyir.conversion.processes import end_with_parent, log_output, start_process
from anyir.conversion.runtimes import find_runtime
from anyir.conversion.source import Source

BACKENDS = {"executorch": "xnnpack", "litert": "cpu"}
ONE = "one program"


def build_pair(source: Source, runtime: str, folder: Path) -> tuple[Path, Promise]:
    """The artifact as ``anyir convert`` makes it, and what its manifest would say."""
    path = folder / f"pair{find_runtime(runtime).suffix}"
    export = resolve_name(find_runtime(runtime).exporter)(source).export("fp32", path)
    entries = describe_entries(export.operators, source.statistic_shapes, source.tile)
    return path, Promise(source.tile, entries, Origin("0" * 64, runtime, "fp32", source.tile))


def build_one(source: Source, runtime: str, folder: Path) -> Path:
    """The whole network as one program, made with the same tools and settings."""
    import torch

    from anyir.model.deploy.network import to_deploy

    deployed = to_deploy(source.network, source.tile, source.tile)
    example = source.examples[contract.LOOK]
    if runtime == "executorch":
        from anyir.conversion.executorch.exporter import lower

        data, _ = lower({"forward": torch.export.export(deployed, example)})
        path = folder / "one.pte"
    else:
        from anyir.conversion.litert.exporter import to_litert

        data = to_litert({"forward": (deployed, {contract.INPUT: example[0]})})
        path = folder / "one.tflite"
    path.write_bytes(data)
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
        model = load_artifact(path, promise)
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
    """One program, how long its entries took each time in ms, and its peak memory in bytes."""

    runtime: str
    path: Path
    promise: Promise | None
    samples: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0

    def start(self, tile: int) -> tuple[BaseProcess, Connection]:
        variables = {"OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "PASSIVE"}
        log = self.path.with_suffix(".log")
        process, pipe = start_process(serve, self.path, self.runtime, self.promise, log, variables=variables)
        pipe.send(contract.shape(tile))
        return process, pipe

    def run(self, pipe: Connection, *, counts: bool) -> None:
        pipe.send(True)
        taken, self.memory = pipe.recv()
        for name, ms in taken.items() if counts else ():
            self.samples.setdefault(name, []).append(ms)


def measure(weights: str | None, tile: int, runs: int, only: list[str]) -> None:
    """Build, run in turn, and print medians and fastest runs in ms, peak memory and size in MB."""
    from anyir.model.checkpoint import find_weights

    source = Source(find_weights(weights), tile)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        forms = []
        for runtime in only:
            forms.append(Form(runtime, build_one(source, runtime, Path(scratch)), None))
            forms.append(Form(runtime, *build_pair(source, runtime, Path(scratch))))
        pipes = []
        for form in forms:
            process, pipe = form.start(tile)
            stack.callback(process.terminate)
            pipes.append(pipe)
        for index in range(runs + 2):  # two that do not count
            first = index % len(forms)
            for i in [*range(first, len(forms)), *range(first)]:
                forms[i].run(pipes[i], counts=index >= 2)
        sizes = [form.path.stat().st_size / 1e6 for form in forms]
    medians = {form.runtime: median(form.samples[ONE]) for form in forms if form.promise is None}
    for form, size in zip(forms, sizes, strict=True):
        for name, values in form.samples.items():
            share = median(values) / medians[form.runtime]
            print(f"{form.runtime} {name}: {median(values):.1f} ms ({min(values):.1f}), {share:.3f} of {ONE}")
        what = ONE if form.promise is None else "both entries"
        print(f"{form.runtime} {what}: peak memory {form.memory / 1e6:.0f} MB, file {size:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights")
    parser.add_argument("--tile", type=int, default=256)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=list(BACKENDS), choices=list(BACKENDS))
    given = parser.parse_args()
    measure(given.weights, given.tile, given.runs, given.only)
