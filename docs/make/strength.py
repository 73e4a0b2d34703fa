"""Print the table of docs/guides/restore.md, "Strength": `.venv/bin/python docs/make/strength.py PHOTO...`.

PHOTO are clean photos that training did not see; each is degraded at severity 0.5 and restored whole.
"""

import sys
from pathlib import Path

import torch

from anyir.model import Restorer, degrade
from anyir.model.data.decode import read_float
from anyir.model.metrics import psnr

KINDS = {
    "haze": "haze",
    "low light": "low_light",
    "rain": "rain",
    "snow": "snow",
    "noise": "noise",
    "defocus": "defocus_blur",
    "motion": "motion_blur",
    "camera noise": "camera_noise",
    "clean": None,
}
STRENGTHS = (0, 0.25, 0.5, 0.75, 1)


def scores(photo: torch.Tensor, kind: str | None, restorer: Restorer, seed: int) -> list[float]:
    """PSNR in dB at each strength. (1, 3, H, W) in 0..1, stored with 8 bits as photos are."""
    degraded = photo if kind is None else degrade(photo, kind, severity=0.5, seed=seed)
    degraded = (degraded.clamp(0, 1) * 255).round() / 255
    pixels = (degraded[0].permute(1, 2, 0) * 255).round().byte().numpy()
    restored = torch.from_numpy(restorer(pixels)).permute(2, 0, 1)[None] / 255
    blends = (degraded + strength * (restored - degraded) for strength in STRENGTHS)
    return [psnr(image=blend, reference=photo, data_range=1.0) for blend in blends]


def main(paths: list[Path]) -> None:
    photos = [read_float(path) for path in paths]
    restorer = Restorer("small", tile=max(-(-max(photo.shape) // 8) * 8 for photo in photos))
    columns = []
    for kind in KINDS.values():
        each = [scores(photo, kind, restorer, seed) for seed, photo in enumerate(photos)]
        columns.append([sum(values) / len(values) for values in zip(*each, strict=True)])
    print(f"| strength | {' | '.join(KINDS)} |\n|---|{'---|' * len(KINDS)}")
    for place, strength in enumerate(STRENGTHS):
        name = "0: the photo" if strength == 0 else f"{strength:g}"
        cells = ["equal" if column[place] > 99 else f"{column[place]:.2f}" for column in columns]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
