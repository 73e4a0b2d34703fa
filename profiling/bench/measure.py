"""Running programs in turn, each in a process of its own, beside this machine's own matrix products.

The products say what the processor could do at that moment: a program's share of their rate means more than
its milliseconds, which other work on the machine stretches.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from anyir.model.errors import UserError
from anyir.model.processes import end_with_parent, log_output, start_process
from anyir.profiling.bench.programs import Program

GEMM = {"gemm fp32": (1024, 1024, 1024), "gemm int8": (1024, 1024, 1024)}
"""Products that are timed beside the programs: rows, columns and depth."""
WARM_UPS = 2
TOLERANCE = {"fp32": 1e-3, "int8": 0.1, "mixed": 0.1}
"""By precision: how far a program's output may be from PyTorch's, of its range. In 8 bits what is rounded
to the next step in one of both may be several steps off at the end."""
PATIENCE_S = 600
"""Most seconds until a process has loaded its program, or run it."""


def measure(
    programs: list[Program], *, runs: int, threads: int, say: Callable[[int], None]
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Milliseconds of each run, by the program's name, and of the products in ``GEMM``.

    Round after round each runs once; who begins changes. With one thread it is processor time, which leaves
    out the time in which other work has the core; with several it is the clock's, as their processor time
    says nothing of how well they share the work.

    Args:
        threads: of each program. Processes inherit which cores this one may use.
        say: called with the number of rounds that are done.

    Returns:
        The samples; and why some programs have none: they do not load, or do not compute what PyTorch does.

    Raises:
        UserError: a product cannot be prepared, or a program that had run fails.
    """
    samples: dict[str, list[float]] = {}
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as logs, ExitStack() as stack:
        pipes: dict[str, Connection] = {}
        work: list[tuple[str, Any]] = [(program.name, program) for program in programs]
        work += [(name, name) for name in GEMM]
        for i, (name, what) in enumerate(work):
            log = Path(logs) / f"{i}.log"
            variables = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
            process, pipe = start_process(serve, what, threads, log, variables=variables)
            stack.callback(process.kill)
            try:
                _hear(pipe, name)  # one after the other: loading takes memory
            except UserError as error:
                if name in GEMM:
                    raise
                refused[name] = str(error).removeprefix(f"{name}: ")
                process.kill()
            else:
                pipes[name] = pipe
        work = [(name, what) for name, what in work if name in pipes]
        for index in range(runs + WARM_UPS):
            first = index % len(work)
            for name, _ in [*work[first:], *work[:first]]:
                pipes[name].send(True)
                taken = _hear(pipes[name], name)
                if index >= WARM_UPS:
                    samples.setdefault(name, []).append(taken)
            say(index + 1)
    return samples, refused


def _hear(pipe: Connection, name: str) -> Any:
    try:
        if pipe.poll(PATIENCE_S):
            said = pipe.recv()
            if isinstance(said, str):
                raise UserError(f"{name}: {said}")
            return said
    except (EOFError, ConnectionError) as error:
        raise UserError(f"{name}: its process ended (is there enough memory?)") from error
    raise UserError(f"{name} took more than {PATIENCE_S} s")


def serve(connection: Connection, what: Program | str, threads: int, log: Path) -> None:
    """Load a program, or prepare a product; then run it whenever True comes, and send milliseconds.

    Sends 0 once it is ready, or a line that says why it is not.
    """
    end_with_parent()
    log_output(log)
    try:
        run = _product(what, threads) if isinstance(what, str) else load(what, threads)
        if isinstance(what, Program):
            check_outputs(what, run())
    except (RuntimeError, ValueError, OSError, UserError) as error:
        connection.send(" ".join(str(error).split())[:200] or type(error).__name__)
        return
    connection.send(0.0)
    clock = time.process_time if threads == 1 else time.perf_counter
    while connection.recv():
        start = clock()
        run()
        connection.send(1000 * (clock() - start))


def _product(name: str, threads: int) -> Callable[[], Any]:
    """A matrix product of ``GEMM`` by PyTorch's library."""
    import torch

    torch.set_num_threads(threads)
    rows, columns, depth = GEMM[name]
    if name.endswith("int8"):
        left = torch.randint(-128, 128, (rows, depth), dtype=torch.int8)
        right = torch.randint(-128, 128, (depth, columns), dtype=torch.int8)
        return lambda: torch._int_mm(left, right)
    left, right = torch.rand(rows, depth), torch.rand(depth, columns)
    return lambda: left @ right


def check_outputs(program: Program, outputs: list[Any]) -> None:
    """Raise where a program does not compute what PyTorch does: its time would say nothing.

    Raises:
        UserError: how far it is off.
    """
    due = program.load_arrays()[1]
    if len(outputs) != len(due):
        raise UserError(f"{len(outputs)} outputs; PyTorch gives {len(due)}")
    for output, wanted in zip(map(np.asarray, outputs), due, strict=True):
        error = np.abs(output - wanted).max() / max(1e-12, np.abs(wanted).max())
        if not error < TOLERANCE[program.precision]:
            raise UserError(f"an output is {error:.2g} of its range from PyTorch's")


def load(program: Program, threads: int) -> Callable[[], list[Any]]:
    """What runs a program on one tile and gives its outputs.

    Raises:
        RuntimeError, ValueError: its runtime refuses it.
    """
    values = program.load_arrays()[0]
    if program.runtime == "executorch":
        import torch

        method, tensors = load_executorch(program.file, threads), [torch.from_numpy(v) for v in values]
        return lambda: list(method.execute(tensors))
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(program.file), num_threads=threads)
    interpreter.allocate_tensors()
    # Sorted by name they are in order: the image, then the statistics.
    taken = sorted(interpreter.get_input_details(), key=lambda about: str(about["name"]))

    def run() -> list[Any]:
        for about, value in zip(taken, values, strict=True):
            interpreter.set_tensor(about["index"], value)
        interpreter.invoke()
        return [interpreter.get_tensor(about["index"]) for about in interpreter.get_output_details()]

    return run


def load_executorch(path: Path, threads: int, **options: Any) -> Any:
    """A program's one method, which keeps its program alive."""
    from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
    from executorch.runtime import Runtime

    _unsafe_reset_threadpool(threads)
    loaded = Runtime.get().load_program(path, **options)
    method = loaded.load_method("forward")
    method.kept = loaded
    return method


def operator_times(program: Program, threads: int, runs: int) -> dict[str, float]:
    """Median milliseconds of an ExecuTorch program's operators by kind, as XNNPACK reports them itself.

    Reporting takes time too: the sum is more than what the program takes alone.

    Raises:
        UserError: the process that asks for them fails.
    """
    with tempfile.TemporaryDirectory() as logs:
        process, pipe = start_process(report_operators, program, threads, runs, Path(logs) / "log")
        try:
            times: dict[str, float] = _hear(pipe, f"{program.name}, by operator,")
        finally:
            process.kill()
    return times


def report_operators(connection: Connection, program: Program, threads: int, runs: int, log: Path) -> None:
    """Run a program that reports its operators, and send what ``operator_times`` returns."""
    end_with_parent()
    log_output(log)
    connection.send(_read_operators(program, threads, runs))


def _read_operators(program: Program, threads: int, runs: int) -> dict[str, float]:
    import warnings

    import torch
    from executorch.devtools import Inspector

    inputs = [torch.from_numpy(value) for value in program.load_arrays()[0]]
    method = load_executorch(program.file, threads, enable_etdump=True)
    for _ in range(runs):
        method.execute(inputs)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dump = os.path.join(folder, "etdump")
        method.kept.write_etdump_result_to_file(dump, os.path.join(folder, "debug"))
        events = [event for block in Inspector(etdump_path=dump).event_blocks for event in block.events]
    times: dict[str, float] = {}
    for event in events:
        if not event.is_delegated_op or event.perf_data is None:
            continue
        kind = str(event.name).rpartition(" #")[0] or str(event.name)
        times[kind] = times.get(kind, 0.0) + median(event.perf_data.raw)
    return times
