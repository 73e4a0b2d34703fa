"""torch.compile for training, block by block."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from anyir.model.network import DAB


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


def _block(module: DAB, x: Tensor) -> Tensor:
    # Laid out as the input, so that the next block of the level needs no program of its own. Without this
    # ``small`` and ``anyir`` together came to torch's limit of eight programs on a GPU, and not on a CPU.
    return DAB.forward(module, x).contiguous(memory_format=torch.channels_last)
