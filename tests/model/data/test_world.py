"""Degradations as photographs of the world have them, and photos that are to stay as they are."""

import pytest
import torch
from skimage import data

from anyir.model.data.degradations import degrade
from anyir.model.data.scenes import as_grey, as_meant, tint

NEW = (
    "underexposure", "heavy_rain", "near_snow", "dense_haze", "grain", "impulse_noise", "web_copy",
    "fine_rain",
)  # fmt: skip


@pytest.fixture(scope="module")
def photos():
    """(6, 3, 120, 120), one photo over and over."""
    pixels = torch.from_numpy(data.coffee()[60:180, 200:320].copy()).permute(2, 0, 1).float() / 255
    return pixels.expand(6, -1, -1, -1).contiguous()


@pytest.mark.parametrize("kind", NEW)
def test_severity_is_what_it_says(photos, kind):
    """Files' values, the more damage the more severe, the same again from the same seed."""
    errors = []
    for severity in (0.0, 0.5, 1.0):
        made = degrade(photos, kind, severity=severity, seed=3)
        assert made.shape == photos.shape
        assert 0 <= made.min() <= made.max() <= 1
        assert torch.equal(made, degrade(photos, kind, severity=severity, seed=3))
        errors.append(float((made - photos).square().mean()))
    assert 0 < errors[0] < errors[1] < errors[2]


def test_seven_stops_under_is_nearly_black(photos):
    """Against the exact exposure: at full severity 6.6 to 7 stops, unevenly and with a curve."""
    made = degrade(photos, "underexposure", severity=1.0, seed=0)
    exact = (photos**2.2 * 2**-6.3) ** (1 / 2.2)
    assert (made.mean(dim=(1, 2, 3)) < 3 * exact.mean()).all()
    mild = degrade(photos, "underexposure", severity=0.0, seed=0)
    assert (mild.mean(dim=(1, 2, 3)) > 0.3 * photos.mean()).all()


def test_haze_lifts_black_and_leaves_no_contrast(photos):
    made = degrade(photos, "dense_haze", severity=1.0, seed=1)
    darkest = made.amin(dim=1).flatten(1).quantile(0.02, dim=1)
    assert darkest.mean() > photos.amin(dim=1).flatten().quantile(0.02) + 0.25
    assert made.std(dim=(2, 3)).mean() < 0.5 * photos.std(dim=(2, 3)).mean()


def test_fine_rain_is_long_thin_and_mostly_faint():
    """On flat grey: along the streaks it is alike over many pixels, across them not; few are bright."""
    grey = torch.full((8, 3, 120, 120), 0.3)
    streaks = (degrade(grey, "fine_rain", severity=0.5, seed=4) - grey).mean(dim=1)
    assert 0.08 < float((streaks > 0.02).float().mean()) < 0.6
    seen = streaks[streaks > 0.02]
    assert seen.quantile(0.99) > 3 * seen.median()
    spectrum = torch.fft.fft2(streaks - streaks.mean(dim=(1, 2), keepdim=True)).abs().square()
    alike = torch.fft.ifft2(spectrum).real
    alike = alike / alike[:, :1, :1]
    down = alike[:, 12, :].amax(dim=1)  # the streaks lean, each photo's its own way
    assert down.mean() > 0.3
    assert alike[:, 0, 6].mean() < 0.15


def test_half_of_the_grain_is_grey_and_much_of_it_is_coarse(photos):
    flat = torch.full((40, 3, 64, 64), 0.5)
    noise = degrade(flat, "grain", severity=0.5, seed=2) - 0.5
    spread = (noise - noise.mean(dim=1, keepdim=True)).abs().amax(dim=(1, 2, 3))
    assert 10 <= int((spread < 1e-5).sum()) <= 30
    grey = noise.mean(dim=1)
    neighbours = (grey[:, :, 1:] * grey[:, :, :-1]).mean(dim=(1, 2)) / grey.square().mean(dim=(1, 2))
    assert 8 <= int((neighbours > 0.3).sum()) <= 36
    assert neighbours.min() < 0.15


def test_impulses_are_black_or_white_and_leave_the_rest_alone(photos):
    made = degrade(photos, "impulse_noise", severity=1.0, seed=0)
    changed = made != photos
    assert set(made[changed].tolist()) <= {0.0, 1.0}
    assert 0.08 < changed.float().mean() < 0.14


def test_what_is_meant_keeps_its_light_somewhere(photos):
    """Whatever is done, some twentieth of the photo has lost no more than two stops."""
    many = photos[:1].expand(60, -1, -1, -1)
    made = as_meant(many, torch.Generator().manual_seed(0))
    assert 0 <= made.min() <= made.max() <= 1
    light = (made.clamp_min(1e-4) / many.clamp_min(1e-4)).mean(dim=1).flatten(1)
    assert (light.quantile(0.95, dim=1) > 2 ** (-2 / 2.2) - 0.01).all()
    assert (light.quantile(0.1, dim=1) < 0.5).sum() > 10  # and a part of many is dark


def test_black_and_white_is_neutral_and_a_tone_keeps_its_ends(photos):
    grey = as_grey(photos)
    assert (grey.amax(dim=1) - grey.amin(dim=1)).max() == 0
    ends = torch.tensor([0.0, 0.5, 1.0]).expand(1, 3, 1, 3)
    toned = tint(ends, torch.full((1, 1, 1, 1), 0.3))
    assert torch.equal(toned[..., 0], torch.zeros(1, 3, 1))
    assert torch.equal(toned[..., 2], torch.ones(1, 3, 1))
    red, _, blue = toned[0, :, 0, 1].tolist()
    assert red > 0.52
    assert blue < 0.48
