"""Figures of photos without a truth and baselines, on images whose answers are known."""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.exposure import equalize_adapthist

from anyir.model.evaluation import baselines
from anyir.model.evaluation.conditions import luma, to_linear, to_srgb
from anyir.model.evaluation.photo_figures import change, dark_channel, measure_photo
from anyir.model.metrics import psnr


@pytest.fixture(scope="module")
def photo():
    pixels = data.coffee()[40:296, 100:420]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def noisy(photo, sigma):
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    return photo + noise * (sigma / 255)


def hazy(photo, transmission=0.5, air=0.8):
    return photo * transmission + air * (1 - transmission)


def test_the_dark_channel_is_the_least_of_a_patch():
    image = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    found = dark_channel(image)
    assert found.shape == (1, 1, 40, 50)
    for y, x in ((0, 0), (20, 30), (39, 49), (3, 45)):
        patch = image[..., max(0, y - 7) : y + 8, max(0, x - 7) : x + 8]
        assert found[0, 0, y, x] == patch.min()


def test_haze_lifts_the_dark_channel_and_lowers_the_contrast(photo):
    before, after = measure_photo(photo), measure_photo(hazy(photo))
    assert after.dark_channel == pytest.approx(0.5 * before.dark_channel + 0.4, abs=1e-3)
    assert after.contrast == pytest.approx(0.5 * before.contrast, rel=1e-3)


@pytest.mark.parametrize("sigma", [5, 15, 40])
def test_noise_is_found_on_smooth_ground(sigma):
    flat = torch.full((1, 3, 128, 128), 0.5)
    grey = sigma * float(torch.tensor([0.299, 0.587, 0.114]).norm())  # independent in the three colours
    assert measure_photo(noisy(flat, sigma)).noise == pytest.approx(grey, rel=0.05)
    assert measure_photo(flat).noise == 0


def test_the_share_of_clipped_pixels():
    image = torch.full((1, 3, 10, 10), 0.5)
    image[0, 1, :3] = 1.0
    image[0, 2, 9, 5] = 0.0
    assert measure_photo(image).clipped == pytest.approx(0.31)


def test_change_is_against_the_photo(photo):
    after = photo.clone()
    after[:, 0] += 10 / 255
    found = change(photo, after)
    assert found["tint"] == pytest.approx(10, abs=0.01)
    assert found["shift"] == pytest.approx(2.99, abs=0.01)
    assert found["psnr"] == pytest.approx(psnr(image=after, reference=photo, data_range=1.0))
    assert change(photo, photo) == {"psnr": 100, "shift": 0, "tint": 0}


def test_the_dark_channel_prior_brings_a_hazy_photo_nearer(photo):
    foggy = hazy(photo, 0.4)
    restored = baselines.dehaze(foggy)
    gain = psnr(image=restored, reference=photo, data_range=1.0) - psnr(
        image=foggy, reference=photo, data_range=1.0
    )
    assert gain > 5
    assert measure_photo(restored).dark_channel < 0.3 * measure_photo(foggy).dark_channel


def test_the_guided_filter_keeps_edges_and_smooths_the_rest():
    guide = torch.zeros(1, 1, 80, 80)
    guide[..., 40:] = 1
    rough = guide + torch.randn(guide.shape, generator=torch.Generator().manual_seed(0)) * 0.1
    smooth = baselines.guided_filter(guide, rough, radius=8, epsilon=1e-3)
    assert float((smooth - guide).std()) < 0.3 * float((rough - guide).std())
    assert float(smooth[..., 40].mean() - smooth[..., 39].mean()) > 0.9


def test_gamma_takes_the_median_where_it_should_be(photo):
    dark = to_srgb(to_linear(photo) / 16)
    assert float(luma(baselines.gamma(dark)).median()) == pytest.approx(0.4, abs=0.03)
    bright = photo * 0.5 + 0.5
    assert torch.equal(baselines.gamma(bright), bright)


def test_clahe_is_scikit_images_on_the_brightness():
    grey = torch.from_numpy(data.camera()[:128, :128].copy()).float()[None, None].expand(1, 3, -1, -1) / 255
    expected = equalize_adapthist(grey[0, 0].numpy())
    np.testing.assert_allclose(baselines.clahe(grey)[0, 0].numpy(), expected, atol=1e-3)


def test_non_local_means_takes_noise_away(photo):
    crop = photo[..., :96, :96]
    grainy = noisy(crop, 20).clamp(0, 1)
    restored = baselines.non_local_means(grainy)
    assert psnr(image=restored, reference=crop, data_range=1.0) > 3 + psnr(
        image=grainy, reference=crop, data_range=1.0
    )


def test_every_baseline_returns_a_photo_of_the_same_size(photo):
    crop = photo[..., :50, :61]
    for methods in baselines.BASELINES.values():
        for title, method in methods.items():
            restored = method(crop)
            assert restored.shape == crop.shape, title
            assert 0 <= float(restored.min()) <= float(restored.max()) <= 1, title
