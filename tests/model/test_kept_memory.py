"""On a CPU with glibc, a training step takes the memory that the one before it freed."""

import platform
import subprocess
import sys

import pytest
import torch

from anyir.model import device as allocator
from anyir.model.device import keep_freed_memory
from anyir.model.training import run as training_run
from tests.helpers.training import tiny_config

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's allocator")

# A tensor of 64 MiB, written and freed again and again.
STEPS = """
import resource, sys, torch
from contextlib import nullcontext
from anyir.model.device import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def step():
    torch.ones(2**24)

with keep_freed_memory() if sys.argv[1] == "keep" else nullcontext():
    for _ in range(20):  # aligned blocks do not fit where the last one lay at once
        step()
    before = faults()
    for _ in range(10):
        step()
    print(faults() - before)
    held = resident()
print(held - resident())
before = faults()
step()
step()
print(faults() - before)
"""


def run_steps(how):
    """Page faults of ten steps, bytes given back at the end of the ``with``, of two more steps."""
    result = subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True)
    return [int(line) for line in result.stdout.split()]


@pytest.mark.slow
@needs_glibc
def test_later_steps_take_no_pages_from_the_kernel():
    faults, given_back, later_faults = run_steps("keep")
    by_default = run_steps("by default")[0]
    assert faults < by_default / 10
    assert given_back >= 2**26
    assert later_faults > by_default / 10  # of two steps, as it was before


# Four threads, each with 32 MiB in turn.
THREADS = """
import threading
from concurrent.futures import ThreadPoolExecutor
from anyir.model.device import keep_freed_memory, peak_memory

def tile(together):
    together.wait()  # so that every thread has a turn
    with alone:
        return len(b"".join([block] * 8))

alone, together, block = threading.Lock(), threading.Barrier(4), b"1" * 2**22
with keep_freed_memory(), ThreadPoolExecutor(4) as pool:
    before = peak_memory()
    list(pool.map(tile, [together] * 4))
print(peak_memory() - before)
"""


@needs_glibc
def test_threads_keep_no_memory_of_their_own():
    result = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert 2**24 < int(result.stdout) < 1.5 * 2**25


@needs_glibc
def test_it_says_that_it_does():
    with keep_freed_memory() as keeps:
        assert keeps


@pytest.mark.parametrize("where", ["darwin", "musl"])
def test_other_allocators_are_left_alone(monkeypatch, where):
    if where == "darwin":
        monkeypatch.setattr(allocator.sys, "platform", where)
    else:
        monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    with keep_freed_memory() as keeps:
        assert not keeps


@needs_glibc
@pytest.mark.skipif(torch.cuda.is_available(), reason="training takes the GPU here")
def test_training_on_a_cpu_does(monkeypatch, tmp_path):
    """Asked while the run goes on; given back after it."""
    calls = []
    monkeypatch.setattr(allocator, "_set", lambda mallopt, values: calls.append(values) or True)
    monkeypatch.setattr(training_run, "_train", lambda *args: calls.append("training"))
    training_run.train(tiny_config(), tmp_path / "run")
    assert calls == [allocator._KEEPING, "training", allocator._BY_DEFAULT]
