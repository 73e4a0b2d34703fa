"""Small datasets on disk, in the layouts that people have."""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def grey_noise(low: int, high: int, height: int = 240, width: int = 320) -> np.ndarray:
    """(H, W, 3), 8 bits: noise between two brightnesses, the same every time."""
    random = np.random.default_rng(0)
    return random.integers(low, high, (height, width, 1), np.uint8).repeat(3, axis=2)


def photo(number: int = 0, size: int = 48) -> np.ndarray:
    """A part of a real photo, another for every number."""
    top, left = 16 * (number % 8), 24 * (number % 13)
    return data.chelsea()[top : top + size, left : left + size]


def degraded(number: int = 0, size: int = 48) -> np.ndarray:
    return photo(number, size) // 2 + 40


def write_pairs(
    base: Path, degraded_name: str, clean_name: str, pairs: list[tuple[str, str]], size: int = 48
):
    """``pairs`` of (degraded file, clean file) below two folders of ``base``."""
    for number, (bad, good) in enumerate(pairs):
        write(base / degraded_name / bad, degraded(number, size))
        write(base / clean_name / good, photo(number, size))


def promptir(root: Path, size: int = 48) -> Path:
    """The tree of PromptIR's INSTALL.md, two photos in each set, with its followers' deblur and low light."""
    write(root / "Train/Denoise/100080.jpg", photo(0, size))
    write(root / "Train/Denoise/104055.jpg", photo(1, size))
    write(root / "Train/Denoise/00007.bmp", photo(2, size))
    rain = [("rain-1.png", "norain-1.png"), ("rain-2.png", "norain-2.png")]
    write_pairs(root / "Train/Derain", "rainy", "gt", rain, size)
    hazy = ("part1/0025_0.8_0.1.jpg", "part1/0025_0.9_0.2.jpg", "part2/0039_1_0.04.jpg")
    haze = [(name, f"{name[6:10]}.jpg") for name in hazy]
    write_pairs(root / "Train/Dehaze", "synthetic", "original", haze, size)
    frames = [("GOPR0372_07_00_000047.png", "GOPR0372_07_00_000047.png")]
    write_pairs(root / "Train/Deblur", "blur", "sharp", frames, size)
    write_pairs(root / "Train/Enhance", "low", "gt", [("2.png", "2.png")], size)
    write(root / "test/denoise/bsd68/101085.png", photo(3, size))
    test_haze = [("0001_0.8_0.2.jpg", "0001.png"), ("0002_0.8_0.08.jpg", "0002.png")]
    write_pairs(root / "test/dehaze", "input", "target", test_haze, size)
    write_pairs(root / "test/derain/Rain100L", "input", "target", [("1.png", "1.png")], size)
    write_pairs(root / "test/deblur/gopro", "input", "target", frames, size)
    write_pairs(root / "test/enhance/lol", "input", "target", [("1.png", "1.png")], size)
    return root


def moce_ir(root: Path) -> Path:
    """The tree that MoCE-IR's loader reads."""
    write(root / "denoising/WaterlooED/00007.bmp", photo(0))
    write(root / "denoising/BSD400/100080.jpg", photo(1))
    write(root / "denoising/cBSD68/original_png/101085.png", photo(2))
    write_pairs(root / "deraining/RainTrainL", "rainy", "gt", [("rain-1.png", "norain-1.png")])
    write_pairs(root / "deraining/Rain100L", "rainy", "gt", [("rain-001.png", "norain-001.png")])
    haze = [("part1/0025_0.8_0.1.jpg", "clear/0025.jpg"), ("part2/0025_1_0.2.jpg", "clear/0025.jpg")]
    write_pairs(root / "dehazing/RESIDE", ".", ".", haze)
    write_pairs(root / "dehazing/SOTS/outdoor", "hazy", "gt", [("0001_0.8_0.2.jpg", "0001.png")])
    write_pairs(
        root / "deblurring/GoPro/crop/train", "input_crops", "target_crops", [("a-s001.png", "a-s001.png")]
    )
    write_pairs(root / "deblurring/GoPro/test", "input", "target", [("b.png", "b.png")])
    write_pairs(root / "llie/LOLv1/Train", "input", "target", [("2.png", "2.png")])
    write_pairs(root / "llie/LOLv1/Test", "input", "target", [("1.png", "1.png")])
    cdd11(root / "cdd11/train", 2)
    cdd11(root / "cdd11/test", 1)
    return root


def cdd11(base: Path, count: int, size: int = 48) -> Path:
    from anyir.model.data.dataset_registry import CDD11_KINDS

    for folder in CDD11_KINDS:
        names = [(f"{number:05d}.png", f"{number:05d}.png") for number in range(count)]
        write_pairs(base, folder, "clear", names, size)
    return base


def csd(base: Path, size: int = 48) -> Path:
    write_pairs(base / "CSD/Train", "Snow", "Gt", [("1.tif", "1.tif"), ("2.tif", "2.tif")], size)
    write_pairs(base / "CSD/Test", "Snow", "Gt", [("3.tif", "3.tif")], size)
    return base
