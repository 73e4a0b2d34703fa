"""``strength``: how much of the restoration is in the result."""

import json

import numpy as np
import pytest
import torch

from anyir.model import PRESETS, AnyIR, Restorer
from anyir.model.checkpoint import save_weights
from anyir.model.errors import UserError
from anyir.model.photo.reader import Photo, read_photo
from tests.helpers.command_checks import files, save
from tests.helpers.photo_files import values


class Halved:
    """A model that halves contrast; with a factor of 1 one that does nothing."""

    name, accelerator, tile = "halved", "none", None

    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, tile):
        return tile * self.factor + (1 - self.factor) / 2


def photo_of(shape, dtype):
    return values(shape, dtype) if dtype != np.float32 else values(shape).astype(dtype) / 255


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_strength_is_the_restorations_share(dtype, channels):
    image = photo_of((50, 70, channels), dtype)
    colours = 1 if channels < 3 else 3
    whole = Restorer(Halved(), tile=32)(image)
    for strength in (0, 0.25, 1):
        mixed = Restorer(Halved(), tile=32, strength=strength)(image)
        expected = image + strength * (whole.astype(np.float64) - image)
        expected[..., colours:] = image[..., colours:]
        atol = 1e-6 if dtype is np.float32 else 0.76 if 0 < strength < 1 else 0  # both were rounded
        np.testing.assert_allclose(mixed, expected, atol=atol)
        Restorer(Halved(), tile=32, strength=strength).restore_into(into := image.copy(), into)
        np.testing.assert_array_equal(into, mixed)


def test_the_photos_share_stays_in_range_too():
    image = photo_of((40, 40, 3), np.float32) * 4 - 1.5  # as strong noise leaves it
    mixed = Restorer(Halved(1), tile=32, strength=0.5)(image)
    np.testing.assert_allclose(mixed, image.clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_out_of_range_is_one_line(strength):
    with pytest.raises(UserError, match=r"^the strength \S+ is not in 0..1$"):
        Restorer(Halved(), strength=strength)


def test_the_command_says_at_which_strength(anyir, folder):
    torch.manual_seed(0)
    save_weights(AnyIR(PRESETS["tiny"]), folder / "tiny.safetensors")
    save(folder / "in.png", Photo(values((40, 50, 3))))
    run = ("restore", "in.png")
    how = ("--with", "tiny.safetensors", "--tile", 32, "--threads", 1)
    pixels = {}
    for strength in ("0", "0.5", "1"):
        code, out, err = anyir(*run, f"{strength}.png", *how, "--strength", strength)
        assert (code, err) == (0, "")
        assert ("at strength" in out, f"at strength {strength}\n" in out) == (strength != "1",) * 2
        pixels[strength] = read_photo(folder / f"{strength}.png").pixels.astype(float)
    np.testing.assert_array_equal(pixels["0"], read_photo(folder / "in.png").pixels)
    np.testing.assert_allclose(pixels["0.5"], (pixels["0"] + pixels["1"]) / 2, atol=0.76)
    assert np.abs(pixels["1"] - pixels["0"]).max() > 2  # so that the half is seen
    code, out, _ = anyir(*run, "json.png", *how, "--strength", "0.5", "--json")
    assert (code, json.loads(out)["strength"]) == (0, 0.5)
    before = files(folder)
    for wrong in ("1.5", "-1", "nan", "much"):
        code, _, err = anyir(*run, "wrong.png", *how, "--strength", wrong)
        assert (code, err.count("\n")) == (2, 1)
        assert "strength" in err
        assert files(folder) == before
