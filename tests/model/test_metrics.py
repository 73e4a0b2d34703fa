import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from anyir.model.metrics import psnr, ssim


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_metrics_agree_with_scikit_image(data_range):
    rng = np.random.default_rng(0)
    clean = rng.random((3, 37, 53))
    noisy = np.clip(clean + rng.normal(0, 0.1, clean.shape), 0, 1)
    clean, noisy = clean * data_range, noisy * data_range
    assert psnr(image=noisy, reference=clean, data_range=data_range) == pytest.approx(
        peak_signal_noise_ratio(clean, noisy, data_range=data_range), abs=1e-6
    )
    assert ssim(image=noisy, reference=clean, data_range=data_range) == pytest.approx(
        structural_similarity(clean, noisy, data_range=data_range, channel_axis=0), abs=1e-6
    )


def test_equal_images():
    image = np.full((3, 8, 8), 0.5)
    assert psnr(image=image, reference=image, data_range=1.0) == float("inf")
    assert ssim(image=image, reference=image, data_range=1.0) == pytest.approx(1)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(image=np.zeros((3, 8, 8)), reference=np.zeros((3, 8, 9)), data_range=1.0)
    with pytest.raises(ValueError, match="at least 7x7"):
        ssim(image=np.zeros((3, 6, 8)), reference=np.zeros((3, 6, 8)), data_range=1.0)
