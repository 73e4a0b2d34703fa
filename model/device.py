"""Where PyTorch computes, one choice for restoring, evaluating, measuring and training; and its memory."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def choose_device() -> torch.device:
    """The accelerator that torch finds (CUDA, Apple's GPU as ``mps``, XPU ...), else the CPU."""
    import torch

    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def device_label(device: torch.device) -> str:
    """What runs, as the user reads it: ``PyTorch CUDA (NVIDIA H200)``, ``PyTorch CPU``."""
    import torch

    if device.type == "cuda":
        return f"PyTorch CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "PyTorch MPS (Apple GPU)"
    return f"PyTorch {device.type.upper()}"


def out_of_memory(error: RuntimeError) -> bool:
    """Whether torch asked for memory and got none; its allocator for the CPU has no error of its own."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def peak_memory() -> int:
    """Bytes of memory that this process has had resident at most, so far.

    On Linux this is VmHWM; ``ru_maxrss`` there would include what the parent had when it forked.
    """
    status = Path("/proc/self/status")
    if status.is_file() and (match := re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)):
        return int(match.group(1)) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes


# Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_BY_DEFAULT = {_TRIM_THRESHOLD: 128 * 1024, _TOP_PAD: 128 * 1024, _MMAP_MAX: 65536, _ARENA_MAX: 0}
# One arena for all threads: with one each, every thread would keep what its own largest tile took.
_KEEPING = {_TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**28, _MMAP_MAX: 0, _ARENA_MAX: 1}


@contextmanager
def keep_freed_memory() -> Iterator[bool]:
    """Let the process keep what it frees, until the end of the ``with``.

    A tile and a training step allocate hundreds of large tensors. By default glibc asks the kernel for each
    of them and gives it back, and the kernel clears every page anew: a fifth of the time of restoring a photo
    on a CPU, a quarter of a compiled step (docs/lab/speed.md). What is kept is the memory of the largest
    tile or step so far, which the next one needs too.

    Yields:
        Whether it does; False without glibc's allocator (macOS, Windows, musl).
    """
    mallopt = _mallopt()
    try:
        yield mallopt is not None and _set(mallopt, _KEEPING)
    finally:
        if mallopt is not None:
            _set(mallopt, _BY_DEFAULT)
            give_back_memory()


def give_back_memory() -> None:
    """Give the kernel back what the process has freed and kept; nothing without glibc's allocator."""
    if _mallopt() is not None:
        ctypes.CDLL(None).malloc_trim(0)


def _mallopt() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none


def _set(mallopt: Callable[[int, int], int], values: dict[int, int]) -> bool:
    done = [mallopt(parameter, value) == 1 for parameter, value in values.items()]
    return all(done)
