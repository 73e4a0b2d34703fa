"""Measure seams: `.venv/bin/python docs/make/seams.py PHOTO...`, a row of docs/lab/one-look.md for each.

Each photo is restored in tiles, once with one look at the whole of it and once with each tile judged alone.
build/seams/<photo>.jpg shows it before, with tiles that judge alone, and with one look, at full size.
Without a photo it makes docs/images/seams.jpg, of a sample photo that is made dark.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data

from anyir.model import Restorer, degrade
from anyir.model.checkpoint import DEFAULT
from anyir.model.evaluation.seams import seam_ratio
from anyir.model.photo.reader import read_photo

ROOT = Path(__file__).parents[2]


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H, W, 3) of whole numbers -> (3, H, W) in 0..1."""
    return torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max).permute(2, 0, 1)


def compare(name: str, photo: np.ndarray, *, tile: int, picture: Path) -> None:
    """Print a row and save the picture: before, each tile alone, one look."""
    images, ratios = [photo], []
    for statistics in ("tile", "photo"):
        restorer = Restorer(DEFAULT, tile=tile, statistics=statistics)
        images.append(restorer(photo))
        plan = restorer.plan(photo.shape[1], photo.shape[0])
        ratios.append(seam_ratio(as_tensor(images[-1]), as_tensor(photo), plan))
    size = f"{photo.shape[1]}x{photo.shape[0]}"
    print(f"| {name} | {size} | {len(plan)} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)
    picture.parent.mkdir(parents=True, exist_ok=True)
    eight_bits = [i if i.dtype == np.uint8 else (i >> 8).astype(np.uint8) for i in images]
    Image.fromarray(np.concatenate(eight_bits, axis=1)).save(picture, quality=90)


def sample() -> np.ndarray:
    """A photo of scikit-image at dusk, under-exposed."""
    dark = degrade(as_tensor(data.rocket())[None], "low_light", severity=0.5, seed=0)
    return (dark[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def main(paths: list[Path]) -> None:
    print("| photo | size | tiles | each tile alone | one look |\n|---|---|---|---|---|")
    for path in paths:
        photo = read_photo(path).pixels[..., :3]
        compare(path.name, photo, tile=256, picture=ROOT / "build/seams" / f"{path.stem}.jpg")
    if not paths:
        compare("rocket", sample(), tile=192, picture=ROOT / "docs/images/seams.jpg")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
