import numpy as np
import pytest

from anyir.conversion.manifest import Degradation, Parity, Stage
from anyir.conversion.parity import check, compare, compare_statistics, mean_loss, measure, recheck
from anyir.conversion.recipes import FLOAT16, FLOAT32, Bounds
from anyir.conversion.source import Outputs, Source
from anyir.model.data.degradation_registry import kinds_of
from anyir.model.errors import UserError

TILE = 32


@pytest.fixture(scope="module")
def source(tiny_weights):
    return Source(tiny_weights, TILE)


def test_figures_of_a_known_difference():
    reference = [np.zeros((1, 3, 8, 8), np.float32)] * 2
    stage = compare("a", [reference[0] + 0.1, reference[1]], "b", reference)
    assert stage.max_error == pytest.approx(0.1)
    assert stage.psnr == pytest.approx(10 * np.log10(1 / 0.005), abs=1e-4)
    assert compare("a", reference, "b", reference).psnr is None


def test_nan_is_refused():
    with pytest.raises(UserError, match="NaN"):
        compare("a", [np.full((1, 3, 8, 8), np.nan, np.float32)], "b", [np.zeros((1, 3, 8, 8), np.float32)])


def test_stages_are_compared_in_turn_and_the_last_with_the_network(source):
    deployed = source.deployed_outputs
    off = Outputs([tile + np.float32(0.01) for tile in deployed.tiles], deployed.statistics)
    parity = measure(source, FLOAT16, [("quantized", source.deployed_outputs), ("artifact", off)])
    assert [(s.stage, s.entry, s.against) for s in parity.stages] == [
        ("deploy", "restore", "literal"),
        ("quantized", "look", "deploy"),
        ("quantized", "restore", "deploy"),
        ("artifact", "look", "quantized"),
        ("artifact", "restore", "quantized"),
        ("artifact", "restore", "literal"),
    ]
    assert parity.literal.psnr == pytest.approx(40, abs=0.01)
    assert [d.kind for d in parity.degradations] == list(kinds_of("parity"))
    with pytest.raises(
        UserError,
        match=r"PSNR 40\.0 dB of the artifact's restore against the quantized is below the bound 55",
    ):
        check(parity)
    loose = Bounds(max_error=0.001, psnr=30.0, loss=1.0)
    with pytest.raises(UserError, match=r"max error 0\.01 is above the bound 0\.001"):
        check(measure(source, loose, [("artifact", off)]))
    check(measure(source, FLOAT32, [("artifact", source.deployed_outputs)]))


def test_statistics_are_compared_each_in_its_own_scale(source):
    deployed = source.deployed_outputs
    names = [np.abs(statistic).max() for statistic in deployed.statistics[0]]
    smallest = int(np.argmin(names))
    largest = max(np.abs(photo[smallest]).max() for photo in deployed.statistics)
    spoilt = [[statistic.copy() for statistic in photo] for photo in deployed.statistics]
    spoilt[0][smallest].flat[0] += 0.25 * largest
    stage = compare_statistics("artifact", Outputs([], spoilt), "deploy", deployed)
    assert (stage.stage, stage.entry, stage.against) == ("artifact", "look", "deploy")
    assert stage.max_error == pytest.approx(0.25, rel=1e-5)
    wrong = measure(source, FLOAT32, [("artifact", Outputs(deployed.tiles, spoilt))])
    with pytest.raises(UserError, match="dB of the artifact's look against the deploy is below the bound 80"):
        check(wrong)
    spoilt[0][0][:] = np.nan
    with pytest.raises(UserError, match="NaN"):
        compare_statistics("artifact", Outputs([], spoilt), "deploy", deployed)


def test_loss_of_quality_is_bounded():
    stages = [
        Stage(stage=s, entry="restore", against="literal", max_error=0, psnr=None)
        for s in ("deploy", "artifact")
    ]
    losses = [
        Degradation(kind=k, literal_psnr=30, artifact_psnr=30 - x, loss=x)
        for k, x in zip("ab", (0.1, 0.5), strict=True)
    ]
    bounds = {"max_error": None, "psnr": 30.0, "loss": 0.2}
    parity = Parity(
        status="measured", reason=None, bounds=bounds, stages=stages, degradations=losses, samples=[]
    )
    assert mean_loss(parity) == pytest.approx(0.3)
    with pytest.raises(UserError, match=r"0\.30 dB is above"):
        check(parity)


def test_recheck_needs_the_samples_alone_and_notices_another_network(source):
    parity = measure(source, FLOAT32, [("artifact", source.deployed_outputs)])
    outputs = iter(source.literal_outputs.tiles)
    stage = recheck(parity, TILE, lambda tile: next(outputs))
    assert stage.max_error < 1e-5
    with pytest.raises(UserError, match="below the bound"):
        recheck(parity, TILE, lambda tile: tile)
