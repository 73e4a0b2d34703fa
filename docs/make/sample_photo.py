"""Make the sample photo that comes with the Android app: `.venv/bin/python docs/make/sample_photo.py`.

scikit-image's `chelsea` (Stéfan van der Walt, CC0) as dark as a bad evening, by
`anyir degrade chelsea.png sample.jpg --kind low_light --severity 0.5 --seed 3`. That writes JPEG of quality
95 with full-resolution colour; compressed harder, at 88, the shipped weights leave it as dark as it is.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from skimage import data

OUT = Path(__file__).parents[2] / "android_demo/app/src/main/res/raw/sample.jpg"
OPTIONS = "--kind low_light --severity 0.5 --seed 3 --overwrite"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clean = Path(folder) / "chelsea.png"
        Image.fromarray(data.chelsea()).save(clean)
        command = [sys.executable, "-m", "anyir.model.cli", "degrade", str(clean), str(OUT), *OPTIONS.split()]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
