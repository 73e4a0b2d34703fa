"""Make the pictures of docs/explanation/models.md: `.venv/bin/python docs/make/before_after.py`.

Sheets, each photo before and after, with the default weights unless said:

- ``overview.jpg``: photos of scikit-image under made degradations, for README: before above, after below;
- ``before-after.jpg``: the same beside the truth;
- ``real.jpg``: photos that nobody degraded: what is wrong with them, the world did;
- ``failures.jpg``, and for other weights ``failures-<preset>.jpg``: the made degradations of which the least
  was restored, or something was harmed;
- ``presets.jpg``: the same photos restored by each of the shipped weights;
- ``stored.jpg``: the same photos restored from a file without loss and from a JPEG of quality 95.

With folders of real pairs (``docs/make/before_after.py rain100l/input rain100l/target ...``), their sheet
goes to build/real_pairs.jpg: those data sets may not be published again.
"""

import io
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from sklearn.datasets import load_sample_image
from torch import Tensor

from anyir.model.checkpoint import DEFAULT, shipped_presets
from anyir.model.data.degradation_registry import single_kinds
from anyir.model.data.degradations import degrade
from anyir.model.data.mixture import as_stored
from anyir.model.evaluation.benchmark import restore_whole
from anyir.model.metrics import psnr
from anyir.model.restore.tile_models import open_model

DOCS = Path(__file__).parents[1]
SIDE, CAPTION = 192, 18
"""Of a cell and of the words below it, in pixels."""
GOOD = (("coffee", "noise"), ("astronaut", "haze"), ("chelsea", "low_light"), ("coffee", "snow"))
COMPARED = (
    ("chelsea", "defocus_blur"),
    ("coffee", "rain"),
    ("astronaut", "haze"),
    ("coffee", "camera_noise"),
    ("chelsea", "jpeg"),
)
STORED = (("coffee", "noise"), ("chelsea", "low_light"), ("astronaut", "haze"))
PHOTOS = ("astronaut", "coffee", "chelsea")
SEVERITIES = (0.25, 0.5, 0.75, 1.0)
MIXTURES = ("low_light+haze+rain", "haze+snow")
FAILURES = 4
"""Rows of failures: the worst photo and severity of as many degradations."""
Restore = Callable[[Tensor], Tensor]


class Case(NamedTuple):
    """One photo under one degradation, each image (1, 3, H, W) in 0..1."""

    photo: str
    kind: str
    severity: float
    before: Tensor
    after: Tensor
    truth: Tensor

    def gain(self) -> float:
        """In dB over the degraded photo."""
        return self.quality(self.after) - self.quality(self.before)

    def quality(self, image: Tensor) -> float:
        return psnr(image=image, reference=self.truth, data_range=1.0)


def as_tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels[..., :3].copy()).permute(2, 0, 1)[None].float() / 255


def as_jpeg(image: Tensor) -> Tensor:
    """What comes back from a JPEG file of quality 95."""
    file = io.BytesIO()
    pixels = (image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return as_tensor(np.asarray(Image.open(file)))


def make_case(restore: Restore, photo: str, kind: str, severity: float, seed: int) -> Case:
    whole = as_tensor(getattr(data, photo)())
    top, left = (whole.shape[2] - 256) // 3, (whole.shape[3] - 256) // 2
    truth = whole[:, :, top : top + 256, left : left + 256]
    before = as_stored(degrade(truth, kind, severity=severity, seed=seed))
    return Case(photo, kind, severity, before, restore(before), truth)


def show_failures(restore: Restore, name: str) -> None:
    everything = product(PHOTOS, (*single_kinds(), *MIXTURES), SEVERITIES)
    made = [make_case(restore, *what, seed=seed) for seed, what in enumerate(everything)]
    worst: dict[str, Case] = {}
    for case in sorted(made, key=Case.gain):
        worst.setdefault(case.kind, case)
    failures = list(worst.values())[:FAILURES]
    save(sheet([row(case) for case in failures]), DOCS / "images" / name)
    for case in failures:
        print(f"{case.kind} {case.severity:g} on {case.photo}: {case.gain():+.2f} dB")


def compare(presets: dict[str, Restore]) -> None:
    rows = []
    for photo, kind in COMPARED:
        cases = {name: make_case(restore, photo, kind, 0.5, seed=1) for name, restore in presets.items()}
        before, _, truth = row(next(iter(cases.values())))
        after = [(f"{name}: {case.quality(case.after):.1f} dB", case.after) for name, case in cases.items()]
        rows.append([before, *after, truth])
    save(sheet(rows), DOCS / "images" / "presets.jpg")


def main(pairs: list[Path]) -> None:
    presets = {name: restore_whole(open_model(name)) for name in shipped_presets()}
    restore = presets[DEFAULT]
    compare(presets)
    good = [make_case(restore, photo, kind, 0.5, seed=1) for photo, kind in GOOD]
    save(sheet([row(case) for case in good]), DOCS / "images" / "before-after.jpg")
    save(sheet(overview(good)), DOCS / "images" / "overview.jpg")
    for name, other in presets.items():
        show_failures(other, "failures.jpg" if name == DEFAULT else f"failures-{name}.jpg")

    rows = []
    for photo, kind in STORED:
        case = make_case(restore, photo, kind, 0.5, seed=1)
        after = restore(as_jpeg(case.before))
        words = row(case)
        rows.append([*words[:2], (f"restored from JPEG: {case.quality(after):.1f} dB", after)])
    save(sheet(rows), DOCS / "images" / "stored.jpg")

    real = {
        "haze in the distance": load_sample_image("china.jpg")[60:316, 180:436],
        "dusk": data.rocket()[120:376, 200:456],
        "a moving camera": np.repeat(data.clock()[22:278, 72:328, None], 3, axis=2),
    }
    rows = []
    for words, pixels in real.items():
        before = as_tensor(pixels)
        rows.append([(words, before), ("restored", restore(before))])
    save(sheet(rows), DOCS / "images" / "real.jpg")

    rows = []
    for folder, target in zip(pairs[::2], pairs[1::2], strict=True):
        truths = sorted(target.iterdir())
        for before_path, truth_path in zip(sorted(folder.iterdir()), truths, strict=True):
            before, truth = (
                as_tensor(np.asarray(Image.open(p).convert("RGB"))) for p in (before_path, truth_path)
            )
            rows.append(row(Case(before_path.stem, folder.parent.name, 0, before, restore(before), truth)))
    if rows:
        save(sheet(rows), DOCS.parent / "build" / "real_pairs.jpg")


def row(case: Case) -> list[tuple[str, Tensor]]:
    """Before, after, truth, each with its words."""
    kind = case.kind.replace("_", " ")
    strength = f" {case.severity:g}" if case.severity else ""
    return [
        (f"{kind}{strength}: {case.quality(case.before):.1f} dB", case.before),
        (f"restored: {case.quality(case.after):.1f} dB", case.after),
        ("truth", case.truth),
    ]


def overview(cases: list[Case]) -> list[list[tuple[str, Tensor]]]:
    """All cases side by side: before above, after below."""
    before = [
        (f"{case.kind.replace('_', ' ')}: {case.quality(case.before):.1f} dB", case.before) for case in cases
    ]
    return [before, [(f"restored: {case.quality(case.after):.1f} dB", case.after) for case in cases]]


def sheet(rows: list[list[tuple[str, Tensor]]]) -> Image.Image:
    columns = max(len(cells) for cells in rows)
    page = Image.new("RGB", (columns * SIDE, len(rows) * (SIDE + CAPTION)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for y, cells in enumerate(rows):
        for x, (words, image) in enumerate(cells):
            pixels = (image[0].clamp(0, 1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            cell = Image.fromarray(pixels)
            side = min(cell.size)
            left, top = (cell.width - side) // 2, (cell.height - side) // 2
            cell = cell.crop((left, top, left + side, top + side))
            place = x * SIDE, y * (SIDE + CAPTION)
            page.paste(cell.resize((SIDE, SIDE), Image.Resampling.LANCZOS), place)
            draw.text((place[0] + 3, place[1] + SIDE + 2), words, "black", font=font)
    return page


def save(page: Image.Image, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    page.save(path, quality=85)
    print(path)


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
