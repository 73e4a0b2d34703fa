"""What a batch is made of, beside photos: smooth surfaces that have nothing to restore."""

import torch

from anyir.model.mixture import FLAT_KINDS, FLAT_SHARE, MIXTURE, Sampler, surfaces
from anyir.model.photos import PhotoBank


def test_shares_add_up():
    assert abs(sum(MIXTURE.values()) - 1) < 1e-9
    assert set(FLAT_KINDS) < set(MIXTURE)


def test_surfaces_drift_slowly_and_stay_in_range():
    made = surfaces(200, 64, torch.Generator().manual_seed(0))
    assert made.shape == (200, 3, 64, 64)
    assert made.min() >= 0
    assert made.max() <= 1
    for step in (made.diff(dim=2), made.diff(dim=3)):
        assert step.abs().max() < 0.1 / 63 + 1e-6
    grey = (made - made.mean(dim=1, keepdim=True)).abs().amax(dim=(1, 2, 3)) < 1e-6
    assert 0.2 < grey.float().mean() < 0.5


def test_as_many_samples_are_surfaces_as_said():
    noise = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (64 * 64, 3), dtype=torch.uint8, generator=noise)
    side = torch.tensor([64])
    bank = PhotoBank(pixels, torch.tensor([0]), side, side, [])
    sampler = Sampler(bank, batch=400, crop=16, seed=3)
    _, clean = sampler(0)
    smooth = (clean.diff(dim=3).abs().amax(dim=(1, 2, 3)) < 0.02).float().mean()
    expected = FLAT_SHARE * sum(MIXTURE[kind] for kind in FLAT_KINDS)
    assert abs(float(smooth) - expected) < 0.025
