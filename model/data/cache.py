"""Decoded photos in memory, up to a bound: the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class PhotoCache:
    """What ``read`` returns for a path, kept while there is room. Safe to share between threads.

    Args:
        read: decodes a photo to uint8.
        limit: bytes of pixels to keep; 0 keeps nothing.
    """

    def __init__(self, read: Callable[[Path], Pixels], limit: int) -> None:
        self.limit, self.held = limit, 0
        self._read = read
        self._photos: OrderedDict[Path, Pixels] = OrderedDict()
        self._lock = Lock()

    def __call__(self, path: Path) -> Pixels:
        """The photo's pixels, which nobody may change."""
        with self._lock:
            if path in self._photos:
                self._photos.move_to_end(path)
                return self._photos[path]
        pixels = self._read(path)  # outside the lock: two threads may decode the same photo, no harm
        with self._lock:
            if path not in self._photos and pixels.nbytes <= self.limit:
                self._photos[path] = pixels
                self.held += pixels.nbytes
                while self.held > self.limit:
                    _, oldest = self._photos.popitem(last=False)
                    self.held -= oldest.nbytes
        return pixels
