"""The fixed validation set: the same photos, degradations and severities for every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anyir.model.data.camera import jpeg_round_trip
from anyir.model.data.degradation_registry import CLEAN, kinds_of
from anyir.model.data.degradations import degrade
from anyir.model.data.mixture import as_stored
from anyir.model.data.scenes import as_meant
from anyir.model.metrics import EQUAL, HARM_DB, WORSE_DB, mean_psnr, ssim
from anyir.model.network import AnyIR
from anyir.model.restore.look import make_sheet

VALIDATION_PHOTOS = 12
"""Photos in the validation split, at most."""
CROP = 128
LOOK_PHOTOS = 4
"""Of these, at most, that are restored in tiles after one look: one for each severity."""
LOOK_SIDE = 256
"""Their side, of tiles of ``CROP``."""
SEED = 20_000
SEVERITIES = (0.25, 0.5, 0.75, 1.0)
"""Given to the photos in turn. For noise they are sigma 12.5, 25, 37.5 and 50."""
SAVED_QUALITY = 90.0
"""Of JPEG after the degradation, in a detailed validation."""


def degraded_crops(clean: Tensor) -> dict[str, Tensor]:
    """(N, 3, H, W) clean crops -> the same crops under every validation kind.

    All but the noisy ones are clipped and rounded to 8 bits, as photos in files are.
    """
    severity = torch.tensor(SEVERITIES, device=clean.device).repeat(len(clean))[: len(clean)]
    made = {CLEAN: clean}
    for kind, number in kinds_of("validation").items():
        images = degrade(clean, kind, severity=severity, seed=SEED + number)
        made[kind] = images if kind == "noise" else as_stored(images)
    return made


@torch.inference_mode()
def validate(
    network: Callable[[Tensor], Tensor], clean: Tensor, *, detailed: bool = False
) -> dict[str, dict[str, Any]]:
    """PSNR of restored and of degraded crops against the clean ones, a mean for each kind (equal ones count
    as ``anyir.model.metrics.EQUAL``).

    Args:
        network: (B, 3, H, W) -> the same; its output is clipped to 0..1.
        clean: (N, 3, H, W) in 0..1.
        detailed: SSIM as well, all of it for each severity, and PSNR of the photos saved as JPEG of quality
            90 before they are restored.

    Returns:
        kind -> {"psnr", "input_psnr", and what ``worst_of`` says[, "ssim", "input_ssim",
        "by_severity": {severity: the same}, "saved": {"psnr", "input_psnr"}]}; "clean" has no
        ``input_*`` of its own and no severities, and "meant": the same of the photos made dark, pale or
        brighter on purpose.
    """
    results: dict[str, dict[str, Any]] = {}
    for kind, degraded in degraded_crops(clean).items():
        restored = network(degraded).float().clamp(0, 1)
        results[kind] = _mean_scores(restored, clean, "", detailed) | worst_of(restored, degraded, clean)
        if detailed:
            results[kind]["saved"] = _scores_saved(network, degraded, clean)
        if kind == CLEAN:
            meant = as_stored(as_meant(clean, torch.Generator(clean.device).manual_seed(SEED)))
            kept = network(meant).float().clamp(0, 1)
            results[kind]["meant"] = _mean_scores(kept, meant, "", False) | worst_of(kept, meant, meant)
            continue
        degraded = degraded.clamp(0, 1)
        results[kind] |= _mean_scores(degraded, clean, "input_", detailed)
        if detailed:
            steps = len(SEVERITIES)
            results[kind]["by_severity"] = {
                str(severity): _mean_scores(restored[i::steps], clean[i::steps], "", True)
                | _mean_scores(degraded[i::steps], clean[i::steps], "input_", True)
                for i, severity in enumerate(SEVERITIES[: len(clean)])
            }
    return results


def worst_of(restored: Tensor, degraded: Tensor, clean: Tensor) -> dict[str, float]:
    """Of the photo that came off worst, as means hide it.

    Args:
        restored, degraded, clean: (N, 3, H, W) in 0..1.

    Returns:
        "worst": the least gain over the input in dB, or where nothing was to be restored the least PSNR;
        "worse": the share of photos that lost more than 0.1 dB, or fell below 36 dB where nothing was to be
        restored; "shift": the largest change of a photo's mean brightness against the truth's, of 255.
    """
    before, after = (
        torch.tensor([mean_psnr([pair]) for pair in zip(images.clamp(0, 1), clean, strict=True)])
        for images in (degraded, restored)
    )
    fine = before == EQUAL
    shift = (restored - clean).mean(dim=(1, 2, 3)).abs() * 255
    return {
        "worst": float(torch.where(fine, after, after - before).min()),
        "worse": float(torch.where(fine, after < HARM_DB, after < before - WORSE_DB).float().mean()),
        "shift": float(shift.max()),
    }


@torch.inference_mode()
def validate_one_look(network: AnyIR, clean: Tensor) -> dict[str, float]:
    """PSNR of photos restored in tiles of ``CROP`` after one look, as ``anyir restore`` does, though without
    overlap: a mean for each kind.

    Args:
        clean: (N, 3, H, W) in 0..1, sides multiples of ``CROP``.
    """
    scores = {}
    for kind, degraded in degraded_crops(clean).items():
        pixels = degraded.permute(0, 2, 3, 1).cpu().numpy()
        sheets = torch.from_numpy(np.stack([make_sheet(photo, CROP) for photo in pixels]))
        statistics = network.statistics(sheets.permute(0, 3, 1, 2).to(clean.device), pool=1)
        restored = network(in_tiles(degraded), statistics).float().clamp(0, 1)
        by_photo = (tiles.chunk(len(clean)) for tiles in (restored, in_tiles(clean)))
        scores[kind] = mean_psnr(list(zip(*by_photo, strict=True)))
    return scores


def in_tiles(photos: Tensor) -> Tensor:
    """(N, 3, H, W) -> (N tiles, 3, CROP, CROP); the tiles of a photo follow one another."""
    parts = photos.unflatten(2, (-1, CROP)).unflatten(4, (-1, CROP))  # (N, 3, rows, CROP, columns, CROP)
    return parts.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)


def _scores_saved(network: Callable[[Tensor], Tensor], degraded: Tensor, clean: Tensor) -> dict[str, float]:
    quality = torch.full((len(degraded),), SAVED_QUALITY, device=degraded.device)
    saved = as_stored(jpeg_round_trip(degraded, quality))
    restored = network(saved).float().clamp(0, 1)
    return _mean_scores(restored, clean, "", False) | _mean_scores(saved, clean, "input_", False)


def _mean_scores(images: Tensor, clean: Tensor, prefix: str, with_ssim: bool) -> dict[str, float]:
    pairs = list(zip(images, clean, strict=True))
    scores = {prefix + "psnr": mean_psnr(pairs)}
    if with_ssim:
        each = [ssim(image=image, reference=reference, data_range=1.0) for image, reference in pairs]
        scores[prefix + "ssim"] = sum(each) / len(each)
    return scores
