"""What clean photos are turned into, against how it is defined."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model.evaluation.conditions import CONDITIONS, gaussian, to_linear, to_srgb


@pytest.fixture
def cat():
    return torch.from_numpy(data.chelsea()[:64, :72].copy()).permute(2, 0, 1)[None].float() / 255


def make(name, clean, seed=0):
    return CONDITIONS[name](clean, torch.Generator().manual_seed(seed))


def test_grey_noise_is_the_same_in_all_colours_and_of_its_sigma(cat):
    degraded, truth = make("grey-noise-25", cat)
    noise = degraded - truth
    torch.testing.assert_close(noise[:, :1].expand_as(noise), noise)
    assert float(noise.std()) * 255 == pytest.approx(25, rel=0.05)
    assert torch.equal(truth, cat)
    colour = gaussian(25)(cat, torch.Generator().manual_seed(0))[0] - cat
    assert not torch.allclose(colour[:, 0], colour[:, 1])


def test_black_and_white_is_neutral_and_its_own_truth(cat):
    degraded, truth = make("bw-noise-25", cat)
    for photo in (degraded, truth):
        assert float((photo.amax(1) - photo.amin(1)).max()) < 1e-6
    grey = np.asarray(Image.fromarray(data.chelsea()[:64, :72]).convert("L")) / 255
    np.testing.assert_allclose(truth[0, 0].numpy(), grey, atol=0.6 / 255)


def test_jpeg_is_the_files(cat):
    file = io.BytesIO()
    Image.fromarray(data.chelsea()[:64, :72]).save(file, "JPEG", quality=30, subsampling=2)
    expected = np.asarray(Image.open(file)) / 255
    degraded, truth = make("jpeg-30", cat)
    np.testing.assert_allclose(degraded[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)
    assert torch.equal(truth, cat)


@pytest.mark.parametrize("stops", [3, 5])
def test_stops_halve_the_light(stops):
    flat = torch.full((1, 3, 8, 8), 0.9)
    degraded, _ = make(f"dark-{stops}", flat)
    assert torch.equal((degraded * 255).round() / 255, degraded)
    assert float(to_linear(flat)[0, 0, 0, 0] / to_linear(degraded)[0, 0, 0, 0]) == pytest.approx(
        2**stops, rel=0.03
    )


def test_srgb_and_light_are_inverse():
    levels = torch.linspace(0, 1, 256)
    torch.testing.assert_close(to_srgb(to_linear(levels)), levels, atol=1e-6, rtol=0)
    assert float(to_linear(torch.tensor(0.5))) == pytest.approx(0.21404, abs=1e-5)


def test_a_seed_repeats(cat):
    for name in CONDITIONS:
        assert torch.equal(make(name, cat, 3)[0], make(name, cat, 3)[0])
