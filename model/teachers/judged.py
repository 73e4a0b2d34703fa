"""Photos that weights are judged by, known again in another folder, whatever their name, size and format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anyir.model.data.decode import read_pixels
from anyir.model.data.photo_bank import list_photos
from anyir.model.photo.pixels import to_8_bits

SIDE = 24
"""Pixels of the thumbnail that is compared."""
ALIKE = 0.98
"""Correlation of two thumbnails from which on they are of one photo: saved again or shrunk, a photo has 0.999
with itself; among 412 real photos and 300 others, two different ones had 0.945 at most, two frames of one
video more."""


class JudgedPhotos:
    """The photos of some folders, searched below.

    Raises:
        UserError: a folder without photos, or a photo that cannot be read.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._paths = list_photos(folders)
        self._thumbnails = [_thumbnail(path) for path in self._paths]

    def same_as(self, path: Path) -> Path | None:
        """The judged photo that a photo is, or None.

        Raises:
            UserError: it cannot be read.
        """
        if not self._paths:
            return None
        alike = np.stack(self._thumbnails) @ _thumbnail(path)
        best = int(alike.argmax())
        return self._paths[best] if alike[best] >= ALIKE else None


def _thumbnail(path: Path) -> NDArray[np.float64]:
    """(SIDE²,) grey, of mean 0 and length 1: a product of two is their correlation."""
    image = Image.fromarray(to_8_bits(read_pixels(path))).convert("L")
    grey = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64).ravel()
    grey = grey - grey.mean()
    return grey / max(float(np.linalg.norm(grey)), 1e-6)
