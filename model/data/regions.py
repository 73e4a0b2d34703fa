"""Large parts of photos, and of pairs of real photos, which are degraded whole before crops are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from anyir.model.data.photo_bank import PhotoBank

SHRUNK = 0.6
"""Share of clean photos of which a larger part is taken and shrunk: so a region may be most of a photo."""
OCTAVES = 1.5
"""By how much at most, as a power of two."""
CANDIDATES = 6
"""Parts of a photo of which the darkest, brightest or evenest is taken, where an extreme one is asked for."""


@dataclass(frozen=True)
class SampleSource:
    """Photos held in memory.

    Attributes:
        clean: the photos.
        degraded: real photos of the same scenes and sizes, in the same order; None where degradations are
            made.
        repeat: how often each comes, relative to other sources' photos.
    """

    clean: PhotoBank
    degraded: PhotoBank | None = None
    repeat: int = 1

    @property
    def samples(self) -> int:
        """In an epoch."""
        return len(self.clean) * self.repeat


@dataclass(frozen=True)
class Regions:
    """Regions of one size.

    Attributes:
        clean: (B, 3, side, side) float in 0..1.
        degraded: the same, of the real partner; the clean region itself where there is none.
        paired: (B,) bool, on the CPU: whether there is a real partner.
    """

    clean: Tensor
    degraded: Tensor
    paired: Tensor


def draw_regions(
    sources: Sequence[SampleSource], side: int, extreme: Tensor, generator: Generator
) -> Regions:
    """A region for each of ``extreme``, turned and mirrored at random (8 ways).

    Args:
        sources: where they come from, in proportion to their samples.
        side: in pixels; less where a photo that is drawn is smaller.
        extreme: (B,) bool: whether the darkest, brightest or evenest part of the photo is taken.
        generator: on the CPU.
    """

    def rand() -> float:
        return float(torch.rand((), generator=generator))

    samples = torch.tensor([float(source.samples) for source in sources])
    drawn = []
    for number in torch.multinomial(samples, len(extreme), replacement=True, generator=generator).tolist():
        source = sources[number]
        drawn.append((source, int(rand() * len(source.clean))))
    side = min(side, *(min(source.clean.size(index)) for source, index in drawn))
    pairs, paired = [], []
    for (source, index), pick in zip(drawn, extreme.tolist(), strict=True):
        photo, shortest = source.clean.photo(index), min(source.clean.size(index))
        shrink = source.degraded is None and rand() < SHRUNK
        size = min(shortest, int(side * 2 ** (OCTAVES * rand()))) if shrink else side
        tops, lefts = (
            [int(rand() * (length - size + 1)) for _ in range(CANDIDATES)] for length in photo.shape[:2]
        )
        chosen = _most_extreme(photo, tops, lefts, size, rand()) if pick else 0
        box = slice(tops[chosen], tops[chosen] + size), slice(lefts[chosen], lefts[chosen] + size)
        partner = photo if source.degraded is None else source.degraded.photo(index)
        turn = rand() < 0.5, rand() < 0.5, rand() < 0.5
        pairs.append(tuple(_turned(_shrunk(image[box], side), *turn) for image in (photo, partner)))
        paired.append(source.degraded is not None)
    clean, degraded = (torch.cat(images) for images in zip(*pairs, strict=True))
    return Regions(clean, degraded, torch.tensor(paired))


def _most_extreme(photo: Tensor, tops: list[int], lefts: list[int], size: int, how: float) -> int:
    """Which part is the darkest, the brightest or the evenest; half of the times the darkest."""
    parts = [
        photo[top : top + size : 8, left : left + size : 8].float()
        for top, left in zip(tops, lefts, strict=True)
    ]
    if how < 0.75:
        means = torch.stack([part.mean() for part in parts])
        return int(means.argmin() if how < 0.5 else means.argmax())
    return int(torch.stack([part.std() for part in parts]).argmin())


def _shrunk(pixels: Tensor, side: int) -> Tensor:
    """(S, S, 3) uint8 -> (1, 3, side, side) float in 0..1."""
    image = pixels.permute(2, 0, 1)[None].float() / 255
    if image.shape[-1] == side:
        return image
    return F.interpolate(image, (side, side), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def _turned(image: Tensor, upside_down: bool, mirrored: bool, transposed: bool) -> Tensor:
    image = image.flip(2) if upside_down else image
    image = image.flip(3) if mirrored else image
    return image.transpose(2, 3) if transposed else image
