"""Make what the Android tests run: python tests/helpers/make_android_artifacts.py FOLDER

FOLDER/models/     LiteRT programs of the tiny network, two entries each, with their manifests
FOLDER/rectangle/  one whose tiles are 48x80
FOLDER/reference/  the network's own outputs on fixed tiles
FOLDER/assets/     both as the app carries them
FOLDER/photo.png   a noisy photo, larger than a tile and of odd size
FOLDER/turned.jpg  the same as a JPEG that lies on its side, as phones write them
FOLDER/grey.png    the same in grey
FOLDER/restored/   for every program what `anyir restore --with` it makes of the photo by one look at it;
                   turned.png and grey.png, of turned.jpg and grey.png by the fp32 program
FOLDER/looks/      for every program the statistics of the photo's sheet: float32, one after the other
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data
from tiny import save_tiny_weights

TILE = 64
ORIENTATION = 0x0112


def anyir(*arguments: object) -> None:
    command = [sys.executable, "-m", "anyir.model.cli", *map(str, arguments)]
    subprocess.run(command, check=True, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})


def save_look(artifact: Path, photo: Path, statistics: Path) -> None:
    """Write what the artifact's ``look`` finds in a photo, little-endian, in the manifest's order."""
    from anyir.model.restore.look import make_sheet
    from anyir.model.restore.tile_models import open_model

    model = open_model(artifact, threads=1)
    sheet = make_sheet(np.asarray(Image.open(photo)), TILE).astype(np.float32) / np.float32(255)
    found = model.look(np.ascontiguousarray(sheet.transpose(2, 0, 1)[None]))
    values = [np.asarray(value, "<f4").ravel() for value in found.values]
    np.concatenate(values).tofile(statistics)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights, photo = folder / "tiny.safetensors", folder / "photo.png"
    save_tiny_weights(weights)
    anyir(
        "convert", "--weights", weights, "--tile", TILE, "--out", folder / "models", "--only", "litert_cpu_*"
    )
    rectangle = ("--restore-size", "48x80", "--only", "litert_cpu_fp32", "--out", folder / "rectangle")
    anyir("convert", "--weights", weights, "--tile", TILE, *rectangle)
    anyir("reference", "--weights", weights, "--tile", TILE, "--out", folder / "reference")
    staged = ("--artifacts", folder / "models", "--reference", folder / "reference")
    anyir("android", "stage", *staged, "--out", folder / "assets")

    clean = data.chelsea()[20:163, 100:277].astype(np.float64)
    noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape)
    image = Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))
    image.save(photo)
    image.convert("L").save(folder / "grey.png")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=95, exif=exif)
    (folder / "restored").mkdir(exist_ok=True)
    (folder / "looks").mkdir(exist_ok=True)
    for artifact in sorted(folder.glob("*/tiny_*.tflite")):
        restored = folder / "restored" / f"{artifact.stem}.png"
        anyir("restore", photo, restored, "--with", artifact, "--overwrite")
        save_look(artifact, photo, folder / "looks" / f"{artifact.stem}.f32")
    (program,) = (folder / "models").glob("*_fp32_*.tflite")
    for name in ("turned.jpg", "grey.png"):
        restored = folder / "restored" / Path(name).with_suffix(".png")
        anyir("restore", folder / name, restored, "--with", program, "--overwrite")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    main(Path(sys.argv[1]))
