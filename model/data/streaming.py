"""Batches from datasets too large to hold decoded: read, cropped and degraded in threads, ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anyir.model.data.decode import BadPhoto, check_sizes, read_pixels
from anyir.model.data.pairing import Pair
from anyir.model.data.photo_bank import BAD_SHARE
from anyir.model.data.training_set import TrainDataset, degrade_sample, to_float
from anyir.model.errors import UserError
from anyir.model.photo.pixels import to_8_bits

Pixels = NDArray[np.uint8]


def cached_photos(read: Callable[[Path], Pixels], limit: int) -> Callable[[Path], Pixels]:
    """``read``, whose last results are kept while there is room: threads may share it, and nobody may change
    the pixels. Two threads may decode the same photo at once, which does no harm.

    Args:
        read: decodes a photo to uint8.
        limit: bytes of pixels to keep; 0 keeps nothing.
    """
    from cachetools import LRUCache, cached

    photos: LRUCache[Path, Pixels] = LRUCache(limit, getsizeof=lambda pixels: pixels.nbytes)
    return cached(photos, key=lambda path: path, lock=Lock())(read)


AHEAD = 3
"""Batches that are prepared before they are asked for."""
_NEXT = 7919
"""Where the stand-in for an unusable photo is looked for first: far off, at another photo."""

Sample = tuple[Tensor, Tensor]


class StreamSampler:
    """Batches of several datasets. An epoch has every sample once, in an order of its own.

    A sample depends on (seed, step, row) alone: neither on the device nor on the number of threads or
    processes. A photo that cannot be used is skipped, named once and counted; another stands in for it.

    Args:
        datasets: photos and what is done to them.
        batch: samples a step.
        crop: side of a sample in pixels.
        seed: what every random choice is drawn from.
        device: where batches go.
        workers: threads that read and degrade.
        cache_bytes: of decoded photos to keep.
        on_bad: called with a line for every photo that is skipped.
    """

    def __init__(
        self,
        datasets: list[TrainDataset],
        *,
        batch: int,
        crop: int,
        seed: int,
        device: torch.device,
        workers: int = 4,
        cache_bytes: int = 4 * 2**30,
        on_bad: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.datasets, self.batch, self.crop, self.seed, self.device = datasets, batch, crop, seed, device
        self.on_bad = on_bad
        self.ends = np.cumsum([dataset.samples for dataset in datasets])
        self.photos = len({pair for dataset in datasets for pair in dataset.pairs})
        self.bad: dict[Pair, str] = {}
        self._read = cached_photos(lambda path: to_8_bits(read_pixels(path)), cache_bytes)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="photos")
        self._waiting: dict[int, list[Future[Sample]]] = {}
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))
        self._lock = Lock()

    def __len__(self) -> int:
        """Samples in an epoch."""
        return int(self.ends[-1])

    def __call__(self, step: int, rows: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Rows of the batch of a step: (degraded, clean), each (B, 3, crop, crop) float on the device. Other
        rows are not made.

        Raises:
            UserError: more than 1 % of the photos cannot be used.
        """
        for ahead in range(step, step + AHEAD + 1):
            if ahead not in self._waiting:
                numbers = range(self.batch)[rows]
                self._waiting[ahead] = [self._pool.submit(self._sample, ahead, row) for row in numbers]
        for old in [known for known in self._waiting if not step <= known <= step + AHEAD]:
            for future in self._waiting.pop(old):
                future.cancel()
        samples = [future.result() for future in self._waiting.pop(step)]
        degraded, clean = (torch.stack(images) for images in zip(*samples, strict=True))
        return self._to_device(degraded), self._to_device(clean)

    def close(self) -> None:
        """Drop what was begun; no further batches."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _to_device(self, images: Tensor) -> Tensor:
        if self.device.type != "cuda":
            return images.to(self.device)
        return images.pin_memory().to(self.device, non_blocking=True)

    def _sample(self, step: int, row: int) -> Sample:
        place = step * self.batch + row
        epoch, place = divmod(place, len(self))
        number = int(self._epoch_order(epoch)[place])
        step_on = _NEXT
        while True:  # ends: once more than 1 % are bad, every sample refuses
            self._check_bad()
            dataset, pair = self._find(number)
            if pair not in self.bad:
                try:
                    return self._crop(dataset, pair, np.random.default_rng((self.seed, step, row)))
                except BadPhoto as error:
                    self._skip(pair, str(error))
            number, step_on = (number + step_on) % len(self), 1  # then one by one, so that all are reached

    def _epoch_order(self, epoch: int) -> np.ndarray:
        with self._lock:
            if self._order[0] != epoch:
                self._order = epoch, np.random.default_rng((self.seed, epoch)).permutation(len(self))
            return self._order[1]

    def _find(self, number: int) -> tuple[TrainDataset, Pair]:
        index = int(np.searchsorted(self.ends, number, side="right"))
        dataset = self.datasets[index]
        return dataset, dataset.pairs[(number - int(self.ends[index])) % len(dataset.pairs)]

    def _skip(self, pair: Pair, reason: str) -> None:
        with self._lock:
            if pair in self.bad:
                return
            self.bad[pair] = reason
            count = len(self.bad)
        self._check_bad()
        self.on_bad(f"skipped {reason} ({count} of {self.photos} photos so far)")

    def _check_bad(self) -> None:
        with self._lock:
            reasons = list(self.bad.values())
        if len(reasons) > BAD_SHARE * self.photos:
            raise UserError(
                f"{len(reasons)} of {self.photos} photos cannot be used, more than 1 %; last: {reasons[-1]}"
            )

    def _crop(self, dataset: TrainDataset, pair: Pair, generator: np.random.Generator) -> Sample:
        clean = self._read(pair.clean)
        degraded = clean if pair.degraded is None else self._read(pair.degraded)
        check_sizes(pair, degraded.shape[:2], clean.shape[:2])
        height, width = clean.shape[:2]
        if min(height, width) < self.crop:
            raise BadPhoto(f"{pair.clean}: {width}x{height} is smaller than a {self.crop}-pixel crop")
        top = int(generator.integers(height - self.crop + 1))
        left = int(generator.integers(width - self.crop + 1))
        turn, mirror = int(generator.integers(4)), bool(generator.integers(2))

        def view(pixels: Pixels) -> Tensor:
            part_of = np.rot90(pixels[top : top + self.crop, left : left + self.crop], turn)
            return to_float(part_of[:, ::-1] if mirror else part_of)

        target = view(clean)
        if pair.degraded is not None:
            return view(degraded), target
        return degrade_sample(target, dataset.spec, generator), target
