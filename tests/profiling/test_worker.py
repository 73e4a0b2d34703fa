import os
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest

from anyir.profiling.benchmark import BenchmarkSettings, Measurement, latency, measure_in_turn
from anyir.profiling.candidates import Candidate
from anyir.profiling.reference import WEIGHTS_FILE
from anyir.profiling.worker import Program, Worker, WorkerError


@pytest.fixture
def start(reference, tmp_path):
    """Starts workers and ends them after the test."""
    workers = []

    def starter(path=None):
        program = Program(
            path=path or reference.folder / WEIGHTS_FILE,
            inputs=reference.folder / "inputs.npy",
            outputs=tmp_path / f"{len(workers)}.npy",
            log=tmp_path / f"{len(workers)}.log",
            threads=1,
        )
        workers.append(Worker(program))
        return workers[-1]

    yield starter
    for worker in workers:
        worker.close()
        assert worker.process.exitcode is not None


@pytest.mark.slow
def test_a_worker_loads_runs_and_restores(start, reference, tmp_path):
    worker = start()
    loaded = worker.request("load", limit_s=120)
    assert loaded["load_ms"] > 0
    assert loaded["first_look_ms"] > 0
    assert loaded["first_run_ms"] > 0
    assert loaded["accelerator"] == "PyTorch CPU"
    assert {name: ms > 0 for name, ms in worker.request("run", limit_s=60, index=1000).items()} == {
        "ms": True,
        "look_ms": True,
    }
    answer = worker.request("restore_all", limit_s=120)
    # The weights alone have 0.4 MB; torch itself, which takes hundreds, is not counted.
    assert 4e5 < answer["peak_memory_bytes"] < 3e8
    np.testing.assert_allclose(np.load(tmp_path / "0.npy"), reference.array("outputs"), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_killed_worker_is_an_error_that_names_the_signal(start, number):
    worker = start()
    worker.request("load", limit_s=120)
    os.kill(worker.process.pid, number)
    with pytest.raises(WorkerError, match=number.name) as caught:
        worker.request("run", limit_s=60, index=0)
    assert ("memory" in str(caught.value)) == (number == signal.SIGKILL)


def test_a_worker_that_takes_too_long_is_ended(start):
    worker = start()
    with pytest.raises(WorkerError, match=r"no answer to load in 0\.01 s"):
        worker.request("load", limit_s=0.01)
    worker.process.join(timeout=10)
    assert worker.process.exitcode == -signal.SIGKILL


@pytest.mark.slow
def test_what_a_program_raises_is_an_answer_and_no_crash(start, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"junk")
    worker = start(tmp_path / "bad.safetensors")
    with pytest.raises(WorkerError, match="not a readable safetensors file"):
        worker.request("load", limit_s=120)
    assert worker.process.is_alive()


def candidate(name):
    return Candidate(name, None, None, "pytorch", "cpu", "fp32")


@pytest.mark.slow
def test_one_that_crashes_drops_out_and_the_others_go_on(start):
    runs = [Measurement(candidate(name), worker=start()) for name in ("first", "second", "third")]
    for run in runs:
        run.loaded = run.ask("load", 120)
    order = []

    def step(what):
        order.append(what)
        if what == "run 3 of second":
            os.kill(runs[1].worker.process.pid, signal.SIGSEGV)
            runs[1].worker.process.join()

    measure_in_turn(runs, BenchmarkSettings(runs=4, warmups=1, threads=1), step)
    assert [len(run.samples_ms) for run in runs] == [4, 0, 4]
    assert [len(run.look_samples_ms) for run in runs] == [4, 0, 4]
    assert "SIGSEGV" in runs[1].error
    assert runs[0].alive
    assert runs[2].alive
    # A round has one run of each, and each round starts with another.
    assert order[:6] == [f"run 1 of {n}" for n in ("first", "second", "third")] + [
        f"run 2 of {n}" for n in ("second", "third", "first")
    ]


def test_latency_keeps_every_sample_in_order():
    result = latency([5.0004, 1.0, 3.0, 2.0], warmups=2)
    assert result.samples_ms == [5.0, 1.0, 3.0, 2.0]
    assert (result.n, result.warmups) == (4, 2)
    assert result.p50_ms == 2.5
    assert (result.p90_ms, result.p99_ms) == (4.4, 4.94)


@pytest.fixture
def at_start(tmp_path, monkeypatch):
    """Makes workers run a line of Python when they open the tiles, as a library might behind our back."""

    def arrange(line):
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(
            "import os, sys\n"
            "def hook(event, arguments):\n"
            "    if event == 'open' and str(arguments[0]).endswith('inputs.npy'):\n"
            f"        {line}\n"
            "sys.addaudithook(hook)\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    return arrange


@pytest.mark.slow
def test_what_a_library_prints_is_no_answer(at_start, start, tmp_path):
    at_start(r"os.write(1, b'\x80\x04garbage {}\n'); os.write(2, b'a warning\n')")
    worker = start()
    assert worker.request("load", limit_s=120)["accelerator"] == "PyTorch CPU"
    assert (tmp_path / "0.log").read_bytes().startswith(b"\x80\x04garbage {}\na warning\n")


def test_one_that_exits_by_itself_is_an_error_with_what_it_printed_last(at_start, start):
    at_start(r"os.write(2, b'first\nno such device\n'); os._exit(7)")
    with pytest.raises(WorkerError, match=r"^the process ended with exit code 7: no such device$"):
        start().request("load", limit_s=120)


@pytest.mark.slow
def test_no_worker_outlives_a_killed_parent(reference, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import pathlib, sys, time\n"
        "from anyir.profiling.worker import Program, Worker\n"
        "if __name__ == '__main__':\n"
        "    worker = Worker(Program(*map(pathlib.Path, sys.argv[1:]), threads=1))\n"
        "    worker.request('load', limit_s=120)\n"
        "    print(worker.process.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    files = [
        reference.folder / WEIGHTS_FILE,
        reference.folder / "inputs.npy",
        tmp_path / "o",
        tmp_path / "log",
    ]
    with subprocess.Popen([sys.executable, script, *files], stdout=subprocess.PIPE) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    gone, _ = psutil.wait_procs([worker], timeout=30)
    assert gone or worker.status() == psutil.STATUS_ZOMBIE
