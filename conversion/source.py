"""The network that artifacts are made from: its two forms, and their outputs on the parity photos."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anyir.conversion import contract
from anyir.conversion.samples import Case, as_input, calibration_pairs, parity_cases
from anyir.model.config import TileSize
from anyir.model.restore.look import own_sheet

if TYPE_CHECKING:
    from torch import Tensor, nn

    from anyir.model.network import AnyIR
    from anyir.model.restore.tile_models import SizedModel

Array = NDArray[np.float32]


class Outputs(NamedTuple):
    """What one stage of a conversion makes of the parity photos, each of which is one tile.

    Attributes:
        tiles: restored, (1, 3, H, W).
        statistics: of each tile, in order; None where a stage has other statistics than the deploy form.
    """

    tiles: list[Array]
    statistics: list[list[Array]] | None = None


class Source:
    """Weights at one tile size; everything is computed when first asked for.

    Args:
        tile: side of sheets in pixels.
        tile_size: height and width of tiles; by default as large as sheets.
        other_sizes: of tiles that one program takes, too.
    """

    def __init__(
        self,
        weights: Path,
        tile: int,
        tile_size: TileSize | None = None,
        other_sizes: tuple[TileSize, ...] = (),
    ) -> None:
        from anyir.model.checkpoint import load_weights

        self.weights, self.tile = weights, tile
        self.tile_size, self.other_sizes = tile_size or TileSize.of(tile), other_sizes
        self.network = load_weights(weights)

    @cached_property
    def deployed(self) -> dict[str, nn.Module]:
        """Both entries of the deploy form."""
        from anyir.model.deploy.network import to_deploy_pair

        pair = to_deploy_pair(self.network, self.tile, self.tile, self.tile_size)
        return dict(zip(contract.ENTRIES, pair, strict=True))

    @cached_property
    def examples(self) -> dict[str, tuple[Tensor, ...]]:
        """What each entry is exported with."""
        import torch

        image = self.inputs[0]
        sheet, tile = torch.from_numpy(own_sheet(image, self.tile)), torch.from_numpy(image)
        with torch.inference_mode():
            statistics = self.deployed[contract.LOOK](sheet)
        # Clones: what inference mode makes, torch.export does not take.
        return {contract.LOOK: (sheet,), contract.RESTORE: (tile, *(s.clone() for s in statistics))}

    @property
    def statistic_shapes(self) -> list[tuple[int, ...]]:
        """In order."""
        return [tuple(statistic.shape) for statistic in self.examples[contract.RESTORE][1:]]

    @cached_property
    def cases(self) -> list[Case]:
        return parity_cases(self.tile_size)

    @cached_property
    def inputs(self) -> list[Array]:
        return [as_input(case.degraded) for case in self.cases]

    @property
    def calibration(self) -> list[tuple[Tensor, Tensor]]:
        """Sheets and tiles that fix the ranges of static quantization."""
        return calibration_pairs(self.tile, self.tile_size)

    @cached_property
    def literal_outputs(self) -> Outputs:
        import torch

        with torch.inference_mode():
            return Outputs([literal_output(self.network, tile, self.tile).numpy() for tile in self.inputs])

    @cached_property
    def deployed_outputs(self) -> Outputs:
        return self.run(self.deployed, self.inputs)

    def run(self, modules: dict[str, Any], inputs: list[Array]) -> Outputs:
        """Outputs of two PyTorch modules of these sizes, the statistics of one given to the other."""
        import torch

        outputs, statistics = [], []
        with torch.inference_mode():
            for image in inputs:
                own = list(modules[contract.LOOK](torch.from_numpy(own_sheet(image, self.tile))))
                outputs.append(modules[contract.RESTORE](torch.from_numpy(image), *own).numpy())
                statistics.append([statistic.numpy() for statistic in own])
        return Outputs(outputs, statistics)


def literal_output(network: AnyIR, tile: Array, side: int) -> Tensor:
    """What the literal network makes of a photo that is one tile, (1, 3, H, W), on the network's device.

    Args:
        side: of its sheet. A tile that is as large is its own, and goes through the network as it is.
    """
    import torch

    device = network.patch_embed.weight.device
    image = torch.from_numpy(tile).to(device)
    sheet = own_sheet(tile, side)
    if sheet is tile:
        return network(image)
    return network(image, network.statistics(torch.from_numpy(sheet).to(device)))


def run_program(model: SizedModel, inputs: list[Array]) -> Outputs:
    """Outputs of a loaded artifact."""
    outputs, statistics = [], []
    for image in inputs:
        own = model.look(own_sheet(image, model.tile))
        outputs.append(model.restore(image, own))
        statistics.append([np.array(value) for value in own.values])
    return Outputs(outputs, statistics)
