import pytest
import torch
import torch.nn.functional as F

from anyir.model.evaluation.seams import seam_ratio
from anyir.model.restore.tiling import TilePlan

PLAN = TilePlan(600, 500, 128, 32)


def smooth(seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 3, 20, 24, generator=generator)
    return F.interpolate(coarse, (500, 600), mode="bicubic")[0] * 0.02


def blended(plan, value):
    """What tiles leave that each change the photo by a value of their own."""
    change = torch.zeros(plan.height, plan.width)
    for j, y in enumerate(plan.rows):
        for i, x in enumerate(plan.columns):
            weight = torch.tensor(plan.row_weights[j])[:, None] * torch.tensor(plan.column_weights[i])
            change[y : y + plan.tile, x : x + plan.tile] += (weight * value(i, j)).float()
    return change


def test_a_change_that_knows_no_tiles_has_no_seams():
    photo = torch.rand(3, 500, 600)
    ratios = [seam_ratio(photo + smooth(seed), photo, PLAN) for seed in range(8)]
    assert sum(ratios) / len(ratios) == pytest.approx(1, abs=0.1)


def test_tiles_that_judge_by_themselves_are_seen_under_noise():
    photo = torch.rand(3, 500, 600)
    steps = blended(PLAN, lambda i, j: 0.02 * ((i + j) % 2))
    noise = 0.01 * torch.randn(3, 500, 600)
    assert seam_ratio(photo + smooth() + noise + steps, photo, PLAN) > 1.5
    assert seam_ratio(photo + noise + steps, photo, PLAN) > 5


def test_borders_that_are_not_there_are_not_found():
    """The steps of another plan are elsewhere, not at this one's borders."""
    steps = blended(TilePlan(600, 500, 256, 32), lambda i, j: 0.02 * ((i + j) % 2))
    photo = torch.rand(3, 500, 600)
    assert seam_ratio(photo + smooth() + steps, photo, TilePlan(600, 500, 176, 32)) < 1


def test_one_tile_has_no_seams_to_measure():
    with pytest.raises(ValueError, match="no borders"):
        seam_ratio(torch.rand(3, 64, 64), torch.rand(3, 64, 64), TilePlan(64, 64, 128, 32))
