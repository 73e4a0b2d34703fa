"""The network that artifacts are made from: its two forms, and their outputs on the parity photos."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.samples import Case, as_input, parity_cases

if TYPE_CHECKING:
    from torch import Tensor, nn

    from anyir.model.restore.tile_models import LookModel

Array = NDArray[np.float32]


class Outputs(NamedTuple):
    """What one stage of a conversion makes of the parity photos, each of which is its own sheet.

    Attributes:
        tiles: restored, (1, 3, T, T).
        statistics: of each tile, in order; None where a stage has other statistics than the deploy form.
    """

    tiles: list[Array]
    statistics: list[list[Array]] | None = None


class Source:
    """Weights at one tile size; everything is computed when first asked for."""

    def __init__(self, weights: Path, tile: int) -> None:
        from anyir.model.checkpoint import load_weights

        self.weights, self.tile = weights, tile
        self.network = load_weights(weights)

    @cached_property
    def deployed(self) -> dict[str, nn.Module]:
        """Both entries of the deploy form."""
        from anyir.model.deploy.network import to_deploy_pair

        return dict(zip(contract.ENTRIES, to_deploy_pair(self.network, self.tile, self.tile), strict=True))

    @cached_property
    def examples(self) -> dict[str, tuple[Tensor, ...]]:
        """What each entry is exported with."""
        import torch

        image = torch.from_numpy(self.inputs[0])
        with torch.inference_mode():
            statistics = self.deployed[contract.LOOK](image)
        # Clones: what inference mode makes, torch.export does not take.
        return {contract.LOOK: (image,), contract.RESTORE: (image, *(s.clone() for s in statistics))}

    @property
    def statistic_shapes(self) -> list[tuple[int, ...]]:
        """In order."""
        return [tuple(statistic.shape) for statistic in self.examples[contract.RESTORE][1:]]

    @cached_property
    def cases(self) -> list[Case]:
        return parity_cases(self.tile)

    @cached_property
    def inputs(self) -> list[Array]:
        return [as_input(case.degraded) for case in self.cases]

    @cached_property
    def literal_outputs(self) -> Outputs:
        import torch

        with torch.inference_mode():
            return Outputs([self.network(torch.from_numpy(tile)).numpy() for tile in self.inputs])

    @cached_property
    def deployed_outputs(self) -> Outputs:
        return run_modules(self.deployed, self.inputs)


def run_modules(modules: dict[str, Any], inputs: list[Array]) -> Outputs:
    """Outputs of two PyTorch modules, the statistics of one given to the other."""
    import torch

    outputs, statistics = [], []
    with torch.inference_mode():
        for image in map(torch.from_numpy, inputs):
            own = list(modules[contract.LOOK](image))
            outputs.append(modules[contract.RESTORE](image, *own).numpy())
            statistics.append([statistic.numpy() for statistic in own])
    return Outputs(outputs, statistics)


def run_program(model: LookModel, inputs: list[Array]) -> Outputs:
    """The same of a loaded artifact."""
    outputs, statistics = [], []
    for image in inputs:
        own = model.look(image)
        outputs.append(model.restore(image, own))
        statistics.append([np.array(value) for value in own.values])
    return Outputs(outputs, statistics)
