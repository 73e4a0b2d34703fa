"""Keeping freed memory for the next training step on a CPU."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_BY_DEFAULT = {_TRIM_THRESHOLD: 128 * 1024, _TOP_PAD: 128 * 1024, _MMAP_MAX: 65536}
_KEEPING = {_TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**28, _MMAP_MAX: 0}


@contextmanager
def keep_freed_memory() -> Iterator[bool]:
    """Let the process keep what it frees, until the end of the ``with``.

    A training step allocates hundreds of large tensors. glibc by itself asks the kernel for each of them
    and gives it back, and the kernel clears every page anew in every step: a quarter of a compiled
    forward and backward pass (docs/train.md). What is kept is the memory of the largest step so far, which
    the next one needs too.

    Yields:
        Whether it does; False without glibc's allocator (macOS, Windows, musl).
    """
    mallopt = _mallopt()
    try:
        yield mallopt is not None and _set(mallopt, _KEEPING)
    finally:
        if mallopt is not None:
            _set(mallopt, _BY_DEFAULT)
            ctypes.CDLL(None).malloc_trim(0)


def _mallopt() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none


def _set(mallopt: Callable[[int, int], int], values: dict[int, int]) -> bool:
    done = [mallopt(parameter, value) == 1 for parameter, value in values.items()]
    return all(done)
