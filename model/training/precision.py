"""Which precision a device computes in at full speed."""

from __future__ import annotations

import torch

MIXED, FULL = "bf16-mixed", "32-true"
PRECISIONS = (MIXED, FULL)
"""Fabric's names: autocast to bfloat16 over float32 weights, or float32 alone."""


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes bfloat16 itself.

    A CPU without AVX-512 (or Arm's BF16) emulates it one number at a time. On one of AMD's third
    generation, convolutions were 9 to 11 times slower than in float32, and products of matrices 120 times.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        # What torch.compile asks, too. Builds without oneDNN, as for Macs, do not have the question.
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return True


def best_precision(device: torch.device) -> str:
    """What training takes by itself on a device."""
    return MIXED if has_bfloat16(device) else FULL
