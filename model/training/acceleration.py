"""What makes a step faster and keeps its result: precision, torch.compile, a recorded step, kept memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from anyir.model.errors import UserError
from anyir.model.network import DAB
from anyir.model.statistics import BlockStatistics

MIXED, FULL = "bf16-mixed", "32-true"
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
    """What training takes by default on a device: on CPUs bfloat16 brought nothing, where it was measured
    (docs/lab/speed.md)."""
    return MIXED if device.type != "cpu" and has_bfloat16(device) else FULL


def check_precision(device: torch.device, precision: str, *, compiles: bool, crops_per_photo: int) -> None:
    """Refuse what torch 2.13 computes wrongly: on a CPU with AVX-512's bfloat16, compiled blocks whose crops
    share statistics read memory that nobody wrote, and their gradients are 1e30 and NaN. Without compiling,
    with a photo a crop, or in float32 they are right.

    Raises:
        UserError: that is what a run would do.
    """
    if device.type == "cpu" and precision == MIXED and compiles and crops_per_photo > 1:
        raise UserError(
            f"{MIXED} with --compile gives wrong gradients on a CPU where crops share a photo; "
            f"take --precision {FULL}, which is no slower"
        )


def compile_blocks(network: nn.Module) -> None:
    """Compile every degradation adaptation block in place; the parameters stay where they are.

    Blocks of one level differ in their weights alone, so that four programs serve all blocks: ``small``
    compiles in half the time that its whole graph takes, ``anyir`` with its 44 blocks in the same. What lies
    between the blocks, single convolutions, has nothing to fuse with.
    """
    # A second level's shape would make all shapes variable; and what does not compile must not run slowly
    # without a word.
    block = torch.compile(_block, dynamic=False, fullgraph=True)
    for module in network.modules():
        if isinstance(module, DAB):
            module.forward = partial(block, module)  # type: ignore[method-assign]


def _block(module: DAB, x: Tensor, given: BlockStatistics | None = None, pool: int = 1) -> Tensor:
    # Laid out as the input, so that the next block of the level needs no program of its own. Without this
    # ``small`` and ``anyir`` together came to torch's limit of eight programs on a GPU, and not on a CPU.
    return DAB.forward(module, x, given, pool).contiguous(memory_format=torch.channels_last)


EAGER_STEPS = 3
"""Before the recording: optimizers make their state, libraries choose kernels and plan transforms."""

Learn = Callable[[Tensor, Tensor], Tensor]
"""(degraded, clean) -> loss, after a step of the optimizers."""


class RecordedStep:
    """Calls ``learn`` a few times, then replays what it does to the GPU as a CUDA graph.

    A step launches thousands of small kernels; on an H200 the CPU took two to four times as long to launch
    them as the GPU to run them (docs/guides/train.md). Replaying takes one launch.

    Args:
        learn: the same work on the same tensors at every call, but for the batch, which is copied into
            place; it must not wait for the GPU. What changes from step to step, such as the learning rate,
            it reads from tensors.
    """

    def __init__(self, learn: Learn) -> None:
        self._learn, self._eager = learn, EAGER_STEPS
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, degraded: Tensor, clean: Tensor) -> Tensor:
        """One step: the loss of these batches, which all have the shape of the first."""
        if self._eager:
            self._eager -= 1
            return self._learn(degraded, clean)
        if self._graph is None:
            self._record(degraded, clean)
        assert self._graph is not None
        for place, batch in zip(self._places, (degraded, clean), strict=True):
            place.copy_(batch)
        self._graph.replay()
        return self._loss.clone()

    def _record(self, degraded: Tensor, clean: Tensor) -> None:
        self._places = degraded.clone(), clean.clone()
        self._graph = torch.cuda.CUDAGraph()
        # Threads that read photos may use the GPU meanwhile: what they do is not part of the step.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._loss = self._learn(*self._places)
