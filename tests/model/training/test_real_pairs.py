"""Pairs of real photos beside clean ones, held in memory: what is trained on, and what is refused."""

import pytest
from rich.console import Console

from anyir.model.errors import UserError
from anyir.model.training.data import open_data
from tests.helpers import datasets as made
from tests.helpers.training import CPU, tiny_config

DATASETS = [
    {"dataset": "photos", "folder": "photos", "degrade": "mixture", "repeat": 2},
    {"dataset": "pairs", "folder": "noise"},
]


@pytest.fixture
def root(tmp_path):
    for number in range(3):
        made.write(tmp_path / f"photos/{number}.png", made.photo(number, 130))
    names = [("a.png", "a.png"), ("b.png", "b.png")]
    made.write_pairs(tmp_path / "noise", "input", "target", names, 130)
    return tmp_path


def opened(root):
    data = {"datasets": DATASETS, "roots": [str(root)], "crop": 32, "batch_size": 4, "crops_per_photo": 2}
    return open_data(tiny_config(data=data).data, 0, CPU, Console(quiet=True))


def test_an_epoch_has_photos_as_often_as_said_and_pairs(root):
    data = opened(root)
    assert data.samples == 2 * 2 + 2  # a photo validates
    assert data.fingerprint.training == (4, 4 * 130 * 130)
    degraded, clean = data.batch(0, slice(None))
    assert degraded.shape == clean.shape == (4, 3, 32, 32)


def test_a_pair_of_two_sizes_is_one_line(root):
    made.write(root / "noise/input/b.png", made.photo(1, 120))
    with pytest.raises(
        UserError, match=r"input/b\.png and .*b\.png have different sizes: 120x120 and 130x130"
    ):
        opened(root)


def test_a_pair_of_which_a_half_is_too_small_is_left_out(root):
    made.write(root / "noise/input/c.png", made.photo(5))
    made.write(root / "noise/target/c.png", made.photo(6))
    before = opened(root)
    made.write(root / "noise/input/a.png", made.photo(1, 40))
    after = opened(root)
    assert before.samples - after.samples == 1
    assert after.batch(0, slice(None))[0].shape == (4, 3, 32, 32)


def test_pairs_of_which_none_is_whole_are_one_line(root):
    made.write(root / "noise/input/a.png", made.photo(1, 40))
    made.write(root / "noise/target/b.png", made.photo(1, 40))
    with pytest.raises(UserError, match=r"half of every pair cannot be used; first: .*png: 40x40 is smaller"):
        opened(root)
