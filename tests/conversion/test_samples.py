"""The tiles of sample photos that programs are compared on, and those that calibrate int8."""

import torch

from anyir.conversion import samples
from anyir.conversion.samples import (
    CALIBRATION_PHOTOS,
    PHOTOS,
    calibration_tiles,
    describe_calibration,
    make_cases,
    parity_cases,
)
from anyir.model.data import degradation_registry
from anyir.model.data.degradation_registry import Degradation, kinds_of, single_kinds


def test_every_kind_of_degradation_is_there_and_no_parity_photo():
    tiles = calibration_tiles(48)
    assert len(tiles) >= len(CALIBRATION_PHOTOS) + len(single_kinds())
    for tile in tiles:
        assert tile.shape == (1, 3, 48, 48)
        assert tile.dtype == torch.float32
        assert tile.min() >= 0
        assert tile.max() <= 1
    # No two are equal: each photo is degraded in another way.
    assert len({tile.numpy().tobytes() for tile in tiles}) == len(tiles)
    assert not set(CALIBRATION_PHOTOS) & set(PHOTOS)


def test_calibration_is_repeatable():
    pairs = zip(calibration_tiles(32), calibration_tiles(32), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_new_degradation_changes_neither_set_before_it_is_given_a_number(monkeypatch):
    before = calibration_tiles(32), [case.degraded.tobytes() for case in make_cases(32)]
    new = Degradation("haze+rain+snow", training=0.5)
    monkeypatch.setattr(degradation_registry, "DEGRADATIONS", (new, *degradation_registry.DEGRADATIONS))
    assert all(torch.equal(a, b) for a, b in zip(before[0], calibration_tiles(32), strict=True))
    assert before[1] == [case.degraded.tobytes() for case in make_cases(32)]


def test_a_degradation_that_is_added_to_calibration_leaves_the_other_tiles(monkeypatch):
    before = calibration_tiles(32)
    new = Degradation("haze+rain+snow", calibration=99)
    monkeypatch.setattr(degradation_registry, "DEGRADATIONS", (new, *degradation_registry.DEGRADATIONS))
    *after, added = calibration_tiles(32)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert added.shape == (1, 3, 32, 32)
    assert "haze+rain+snow" in describe_calibration()


def test_a_tile_larger_than_the_photos():
    assert calibration_tiles(520)[0].shape == (1, 3, 520, 520)


def test_calibration_tiles_are_the_middle_of_their_photos():
    photo = samples.crop("rocket", 64, 0, 0)
    assert photo.shape == (3, 64, 64)
    from skimage import data

    rocket = data.rocket()
    top, left = (rocket.shape[0] - 64) // 2, (rocket.shape[1] - 64) // 2
    middle = rocket[top : top + 64, left : left + 64].transpose(2, 0, 1)
    assert (calibration_tiles(64)[0][0].numpy() * 255).round().astype("uint8").tobytes() == middle.tobytes()


def test_parity_has_one_tile_of_every_degradation():
    cases = parity_cases(32)
    assert [case.kind for case in cases] == list(kinds_of("parity"))
    assert {case.photo for case in cases} == set(PHOTOS)
