"""What all tests share: one thread, the mark ``slow``, and artifacts of the tiny network, built once."""

import os

# Before torch is imported. These networks are too small for two threads, whose waiting for each other takes
# minutes on a busy machine; two workers have the two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pathlib import Path

import pytest

from tests.helpers.command_line import anyir_process
from tests.helpers.made_once import made_once
from tests.helpers.tiny import TILE, save_tiny_weights

BUILT = {"tiny_artifacts", "profiled", "built", "apk"}
"""Fixtures that build programs or the app: every test with one of them is slow."""
UNMARKED_S = 3.0
"""A test that takes more of a processor, with its child processes, and is not marked is named at the end."""


@pytest.hookimpl(tryfirst=True)  # before `-m "not slow"` selects
def pytest_collection_modifyitems(items):
    for item in items:
        if not BUILT.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        if "apk" in item.fixturenames:
            item.add_marker(pytest.mark.apk)
    # Files with slow tests first, so that no worker is left alone with one at the end.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    before = sum(os.times()[:4])
    try:
        return (yield)
    finally:
        item.user_properties.append(("processor_s", sum(os.times()[:4]) - before))


def pytest_terminal_summary(terminalreporter):
    took = [
        (dict(report.user_properties)["processor_s"], report.nodeid)
        for report in terminalreporter.getreports("passed")
        if report.when == "call" and "slow" not in report.keywords
    ]
    unmarked = [
        f"{seconds:.1f} s  {test}" for seconds, test in sorted(took, reverse=True) if seconds > UNMARKED_S
    ]
    if unmarked:
        terminalreporter.section("not marked slow: make these faster, or mark them")
        terminalreporter.write_line("\n".join(unmarked))


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory) -> Path:
    """A weights file of preset ``tiny``."""
    name = "tiny.safetensors"
    return made_once(tmp_path_factory, "weights", lambda folder: save_tiny_weights(folder / name)) / name


@pytest.fixture(scope="session")
def tiny_artifacts(tiny_weights, tmp_path_factory) -> Path:
    """A folder with the tiny network's artifacts by every recipe, at 64x64, and their manifests."""

    def build(folder):
        process = anyir_process("convert", "--weights", tiny_weights, "--tile", TILE, "--out", folder)
        assert process.returncode == 0, process.stdout + process.stderr

    return made_once(tmp_path_factory, "artifacts", build)
