import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyir.model.config import TileSize, default_overlap
from anyir.model.restore.tiling import TilePlan, axis_starts, axis_weights, reflect_indices
from tests.helpers.fixtures import FIXTURES, script

ROOT = Path(__file__).parents[3]
APPS = (
    ROOT / "android_demo/core/src/main/kotlin/org/anyir/core/PhotoRestorer.kt",
    ROOT / "ios_demo/AnyIRKit/Sources/AnyIRCore/Plan/TilePlan.swift",
)


@st.composite
def axes(draw):
    tile = draw(st.integers(1, 64))
    return draw(st.integers(1, 400)), tile, draw(st.integers(0, tile // 2))


@settings(deadline=None)
@given(axes())
def test_weights_cover_every_pixel_and_sum_to_one(axis):
    length, tile, _ = axis
    starts, weights = axis_starts(*axis), axis_weights(*axis)
    assert len(starts) == len(weights)
    total = np.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        assert len(weight) == min(tile, length)
        assert (weight > 0).all()
        total[start : start + len(weight)] += weight
    np.testing.assert_allclose(total, 1, atol=1e-12)


@settings(deadline=None)
@given(axes())
def test_tiles_lie_inside_and_none_is_superfluous(axis):
    length, tile, overlap = axis
    starts = axis_starts(*axis)
    assert starts[0] == 0
    assert starts[-1] == max(length - tile, 0)
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert (steps <= tile - overlap).all()
    assert (steps[:-1] == tile - overlap).all()


@settings(deadline=None, max_examples=50)
@given(axes(), axes(), st.booleans())
def test_plan_is_the_product_of_its_axes(across, down, square):
    width, tile, overlap = across
    size = tile if square else TileSize(max(down[1], tile), tile)
    plan = TilePlan(width, down[0], size, overlap)
    total = np.zeros((plan.height, plan.width))
    weights = [(row, column) for row in plan.row_weights for column in plan.column_weights]
    regions = list(plan)
    assert len(plan) == len(regions) == len(weights)
    for region, (row, column) in zip(regions, weights, strict=True):
        part = total[region.y : region.y + region.height, region.x : region.x + region.width]
        assert part.shape == (region.height, region.width)
        part += row[:, None] * column[None]
    np.testing.assert_allclose(total, 1, atol=1e-12)


def test_weights_change_gently():
    """No edge, so no seam: 1/32 from pixel to pixel, at most twice that where three tiles meet."""
    for length in range(257, 1000, 7):
        for start, weight in zip(axis_starts(length, 256, 32), axis_weights(length, 256, 32), strict=True):
            whole = np.zeros(length)
            whole[start : start + 256] = weight
            assert np.abs(np.diff(whole)).max() <= 2 / 32
            if (length - 256) % 224 == 0:
                assert np.abs(np.diff(whole)).max() <= 1 / 32 + 1e-12


@settings(deadline=None)
@given(st.integers(1, 50), st.integers(1, 200))
def test_reflection_is_numpys(length, size):
    indices = reflect_indices(length, max(length, size))
    expected = np.pad(np.arange(length), (0, max(0, size - length)), mode="reflect")
    assert indices.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "values",
    [
        *[(0, 5, 16, 4), (5, 0, 16, 4), (5, 5, 0, 0), (5, 5, 16, -1), (5, 5, 16, 9)],
        *[(5, 5, TileSize(0, 16), 0), (5, 5, TileSize(16, 32), 9), (5, 5, TileSize(32, 16), 9)],
    ],
)
def test_bad_values(values):
    with pytest.raises(ValueError, match=r"positive|overlap"):
        TilePlan(*values)


def test_fixture_equals_the_code():
    assert (FIXTURES / "tile_plans.json").read_text() == script("make_tile_plans").text()


def test_blending_fixture_equals_the_code():
    made = script("make_blending").content()
    kept = json.loads((FIXTURES / "blending.json").read_text())["cases"]
    for case, numbers in zip(kept, made, strict=True):
        np.testing.assert_allclose(case.pop("blended"), numbers.pop("blended"), rtol=0, atol=1e-6)
        assert case == numbers


def test_fixture_by_hand():
    """Cases small enough to check with pencil and paper, so that code and fixture cannot err together."""
    fixture = json.loads((FIXTURES / "tile_plans.json").read_text())
    plans = {(p["width"], p["height"], p["tile"], p["overlap"]): p["tiles"] for p in fixture["plans"]}
    assert plans[7, 5, 256, 32] == [[0, 0, 7, 5]]
    assert plans[257, 300, 256, 32] == [
        [0, 0, 256, 256], [1, 0, 256, 256], [0, 44, 256, 256], [1, 44, 256, 256]
    ]  # fmt: skip
    assert plans[512, 768, 256, 0] == [[x, y, 256, 256] for y in (0, 256, 512) for x in (0, 256)]
    assert len(plans[20000, 30, 256, 32]) == 90
    assert plans[20000, 30, 256, 32][-2:] == [[19712, 0, 256, 30], [19744, 0, 256, 30]]
    assert len(plans[4000, 3000, 256, 32]) == 18 * 14
    weights = {(w["length"], w["tile"], w["overlap"]): w for w in fixture["weights"]}
    ramp = [0.125, 0.375, 0.625, 0.875]
    assert weights[28, 16, 4]["starts"] == [0, 12]
    assert weights[28, 16, 4]["weights"] == [[1.0] * 12 + ramp[::-1], ramp + [1.0] * 12]


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.suffix)
def test_the_apps_have_the_same_default_overlap(path):
    """Kotlin and Swift cannot import it: their line is read."""
    [(most, part)] = re.findall(r"fun\w* defaultOverlap.*min\w*\((\d+), tile / (\d+)\)", path.read_text())
    for tile in range(8, 1024, 8):
        assert min(int(most), tile // int(part)) == default_overlap(tile)
