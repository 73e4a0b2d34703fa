"""What the trainer says of its speed. The GPU's streams and events are played by stand-ins here."""

from contextlib import contextmanager

import pytest
import torch

from anyir.model.training import loader as loader_module
from anyir.model.training import logger
from anyir.model.training.loader import CudaLoader, Loader
from anyir.model.training.logger import Throughput


class FakeTensor:
    def __init__(self, step):
        self.step, self.streams = step, []

    def __getitem__(self, rows):
        self.rows = rows
        return self

    def record_stream(self, stream):
        self.streams.append(stream)


class FakeDevice:
    """A GPU of two streams: each has the time at which its queued work ends."""

    def __init__(self):
        self.ends = {"training": 0.0, "side": 0.0}
        self.current = "training"

    def work(self, milliseconds):
        self.ends[self.current] += milliseconds

    def sampler(self, step, rows):
        self.work(30)
        return FakeTensor(step)[rows], FakeTensor(step)[rows]

    def make_stream(self, *, priority):
        assert priority < 0  # goes first
        return FakeStream(self, "side")

    def current_stream(self):
        return FakeStream(self, self.current)

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream.name
        yield
        self.current = before

    def event(self, *, enable_timing):
        assert enable_timing
        return FakeEvent(self)


class FakeStream:
    def __init__(self, device, name):
        self.device, self.name = device, name

    def wait_stream(self, other):
        ends = self.device.ends
        ends[self.name] = max(ends[self.name], ends[other.name])


class FakeEvent:
    def __init__(self, device):
        self.device = device

    def record(self):
        self.time = self.device.ends[self.device.current]

    def synchronize(self):
        pass

    def elapsed_time(self, later):
        return later.time - self.time


@pytest.fixture
def device(monkeypatch):
    device = FakeDevice()
    for name, fake in (
        ("Stream", device.make_stream), ("Event", device.event),
        ("stream", device.stream), ("current_stream", device.current_stream),
    ):  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, fake)
    return device


def test_the_next_batch_is_made_beside_the_present_step(device):
    """Making takes 30 ms and a step 100: only the first batch is waited for."""
    batches = CudaLoader(device.sampler, slice(2, 4))
    for step in range(5):
        degraded, clean = batches.take(step)
        assert degraded.step == clean.step == step
        assert degraded.rows == slice(2, 4)
        assert [s.name for s in degraded.streams] == ["training"]
        device.work(100)
        batches.prepare(step + 1)
    assert batches.waited() == pytest.approx(0.030)
    assert batches.waited() == 0


def test_a_device_that_is_faster_than_its_batches_waits(device):
    """Steps of 10 ms: 30 for the first batch, then 20 for every further one."""
    batches = CudaLoader(device.sampler, slice(0, 4))
    for step in range(5):
        batches.take(step)
        device.work(10)
        batches.prepare(step + 1)
    assert batches.waited() == pytest.approx(0.030 + 4 * 0.020)


def test_a_checkpoint_or_a_validation_is_no_wait_for_data(device):
    batches = CudaLoader(device.sampler, slice(0, 4))
    batches.take(0)
    batches.prepare(1)
    batches.waited()
    device.work(5000)  # a validation
    batches.take(1)
    assert batches.waited() == 0


def test_a_prepared_batch_of_another_step_is_not_used(device):
    batches = CudaLoader(device.sampler, slice(0, 4))
    batches.prepare(1)
    assert batches.take(7)[0].step == 7


def test_on_a_cpu_the_making_is_the_wait(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(loader_module.time, "perf_counter", lambda: now[0])

    def sampler(step, rows):
        now[0] += 2.0
        return torch.zeros(4, 3, 8, 8)[rows], torch.zeros(4, 3, 8, 8)[rows]

    batches = Loader(sampler, slice(1, 3))
    assert [len(half) for half in batches.take(0)] == [2, 2]
    batches.take(1)
    assert batches.waited() == 4.0
    assert batches.waited() == 0.0


def test_the_first_window_is_not_counted(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(logger.time, "perf_counter", lambda: now[0])
    meter = Throughput()
    for seconds in (100.0, 2.0, 3.0):
        meter.begin_window()
        now[0] += seconds
        rate, waiting = meter.end_window(samples=10, waited=0.5)
        now[0] += 50.0  # a validation
        if seconds == 100.0:
            assert meter.totals() == (0.1, 0.005)  # all there is
    assert (rate, waiting) == (pytest.approx(10 / 3), pytest.approx(0.5 / 3))
    assert meter.totals() == (pytest.approx(20 / 5), pytest.approx(1 / 5))
