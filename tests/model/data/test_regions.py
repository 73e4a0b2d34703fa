"""Parts of photos and of pairs: where they come from, and that partners are cut alike."""

import torch

from anyir.model.data import mixture
from anyir.model.data.mixture import Sampler
from anyir.model.data.photo_bank import PhotoBank
from anyir.model.data.regions import SampleSource, draw_regions


def bank(*photos):
    """Of (H, W, 3) uint8 photos."""
    sides = torch.tensor([photo.shape[:2] for photo in photos])
    areas = sides.prod(dim=1)
    return PhotoBank(
        torch.cat([photo.reshape(-1, 3) for photo in photos]), areas.cumsum(0) - areas, *sides.T, []
    )


def photo(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(60, 160, (height, width, 3), dtype=torch.uint8, generator=generator)


def draw(sources, side, extreme, seed=0):
    return draw_regions(sources, side, torch.tensor(extreme), torch.Generator().manual_seed(seed))


def test_partners_are_cut_and_turned_alike():
    clean = [photo(90, 70, seed) for seed in range(3)]
    source = SampleSource(bank(*clean), bank(*(one + 40 for one in clean)))
    regions = draw([source], 48, [False] * 12)
    assert regions.clean.shape == regions.degraded.shape == (12, 3, 48, 48)
    assert regions.paired.all()
    assert torch.allclose(regions.degraded - regions.clean, torch.tensor(40 / 255))
    assert len({float(one.mean()) for one in regions.clean}) == 12


def test_sources_come_in_proportion_to_their_samples():
    few = SampleSource(bank(photo(60, 60, 0)), bank(photo(60, 60, 1)), repeat=3)
    many = SampleSource(bank(*(photo(60, 60, seed) for seed in range(9))))
    regions = draw([few, many], 32, [False] * 400)
    assert 0.17 < regions.paired.float().mean() < 0.33
    alone = ~regions.paired
    assert torch.equal(regions.clean[alone], regions.degraded[alone])


def test_a_photo_that_is_smaller_makes_all_smaller():
    regions = draw([SampleSource(bank(photo(40, 90, 0), photo(80, 80, 1)))], 64, [False] * 20)
    assert regions.clean.shape[-2:] == (40, 40)


def test_extreme_parts_are_darker_brighter_or_evener():
    ramp = torch.linspace(0, 255, 400).byte()[None, :, None].expand(100, 400, 3)
    sources = [SampleSource(bank(ramp))]
    usual = draw(sources, 48, [False] * 200).clean.mean(dim=(1, 2, 3))
    chosen = draw(sources, 48, [True] * 200).clean.mean(dim=(1, 2, 3))
    assert (chosen < 0.25).float().mean() > 1.5 * (usual < 0.25).float().mean()
    assert (chosen > 0.75).float().mean() > (usual > 0.75).float().mean()


def test_pairs_are_trained_as_they_are(monkeypatch):
    monkeypatch.setattr(mixture, "SHARES", {"dense_haze": 1.0})
    clean = photo(100, 100, 0)
    pairs = SampleSource(bank(clean), bank(clean + 30))
    degraded, target = Sampler([pairs], batch=8, crop=16, seed=0, crops_per_photo=4)(0)
    assert torch.allclose(degraded - target, torch.tensor(30 / 255))
    both = [pairs, SampleSource(bank(photo(100, 100, 1)))]
    degraded, target = Sampler(both, batch=64, crop=16, seed=0, crops_per_photo=4)(0)
    kept = torch.isclose(degraded - target, torch.tensor(30 / 255)).flatten(1).all(dim=1).reshape(16, 4)
    assert torch.equal(kept.any(dim=1), kept.all(dim=1))
    assert 0 < int(kept[:, 0].sum()) < 16
