"""Batches that are read as they are needed: what they depend on, and what bad photos do."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anyir.model.data.dataset_spec import MIXTURE, DatasetSpec
from anyir.model.data.pairing import Pair
from anyir.model.data.streaming import AHEAD, StreamSampler, cached_photos
from anyir.model.data.training_set import TrainDataset, find_training_set, split_off_validation
from anyir.model.errors import UserError
from anyir.model.training.loader import Loader
from tests.helpers import datasets as made

CPU = torch.device("cpu")
SPECS = [
    DatasetSpec("bsd400", degrade="noise", sigma=25, stored=True, repeat=3),
    DatasetSpec("wed", degrade=MIXTURE),
    DatasetSpec("rain100l", repeat=2),
    DatasetSpec("ots"),
]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return find_training_set(SPECS, [made.promptir(tmp_path_factory.mktemp("data"))])


def sampler(parts, **options):
    defaults = {"batch": 6, "crop": 32, "seed": 1, "device": CPU, "workers": 2}
    return StreamSampler(parts, **{**defaults, **options})


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_batch_depends_on_seed_and_step_alone(parts):
    first = sampler(parts)
    batches = [first(step) for step in range(3)]
    assert batches[0][0].shape == batches[0][1].shape == (6, 3, 32, 32)
    alone = sampler(parts, workers=1, cache_bytes=0)
    assert equal(alone(2), batches[2])  # as after a resumption
    assert equal(alone(0), batches[0])
    assert not equal(batches[0], batches[1])
    assert not equal(sampler(parts, seed=2)(0), batches[0])


def test_processes_make_their_rows_alone(parts):
    whole = sampler(parts)(1)
    for rows in (slice(0, 3), slice(3, 6)):
        share = sampler(parts)
        degraded, clean = Loader(share, rows).take(1)
        assert equal((degraded, clean), [images[rows] for images in whole])
        assert all(len(futures) == 3 for futures in share._waiting.values())


def test_batches_are_prepared_ahead_and_old_ones_dropped(parts):
    ahead = sampler(parts)
    for step in (0, 1, 2, 50):
        ahead(step)
        assert sorted(ahead._waiting) == list(range(step + 1, step + AHEAD + 1))
    ahead.close()


def test_an_epoch_has_every_sample_once(tmp_path):
    parts = []
    for place, (name, count, repeat) in enumerate((("bsd400", 3, 2), ("wed", 2, 3))):
        paths = [tmp_path / f"{name}-{number}.png" for number in range(count)]
        for number, path in enumerate(paths):
            made.write(path, np.full((16, 16, 3), 20 * number + 100 * place, np.uint8))
        parts.append(TrainDataset(DatasetSpec(name, repeat=repeat), [Pair(path) for path in paths]))
    sampled = sampler(parts, batch=4, crop=16)
    assert len(sampled) == 12
    for epoch in range(2):
        values = [round(float(v) * 255) for s in range(3) for v in sampled(3 * epoch + s)[1][:, 0, 0, 0]]
        assert Counter(values) == {0: 2, 20: 2, 40: 2, 100: 3, 120: 3}


def test_pairs_stay_aligned(parts):
    """The made degraded photo is half its clean one, plus 40; in PNG exactly."""
    rain = [part for part in parts if part.spec.dataset == "rain100l"]
    degraded, clean = sampler(rain, batch=16)(0)
    expected = ((clean * 255).round() / 2).floor() + 40
    assert torch.equal((degraded * 255).round(), expected)


def test_noise_is_that_of_promptir(tmp_path):
    made.write(tmp_path / "grey.png", np.full((64, 64, 3), 128, np.uint8))
    noisy = TrainDataset(
        DatasetSpec("photos", degrade="noise", sigma=15, stored=True), [Pair(tmp_path / "grey.png")]
    )
    degraded, clean = sampler([noisy], batch=8, crop=64)(0)
    levels = degraded * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)
    error = (degraded - clean) * 255
    assert float(error.std()) == pytest.approx(15, rel=0.02)
    assert float(error.mean()) == pytest.approx(-0.5, abs=0.2)  # cut, not rounded
    free = replace(noisy, spec=replace(noisy.spec, stored=False, sigma=50))
    assert float(sampler([free], batch=8, crop=64)(0)[0].max()) > 1


def folder_of(tmp_path, count, bad):
    """A part of clean photos, the first ``bad`` of which are cut short."""
    paths = [made.write(tmp_path / f"{n:03d}.png", made.photo(n, 16)) for n in range(count)]
    for path in paths[:bad]:
        path.write_bytes(path.read_bytes()[:150])
    return [TrainDataset(DatasetSpec("photos"), [Pair(path) for path in paths])]


def test_a_corrupt_photo_is_skipped_named_and_counted(tmp_path):
    lines = []
    sampled = sampler(folder_of(tmp_path, 120, 1), batch=30, crop=16, on_bad=lines.append)
    batches = [sampled(step) for step in range(8)]
    assert len(lines) == 1
    assert "000.png is damaged or cut short" in lines[0]
    assert lines[0].endswith("(1 of 120 photos so far)")
    again = sampler(folder_of(tmp_path, 120, 1), batch=30, crop=16, workers=1)
    assert all(equal(again(step), batches[step]) for step in range(8))


def test_more_than_1_percent_corrupt_photos_stop_the_run(tmp_path):
    sampled = sampler(folder_of(tmp_path, 120, 2), batch=30, crop=16)
    reason = r"2 of 120 photos cannot be used, more than 1 %; last: .*00[01].png"

    def epoch():
        return [sampled(step) for step in range(4)]

    with pytest.raises(UserError, match=reason):
        epoch()


@pytest.mark.parametrize("count", [1, 3])
def test_no_thread_goes_on_looking_where_every_photo_is_bad(tmp_path, count):
    sampled = sampler(folder_of(tmp_path, count, count), crop=16)
    with pytest.raises(UserError, match="cannot be used"):
        sampled(0)
    sampled.close()
    for thread in sampled._pool._threads:
        thread.join(10)
        assert not thread.is_alive()


def test_photos_below_the_crop_and_pairs_that_differ_are_named(tmp_path, parts):
    with pytest.raises(UserError, match=r"norain-\d.png: 48x48 is smaller than a 64-pixel crop"):
        sampler(parts[2:3], crop=64)(0)
    good = made.write(tmp_path / "a.png", made.photo())
    other = made.write(tmp_path / "b.png", made.photo()[:40])
    with pytest.raises(UserError, match="differ in size"):
        sampler([TrainDataset(DatasetSpec("rain100l"), [Pair(good, other)])])(0)


def test_grey_and_16_bit_pairs_are_used(tmp_path):
    Image.fromarray(made.photo()[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(np.full((48, 48), 32896, np.uint16)).save(tmp_path / "deep.png")
    pair = Pair(tmp_path / "grey.png", tmp_path / "deep.png")
    degraded, clean = sampler([TrainDataset(DatasetSpec("rain100l"), [pair])])(0)
    assert torch.equal(clean[:, :1].expand_as(clean), clean)
    assert (degraded == 128 / 255).all()


def test_validation_photos_are_in_no_dataset(parts):
    left, validation = split_off_validation(parts, 12)
    assert [path.name for path in validation] == ["100080.jpg"]  # the middle of three, at most a tenth: one
    assert not {pair.clean for part in left for pair in part.pairs} & set(validation)
    with pytest.raises(UserError, match="at least two"):
        split_off_validation([replace(parts[1], pairs=parts[1].pairs[:1])], 12)


def test_a_folder_below_the_root_may_be_named(tmp_path):
    made.promptir(tmp_path)
    made.write(tmp_path / "holidays/beach.png", made.photo())
    (part,) = find_training_set([DatasetSpec("photos", folder="holidays", degrade=MIXTURE)], [tmp_path])
    assert [pair.name for pair in part.pairs] == ["beach.png"]
    with pytest.raises(UserError, match="nowhere is not a folder"):
        find_training_set([DatasetSpec("photos", folder="nowhere")], [tmp_path])


def test_missing_partners_stop_before_training(tmp_path):
    made.promptir(tmp_path)
    (tmp_path / "Train/Derain/gt/norain-2.png").unlink()
    with pytest.raises(
        UserError, match=r"1 of 2 degraded photos of rain100l have no clean partner; first: .*rain-2"
    ):
        find_training_set([DatasetSpec("rain100l")], [tmp_path])
    with pytest.raises(UserError, match="no train photos of cdd11 below"):
        find_training_set([DatasetSpec("cdd11")], [tmp_path])


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(0, 40))
def test_the_cache_holds_what_fits_and_nothing_else(wanted, limit):
    sizes = {Path(str(n)): n * 3 for n in range(7)}
    read = []

    def decode(path):
        read.append(path)
        return np.full(sizes[path], int(str(path)), np.uint8)

    photos = cached_photos(decode, limit)
    for number in wanted:
        pixels = photos(Path(str(number)))
        assert pixels.tolist() == [number] * (number * 3)
        assert sum(kept.nbytes for kept in photos.cache.values()) <= limit
    if 0 < 3 * (last := wanted[-1] if wanted else 0) <= limit:
        assert Path(str(last)) in photos.cache
    if sum(sizes.values()) <= limit:
        assert len(read) == len(set(wanted))
