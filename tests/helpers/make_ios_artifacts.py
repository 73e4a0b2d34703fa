"""Make what the iOS tests run: python tests/helpers/make_ios_artifacts.py ANDROID FOLDER

ANDROID is what make_android_artifacts.py made. FOLDER then has the same photo, reference and LiteRT
programs, and

FOLDER/models/         also an ExecuTorch program of the same network
FOLDER/restored/       also what `anyir restore --with` the ExecuTorch program makes of the photo
FOLDER/camera.jpg      the photo on its side, with the EXIF and the colour profile of a camera
FOLDER/restored/       also camera.jpg, what `anyir restore` makes of it with the fp32 LiteRT program
FOLDER/staged/         the reference's tiles as apps carry them
FOLDER/tree/           a folder in place of a Core ML package, and tree.sha256, its hash as manifests have it
FOLDER/manifests.json  manifests with one fault or none, and whether the published schema takes them
"""

from __future__ import annotations

import copy
import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from make_android_artifacts import TILE, anyir, save_look

MANIFESTS = 200
VALUES: list[Any] = [
    *(None, True, 1, 3, -2, 1.0, 2.5, 1e2, "text", "1", [], [1], ["a"], [None], {}, {"a": 1}, {"a": "b"}),
    *({"a": None}, "litert", "measured", "evaluated"),
]


def mutate(value: Any, pick: random.Random) -> None:
    """Change one entry at any depth."""
    while True:
        children = [child for child in _children(value) if isinstance(child, dict | list)]
        if not children or pick.randrange(3) == 0:
            break
        value = pick.choice(children)
    fresh = copy.deepcopy(pick.choice(VALUES))
    if isinstance(value, list):
        place = pick.randrange(2 * len(value) + 1)
        value[place : place + 1] = [fresh]
    elif pick.randrange(4) == 0:
        value["unknown"] = fresh
    elif value:
        name = pick.choice(sorted(value))
        if pick.randrange(3) == 0:
            del value[name]
        else:
            value[name] = fresh


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def is_by_the_schema(manifest: Any) -> bool:
    from jsonschema import Draft202012Validator

    from anyir.conversion.manifest import SCHEMA_FILE

    return Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).is_valid(manifest)


def save_camera_photo(photo: Path, path: Path) -> None:
    """A JPEG of orientation 6, with a camera's tags, makers' own among them, and a colour profile."""
    from PIL import Image, ImageCms

    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "Maker", 0x0110: "Camera 1"})
    exif.get_ifd(0x8769).update({0xA002: 1234, 0xA003: 999, 0x927C: b"a maker's note"})
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.open(photo).transpose(Image.Transpose.ROTATE_90)
    image.save(path, quality=95, exif=exif, icc_profile=profile)


def main(android: Path, folder: Path) -> None:
    from anyir.conversion.tree import tree_sha256

    built = folder / "executorch"  # stays, as converting takes a minute and is left out where nothing changed
    for old in folder.glob("*"):
        if old.is_dir() and old != built:
            shutil.rmtree(old)
    ignored = shutil.ignore_patterns("assets", "phone.*", ".ready")
    shutil.copytree(android, folder, ignore=ignored, dirs_exist_ok=True)
    shutil.copytree(android / "assets" / "reference", folder / "staged" / "reference")
    models, photo = folder / "models", folder / "photo.png"
    weights = ("--weights", folder / "tiny.safetensors", "--tile", TILE)
    anyir("convert", *weights, "--only", "executorch_xnnpack_fp32", "--out", built)
    for artifact in built.glob("tiny_*"):
        shutil.copy(artifact, models)
    for name, text in {"Manifest.json": "{}", "Data/é.bin": "1", "Data/weights/weight.bin": "2" * 70}.items():
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / name).write_text(text)
    (folder / "tree.sha256").write_text(tree_sha256(folder / "tree"))
    for artifact in sorted(models.glob("*.pte")):
        restored = folder / "restored" / f"{artifact.stem}.png"
        anyir("restore", photo, restored, "--with", artifact, "--overwrite")
        save_look(artifact, photo, folder / "looks" / f"{artifact.stem}.f32")
    camera = folder / "camera.jpg"
    save_camera_photo(photo, camera)
    (program,) = models.glob("*litert_cpu_fp32_*.tflite")
    anyir("restore", camera, folder / "restored" / camera.name, "--with", program, "--overwrite")
    pick = random.Random(0)
    folders = (models, folder / "rectangle")
    real = [json.loads(path.read_text()) for one in folders for path in sorted(one.glob("tiny_*.json"))]
    for manifest in real:
        del manifest["parity"]["samples"][2:], manifest["parity"]["degradations"][2:]
        for sample in manifest["parity"]["samples"]:
            del sample["values"][3:]
    cases = []
    for i in range(MANIFESTS):
        manifest = json.loads(json.dumps(real[i % len(real)]))
        for _ in range(pick.randrange(3)):
            mutate(manifest, pick)
        cases.append({"manifest": manifest, "valid": is_by_the_schema(manifest)})
    (folder / "manifests.json").write_text(json.dumps(cases))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} ANDROID FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
