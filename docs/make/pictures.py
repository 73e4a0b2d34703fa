"""Make the pictures of docs/explanation/degradations.md: `.venv/bin/python docs/make/pictures.py`.

Each shows one photo clean and under one degradation at severities 0.2, 0.6 and 1.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data

from anyir.model.data.degradation_registry import single_kinds
from anyir.model.data.degradations import degrade

HERE = Path(__file__).parents[1] / "images"
MIXTURES = ("low_light+haze+rain", "haze+snow")


def main() -> None:
    photo = torch.from_numpy(data.coffee()[40:292, 120:456].copy()).permute(2, 0, 1)[None].float() / 255
    for kind in (*single_kinds(), *MIXTURES):
        row = [photo, *(degrade(photo, kind, severity=s, seed=7) for s in (0.2, 0.6, 1.0))]
        pixels = torch.cat(row, dim=3)[0].clamp(0, 1).permute(1, 2, 0).numpy()
        image = Image.fromarray((pixels * 255).round().astype(np.uint8))
        name = kind.replace("+", "-")
        image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.LANCZOS).save(
            HERE / f"degradation-{name}.jpg", quality=82
        )


if __name__ == "__main__":
    main()
