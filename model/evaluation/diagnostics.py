"""What a mean PSNR does not show: colour casts, grids, flat surfaces changed, and tiles that disagree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from anyir.model.data.degradations import degrade
from anyir.model.data.mixture import as_stored
from anyir.model.errors import UserError
from anyir.model.evaluation.benchmark import Restore
from anyir.model.metrics import mean_psnr

SIGMA = 25
TILES = (128, 256, 512)
TILE_SEVERITY = 0.5
TILE_KINDS = ("noise", "rain", "haze", "defocus_blur", "low_light", "snow")
PHOTO_COUNT = 4
"""Of the folder, in the order of their names."""
PERIODS = 8
"""The network halves its resolution three times: a grid that it leaves repeats every 8 pixels or sooner."""
_SURFACES = (0.1, 0.25, 0.5, 0.75, 0.9)
_FLAT_SIZE, _FLAT_LEVELS, _FLAT_REPEATS = 256, (0.25, 0.5, 0.75), 4


def colour_cast(restore: Restore, photos: list[Tensor]) -> dict[str, Any]:
    """Mean shift of red, green and blue on noisy photos (sigma 25), on the 0..255 scale.

    Args:
        restore: (1, 3, H, W) -> the same, clipped.
        photos: clean, (1, 3, H, W).
    """
    shifts = []
    for place, clean in enumerate(photos):
        generator = torch.Generator().manual_seed(place)
        noisy = clean + torch.randn(clean.shape, generator=generator) * (SIGMA / 255)
        shifts.append((restore(noisy) - clean).mean(dim=(0, 2, 3)) * 255)
    mean = torch.stack(shifts).mean(dim=0)
    return {
        "sigma": SIGMA,
        "photos": len(photos),
        "shift": [float(v) for v in mean],
        "largest_shift": float(mean.abs().max()),
    }


def grid(restore: Restore) -> dict[str, Any]:
    """How much a grid stands out of what is left on noisy flat grey, in dB.

    The spectrum of the residue is averaged over images and colours. Power at the frequencies of a grid
    that repeats every 8 pixels (and its harmonics) is compared with the power around them. No grid: a mean
    of 0 dB within 0.2, and a largest of about 2 dB, which is the chance among 63 frequencies.
    """
    power = torch.zeros(_FLAT_SIZE, _FLAT_SIZE)
    pattern = torch.zeros(3, PERIODS, PERIODS)
    generator = torch.Generator().manual_seed(0)
    for level in _FLAT_LEVELS:
        for _ in range(_FLAT_REPEATS):
            flat = torch.full((1, 3, _FLAT_SIZE, _FLAT_SIZE), level)
            noisy = flat + torch.randn(flat.shape, generator=generator) * (SIGMA / 255)
            residue = restore(noisy) - flat
            residue = residue - residue.mean(dim=(2, 3), keepdim=True)
            pattern += residue[0].unflatten(2, (-1, PERIODS)).unflatten(1, (-1, PERIODS)).mean(dim=(1, 3))
            power += torch.fft.fft2(residue).abs().square().sum(dim=(0, 1))
    step = _FLAT_SIZE // PERIODS
    around = [(y, x) for y in (-3, -2, 2, 3) for x in (-3, -2, 2, 3)]
    excess: list[float] = []
    for y in range(0, _FLAT_SIZE, step):
        for x in range(0, _FLAT_SIZE, step):
            if y or x:
                near = sum(float(power[(y + dy) % _FLAT_SIZE, (x + dx) % _FLAT_SIZE]) for dy, dx in around)
                excess.append(float(power[y, x]) / (near / len(around)))
    mean, most = torch.tensor(excess).mean(), torch.tensor(excess).max()
    images = len(_FLAT_LEVELS) * _FLAT_REPEATS
    return {
        "images": images,
        "amplitude": float((pattern / images).std(correction=0) * 255),
        "mean_db": float(10 * torch.log10(mean)),
        "largest_db": float(10 * torch.log10(most)),
    }


def flat_surfaces(restore: Restore) -> dict[str, Any]:
    """By how much smooth grey surfaces that have nothing wrong with them change, on the 0..255 scale.

    Sky and walls fill whole tiles, and a flat grey tile may be taken for haze or darkness.
    """
    shifts = {}
    for level in _SURFACES:
        flat = torch.full((1, 3, _FLAT_SIZE, _FLAT_SIZE), level)
        shifts[f"{level:g}"] = float((restore(flat) - flat).mean() * 255)
    return {"shift": shifts, "largest_shift": max(map(abs, shifts.values()))}


def tile_agreement(
    restore_tiled: Callable[[int], Restore], photos: list[Tensor], kinds: tuple[str, ...]
) -> dict[str, Any]:
    """PSNR against the truth with tiles of 128, 256 and 512 pixels, and how far the sizes are apart.

    Args:
        restore_tiled: tile size -> what restores a photo in such tiles.
        photos: clean, (1, 3, H, W).
        kinds: degradations, each at severity 0.5.

    Returns:
        ``{"severity", "photos", "kinds": {kind: {"128", "256", "512", "spread"}}, "largest_spread"}``
    """
    table: dict[str, dict[str, float]] = {}
    for index, kind in enumerate(kinds):
        row: dict[str, float] = {}
        for tile in TILES:
            restore = restore_tiled(tile)
            pairs = []
            for place, clean in enumerate(photos):
                degraded = as_stored(degrade(clean, kind, severity=TILE_SEVERITY, seed=1000 * index + place))
                pairs.append((restore(degraded), clean))
            row[str(tile)] = mean_psnr(pairs)
        table[kind] = {**row, "spread": max(row.values()) - min(row.values())}
    return {
        "severity": TILE_SEVERITY,
        "photos": len(photos),
        "kinds": table,
        "largest_spread": max(row["spread"] for row in table.values()),
    }


def measure_diagnostics(
    restore: Restore,
    restore_tiled: Callable[[int], Restore],
    folder: Path,
) -> dict[str, Any]:
    """All four; those that need photos on the first of a folder.

    Raises:
        UserError: no photos there, or one that cannot be read or is smaller than 8x8 pixels.
    """
    from anyir.model.data.decode import read_float
    from anyir.model.data.photo_bank import list_photos
    from anyir.model.evaluation.benchmark import SMALLEST

    photos = []
    for path in list_photos([folder])[:PHOTO_COUNT]:
        photos.append(read_float(path))
        if min(photos[-1].shape[-2:]) < SMALLEST:
            raise UserError(f"{path} is smaller than {SMALLEST}x{SMALLEST} pixels, which padding needs")
    return {
        "folder": folder.name,
        "colour_cast": colour_cast(restore, photos),
        "grid": grid(restore),
        "flat_surfaces": flat_surfaces(restore),
        "tiles": tile_agreement(restore_tiled, photos, TILE_KINDS),
    }
