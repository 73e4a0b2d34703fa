"""What a training batch is made of: which degradations, how often, how strong."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from anyir.model.data.camera import jpeg_round_trip
from anyir.model.data.degradation_registry import CLEAN, DEGRADATIONS, kinds_of, parse_kind, single_kinds
from anyir.model.data.degradations import degrade_by
from anyir.model.data.photo_bank import PhotoBank
from anyir.model.data.regions import SampleSource, draw_regions
from anyir.model.data.scenes import as_grey, as_meant, tint

SHARES: dict[str, float] = {one.name: one.training for one in DEGRADATIONS if one.training}
"""How often each kind is drawn in training, relative to the others."""

STORED_SHARE = 0.5
"""Share of samples clipped and rounded to 8 bits after degradation, as photos in files are."""
SAVED_SHARE = 0.25
"""Share of samples saved as JPEG after degradation, whatever it is. Weights that had seen JPEG
alone left noise and darkness as they were in a photo saved at quality 95 (docs/lab/mixture.md)."""
QUALITIES = (75.0, 98.0)
"""Of those: what cameras and editors save with, on libjpeg's scale."""

FLAT_SHARE = 0.08
"""Share of the samples of ``FLAT_KINDS`` that show a smooth surface, not a photo. Weights trained without
took flat grey for haze: 0.5 of the range came back as 0.4, 0.75 as 0.5."""
FLAT_KINDS = tuple(one.name for one in DEGRADATIONS if one.on_surfaces)

MEANT_SHARE = 0.35
"""Share of the samples of ``FLAT_KINDS`` whose photo is made dark in parts, pale, or brighter or darker by a
curve, and is to stay so: weights trained without re-lit dark objects (docs/lab/real-degradations.md)."""
EXTREME_SHARE = 0.4
"""Share of the samples of ``FLAT_KINDS`` that show the darkest, brightest or evenest part of a photo, where
several crops are of one."""
GREY_SHARE = 0.12
"""Share of samples of all kinds whose photo is black-and-white."""
NEUTRAL_SHARE = 0.75
"""Share of those that are as neutral after the degradation: scans of prints, and files that were made grey
after the photo was taken."""
TONED_SHARE = 0.3
"""Share of these that have an old print's tone."""

REGIONS = (4, 5)
"""Where several crops are of one photo: side of the part that is degraded as one image, in crops, if the
photo has so much. Haze's depth, light and rain vary over it, and the crops are to judge them together; a
larger part costs its square in degrading."""

_PER_STEP = 1_000_003  # a prime: (seed, step) pairs do not meet
_PER_PART = 7919
"""Added as often as a degradation's number says: within a batch no stream serves two purposes."""
_CHOICES = 2**31
"""Added to a batch's seed for the choices that are made on the CPU: half of all streams away. With one seed
for both they were one stream on a CPU: clean and noisy crops never came from a photo's left edge, and what
was saved as JPEG was mirrored more often than the rest."""


class Sampler:
    """Makes batches on the photos' device. A batch depends on (seed, step) alone, so that a
    resumed run sees exactly what an uninterrupted one would have seen.

    Args:
        sources: photos, no side below ``least_side``; one source of clean photos if ``crops_per_photo`` is 1.
        batch: samples a step, a multiple of ``crops_per_photo``.
        crop: side of a sample in pixels.
        seed: what every random choice is drawn from.
        crops_per_photo: samples that follow one another and are crops of one photo, which was degraded
            before it was cropped.
    """

    def __init__(
        self,
        sources: PhotoBank | Sequence[SampleSource],
        *,
        batch: int,
        crop: int,
        seed: int,
        crops_per_photo: int = 1,
    ) -> None:
        self.sources = [SampleSource(sources)] if isinstance(sources, PhotoBank) else list(sources)
        self.batch, self.crop, self.seed = batch, crop, seed
        self.crops_per_photo = crops_per_photo
        self.kinds = list(SHARES)
        self.parts = [[] if kind == CLEAN else parse_kind(kind) for kind in SHARES]
        self.singles = parse_kind("+".join(single_kinds()))  # in the order they are applied
        self.streams = {part: 1 + number for part, number in kinds_of("stream").items()}
        self.shares = torch.tensor(list(SHARES.values()))

    def __call__(self, step: int, rows: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Rows of the batch of a step: (degraded, clean), each (B, 3, crop, crop) float. One random stream
        makes the batch, so that all of it is made."""
        seed = self.seed * _PER_STEP + step
        generator = Generator(self.sources[0].clean.pixels.device).manual_seed(seed)
        choice = Generator().manual_seed(seed + _CHOICES)
        count = self.batch // self.crops_per_photo
        kinds = torch.multinomial(self.shares, count, replacement=True, generator=choice).tolist()
        made_of = [self.parts[index] for index in kinds]
        lone = torch.tensor([self.kinds[index] in FLAT_KINDS for index in kinds])
        if self.crops_per_photo == 1:
            clean = self.sources[0].clean.random_crops(count, self.crop, generator)
            degraded, clean = self._degrade(clean, made_of, lone, seed, generator, choice)
            return degraded[rows], clean[rows]
        side = REGIONS[int(torch.randint(len(REGIONS), (), generator=choice))] * self.crop
        side = max(side, least_side(self.crop, self.crops_per_photo))
        extreme = lone & (torch.rand(count, generator=choice) < EXTREME_SHARE)
        regions = draw_regions(self.sources, side, extreme, choice)
        alone = (~regions.paired).nonzero()[:, 0].to(regions.clean.device)
        degraded, clean = regions.degraded, regions.clean
        if len(alone):
            made_of = [
                parts for parts, pair in zip(made_of, regions.paired.tolist(), strict=True) if not pair
            ]
            made = self._degrade(clean[alone], made_of, lone[~regions.paired], seed, generator, choice)
            degraded[alone], clean[alone] = made
        images = spread_crops((degraded, clean), self.crops_per_photo, self.crop, generator)
        return images[0][rows], images[1][rows]

    def _degrade(
        self,
        clean: Tensor,
        made_of: list[list[str]],
        lone: Tensor,
        seed: int,
        generator: Generator,
        choice: Generator,
    ) -> tuple[Tensor, Tensor]:
        """(degraded, clean), of clean photos of which some become surfaces, dark or pale or grey ones.

        Args:
            made_of: the degradations of each.
            lone: (B,) bool: whether the kind may be applied to a surface, or to what is dark on purpose.
        """
        count, side, device = len(clean), clean.shape[-1], clean.device
        severity = torch.rand(count, generator=generator, device=device)
        flat = lone & (torch.rand(count, generator=choice) < FLAT_SHARE)
        rows = flat.nonzero()[:, 0].to(device)
        clean[rows] = surfaces(len(rows), side, choice).to(device)
        meant = lone & ~flat & (torch.rand(count, generator=choice) < MEANT_SHARE)
        rows = meant.nonzero()[:, 0].to(device)
        if len(rows):
            clean[rows] = as_meant(clean[rows], generator)
        grey = torch.rand(count, generator=choice) < GREY_SHARE
        rows = grey.nonzero()[:, 0].to(device)
        clean[rows] = as_grey(clean[rows])
        degraded = clean.clone()
        for part in self.singles:  # once for all that have it: on a GPU every call costs alike
            rows = torch.tensor([part in parts for parts in made_of]).nonzero()[:, 0].to(device)
            if len(rows):
                own = seed + self.streams[part] * _PER_PART
                made = degrade_by(degraded[rows], part, severity[rows], own)
                degraded[rows] = made
        rows = (grey & (torch.rand(count, generator=choice) < NEUTRAL_SHARE)).nonzero()[:, 0].to(device)
        if len(rows):
            toned = (torch.rand(len(rows), 2, 1, 1, 1, generator=choice) * 2 - 1).to(device)
            strength = torch.where(toned[:, 0] < 2 * TONED_SHARE - 1, 0.35 * toned[:, 1], 0)
            degraded[rows] = tint(as_grey(degraded[rows]), strength)
            clean[rows] = tint(clean[rows], strength)
        stored = torch.rand(count, 1, 1, 1, generator=generator, device=device) < STORED_SHARE
        saved = torch.rand(count, generator=choice) < SAVED_SHARE
        may_be_saved = torch.tensor(["jpeg" not in parts for parts in made_of])
        rows = (saved & may_be_saved).nonzero()[:, 0].to(device)
        degraded[rows] = as_saved(degraded[rows], choice)
        return torch.where(stored, as_stored(degraded), degraded), clean


def least_side(crop: int, crops: int) -> int:
    """Pixels that a photo needs along both sides, so that its crops need not overlap."""
    return crop * _grid(crops)


def _grid(crops: int) -> int:
    """Columns, and at most rows, in which crops are spread."""
    return math.ceil(math.sqrt(crops))


def spread_crops(images: tuple[Tensor, ...], count: int, size: int, generator: Generator) -> list[Tensor]:
    """Crops spread over each image: one in each cell of a grid, anywhere in it, so that none overlap.

    Args:
        images: (B, C, H, W) each, of one shape, and cropped at the same places.
        count: crops of an image.
        size: of a crop's side; the images have ``least_side`` at least.
        generator: on the images' device.

    Returns:
        (B count, C, size, size) for each of ``images``; the crops of an image follow one another.
    """
    batch, _, *sides = images[0].shape
    device = images[0].device
    columns = _grid(count)
    cells = columns, math.ceil(count / columns)  # along x, along y
    # Which cells stay empty, if there are more than crops, is drawn for each image.
    order = torch.rand(batch, cells[0] * cells[1], generator=generator, device=device).argsort(dim=1)
    cell = order[:, :count].flatten()
    pixels = []
    for place, number, side in ((cell // columns, cells[1], sides[0]), (cell % columns, cells[0], sides[1])):
        jitter = torch.rand(len(place), generator=generator, device=device)
        first = place * side // number
        room = (place + 1) * side // number - first - size
        pixels.append((first + (jitter * (room + 1)).long())[:, None] + torch.arange(size, device=device))
    image = torch.arange(batch, device=device).repeat_interleave(count)[:, None, None]
    index = image, pixels[0][:, :, None], pixels[1][:, None, :]
    return [one.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2) for one in images]


def surfaces(count: int, side: int, generator: Generator) -> Tensor:
    """Smooth surfaces, such as sky or a wall: a colour that drifts by up to a fifth from corner to corner.

    Returns:
        (count, 3, side, side) in 0..1, on the generator's device; a third of them without colour.
    """
    colour = torch.rand(count, 3, 1, 1, generator=generator)
    grey = torch.rand(count, generator=generator) < 1 / 3
    colour[grey] = colour[grey].mean(dim=1, keepdim=True)
    slope = (torch.rand(count, 2, 1, 1, generator=generator) - 0.5) * 0.2
    ramp = torch.linspace(-0.5, 0.5, side)
    drift = slope[:, :1] * ramp[:, None] + slope[:, 1:] * ramp
    return (colour + drift).clamp(0, 1)


def as_stored(images: Tensor) -> Tensor:
    """What an 8-bit file would hold: clipped to 0..1 and rounded to 1/255."""
    return (images.clamp(0, 1) * 255).round() / 255


def as_saved(images: Tensor, generator: Generator) -> Tensor:
    """What a camera's file would hold: (B, 3, H, W) as JPEG of a quality in ``QUALITIES``, read back.

    Args:
        generator: on the CPU; gives a quality to each and one place of JPEG's grid to all.
    """
    low, high = QUALITIES
    quality = low + (high - low) * torch.rand(len(images), generator=generator)
    top, left = torch.randint(16, (2,), generator=generator).tolist()
    return as_stored(jpeg_round_trip(images, quality.to(images.device), (top, left)))
