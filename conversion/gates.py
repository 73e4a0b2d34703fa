"""What 8 bits may do to a picture and PSNR does not show: shift its colours, make bands of a ramp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anyir.conversion.parity import OutOfBounds
from anyir.conversion.samples import as_input, ramps
from anyir.conversion.source import run_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyir.conversion.recipes import Bounds
    from anyir.conversion.source import Source
    from anyir.model.restore.tile_models import SizedModel

Array = NDArray[np.float32]


def colour_shift(output: Array, exact: Array) -> float:
    """How far the mean of a channel moves, of 255; (1, 3, T, T) each, clamped to 0..1 as photos are."""
    moved = (np.clip(output, 0, 1) - np.clip(exact, 0, 1)).mean((2, 3))
    return 255 * float(np.abs(moved).max())


def banding(output: Array, exact: Array) -> float:
    """Largest step between neighbouring columns that an exact output does not have, of 255.

    Of a ramp from left to right, (1, 3, T, T): columns are compared by their means, clamped to 0..1.
    """
    columns = (np.clip(output, 0, 1) - np.clip(exact, 0, 1)).mean(2)  # (1, 3, T)
    return 255 * float(np.abs(np.diff(columns)).max())


def check_gates(bounds: Bounds, source: Source, tiles: Sequence[Array], model: SizedModel) -> None:
    """Refuse an artifact that shifts colours or makes bands, where its recipe bounds these.

    Args:
        tiles: its outputs on the parity photos.
        model: the loaded artifact.

    Raises:
        OutOfBounds: which of both, its value and its bound.
    """
    if bounds.colour is not None:
        for case, output, exact in zip(source.cases, tiles, source.literal_outputs.tiles, strict=True):
            shift = colour_shift(output, exact)
            if shift > bounds.colour:
                raise OutOfBounds(
                    f"colours shift by {shift:.2f} of 255 ({case.kind}); {bounds.colour:g} is the bound"
                )
    if bounds.banding is not None:
        inputs = [as_input(ramp) for ramp in ramps(source.tile_size)]
        exact_ramps = source.run(source.deployed, inputs).tiles
        worst = max(map(banding, run_program(model, inputs).tiles, exact_ramps))
        if worst > bounds.banding:
            raise OutOfBounds(
                f"a smooth ramp gets steps of {worst:.2f} of 255; {bounds.banding:g} is the bound"
            )
