import os
import signal

import numpy as np
import pytest

from anyir.profiling.benchmark import Progress, Run, Settings, latency, measure_in_turn
from anyir.profiling.candidates import Candidate
from anyir.profiling.reference import WEIGHTS_FILE
from anyir.profiling.statistics import percentile
from anyir.profiling.worker import Job
from anyir.profiling.worker_process import WorkerError, WorkerProcess


@pytest.fixture
def start(reference, tmp_path):
    """Starts workers and ends them after the test."""
    workers = []

    def starter(path=None):
        job = Job(
            path=str(path or reference.folder / WEIGHTS_FILE),
            inputs=str(reference.folder / "inputs.npy"),
            outputs=str(tmp_path / f"{len(workers)}.npy"),
            threads=1,
        )
        workers.append(WorkerProcess(job))
        return workers[-1]

    yield starter
    for worker in workers:
        worker.close()
        assert worker.process.poll() is not None


def test_a_worker_loads_runs_and_restores(start, reference):
    worker = start()
    loaded = worker.request("load", limit_s=120)
    assert loaded["load_ms"] > 0
    assert loaded["first_run_ms"] > 0
    assert loaded["accelerator"] == "PyTorch CPU"
    assert worker.request("run", limit_s=60, index=1000)["ms"] > 0
    answer = worker.request("restore_all", limit_s=120)
    # The weights alone have 0.4 MB; torch itself, which takes hundreds, is not counted.
    assert 4e5 < answer["peak_memory_bytes"] < 3e8
    np.testing.assert_allclose(np.load(worker_outputs(worker)), reference.array("outputs"), atol=1e-4)


def worker_outputs(worker):
    import json

    return json.loads(worker.process.args[-1])["outputs"]


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
    assert worker.process.wait(timeout=10) == -signal.SIGKILL


def test_what_a_program_raises_is_an_answer_and_no_crash(start, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"junk")
    worker = start(tmp_path / "bad.safetensors")
    with pytest.raises(WorkerError, match="not a readable safetensors file"):
        worker.request("load", limit_s=120)
    assert worker.process.poll() is None


def candidate(name):
    return Candidate(name, None, None, "pytorch", "cpu", "fp32")


@pytest.mark.slow
def test_one_that_crashes_drops_out_and_the_others_go_on(start):
    runs = [Run(candidate(name), worker=start()) for name in ("first", "second", "third")]
    for run in runs:
        run.loaded = run.ask("load", 120)
    order = []

    def step(what):
        order.append(what)
        if what == "run 3 of second":
            os.kill(runs[1].worker.process.pid, signal.SIGSEGV)
            runs[1].worker.process.wait()

    measure_in_turn(runs, Settings(runs=4, warmups=1, threads=1), Progress(step=step))
    assert [len(run.samples_ms) for run in runs] == [4, 0, 4]
    assert "SIGSEGV" in runs[1].error
    assert runs[0].alive
    assert runs[2].alive
    # A round has one run of each, and each round starts with another.
    assert order[:6] == [f"run 1 of {n}" for n in ("first", "second", "third")] + [
        f"run 2 of {n}" for n in ("second", "third", "first")
    ]


def test_latency_keeps_every_sample_in_order():
    samples = [5.0004, 1.0, 3.0, 2.0]
    result = latency(samples, warmups=2)
    assert result.samples_ms == [5.0, 1.0, 3.0, 2.0]
    assert (result.n, result.warmups) == (4, 2)
    assert result.p50_ms == 2.5
    assert result.p90_ms == pytest.approx(percentile(samples, 90), abs=1e-3)
