"""Tiles as small WebP files beside the results, for the report's before-and-after slider."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.model.errors import UserError
from anyir.model.files import write_atomically

QUALITY = 88
"""Of WebP. Pictures are for looking at; figures come from the arrays."""
MAX_SIDE = 512
"""Larger tiles are scaled down to this, so that a report with all of them stays below 8 MB."""


class PictureWriter:
    """Writes pictures into one folder and names them as results do.

    A name ends in the picture's own hash: results of several runs in one folder keep each their pictures.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, tile: NDArray[Any]) -> str:
        """Write (3, T, T) values in 0..1 (clipped) as ``name``.HASH.webp.

        Returns:
            The path relative to the results file.

        Raises:
            UserError: a name that leads to another folder.
        """
        if "/" in name or "\\" in name:
            raise UserError(f"{name!r} cannot be part of a picture's name")
        from PIL import Image

        pixels = (np.asarray(tile, np.float32).clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
        buffer = io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        picture.save(buffer, "WEBP", quality=QUALITY, method=4)
        file = f"{name}.{hashlib.sha256(buffer.getvalue()).hexdigest()[:12]}.webp"
        write_atomically(self.folder / file, buffer.getvalue())
        return f"{self.folder.name}/{file}"
