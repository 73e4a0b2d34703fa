import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model.data.degradations import disk_kernels, filter_each
from anyir.model.errors import UserError
from anyir.model.evaluation.diagnostics import (
    colour_cast,
    flat_surfaces,
    grid,
    measure_diagnostics,
    tile_agreement,
)


def denoise(images):
    """A plain blur: no cast, no grid."""
    return filter_each(images, disk_kernels(torch.full((len(images),), 2.0), 7)).clamp(0, 1)


@pytest.fixture(scope="module")
def photo():
    return torch.from_numpy(data.astronaut()[:160, :200].copy()).permute(2, 0, 1)[None].float() / 255


def test_colour_cast_is_the_mean_shift(photo):
    def reddish(images):
        return images + torch.tensor([2.0, 0.0, -1.0])[:, None, None] / 255

    found = colour_cast(reddish, [photo, photo])
    assert found["shift"] == pytest.approx([2.0, 0.0, -1.0], abs=0.3)
    assert found["largest_shift"] == pytest.approx(2.0, abs=0.3)


def test_a_grid_is_seen_and_plain_smoothing_is_none():
    def gridded(images):
        restored = denoise(images)
        restored[..., ::8, ::8] += 0.01
        return restored

    smooth = grid(denoise)
    assert abs(smooth["mean_db"]) < 0.3
    assert smooth["largest_db"] < 3
    found = grid(gridded)
    assert found["largest_db"] > smooth["largest_db"] + 6
    # One pixel of 64 raised by 0.01.
    assert found["amplitude"] == pytest.approx(2.55 * (63 / 64**2) ** 0.5, rel=0.1)
    assert smooth["amplitude"] < 0.1


def test_flat_surfaces_that_change_are_seen():
    assert flat_surfaces(lambda images: images)["largest_shift"] == 0
    found = flat_surfaces(lambda images: torch.where(images > 0.6, images - 0.1, images))
    assert found["shift"]["0.75"] == pytest.approx(-25.5, abs=1e-3)
    assert found["shift"]["0.5"] == 0
    assert found["largest_shift"] == pytest.approx(25.5, abs=1e-3)


def test_tiles_that_disagree_are_seen(photo):
    def darker_in_small_tiles(tile):
        return lambda images: images * (0.9 if tile == 128 else 1.0)

    same = tile_agreement(lambda tile: denoise, [photo], ("noise", "haze"))
    assert same["largest_spread"] == 0
    assert set(same["kinds"]) == {"noise", "haze"}
    apart = tile_agreement(darker_in_small_tiles, [photo], ("noise",))
    row = apart["kinds"]["noise"]
    assert row["256"] == row["512"] != row["128"]
    assert apart["largest_spread"] == row["spread"] == pytest.approx(abs(row["256"] - row["128"]))


def test_a_photo_too_small_to_measure_is_one_line(tmp_path):
    Image.new("RGB", (7, 5)).save(tmp_path / "small.png")
    with pytest.raises(UserError, match=r"small.png is smaller than 8x8 pixels"):
        measure_diagnostics(lambda images: images, lambda tile: lambda images: images, tmp_path)
