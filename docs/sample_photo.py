"""Make the sample photo that comes with the Android app: `.venv/bin/python docs/sample_photo.py`.

scikit-image's `chelsea` (Stefan van der Walt, CC0), made as dark as a bad evening. It is the same as
`anyir degrade chelsea.png sample.jpg --kind low_light --severity 0.5 --seed 3`, in a smaller file.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data

from anyir.model.degradations import degrade

OUT = Path(__file__).parent.parent / "android_demo/app/src/main/res/raw/sample.jpg"


def main() -> None:
    photo = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1)[None].float() / 255
    dark = degrade(photo, "low_light", severity=0.5, seed=3)[0].clamp(0, 1).permute(1, 2, 0).numpy()
    Image.fromarray((dark * 255).round().astype(np.uint8)).save(OUT, quality=88)


if __name__ == "__main__":
    main()
