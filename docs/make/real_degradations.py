"""Compare made degradations with real photos: `.venv/bin/python docs/make/real_degradations.py POOL CLEAN`.

POOL has a folder of real photos for each of haze, rain, snow, low_light and noise; CLEAN is a folder of clean
photos. Statistics of both, side by side, as the table of docs/lab/real-degradations.md: 10th, 50th and 90th
percentile over photos. A third folder, if given, gets contact sheets: real photos above, made ones below.
"""

import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, minimum_filter
from skimage.filters import median
from skimage.measure import label, regionprops

from anyir.model.data.degradations import degrade
from anyir.model.data.mixture import as_stored
from anyir.model.data.photo_bank import list_photos, read_rgb

MADE = {
    "haze": ("haze", "dense_haze"),
    "rain": ("rain", "heavy_rain"),
    "snow": ("snow", "near_snow"),
    "low_light": ("low_light", "underexposure"),
    "noise": ("noise", "camera_noise", "grain"),
}
"""Folder of real photos -> the kinds that stand for it."""
MOST = 24
"""Photos of a kind, at most."""
SIDE = 512
"""Middle of a photo that is looked at, at most; photos keep their pixels."""
Pixels = NDArray[np.float32]


def luma(photo: Pixels) -> Pixels:
    return photo @ np.float32([0.299, 0.587, 0.114])


def noise_of(photo: Pixels) -> dict[str, float]:
    """In the evenest tenth of 16x16 blocks, after what is smooth was taken away."""
    residue = photo - gaussian_filter(photo, (4, 4, 0))
    h, w = (side // 16 * 16 for side in photo.shape[:2])
    blocks = residue[:h, :w].reshape(h // 16, 16, w // 16, 16, 3).swapaxes(1, 2).reshape(-1, 16, 16, 3)
    grey = luma(blocks)
    spread = grey.std(axis=(1, 2))
    # Blocks that are clipped to black or white have no noise to show.
    chosen = (spread <= np.quantile(spread[spread > 1e-4], 0.1)) & (spread > 1e-4)
    blocks, grey = blocks[chosen], grey[chosen]
    beside = (grey[:, :, 1:] * grey[:, :, :-1]).mean() / max(1e-12, (grey**2).mean())
    chroma = (blocks - grey[..., None]).std() / max(1e-6, grey.std())
    return {"deviation, of 255": 255 * grey.std(), "neighbours' correlation": beside, "colour / grey": chroma}


def haze_of(photo: Pixels) -> dict[str, float]:
    dark = minimum_filter(photo.min(axis=2), 15)
    air = photo.reshape(-1, 3)[dark.ravel() >= np.quantile(dark, 0.98)].mean(axis=0)
    return {
        "dark channel": dark.mean(),
        "contrast": luma(photo).std(),
        "airlight": air.mean(),
        "its red - blue": air[0] - air[2],
        "noise, of 255": noise_of(photo)["deviation, of 255"],
    }


def spots_of(photo: Pixels) -> list[Any]:
    """What is small and brighter than its surroundings, as regions with the brightness that they add."""
    grey = luma(photo)
    surroundings = median((grey * 255).astype(np.uint8), np.ones((9, 9), np.uint8), behavior="rank")
    above = grey - np.float32(surroundings) / 255
    return [one for one in regionprops(label(above > 0.06), above) if one.area >= 4]


def rain_of(photo: Pixels) -> dict[str, float]:
    spots = [one for one in spots_of(photo) if one.axis_major_length > 2.5 * one.axis_minor_length]
    return _shapes(spots, photo) | {"dark channel": haze_of(photo)["dark channel"]}


def snow_of(photo: Pixels) -> dict[str, float]:
    spots = [one for one in spots_of(photo) if one.axis_major_length <= 2.5 * one.axis_minor_length]
    return _shapes(spots, photo)


def _shapes(spots: list[Any], photo: Pixels) -> dict[str, float]:
    if not spots:
        return {"covered, %": 0.0}
    return {
        "covered, %": 100 * sum(one.area for one in spots) / photo[..., 0].size,
        "length": float(np.median([one.axis_major_length for one in spots])),
        "length, longest tenth": float(np.quantile([one.axis_major_length for one in spots], 0.9)),
        "width": float(np.median([one.axis_minor_length for one in spots])),
        "brightness added": float(np.median([one.intensity_mean for one in spots])),
    }


def light_of(photo: Pixels) -> dict[str, float]:
    grey = luma(photo)
    pushed = np.clip(photo, 0, 1) ** 2.2 * (0.4**2.2 / max(1e-5, np.median(grey) ** 2.2))
    return {
        "median": float(np.median(grey)),
        "brightest 5 %": float(np.quantile(grey, 0.95)),
        "darkest 5 %": float(np.quantile(grey, 0.05)),
        "lamps (above 0.9), %": 100 * float((grey > 0.9).mean()),
        "noise once pushed, of 255": noise_of(pushed.clip(0, 1) ** np.float32(1 / 2.2))["deviation, of 255"],
    }


MEASURES: dict[str, Callable[[Pixels], dict[str, float]]] = {
    "haze": haze_of, "rain": rain_of, "snow": snow_of, "low_light": light_of, "noise": noise_of,
}  # fmt: skip


def middle(path: Path) -> Pixels:
    pixels = read_rgb(path).numpy()
    top, left = (max(0, side - SIDE) // 2 for side in pixels.shape[:2])
    return np.float32(pixels[top : top + SIDE, left : left + SIDE]) / 255


def evenly(paths: list[Path]) -> list[Path]:
    """At most ``MOST`` of them."""
    return [paths[int(place)] for place in np.linspace(0, len(paths) - 1, min(MOST, len(paths)))]


def made_photos(kind: str, clean: list[Path], count: int) -> list[Pixels]:
    """As training has them: every severity alike, in 8 bits."""
    made = []
    for number, path in zip(range(count), cycle(clean)):
        photo = torch.from_numpy(middle(path)).permute(2, 0, 1)[None]
        degraded = as_stored(degrade(photo, kind, severity=(number + 0.5) / count, seed=number))
        made.append(degraded[0].permute(1, 2, 0).numpy())
    return made


def row(photos: list[Pixels], measure: Callable[[Pixels], dict[str, float]]) -> dict[str, str]:
    """Statistic -> its 10th, 50th and 90th percentile."""
    values: dict[str, list[float]] = {}
    for photo in photos:
        for name, value in measure(photo).items():
            values.setdefault(name, []).append(value)
    return {
        name: " ".join(f"{value:.3g}" for value in np.quantile(each, (0.1, 0.5, 0.9)))
        for name, each in values.items()
    }


def sheet(rows: list[list[Pixels]], path: Path, side: int = 240) -> None:
    """Photos in rows, each row of one kind."""
    page = Image.new("RGB", (8 * side, len(rows) * side))
    for y, photos in enumerate(rows):
        for x, photo in enumerate(photos[:: max(1, len(photos) // 8)][:8]):
            image = Image.fromarray((photo * 255).round().astype(np.uint8))
            image.thumbnail((side, side))
            page.paste(image, (x * side, y * side))
    page.save(path)


def main() -> None:
    pool, clean = Path(sys.argv[1]), evenly(list_photos([Path(sys.argv[2])]))
    for folder, kinds in MADE.items():
        real = [middle(path) for path in evenly(list_photos([pool / folder]))]
        groups = {f"real ({len(real)})": real} | {kind: made_photos(kind, clean, MOST) for kind in kinds}
        found = {name: row(photos, MEASURES[folder]) for name, photos in groups.items()}
        print(f"\n| {folder} | {' | '.join(groups)} |\n{'|---' * (len(groups) + 1)}|")
        for name in next(iter(found.values())):
            print(f"| {name} | {' | '.join(values.get(name, '') for values in found.values())} |")
        if len(sys.argv) > 3:
            sheet(list(groups.values()), Path(sys.argv[3]) / f"{folder}.png")


if __name__ == "__main__":
    main()
