"""Which of a teacher's answers to learn from: those that mend the fault and leave the rest alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from anyir.model.errors import UserError, unknown
from anyir.model.evaluation.conditions import luma
from anyir.model.evaluation.photo_figures import measure_photo
from anyir.model.metrics import psnr


@dataclass(frozen=True)
class FilterBounds:
    """What an answer may change; figures as ``anyir.model.evaluation.photo_figures`` has them.

    Attributes:
        shift: (least, most) change of the mean brightness, 0..1.
        tint: most that the mean colour may drift, as ``tint`` has it.
        detail: (least, most) ratio of the detail, after over before.
        structure: least PSNR in dB of the photo shrunk to an eighth, where neither fine noise nor streaks are
            seen; after the change of brightness and contrast, which ``shift`` judges, is undone.
        clipped: most by which the share of pixels at the ends of the range may rise, 0..1.
        dark: highest median brightness of the photo, 0..1: a brighter one lacks the fault.
        lamps: highest brightness of the photo, 0..1, that 1 % of its pixels may exceed (a pixel's brightest
            colour): where lamps are well exposed, the dark around them is meant.
        hazy: least dark channel of the photo, 0..1.
        bright: highest median brightness of the answer, 0..1.
    """

    shift: tuple[float, float] = (-0.03, 0.03)
    tint: float = 0.05
    detail: tuple[float, float] = (0.0, 1.05)
    structure: float = 28.0
    clipped: float = 0.02
    dark: float = 1.0
    lamps: float = 1.0
    hazy: float = 0.0
    bright: float = 1.0


BOUNDS: dict[str, FilterBounds] = {
    "noise": FilterBounds(),
    "rain": FilterBounds(shift=(-0.06, 0.02), structure=24),
    "blur": FilterBounds(detail=(1.0, 3.0), structure=26),
    "haze": FilterBounds(
        shift=(-0.3, 0.05), tint=0.12, detail=(1.0, 6.0), structure=20, clipped=0.05, hazy=0.15
    ),
    "low_light": FilterBounds(
        shift=(0.02, 0.6),
        tint=0.15,
        detail=(0.5, 12.0),
        structure=16,
        clipped=0.06,
        dark=0.16,
        lamps=0.73,
        bright=0.65,
    ),
}
"""Kind of fault -> what its teacher may change."""
NOTHING_DB = 45.0
"""An answer that is nearer than this to its photo says nothing."""
SHRUNK = 8


def judge_answer(photo: Tensor, answer: Tensor, kind: str) -> str:
    """Why an answer is rejected, in a few words; empty where it is taken.

    Args:
        photo: with the fault, (1, 3, H, W) in 0..1.
        answer: the teacher's, of the same shape.
        kind: a key of ``BOUNDS``.

    Raises:
        UserError: an unknown kind, or shapes that differ.
    """
    if kind not in BOUNDS:
        raise UserError(unknown("kind of teacher", kind, BOUNDS))
    if photo.shape != answer.shape:
        raise UserError(f"the answer is {tuple(answer.shape)}, its photo {tuple(photo.shape)}")
    bounds = BOUNDS[kind]
    if psnr(image=answer, reference=photo, data_range=1.0) > NOTHING_DB:
        return "nothing changed"
    before, after = measure_photo(photo), measure_photo(answer)
    if before.median > bounds.dark:
        return f"not dark: median {before.median:.2f}"
    if (lamps := _brightest(photo)) > bounds.lamps:
        return f"has lamps: brightness {lamps:.2f}"
    if before.dark_channel < bounds.hazy:
        return f"not hazy: dark channel {before.dark_channel:.2f}"
    if after.median > bounds.bright:
        return f"too bright: median {after.median:.2f}"
    shift = float(luma(answer).mean() - luma(photo).mean())
    if not bounds.shift[0] <= shift <= bounds.shift[1]:
        return f"brightness shifts by {shift:+.3f}"
    ratio = after.detail / max(before.detail, 1e-3)
    if not bounds.detail[0] <= ratio <= bounds.detail[1]:
        return f"detail times {ratio:.2f}"
    if (risen := after.clipped - before.clipped) > bounds.clipped:
        return f"{risen:.1%} more at the ends of the range"
    if (kept := structure(photo, answer)) < bounds.structure:
        return f"large structures change: {kept:.1f} dB"
    if (drift := tint(photo, answer)) > bounds.tint:
        return f"colour drifts by {drift:.3f}"
    return ""


def tint(photo: Tensor, answer: Tensor) -> float:
    """How far the mean colour drifts, as a share of the answer's brightness.

    A colour's distance from grey may grow as much as the contrast does, which haze and darkness had taken.
    """
    slope, _ = _line(*_shrunk(photo, answer))
    before, after = (image.mean(dim=(0, 2, 3)) - image.mean() for image in (photo, answer))
    return float((after - slope * before).abs().max() / answer.mean().clamp_min(1e-3))


def structure(photo: Tensor, answer: Tensor) -> float:
    """PSNR in dB of both shrunk, after the best straight line from the one's brightness to the other's."""
    before, after = _shrunk(photo, answer)
    slope, start = _line(before, after)
    return psnr(image=before * slope + start, reference=after, data_range=1.0)


def _brightest(photo: Tensor) -> float:
    """What 1 % of the pixels' brightest colours exceed, 0..1."""
    brightest = photo.amax(dim=1).flatten()
    return float(brightest.kthvalue(max(1, round(0.99 * brightest.numel()))).values)


def _shrunk(photo: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
    """The brightness of both in large pixels, where fine noise has no part."""
    size = min(SHRUNK, *photo.shape[-2:])
    return F.avg_pool2d(luma(photo), size).flatten(), F.avg_pool2d(luma(answer), size).flatten()


def _line(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and start of the straight line that takes x nearest to y."""
    centred = x - x.mean()
    slope = (centred * (y - y.mean())).sum() / centred.square().sum().clamp_min(1e-8)
    return slope, y.mean() - slope * x.mean()
