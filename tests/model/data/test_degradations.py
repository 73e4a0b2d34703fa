import pytest
import torch
from skimage import data

from anyir.model import degrade, psnr
from anyir.model.data.degradation_registry import CLEAN, DEGRADATIONS, parse_kind, single_kinds

ALL_KINDS = [one.name for one in DEGRADATIONS if one.name != CLEAN]


@pytest.fixture(scope="module")
def photo():
    pixels = torch.from_numpy(data.coffee()[100:196, 150:278].copy())
    return (pixels.permute(2, 0, 1)[None].float() / 255).repeat(2, 1, 1, 1)


def distance(images, photo):
    return psnr(image=images.clamp(0, 1), reference=photo, data_range=1.0)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_is_seeded_and_grows_with_severity(photo, kind):
    mild, strong = (degrade(photo, kind, severity=s, seed=3) for s in (0.1, 0.9))
    assert torch.equal(strong, degrade(photo, kind, severity=0.9, seed=3))
    assert not torch.equal(strong, degrade(photo, kind, severity=0.9, seed=4))
    assert strong.shape == photo.shape
    assert strong.dtype == photo.dtype
    assert torch.isfinite(strong).all()
    if kind != "noise":
        assert strong.min() >= 0
        assert strong.max() <= 1
    assert distance(strong, photo) < distance(mild, photo) < 45
    assert distance(strong, photo) < 30


@pytest.mark.parametrize("kind", ["noise", "rain", "low_light+haze+snow"])
def test_severity_may_differ_within_a_batch(photo, kind):
    mixed = degrade(photo, kind, severity=torch.tensor([0.1, 0.9]), seed=3)
    assert distance(mixed[1], photo[1]) < distance(mixed[0], photo[0])


def test_images_of_a_batch_are_degraded_differently(photo):
    rainy = degrade(photo, "rain", severity=0.7, seed=0)
    assert not torch.equal(rainy[0], rainy[1])


def test_noise_has_the_stated_sigma():
    grey = torch.full((4, 3, 128, 128), 0.5)
    noisy = degrade(grey, "noise", severity=0.5, seed=0)
    assert float((noisy - grey).std() * 255) == pytest.approx(25, rel=0.01)
    assert float(noisy.mean()) == pytest.approx(0.5, abs=1e-3)
    strongest = degrade(grey, "noise", severity=1.0, seed=0)
    assert strongest.min() < 0  # not clipped
    assert strongest.max() > 1


def test_haze_follows_the_scattering_model(photo):
    # I = J t + A (1 - t) with one t and A a pixel: black and white photos give t and A.
    black = degrade(torch.zeros_like(photo), "haze", severity=0.5, seed=5)
    white = degrade(torch.ones_like(photo), "haze", severity=0.5, seed=5)
    transmission = white - black
    airlight = black / (1 - transmission)
    assert transmission.min() > torch.exp(torch.tensor(-0.12 * 10)) - 1e-4
    assert transmission.max() < 1
    for image in airlight:
        assert float(image.min()) + 1e-3 >= 0.8
        assert float(image.max()) <= 1 + 1e-3
        assert float(image.std()) < 1e-3
    hazy = degrade(photo, "haze", severity=0.5, seed=5)
    torch.testing.assert_close(hazy, photo * transmission + black, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["motion_blur", "defocus_blur"])
def test_blur_keeps_flat_areas_and_loses_detail(photo, kind):
    flat = torch.full((1, 3, 48, 48), 0.3)
    torch.testing.assert_close(degrade(flat, kind, severity=0.8, seed=0), flat, rtol=0, atol=1e-4)
    blurred = degrade(photo, kind, severity=0.8, seed=0)
    assert blurred.diff(dim=-1).abs().mean() < 0.7 * photo.diff(dim=-1).abs().mean()


def test_rain_only_adds_light(photo):
    assert (degrade(photo, "rain", severity=0.8, seed=1) >= photo - 1e-6).all()


def test_low_light_darkens(photo):
    assert degrade(photo, "low_light", severity=1.0, seed=1).mean() < 0.5 * photo.mean()


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (8, 300)])
def test_small_and_narrow_images(size):
    image = torch.rand(1, 3, *size)
    for kind in single_kinds():
        assert degrade(image, kind, severity=0.7, seed=0).shape == image.shape


def test_mixtures_are_applied_in_the_order_of_the_scene():
    assert parse_kind("haze+rain+low_light") == ["low_light", "rain", "haze"]
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(
        degrade(image, "haze+rain", severity=0.5, seed=2), degrade(image, "rain+haze", severity=0.5, seed=2)
    )


@pytest.mark.parametrize(
    ("kind", "severity", "shape", "message"),
    [
        ("fog", 0.5, (1, 3, 8, 8), "unknown degradation 'fog'; known: noise"),
        ("rain+rain", 0.5, (1, 3, 8, 8), "twice"),
        ("rain", 1.5, (1, 3, 8, 8), "severity"),
        ("rain", float("nan"), (1, 3, 8, 8), "severity"),
        ("rain", 0.5, (3, 8, 8), r"\(B, 3, H, W\)"),
    ],
)
def test_bad_arguments(kind, severity, shape, message):
    with pytest.raises(ValueError, match=message):
        degrade(torch.zeros(shape), kind, severity=severity, seed=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_runs_on_the_tensors_device(photo):
    assert degrade(photo.cuda(), "low_light+haze+rain", severity=0.5, seed=0).is_cuda
