"""What a run trains on: a sampler of batches, and clean crops to validate with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyir.model.data.photo_bank import BAD_SHARE
from anyir.model.data.sources import MIXED, Ingredient
from anyir.model.errors import UserError
from anyir.model.training.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from anyir.model.training.batches import Sampler
    from anyir.model.training.distributed import Processes


@dataclass
class Material:
    """Ready to train with.

    Attributes:
        sampler: the batch of a step.
        validation: (N, 3, H, W) clean crops held out of training.
        samples: in an epoch.
        held_out: digest of the names of the photos that ``validation`` is cropped from.
        identity: what must be the same on every process.
        close: frees what the sampler holds.
        photos: that the samples are made from, as far as they are read while training goes on; else 0.
        bad: those of them that this process could not use so far, a line each.
    """

    sampler: Sampler
    validation: Tensor
    samples: int
    held_out: str
    identity: tuple[int, ...]
    close: Callable[[], None] = lambda: None
    photos: int = 0
    bad: Callable[[], list[str]] = list


@dataclass(frozen=True)
class Supply:
    """Where the material comes from.

    Attributes:
        sources: what to train on; one source of ``photos`` is what ``--data`` means.
        roots: folders that its datasets lie below.
        workers: threads that read photos, where they are not held decoded on the device.
        cache_bytes: of decoded photos that these threads keep.
    """

    sources: tuple[Ingredient, ...]
    roots: list[Path]
    workers: int = 4
    cache_bytes: int = 4 * 2**30

    def load(self, console: Any, device: Any, settings: Settings) -> Material:
        """Find the photos, hold some out, and make what samples them.

        Clean photos of one folder that are all degraded by the table of ``anyir.model.data.mixture`` are
        decoded once and kept on the device; anything else is read as it is needed.

        Raises:
            UserError: photos that are missing, unreadable, or too small.
        """
        if len(self.sources) == 1 and self.sources[0] == Ingredient("photos", degrade=MIXED):
            return _load_photos(self.roots, console, device, settings)
        return self._load_sources(console, device, settings)

    def _load_sources(self, console: Any, device: Any, settings: Settings) -> Material:
        from anyir.model.data.sources import find_parts, hold_out_photos
        from anyir.model.data.streaming import StreamSampler
        from anyir.model.training.validation import CROP, HELD_OUT

        parts, held_out = hold_out_photos(find_parts(list(self.sources), self.roots), HELD_OUT)
        photos = {pair.clean for part in parts for pair in part.pairs}
        (validation,) = _read(console, device, (held_out, CROP, "validation"), of=len(photos) + len(held_out))
        for part in parts:
            _say(console, part.describe())
        sampler = StreamSampler(
            parts,
            batch=settings.batch,
            crop=settings.crop,
            seed=settings.seed,
            device=device,
            workers=self.workers,
            cache_bytes=self.cache_bytes,
            on_bad=lambda line: _say(console, line),
        )
        identity = (len(sampler), sampler.photos)
        return Material(
            sampler,
            validation.centre_crops(CROP),
            len(sampler),
            _digest(held_out),
            identity,
            sampler.close,
            sampler.photos,
            lambda: list(sampler.bad.values()),
        )


def _load_photos(folders: list[Path], console: Any, device: Any, settings: Settings) -> Material:
    from anyir.model.data.mixture import Sampler
    from anyir.model.data.photo_bank import hold_out, list_photos
    from anyir.model.training.validation import CROP, HELD_OUT

    if not folders:
        raise UserError("name a folder of clean photos with --data or --root")
    train_paths, held_out = hold_out(list_photos(folders), HELD_OUT)
    photos, validation = _read(
        console, device, (train_paths, settings.crop, "training"), (held_out, CROP, "validation")
    )
    _say(console, f"{len(photos)} photos, {len(validation)} held out")
    sampler = Sampler(photos, batch=settings.batch, crop=settings.crop, seed=settings.seed)
    identity = (len(photos), photos.pixels.shape[0])
    return Material(sampler, validation.centre_crops(CROP), len(photos), _digest(held_out), identity)


def _digest(paths: list[Path]) -> str:
    """Of names alone: a chunk may go on where the folders lie elsewhere."""
    names = "\n".join(path.name for path in paths)
    return hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()[:12]


class BadPhotos:
    """The unusable photos of all processes: each meets those of its own rows, and the first names them all.

    Args:
        material: this process's.
        console: of the first process; what it has met itself was printed when it was met.
    """

    def __init__(self, material: Material, processes: Processes, console: Any) -> None:
        self._material, self._processes, self._console = material, processes, console
        self._sent = 0
        self._known: set[str] = set()

    def share(self) -> None:
        """Exchange what is new; every process must call this at the same step.

        Raises:
            UserError: more than 1 % of the photos cannot be used, all processes counted; on every process.
        """
        if self._processes.count == 1 or not self._material.photos:
            return
        own = self._material.bad()
        new, self._sent = own[self._sent :], len(own)
        count, photos = len(self._known), self._material.photos
        for line in self._processes.gather(new):
            self._known.add(line)
            if len(self._known) > count and line not in own:
                _say(self._console, f"skipped {line} ({len(self._known)} of {photos} photos so far)")
            count = len(self._known)
        if count > BAD_SHARE * photos:
            raise UserError(f"{count} of {photos} photos cannot be used, more than 1 %; they are named above")


def _say(console: Any, line: str) -> None:
    """One line, whatever the terminal's width and whatever is in a file's name."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _read(console: Any, device: Any, *groups: tuple[list[Path], int, str], of: int = 0) -> list[Any]:
    """Read groups of photos, each with the least size and the use that they have, behind one bar.

    Args:
        of: photos of which 1 % may be unreadable; those of all groups if they are not a part of more.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from anyir.model.data.photo_bank import PhotoBank

    with Progress(TextColumn("reading photos"), BarColumn(), MofNCompleteColumn(), console=console) as bar:
        total = sum(len(paths) for paths, _, _ in groups)
        task = bar.add_task("", total=total)
        banks = [
            PhotoBank.load(
                paths,
                device=device,
                at_least=at_least,
                use=use,
                of=max(of, total),
                on_photo=lambda: bar.advance(task),
            )
            for paths, at_least, use in groups
        ]
    for bank in banks:
        for reason in bank.skipped:
            _say(console, f"skipped {reason}")
    damaged, of = sum(bank.damaged for bank in banks), max(of, total)
    if damaged > BAD_SHARE * of:
        raise UserError(f"{damaged} of {of} photos cannot be read, more than 1 %; they are named above")
    return banks
