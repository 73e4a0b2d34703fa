"""The tiles of sample photos that programs are compared on, and those that calibrate int8."""

import torch

from anyir.conversion import samples
from anyir.conversion.samples import (
    CALIBRATION_PHOTOS,
    PHOTOS,
    calibration_pairs,
    describe_calibration,
    make_cases,
    parity_cases,
)
from anyir.model.data import degradation_registry
from anyir.model.data.degradation_registry import Degradation, kinds_of, single_kinds
from anyir.model.restore.look import make_sheet


def test_every_kind_of_degradation_is_there_and_no_parity_photo():
    tiles = [image for pair in calibration_pairs(48) for image in pair]
    assert len(tiles) // 2 >= len(CALIBRATION_PHOTOS) + len(single_kinds())
    for tile in tiles:
        assert tile.shape == (1, 3, 48, 48)
        assert tile.dtype == torch.float32
        assert tile.min() >= 0
        assert tile.max() <= 1
    # No two sheets and no two tiles are equal: each photo is degraded in another way.
    for which in (tiles[::2], tiles[1::2]):
        assert len({image.numpy().tobytes() for image in which}) == len(which)
    assert not set(CALIBRATION_PHOTOS) & set(PHOTOS)


def test_calibration_is_repeatable():
    assert_equal(calibration_pairs(32), calibration_pairs(32))


def test_a_new_degradation_changes_neither_set_before_it_is_given_a_number(monkeypatch):
    before = calibration_pairs(32), [case.degraded.tobytes() for case in make_cases(32)]
    new = Degradation("haze+rain+snow", training=0.5)
    monkeypatch.setattr(degradation_registry, "DEGRADATIONS", (new, *degradation_registry.DEGRADATIONS))
    assert_equal(before[0], calibration_pairs(32))
    assert before[1] == [case.degraded.tobytes() for case in make_cases(32)]


def test_a_degradation_that_is_added_to_calibration_leaves_the_other_tiles(monkeypatch):
    before = calibration_pairs(32)
    new = Degradation("haze+rain+snow", calibration=99)
    monkeypatch.setattr(degradation_registry, "DEGRADATIONS", (new, *degradation_registry.DEGRADATIONS))
    *after, added = calibration_pairs(32)
    assert_equal(before, after)
    assert {image.shape for image in added} == {(1, 3, 32, 32)}
    assert "haze+rain+snow" in describe_calibration()


def test_a_tile_larger_than_the_photos():
    photo = samples.whole_photo("rocket", 520)
    assert min(photo.shape[1:]) == 520
    assert samples.cut_tile(photo, 520, 0.5, 0.5).shape == (3, 520, 520)


def test_calibration_tiles_are_the_middle_of_their_photos():
    photo = samples.crop("rocket", 64, 0, 0)
    assert photo.shape == (3, 64, 64)
    from skimage import data

    rocket = data.rocket()
    top, left = (rocket.shape[0] - 64) // 2, (rocket.shape[1] - 64) // 2
    middle = rocket[top : top + 64, left : left + 64].transpose(2, 0, 1)
    assert pixels(calibration_pairs(64)[0][1]) == middle.tobytes()


def test_calibration_sheets_are_what_an_app_looks_at():
    from skimage import data

    rocket = data.rocket()
    top, left = (rocket.shape[0] - 256) // 2, (rocket.shape[1] - 256) // 2
    sheet = make_sheet(rocket[top : top + 256, left : left + 256], 64).transpose(2, 0, 1)
    assert pixels(calibration_pairs(64)[0][0]) == sheet.tobytes()


def pixels(image):
    return (image[0].numpy() * 255).round().astype("uint8").tobytes()


def assert_equal(before, after):
    assert len(before) == len(after)
    for pairs in zip(before, after, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(*pairs, strict=True))


def test_parity_has_one_tile_of_every_degradation():
    cases = parity_cases(32)
    assert [case.kind for case in cases] == list(kinds_of("parity"))
    assert {case.photo for case in cases} == set(PHOTOS)
