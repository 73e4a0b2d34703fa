"""Pairs of skies, pale and dark photos, which are to stay."""

import numpy as np
import pytest
from PIL import Image

from anyir.model.data.night_parts import night_parts
from anyir.model.data.pale_parts import looks_hazy, pale_parts
from anyir.model.data.sky_parts import drawn_sky, sky_parts, sky_share
from tests.helpers.command_checks import fails, files
from tests.helpers.datasets import grey_noise


def photo(sky=(150, 170, 200), ground=(90, 60, 40), height=240, width=320):
    """A sky over ground that is rough."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2] = sky
    rough = np.random.default_rng(0).integers(-40, 40, (height - height // 2, width, 1))
    pixels[height // 2 :] = np.clip(np.array(ground) + rough, 0, 255)
    return pixels


def test_how_much_is_sky():
    assert 0.55 < sky_share(photo()) < 0.65  # the upper of seven rows of blocks count more
    assert sky_share(photo(sky=(200, 170, 130))) == 0  # warm
    assert sky_share(photo(sky=(40, 50, 70))) == 0  # dark
    assert sky_share(photo()[:20]) == 0  # smaller than a block


def test_the_photo_small_and_its_upper_part_enlarged():
    whole, *parts = sky_parts(photo(), np.random.default_rng(0))
    assert whole.shape == (336, 448, 3)
    assert len(parts) == 2
    assert all(330 <= part.shape[0] == part.shape[1] < 480 for part in parts)
    assert all(abs(part[:20].mean((0, 1)) - [150, 170, 200]).max() < 1 for part in parts)


@pytest.mark.parametrize(
    ("low", "high", "looks"),
    [(120, 180, True), (40, 100, False), (0, 255, False), (150, 151, False), (230, 255, False)],
    ids=["pale", "dark", "contrast", "empty", "white"],
)
def test_what_looks_hazy(low, high, looks):
    assert looks_hazy(grey_noise(low, high)) is looks


def test_pale_parts_are_enlarged_and_some_changed():
    parts = [
        part for seed in range(8) for part in pale_parts(grey_noise(120, 180), np.random.default_rng(seed))
    ]
    assert len(parts) == 16
    assert all(part.shape[0] == part.shape[1] and 336 <= part.shape[0] < 440 for part in parts)
    spread = [float(part.std()) for part in parts]
    assert min(spread) < 0.6 * max(spread)  # some are blurred
    assert min(part.mean() for part in parts) < 0.95 * max(part.mean() for part in parts)
    assert pale_parts(grey_noise(0, 255), np.random.default_rng(0)) == []


def test_a_dark_photo_small_and_its_part_with_a_lamp():
    pixels = grey_noise(0, 20, 400, 600)
    pixels[40:60, 80:100] = 255
    whole, part = night_parts(pixels, np.random.default_rng(0))
    assert whole.shape == (320, 480, 3)
    assert 340 <= part.shape[0] == part.shape[1] < 480
    assert part.max() > 200
    assert part.min() < 10
    assert night_parts(grey_noise(120, 180), np.random.default_rng(0)) == []


def test_drawn_skies_differ_and_look_like_skies():
    random = np.random.default_rng(0)
    skies = [drawn_sky(random, 128) for _ in range(12)]
    assert all(sky.shape == (128, 128, 3) for sky in skies)
    assert len({sky.tobytes() for sky in skies}) == 12
    assert sum(sky_share(sky) > 0.3 for sky in skies) >= 8
    assert any(sky[-4:].max() < 90 < sky[:64].mean() for sky in skies)  # land before it


def test_the_command(anyir, folder):
    (folder / "photos").mkdir()
    Image.fromarray(photo()).save(folder / "photos" / "sky.png")
    Image.fromarray(photo(sky=(40, 50, 70))).save(folder / "photos" / "dark.png")
    code, out, _ = anyir("stay-pairs", "sky", "photos", "sky", "--drawn", "3")
    assert (code, out) == (0, "parts of 1 of 2 photos and 3 drawn skies -> sky\n")
    names = [f"00001-sky-{part}.png" for part in range(3)] + [f"drawn-{n:03}.png" for n in range(3)]
    assert sorted(files(folder / "sky")) == [
        f"{side}/{name}" for side in ("input", "target") for name in names
    ]
    pairs = [
        [np.asarray(Image.open(folder / "sky" / side / n), float) for side in ("input", "target")]
        for n in names
    ]
    distances = [np.abs(one - other).mean() for one, other in pairs]
    assert 0 in distances
    assert 0 < max(distances) < 6  # some were saved as JPEG
    before = files(folder)
    fails(anyir("stay-pairs", "sky", "photos", "sky"), folder, before, "sky is there already")
    (folder / "photos" / "sky.png").unlink()
    assert "none of 1 photos shows much sky" in anyir("stay-pairs", "sky", "photos", "out")[2]
    assert "name folders of photos" in anyir("stay-pairs", "sky", "photos")[2]
    assert "--seed" in anyir("stay-pairs", "sky", "photos", "out", "--seed", "-1")[2]
    (folder / "photos" / "broken.png").write_text("no photo")
    assert "photos/broken.png is no image" in anyir("stay-pairs", "sky", "photos", "out")[2]
    assert sorted(path.name for path in folder.iterdir()) == ["photos", "sky"]


@pytest.mark.parametrize(
    ("kind", "lightness", "missed"),
    [("pale", (120, 180), "has a part that looks hazy"), ("night", (0, 20), "is dark")],
)
def test_pale_and_dark_photos_make_pairs(anyir, folder, kind, lightness, missed):
    (folder / "photos").mkdir()
    Image.fromarray(grey_noise(*lightness)).save(folder / "photos" / "one.png")
    code, out, _ = anyir("stay-pairs", kind, "photos", "pairs")
    assert (code, out) == (0, "parts of 1 of 1 photos -> pairs\n")
    made = sorted(files(folder / "pairs"))
    assert {name.split("/")[0] for name in made} == {"input", "target"}
    Image.fromarray(grey_noise(0, 255)).save(folder / "photos" / "one.png")
    assert f"none of 1 photos {missed}" in anyir("stay-pairs", kind, "photos", "other")[2]
    assert "pale" in anyir("stay-pairs", "fog", "photos", "other")[2]
