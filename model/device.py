"""Where PyTorch computes: one choice for restoring, evaluating, measuring and training."""

from __future__ import annotations

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
