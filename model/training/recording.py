"""A step of training on a GPU, recorded once and then replayed as a whole."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

EAGER_STEPS = 3
"""Before the recording: optimizers make their state, libraries choose kernels and plan transforms."""

Learn = Callable[[Tensor, Tensor], Tensor]
"""(degraded, clean) -> loss, after a step of the optimizers."""


class RecordedStep:
    """Calls ``learn`` a few times, then replays what it does to the GPU as a CUDA graph.

    A step launches thousands of small kernels; on an H200 the CPU took two to four times as long to launch
    them as the GPU to run them (docs/train.md). Replaying takes one launch.

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
