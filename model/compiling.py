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
    # On a GPU the output lay in memory otherwise than the input, and a level's next block needed a program
    # of its own: seven for ``small``.
    return DAB.forward(module, x).contiguous(memory_format=torch.channels_last)
