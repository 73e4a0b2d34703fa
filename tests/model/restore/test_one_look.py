"""One look at the whole photo, used in every tile."""

import tracemalloc

import numpy as np
import pytest
import torch
from skimage import data

from anyir.model import PRESETS, AnyIR, Restorer, degrade, load_weights
from anyir.model.data.degradation_registry import DEGRADATIONS
from anyir.model.data.mixture import as_stored
from anyir.model.errors import UserError
from anyir.model.metrics import psnr
from anyir.model.restore.look import make_sheet


class Judge:
    """A model that takes a tile's mean away, or the sheet's where it has looked."""

    name, accelerator = "judge", "none"

    def __init__(self, tile=None):
        self.tile, self.sheets, self.tiles = tile, [], 0

    def look(self, sheet):
        self.sheets.append(sheet)
        return sheet.mean()

    def __call__(self, tile):
        return self.restore(tile, tile.mean())

    def restore(self, tile, statistics):
        self.tiles += 1
        return tile - statistics + np.float32(0.5)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return AnyIR(PRESETS["tiny"])


def photo_of(width, height, channels=3):
    """A gradient, so that tiles differ."""
    ramp = np.linspace(0.3, 0.7, width, dtype=np.float32)[None, :, None]
    return np.broadcast_to(ramp, (height, width, channels)).copy()


@pytest.mark.parametrize(("fixed", "side"), [(None, 256), (64, 64)])
def test_the_photo_is_looked_at_once_for_all_tiles(fixed, side):
    model, photo = Judge(fixed), photo_of(400, 300)
    restored = Restorer(model, tile=64)(photo)
    assert len(model.sheets) == 1
    np.testing.assert_array_equal(model.sheets[0][0].transpose(1, 2, 0), make_sheet(photo, side))
    np.testing.assert_allclose(restored, photo - model.sheets[0].mean() + 0.5, atol=1e-6)


def test_each_tile_by_itself_where_that_is_asked_for():
    model, photo = Judge(), photo_of(400, 300)
    restored = Restorer(model, tile=64, statistics="tile")(photo)
    assert not model.sheets
    assert np.abs(restored - photo).max() > 0.1  # every tile comes out at 0.5


def test_the_tiles_size_changes_nothing():
    results = [Restorer(Judge(), tile=tile)(photo_of(400, 300)) for tile in (64, 128, 512)]
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], atol=1e-6)


def test_a_photo_of_one_tile_is_not_looked_at_first():
    model = Judge()
    Restorer(model)(photo_of(256, 100))
    assert (len(model.sheets), model.tiles) == (0, 1)


def test_a_small_photo_in_smaller_tiles_is_its_own_sheet(network):
    photo = photo_of(200, 136) * np.float32([1, 0.9, 0.8])
    whole = Restorer(network, threads=1)(photo)
    model = Restorer(network, threads=1).model
    with torch.inference_mode():
        image = torch.from_numpy(photo).permute(2, 0, 1)[None]
        given = network(image, model.look(image.numpy()))[0].permute(1, 2, 0).clamp(0, 1)
    np.testing.assert_allclose(given.numpy(), whole, atol=1e-5)
    judge = Judge()
    Restorer(judge, tile=64)(photo)
    np.testing.assert_array_equal(judge.sheets[0][0].transpose(1, 2, 0), photo)


def test_grey_and_sixteen_bits_are_looked_at_in_colour_and_in_0_to_1():
    model = Judge()
    photo = np.rint(photo_of(400, 300, 1) * 65535).astype(np.uint16)
    Restorer(model)(photo)
    assert model.sheets[0].shape == (1, 3, 256, 256)
    assert 0.25 < model.sheets[0].min() < model.sheets[0].max() < 0.75


def test_in_place_is_looked_at_before_anything_is_written():
    photo = photo_of(400, 300)
    expected = Restorer(Judge(), tile=64)(photo)
    Restorer(Judge(), tile=64).restore_into(photo, photo)
    np.testing.assert_array_equal(photo, expected)


@pytest.mark.parametrize("height", [9, 17, 20])
def test_in_place_reads_no_row_that_was_written_in_the_smallest_tiles_either(network, height):
    photo = np.random.default_rng(0).integers(0, 256, (height, 300, 3), np.uint8)
    restorer = Restorer(network, tile=8, threads=1)
    expected = restorer(photo)
    restorer.restore_into(photo, photo)
    np.testing.assert_array_equal(photo, expected)


def test_a_look_takes_no_memory_that_grows_with_the_photo():
    peaks = []
    for height in (500, 5000):
        image = np.full((height, 300, 3), 127, np.uint8)
        tracemalloc.start()
        Restorer(Judge(64), overlap=16).restore_into(image, image)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (600, 30), (257, 1), (260, 100)])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_photos_of_odd_sizes(network, width, height, level):
    photo = np.full((height, width, 3), level, np.float32)
    restored = Restorer(network, tile=64, threads=1)(photo)
    assert restored.shape == photo.shape
    assert np.isfinite(restored).all()


def test_a_photo_with_nan_is_one_line(network):
    photo = photo_of(300, 280)
    photo[3, 4, 1] = np.nan
    with pytest.raises(UserError, match=r"^a floating-point image is in 0..1; this one spans nan\.\.nan$"):
        Restorer(network)(photo)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_look_that_returns_nan_is_one_line_and_writes_nothing(bad):
    torch.manual_seed(0)
    network = AnyIR(PRESETS["tiny"])
    network.latent[0].gated_da.norm.bias.data[0] = bad
    photo = photo_of(300, 280)
    before = photo.copy()
    with pytest.raises(UserError, match=r"^tiny on .* looked at the photo and returned NaN or infinity$"):
        Restorer(network).restore_into(photo, photo)
    np.testing.assert_array_equal(photo, before)


def test_a_model_that_cannot_look_is_one_line():
    class Plain:
        name, accelerator, tile = "plain", "none", None

        def __call__(self, tile):
            return tile

    assert Restorer(Plain()).statistics == "tile"
    with pytest.raises(UserError, match=r"^plain cannot look at a whole photo; take the statistics of each"):
        Restorer(Plain(), statistics="photo")


def spread(network, kind, statistics):
    """dB between the best and the worst size of tile, whole included, on one photo."""
    clean = torch.from_numpy(data.astronaut()[40:240, 100:400].copy()).permute(2, 0, 1)[None].float() / 255
    made = clean if kind == "clean" else degrade(clean, kind, severity=0.5, seed=0)
    degraded = as_stored(made)[0].permute(1, 2, 0).numpy()
    reference = clean[0].permute(1, 2, 0).numpy()
    scores = []
    for tile in (128, 256, 512):
        restored = Restorer(network, tile=tile, statistics=statistics, threads=1)(degraded)
        scores.append(psnr(image=restored, reference=reference, data_range=1))
    return max(scores) - min(scores)


ABOVE_THE_AIM = {"low_light+haze": 0.33, "low_light+haze+rain": 0.25}
"""Kinds in which the shipped weights miss the aim of 0.2 dB, with what they are apart at most."""
KINDS = [d.name for d in DEGRADATIONS if d.name in ("clean", *ABOVE_THE_AIM) or d.validation is not None]
"""Those of the validation set, and those that are above the aim."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_tiles_of_every_size_agree_in_every_kind(kind):
    assert spread(load_weights(), kind, "photo") <= ABOVE_THE_AIM.get(kind, 0.2)


@pytest.mark.slow
def test_tiles_that_judge_by_themselves_do_not():
    assert spread(load_weights(), "low_light", "tile") > 0.5
