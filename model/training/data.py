"""The data module: what a run trains on, batch by batch, and the validation split kept out of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from anyir.model.data.photo_bank import BAD_SHARE, PhotoBank, list_photos, validation_split
from anyir.model.data.training_set import TrainDataset
from anyir.model.errors import UserError
from anyir.model.training.config import DataConfig
from anyir.model.training.distributed import Processes
from anyir.model.training.loader import Batch
from anyir.model.training.validation import CROP, LOOK_PHOTOS, LOOK_SIDE, VALIDATION_PHOTOS


class Fingerprint(BaseModel):
    """What tells a run's photos from others."""

    model_config = ConfigDict(frozen=True, strict=True)

    training: tuple[int, ...] = ()
    """Counts: samples and photos, or photos and pixels."""
    validation: str = ""
    """Digest of the names of the validation split's photos."""


class DataModule:
    """What the trainer asks of its data. A batch depends on (seed, step) alone.

    Attributes:
        validation: (N, 3, H, W) clean crops of the validation split.
        look_photos: (N, 3, H, W) larger ones, to be restored in tiles after one look; None for a run that
            does not train for it, or whose validation split has no photo so large.
        samples: in an epoch.
        photos: that samples are read from while training goes on; 0 if all were read before.
        fingerprint: what tells these photos from others.
    """

    look_photos: Tensor | None = None

    def __init__(self, validation: Tensor, samples: int, photos: int, fingerprint: Fingerprint) -> None:
        self.validation, self.samples, self.photos = validation, samples, photos
        self.fingerprint = fingerprint

    def batch(self, step: int, rows: slice) -> Batch:
        """Rows of the batch of a step: (degraded, clean), each (B, 3, crop, crop) on the device."""
        raise NotImplementedError

    def bad_photos(self) -> list[str]:
        """Photos that this process could not use so far, a line each."""
        return []

    def close(self) -> None:
        """Free what makes the batches."""


def open_data(config: DataConfig, seed: int, device: torch.device, console: Any) -> DataModule:
    """Find the photos, split some off for validation, and make what yields batches of the rest.

    Raises:
        UserError: photos that are missing, unreadable, or too small.
    """
    return (PhotosInMemory if config.in_memory else StreamedPhotos)(config, seed, device, console)


class PhotosInMemory(DataModule):
    """Photos and pairs, decoded once and kept on the device, where every batch is cropped and degraded."""

    def __init__(self, config: DataConfig, seed: int, device: torch.device, console: Any) -> None:
        from anyir.model.data.mixture import Sampler, least_side
        from anyir.model.data.regions import SampleSource
        from anyir.model.data.training_set import find_training_set, split_off_validation

        least = least_side(config.crop, config.crops_per_photo)
        if config.datasets == DataConfig().datasets:  # of all roots, where others lie below one of them
            if not config.roots:
                raise UserError("name a folder of clean photos with --data")
            paths, validation_paths = validation_split(list_photos(config.roots), VALIDATION_PHOTOS)
            photos, validation = _read(
                console, device, (paths, least, "training"), (validation_paths, CROP, "validation")
            )
            sources = [SampleSource(photos)]
        else:
            found = find_training_set(config.datasets, config.roots)
            datasets, validation_paths = split_off_validation(found, VALIDATION_PHOTOS)
            for dataset in datasets:
                _say(console, dataset.describe())
            groups = [(path, least, "training") for dataset in datasets for path in _files(dataset)]
            *banks, validation = _read(console, device, *groups, (validation_paths, CROP, "validation"))
            sources = []
            for dataset in datasets:
                clean = banks.pop(0)
                degraded = banks.pop(0) if dataset.pairs[0].degraded is not None else None
                if degraded is not None:
                    clean, degraded = _whole_pairs(dataset, clean, degraded)
                sources.append(SampleSource(clean, degraded, dataset.spec.repeat))
        count = sum(len(source.clean) for source in sources)
        _say(console, f"{count} photos, {len(validation)} more for validation")
        self._sampler = Sampler(
            sources,
            batch=config.batch_size,
            crop=config.crop,
            seed=seed,
            crops_per_photo=config.crops_per_photo,
        )
        pixels = sum(source.clean.pixels.shape[0] for source in sources)
        fingerprint = Fingerprint(training=(count, pixels), validation=_digest(validation_paths))
        samples = sum(source.samples for source in sources)
        super().__init__(validation.centre_crops(CROP), samples, 0, fingerprint)
        if config.crops_per_photo > 1:
            large = validation.centre_crops(LOOK_SIDE)[:LOOK_PHOTOS]
            self.look_photos = large if len(large) else None
            if self.look_photos is None:
                _say(
                    console, f"note: no validation photo has {LOOK_SIDE}x{LOOK_SIDE}: one look is not scored"
                )

    def batch(self, step: int, rows: slice) -> Batch:
        return self._sampler(step, rows)


def _files(dataset: TrainDataset) -> list[list[Path]]:
    """The clean photos of a dataset and, for pairs, the degraded ones in the same order."""
    degraded = [pair.degraded for pair in dataset.pairs if pair.degraded is not None]
    return [[pair.clean for pair in dataset.pairs], *([degraded] if degraded else [])]


def _whole_pairs(dataset: TrainDataset, clean: PhotoBank, degraded: PhotoBank) -> tuple[PhotoBank, PhotoBank]:
    """Both halves of the pairs of which none was left out.

    Raises:
        UserError: there is no such pair, or one is of two sizes.
    """
    left_out = clean.left_out | degraded.left_out
    clean, degraded = clean.without(left_out), degraded.without(left_out)
    if not len(clean):
        reasons = clean.skipped + degraded.skipped
        raise UserError(f"{dataset.spec.dataset}: a half of every pair cannot be used; first: {reasons[0]}")
    for index, pair in enumerate(pair for i, pair in enumerate(dataset.pairs) if i not in left_out):
        if clean.size(index) != degraded.size(index):
            sizes = " and ".join(f"{w}x{h}" for h, w in (degraded.size(index), clean.size(index)))
            raise UserError(f"{pair.degraded} and {pair.clean} have different sizes: {sizes}")
    return clean, degraded


class StreamedPhotos(DataModule):
    """Photos of several datasets, read, cropped and degraded in threads ahead of the training."""

    def __init__(self, config: DataConfig, seed: int, device: torch.device, console: Any) -> None:
        from anyir.model.data.streaming import StreamSampler
        from anyir.model.data.training_set import find_training_set, split_off_validation

        found = find_training_set(config.datasets, config.roots)
        datasets, validation_paths = split_off_validation(found, VALIDATION_PHOTOS)
        photos = len({pair.clean for dataset in datasets for pair in dataset.pairs}) + len(validation_paths)
        (validation,) = _read(console, device, (validation_paths, CROP, "validation"), of=photos)
        for dataset in datasets:
            _say(console, dataset.describe())
        self._sampler = StreamSampler(
            datasets,
            batch=config.batch_size,
            crop=config.crop,
            seed=seed,
            device=device,
            workers=config.workers,
            cache_bytes=int(config.cache_gib * 2**30),
            on_bad=lambda line: _say(console, line),
        )
        samples, photos = len(self._sampler), self._sampler.photos
        fingerprint = Fingerprint(training=(samples, photos), validation=_digest(validation_paths))
        super().__init__(validation.centre_crops(CROP), samples, photos, fingerprint)

    def batch(self, step: int, rows: slice) -> Batch:
        return self._sampler(step, rows)

    def bad_photos(self) -> list[str]:
        return list(self._sampler.bad.values())

    def close(self) -> None:
        self._sampler.close()


class BadPhotos:
    """The unusable photos of all processes: each meets those of its own rows, and the first names them all.

    Args:
        data: this process's.
        console: of the first process; what it has met itself was printed when it was met.
    """

    def __init__(self, data: DataModule, processes: Processes, console: Any) -> None:
        self._data, self._processes, self._console = data, processes, console
        self._sent = 0
        self._known: set[str] = set()

    def share(self) -> None:
        """Exchange what is new; every process must call this at the same step.

        Raises:
            UserError: more than 1 % of the photos cannot be used, all processes counted; on every process.
        """
        photos = self._data.photos
        if self._processes.count == 1 or not photos:
            return
        own = self._data.bad_photos()
        new, self._sent = own[self._sent :], len(own)
        count = len(self._known)
        for line in self._processes.gather(new):
            self._known.add(line)
            if len(self._known) > count and line not in own:
                _say(self._console, f"skipped {line} ({len(self._known)} of {photos} photos so far)")
            count = len(self._known)
        if count > BAD_SHARE * photos:
            raise UserError(f"{count} of {photos} photos cannot be used, more than 1 %; they are named above")


def _digest(paths: list[Path]) -> str:
    """Of names alone: a run may go on where the folders lie elsewhere."""
    names = "\n".join(path.name for path in paths)
    return hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()[:12]


def _say(console: Any, line: str) -> None:
    """One line, whatever the terminal's width and whatever is in a file's name."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _read(
    console: Any, device: torch.device, *groups: tuple[list[Path], int, str], of: int = 0
) -> list[PhotoBank]:
    """Read groups of photos, each with the least size and the use that they have, behind one bar.

    Args:
        of: photos of which 1 % may be unreadable; those of all groups if they are not a part of more.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

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
