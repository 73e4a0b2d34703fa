"""The network that artifacts are made from: its two forms, and their outputs on the parity photos."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.samples import Case, as_input, parity_cases

if TYPE_CHECKING:
    from torch import Tensor, nn

Outputs = list[NDArray[np.float32]]


class Source:
    """Weights at one tile size; everything is computed when first asked for."""

    def __init__(self, weights: Path, tile: int) -> None:
        from anyir.model.checkpoint import load_weights

        self.weights, self.tile = weights, tile
        self.network = load_weights(weights)

    @cached_property
    def deployed(self) -> nn.Module:
        from anyir.model.deploy.network import to_deploy

        return to_deploy(self.network, self.tile, self.tile)

    @cached_property
    def example(self) -> Tensor:
        import torch

        return torch.from_numpy(self.inputs[0])

    @cached_property
    def cases(self) -> list[Case]:
        return parity_cases(self.tile)

    @cached_property
    def inputs(self) -> Outputs:
        return [as_input(case.degraded) for case in self.cases]

    @cached_property
    def literal_outputs(self) -> Outputs:
        return run_module(self.network, self.inputs)

    @cached_property
    def deployed_outputs(self) -> Outputs:
        return run_module(self.deployed, self.inputs)


def run_module(module: Any, inputs: Outputs) -> Outputs:
    """Outputs of a PyTorch module, one (1, 3, T, T) array an input."""
    import torch

    with torch.inference_mode():
        outputs = [module(torch.from_numpy(tile)).numpy() for tile in inputs]
    for output in outputs:
        assert output.shape == contract.shape(output.shape[-1])
    return outputs
