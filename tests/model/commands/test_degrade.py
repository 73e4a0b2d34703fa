import json

import numpy as np

from anyir.model.photo.reader import Photo, read_photo
from tests.helpers.command_checks import fails, files, save
from tests.helpers.photo_files import SRGB, camera_exif, values


def test_degrade(anyir, folder):
    for name, photo in {
        "colour.png": Photo(values((40, 50, 3)) // 2 + 60, SRGB, camera_exif()),
        "grey16.png": Photo(values((40, 50, 1), np.uint16) // 2),
        "alpha.png": Photo(values((40, 50, 4))),
        "one.png": Photo(values((1, 1, 3))),
    }.items():
        save(folder / name, photo)
        for kind in ("noise", "rain", "haze", "motion_blur", "defocus_blur", "low_light", "snow"):
            options = ("--kind", kind, "--severity", 0.8, "--seed", 1)
            code, _, err = anyir("degrade", name, f"{kind}-{name}", *options)
            assert (code, err) == (0, ""), (name, kind)
            result = read_photo(folder / f"{kind}-{name}")
            assert result.pixels.shape == photo.pixels.shape
            assert result.pixels.dtype == photo.pixels.dtype
            assert (result.icc, result.exif is None) == (photo.icc, photo.exif is None)
            if photo.pixels.shape[2] == 4:
                np.testing.assert_array_equal(result.pixels[..., 3], photo.pixels[..., 3])
            if name != "one.png":
                assert (result.pixels != photo.pixels).any()


def test_degrade_repeats_by_its_seed(anyir, folder):
    save(folder / "in.png", Photo(values((40, 50, 3))))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        options = ("--kind", "low_light+haze+rain", "--seed", seed, "--json")
        code, out, _ = anyir("degrade", "in.png", f"{name}.png", *options)
        assert code == 0
        assert json.loads(out)["seed"] == seed
    made = files(folder)
    assert made["a.png"] == made["b.png"] != made["c.png"]


def test_degrade_never_overwrites_its_input(anyir, folder):
    save(folder / "in.png", Photo(values((8, 8, 3))))
    before = files(folder)
    result = anyir("degrade", "in.png", "in.png", "--kind", "rain", "--overwrite")
    fails(result, folder, before, "never overwritten")
