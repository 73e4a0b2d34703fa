"""What batches are made of, beside photos: surfaces with nothing to restore, and JPEG after the rest."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model.data import degradations, mixture
from anyir.model.data.dataset_spec import DatasetSpec
from anyir.model.data.degradation_registry import single_kinds
from anyir.model.data.mixture import (
    FLAT_KINDS,
    FLAT_SHARE,
    QUALITIES,
    SAVED_SHARE,
    SHARES,
    Sampler,
    as_saved,
    as_stored,
    surfaces,
)
from anyir.model.data.photo_bank import PhotoBank
from anyir.model.data.training_set import degrade_sample


def part(kinds):
    """Of all samples, how many are of these kinds."""
    return sum(SHARES[kind] for kind in kinds) / sum(SHARES.values())


def test_what_may_be_a_surface_is_drawn():
    assert set(FLAT_KINDS) < set(SHARES)
    assert 0 < part(FLAT_KINDS) < 1


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
    expected = FLAT_SHARE * part(FLAT_KINDS)
    assert abs(float(smooth) - expected) < 0.025


@pytest.fixture(scope="module")
def photo():
    """(3, 96, 96), a part of a real one."""
    pixels = data.astronaut()[:96, 200:296]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def test_what_is_saved_differs_as_a_jpeg_file_does(photo):
    """Between what Pillow makes of the photo at the lowest and at the highest quality."""

    def error(image):
        return float((image - photo).abs().mean())

    def file(quality):
        buffer = io.BytesIO()
        pixels = (photo.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
        return torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1).float() / 255

    worst, best = (error(file(round(quality))) for quality in QUALITIES)
    made = as_saved(photo.expand(64, 3, 96, 96), torch.Generator().manual_seed(0))
    errors = [error(image) for image in made]
    assert best * 0.8 < min(errors) < max(errors) < worst * 1.2
    assert max(errors) > 1.5 * min(errors)
    assert torch.equal(made, as_stored(made))


@pytest.mark.slow
def test_every_degradation_may_be_saved_as_jpeg(photo, monkeypatch):
    """The sampler's batch with and without differs in about the said share of rows, of all kinds."""
    bank = PhotoBank(
        (photo.permute(1, 2, 0) * 255).round().byte().reshape(-1, 3),
        torch.tensor([0]),
        torch.tensor([96]),
        torch.tensor([96]),
        [],
    )
    monkeypatch.setattr(mixture, "STORED_SHARE", 0.0)
    with_jpeg, _ = Sampler(bank, batch=600, crop=16, seed=1)(0)
    monkeypatch.setattr(mixture, "SAVED_SHARE", 0.0)
    without, _ = Sampler(bank, batch=600, crop=16, seed=1)(0)
    saved = (with_jpeg != without).flatten(1).any(dim=1)
    own = part(kind for kind in SHARES if "jpeg" in kind)
    assert abs(float(saved.float().mean()) - SAVED_SHARE * (1 - own)) < 0.05
    choice = torch.Generator().manual_seed(1_000_003 + mixture._CHOICES)
    kinds = torch.multinomial(torch.tensor(list(SHARES.values())), 600, True, generator=choice)
    seen = {list(SHARES)[index] for index in kinds[saved].tolist()}
    assert {"clean", "noise", "rain", "haze", "motion_blur", "defocus_blur", "low_light", "snow"} <= seen
    assert not any("jpeg" in kind for kind in seen)


def test_what_is_done_to_a_crop_says_nothing_about_the_crop(monkeypatch):
    """Its place and its mirroring are drawn apart from its kind, its surface and its JPEG."""
    down, across = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    pixels = torch.stack([down, across, torch.zeros_like(down)], dim=-1).byte().reshape(-1, 3)
    bank = PhotoBank(pixels, *torch.tensor([[0], [64], [64]]), [])
    monkeypatch.setattr(mixture, "SHARES", {"clean": 1.0})
    monkeypatch.setattr(mixture, "surfaces", lambda count, side, choice: torch.ones(count, 3, side, side))
    monkeypatch.setattr(mixture, "as_stored", lambda images: images)
    monkeypatch.setattr(mixture, "as_saved", lambda images, choice: images - 1)
    places, mirrored, saved = [], [], []
    for step in range(100):
        degraded, clean = Sampler(bank, batch=16, crop=16, seed=0)(step)
        photo = clean[:, 2, 0, 0] == 0  # the others are surfaces
        places.append(clean[photo, 1].amin(dim=(1, 2)))
        rise = clean[photo][:, :2, 1, 1] - clean[photo][:, :2, 0, 0]
        mirrored.append((rise < 0).float())
        saved.append((degraded[photo, 2, 0, 0] < 0).float())
    share = (torch.cat(places) * 255 / 48 < FLAT_SHARE / 2).float().mean()
    assert abs(float(share) - 2 / 49) < 0.02
    table = torch.cat([torch.cat(saved)[None], torch.cat(mirrored).T])
    assert torch.corrcoef(table)[0, 1:].abs().max() < 0.1


def test_a_configs_mixture_saves_as_jpeg_too(photo, monkeypatch):
    monkeypatch.setattr("anyir.model.data.training_set.STORED_SHARE", 0.0)
    monkeypatch.setattr("anyir.model.data.training_set.SHARES", {"clean": 1.0})
    generator = np.random.default_rng(0)
    spec = DatasetSpec("photos", degrade="mixture")
    made = [degrade_sample(photo, spec, generator) for _ in range(200)]
    share = sum(not torch.equal(one, photo) for one in made) / len(made)
    assert abs(share - SAVED_SHARE) < 0.1


def test_no_degradation_draws_what_chose_the_crops(monkeypatch):
    """One stream for both made the photo say how dark it would be."""
    seeds = []

    class Noting:
        def __init__(self, *device):
            self.generator = torch.Generator(*device)

        def manual_seed(self, seed):
            seeds.append(seed)
            return self.generator.manual_seed(seed)

    monkeypatch.setattr(mixture, "Generator", Noting)
    monkeypatch.setattr(degradations, "Generator", Noting)
    bank = PhotoBank(torch.zeros(64 * 64, 3, dtype=torch.uint8), *torch.tensor([[0], [64], [64]]), [])
    Sampler(bank, batch=256, crop=32, seed=3)(5)
    assert len(seeds) == 2 + len(single_kinds())  # crops, choices and every degradation
    assert len(set(seeds)) == len(seeds)
