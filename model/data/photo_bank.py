"""Clean photos for training: decoded once, kept as uint8 on the device, cropped there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Generator, Tensor

from anyir.model.errors import UserError

PHOTO_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".tif", ".tiff"}
BAD_SHARE = 0.01
"""More unreadable photos than this share end the run: something is wrong with the folder."""


def list_photos(folders: Iterable[Path]) -> list[Path]:
    """Every photo below the folders, sorted by name within each folder; hidden files, and what lies in
    hidden folders (thumbnails), are none.

    A photo that several folders hold, one of them lying in another, comes once: else it could be both
    trained and validated with.

    Raises:
        UserError: a folder that does not exist or holds no photo.
    """
    photos: dict[Path, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder of photos")
        found = sorted(path for path in folder.rglob("*") if is_photo(path, folder))
        if not found:
            raise UserError(f"no photos below {folder} ({', '.join(sorted(PHOTO_SUFFIXES))})")
        for path in found:
            photos.setdefault(path.resolve(), path)
    return list(photos.values())


def is_photo(path: Path, folder: Path) -> bool:
    """Whether what lies at ``path`` below ``folder`` counts as a photo: by its name, without being opened.

    So does a link to nothing, such as to a disk that is not there: whoever reads it says that it is missing,
    where leaving it out would train on fewer photos without a word.
    """
    if path.suffix.lower() not in PHOTO_SUFFIXES or is_hidden(path, folder):
        return False
    return path.is_file() or (path.is_symlink() and not path.exists())


def is_hidden(path: Path, folder: Path) -> bool:
    """Whether a file below ``folder`` or a folder on the way to it has a name that begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def read_rgb(path: Path) -> Tensor:
    """A photo as (H, W, 3) uint8, whatever its depth.

    Raises:
        UserError: unreadable or damaged; the text names the file.
    """
    from anyir.model.data.decode import read_pixels
    from anyir.model.photo.pixels import to_8_bits

    return torch.from_numpy(to_8_bits(read_pixels(path)))


@dataclass
class PhotoBank:
    """Photos of any sizes in one flat uint8 buffer, so that a batch of crops is one gather.

    Attributes:
        pixels: (total pixels, 3) uint8 on the training device.
        start, height, width: (N,) int64; where each photo begins and its size.
        skipped: photos left out, each with its reason.
        damaged: how many of these could not be read.
        left_out: the places of all these in the list of paths.
    """

    pixels: Tensor
    start: Tensor
    height: Tensor
    width: Tensor
    skipped: list[str]
    damaged: int = 0
    left_out: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def load(
        cls,
        paths: list[Path],
        *,
        device: torch.device,
        at_least: int,
        use: str = "training",
        of: int = 0,
        on_photo: Callable[[], None] = lambda: None,
    ) -> PhotoBank:
        """Decode photos onto the device.

        Args:
            paths: what to read; photos with a side below ``at_least`` pixels are skipped.
            use: what the photos are for, in messages.
            of: photos of which at most 1 % may be unreadable, where ``paths`` are a part of them.
            on_photo: called after each, for a progress bar.

        Raises:
            UserError: none can be used, or more than 1 % cannot be read.
        """
        flat: list[Tensor] = []
        sizes: list[tuple[int, int]] = []
        skipped: list[str] = []
        damaged, kept = 0, set[int]()
        for place, path in enumerate(paths):
            try:
                photo = read_rgb(path)
            except UserError as error:
                damaged += 1
                skipped.append(str(error))
            else:
                height, width = photo.shape[:2]
                if min(height, width) < at_least:
                    skipped.append(f"{path}: {width}x{height} is smaller than {use}'s crops of {at_least}")
                else:
                    flat.append(photo.reshape(-1, 3))
                    sizes.append((height, width))
                    kept.add(place)
            on_photo()
        if damaged > BAD_SHARE * max(of, len(paths)) or not flat:
            raise UserError(
                f"{len(skipped)} of {len(paths)} photos for {use} cannot be used; first: {skipped[0]}"
            )
        height, width = torch.tensor(sizes).T
        areas = height * width
        return cls(
            torch.cat(flat).to(device),
            (areas.cumsum(0) - areas).to(device),
            height.to(device),
            width.to(device),
            skipped,
            damaged,
            frozenset(range(len(paths))) - kept,
        )

    def without(self, places: frozenset[int]) -> PhotoBank:
        """The same, without the photos at these places in the list of paths."""
        kept = [place for place in range(len(self) + len(self.left_out)) if place not in self.left_out]
        rows = [row for row, place in enumerate(kept) if place not in places]
        start, height, width = (column[rows] for column in (self.start, self.height, self.width))
        return replace(self, start=start, height=height, width=width, left_out=self.left_out | places)

    @cached_property
    def _places(self) -> list[tuple[int, int, int]]:
        """Start, height and width of each photo, on the CPU: asking a GPU for one of them waits for it."""
        return list(zip(self.start.tolist(), self.height.tolist(), self.width.tolist(), strict=True))

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of a photo, in pixels."""
        _, height, width = self._places[index]
        return height, width

    def photo(self, index: int) -> Tensor:
        """A photo, (H, W, 3) uint8: a view."""
        start, height, width = self._places[index]
        return self.pixels[start : start + height * width].reshape(height, width, 3)

    def random_crops(self, count: int, size: int, generator: Generator) -> Tensor:
        """(count, 3, size, size) float crops in 0..1, flipped and turned at random (8 ways)."""
        device = self.pixels.device

        def rand(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=device)

        photo = (rand(count) * len(self)).long()
        height, width = self.height[photo], self.width[photo]
        top = (rand(count) * (height - size + 1)).long()
        left = (rand(count) * (width - size + 1)).long()
        axis = torch.arange(size, device=device)
        mirror = torch.stack([axis, axis.flip(0)])
        flip = (rand(3, count) < 0.5).long()
        rows, columns = mirror[flip[0]][:, :, None], mirror[flip[1]][:, None, :]  # (N, S, 1), (N, 1, S)
        turned = flip[2, :, None, None].bool()
        down = torch.where(turned, columns, rows)
        across = torch.where(turned, rows, columns)
        index = (
            self.start[photo, None, None]
            + (top[:, None, None] + down) * width[:, None, None]
            + left[:, None, None]
            + across
        )
        return self.pixels[index].permute(0, 3, 1, 2).float() / 255

    def centre_crops(self, size: int) -> Tensor:
        """(N, 3, size, size) float: the middle of every photo that is large enough, always the same."""
        crops = [self.pixels.new_empty(0, size, size, 3)]
        for i in range(len(self)):
            height, width = self.size(i)
            if min(height, width) < size:
                continue
            photo = self.photo(i)
            top, left = (height - size) // 2, (width - size) // 2
            crops.append(photo[None, top : top + size, left : left + size])
        return torch.cat(crops).permute(0, 3, 1, 2).float() / 255


def validation_split(paths: list[Path], count: int) -> tuple[list[Path], list[Path]]:
    """Split photos into training and validation; the same photos always give the same split.

    ``count`` photos, evenly spaced through the list and at most a tenth of it, are for validation.
    """
    count = max(1, min(count, len(paths) // 10))
    if len(paths) < 2:
        raise UserError("one photo cannot be split into training and validation; give at least two")
    chosen = {round((i + 0.5) * len(paths) / count - 0.5) for i in range(count)}
    train = [p for i, p in enumerate(paths) if i not in chosen]
    return train, [p for i, p in enumerate(paths) if i in chosen]
