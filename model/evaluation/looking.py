"""Real photos before and after, beside what a textbook and other networks do: pictures and their figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from anyir.model.data.decode import read_float, read_pixels
from anyir.model.data.photo_bank import PHOTO_SUFFIXES, is_photo
from anyir.model.errors import UserError
from anyir.model.evaluation.baselines import BASELINES
from anyir.model.evaluation.photo_figures import PhotoFigures, change, measure_photo
from anyir.model.files import sha256, write_atomically
from anyir.model.photo.pixels import to_8_bits
from anyir.model.photo.reader import read_size
from anyir.model.restore.need import Need, need_between

if TYPE_CHECKING:
    from anyir.model.restore.restorer import Restorer

PICTURES = "pictures"
LEAST_SIDE = 2
"""Pixels a side that figures of a photo and classical methods need."""


@dataclass(frozen=True)
class Picture:
    """One version of a photo.

    Attributes:
        title: who made it: ``before``, ``after``, a baseline or a peer.
        file: below the page's folder; None for a peer that did not make one.
        figures: of it.
        change: against the photo before, as ``anyir.model.evaluation.photo_figures.change``.
    """

    title: str
    file: str
    figures: PhotoFigures
    change: dict[str, float]


@dataclass(frozen=True)
class SeenPhoto:
    """A photo with its versions, the one before first.

    Attributes:
        kind: the folder that it lies in: what is wrong with it.
        name: its file's.
        pictures: before, after, baselines, peers.
        need: how much it needed to be restored, by its whole restoration.
    """

    kind: str
    name: str
    pictures: list[Picture]
    need: Need

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.name}"


def list_kinds(folder: Path) -> list[tuple[str, Path]]:
    """(kind, photo) of every photo in the subfolders, sorted; of the folder itself where there are none.

    Raises:
        UserError: no folder, no photos, or one that cannot be read, is too small to be measured, or is there
            twice, byte by byte.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    kinds = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    listed = [(kind.name, path) for kind in kinds for path in sorted(kind.iterdir()) if is_photo(path, kind)]
    listed = listed or [(folder.name, path) for path in sorted(folder.iterdir()) if is_photo(path, folder)]
    if not listed:
        raise UserError(f"no photos in the folders of {folder} ({', '.join(sorted(PHOTO_SUFFIXES))})")
    seen: dict[str, Path] = {}
    for _, path in listed:
        first = seen.setdefault(sha256(path), path)
        if first is not path:
            raise UserError(f"{path} is the same photo as {first}; remove one")
        width, height = read_size(path)
        if min(width, height) < LEAST_SIDE:
            raise UserError(f"{path} has {width}x{height} pixels; at least {LEAST_SIDE} a side are due")
    return listed


def see_photos(
    listed: list[tuple[str, Path]],
    out: Path,
    restorer: Restorer,
    model: str,
    *,
    peers: dict[str, Path] | None = None,
    baselines: bool = True,
    on_photo: Callable[[], None] = lambda: None,
) -> Iterator[SeenPhoto]:
    """Restore photos, write their versions below ``out`` as PNG, and measure them.

    A version that is there, of the same photo and the same maker, is not made again.

    Args:
        listed: what ``list_kinds`` gave.
        out: the page's folder.
        restorer: what restores.
        model: its name and digest, which its files are named by.
        peers: title -> folder with other networks' versions, ``KIND/NAME.*``, of the photo's size.
        baselines: whether classical ones are made.
        on_photo: called after each photo.

    Raises:
        UserError: a photo or a peer's version that cannot be read or has another size.
    """
    for kind, path in listed:
        base = Path(PICTURES) / kind / f"{path.stem}.{sha256(path)[:8]}"
        pixels = to_8_bits(read_pixels(path))
        files = {"before": _make(out, f"{base}.before.png", lambda p=pixels: p)}  # type: ignore[misc]
        files["after"] = _make(
            out,
            f"{base}.{_slug(model)}.png",
            lambda p=pixels: np.asarray(restorer(p)),  # type: ignore[misc]
        )
        for title, method in BASELINES.get(kind, {}).items() if baselines else ():
            files[title] = _make(
                out,
                f"{base}.{_slug(title)}.png",
                lambda m=method, p=path: _to_pixels(m(read_float(p))),  # type: ignore[misc]
            )
        for title, folder in (peers or {}).items():
            if (theirs := _find(folder, kind, path.stem)) is not None:
                files[title] = _make(
                    out,
                    f"{base}.{_slug(title)}.{sha256(theirs)[:8]}.png",
                    lambda t=theirs: to_8_bits(read_pixels(t)),  # type: ignore[misc]
                )
        yield _measure(kind, path, out, files)
        on_photo()


def _measure(kind: str, path: Path, out: Path, files: dict[str, str]) -> SeenPhoto:
    before = read_float(out / files["before"])
    pictures = []
    for title, file in files.items():
        version = read_float(out / file)
        if version.shape != before.shape:
            sizes = [f"{image.shape[-1]}x{image.shape[-2]}" for image in (version, before)]
            raise UserError(f"{title}'s {kind}/{path.name} is {sizes[0]}, the photo {sizes[1]}")
        pictures.append(Picture(title, file, measure_photo(version), change(before, version)))
    after = read_float(out / files["after"])
    need = need_between(*(image[0].permute(1, 2, 0).numpy() for image in (before, after)))
    return SeenPhoto(kind, path.name, pictures, need)


def _make(out: Path, file: str, make: Callable[[], np.ndarray]) -> str:
    """Write a picture, (H, W, 3) uint8, unless it is there; returns ``file``."""
    path = out / file
    if not path.is_file():
        import io

        data = io.BytesIO()
        Image.fromarray(make()).save(data, "PNG")
        write_atomically(path, data.getvalue())
    return file


def _find(folder: Path, kind: str, stem: str) -> Path | None:
    """A peer's version: ``KIND/STEM.*``."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    place = folder / kind
    found = sorted(place.iterdir()) if place.is_dir() else []
    return next((path for path in found if path.stem == stem and is_photo(path, place)), None)


def _to_pixels(photo: object) -> np.ndarray:
    import torch

    assert isinstance(photo, torch.Tensor)
    return (photo[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def _slug(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.lower())
