"""How degraded a photo is, and by what, as far as its restoration tells: from the change that was made."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from anyir.model.evaluation.photo_figures import PhotoFigures, change, measure_photo

NEEDED_DB = 36.0
"""A photo that comes back nearer to itself than this has nothing wrong that the network can mend."""
STEPS = {"low_light": 0.05, "haze": 0.04, "noise": 0.8, "blur": 0.1}
"""By how much a figure must move for a kind to be named: median brightness, dark channel, noise of 255, and
detail as a share of what there was."""


@dataclass(frozen=True)
class Estimate:
    """What a restoration says of its photo.

    Attributes:
        psnr: of the photo against its restoration, in dB: the lower, the more was done.
        kinds: kind of fault -> by how many of ``STEPS`` its figure moved, the strongest first; only those
            that moved by one at least. Empty where what was done is none of these, such as rain.
        needed: whether the photo was worth restoring, by ``NEEDED_DB``.
    """

    psnr: float
    kinds: dict[str, float]
    needed: bool


def estimate(before: Tensor, after: Tensor) -> Estimate:
    """Judge a photo by what its restoration changed, both (1, 3, H, W) in 0..1."""
    done = change(before, after)["psnr"]
    moved = movements(measure_photo(before), measure_photo(after))
    named = {kind: steps for kind, steps in moved.items() if steps >= 1}
    needed = done < NEEDED_DB
    return Estimate(done, dict(sorted(named.items(), key=lambda item: -item[1])) if needed else {}, needed)


def movements(before: PhotoFigures, after: PhotoFigures) -> dict[str, float]:
    """Kind -> by how many of ``STEPS`` its figure moved the way a restoration moves it."""
    detail = (after.detail - before.detail) / max(before.detail, 0.1)
    brighter = (after.median - before.median) / STEPS["low_light"]
    # Made darker alone, a photo's dark channel falls too, and its contrast with it.
    fell = before.dark_channel - after.dark_channel if after.contrast > before.contrast else 0.0
    clearer = fell / STEPS["haze"]
    return {
        "low_light": brighter,
        "haze": clearer,
        "noise": (before.noise - after.noise) / STEPS["noise"],
        # More contrast is more detail too: it is blur only where neither darkness nor haze was undone.
        "blur": detail / STEPS["blur"] if max(brighter, clearer) < 1 else 0.0,
    }
