"""Where PyTorch computes, one choice for restoring, evaluating, measuring and training; and its memory."""

from __future__ import annotations

import re
import sys
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
