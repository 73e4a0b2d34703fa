"""Colours that shift and ramps that get bands are refused, whatever their PSNR."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from anyir.conversion import gates
from anyir.conversion.gates import banding, check_gates, colour_shift
from anyir.conversion.manifest import Degradation
from anyir.conversion.parity import OutOfBounds, check, measure
from anyir.conversion.recipes import CHOSEN8
from anyir.conversion.samples import as_input, ramps
from anyir.conversion.source import Outputs, Source

TILE = 32


@pytest.fixture(scope="module")
def source(tiny_weights):
    return Source(tiny_weights, TILE)


def test_a_shift_is_of_one_channel_s_mean_and_of_what_a_photo_shows():
    exact = np.full((1, 3, 8, 8), 0.5, np.float32)
    moved = exact.copy()
    moved[:, 1] += 1 / 255
    assert colour_shift(moved, exact) == pytest.approx(1, abs=1e-4)
    noise = np.where(np.indices((8, 8)).sum(0) % 2, 0.1, -0.1).astype(np.float32)
    assert colour_shift(exact + noise, exact) == pytest.approx(0, abs=1e-4)
    assert colour_shift(exact + 2, exact + 1) == 0  # white is white


def test_bands_are_steps_that_were_not_there():
    ramp = as_input(ramps(64)[1])
    assert ramp.shape == (1, 3, 64, 64)
    assert banding(ramp, ramp) == 0
    assert banding(ramp + np.float32(0.05), ramp) == pytest.approx(0, abs=1e-3)
    coarse = np.round(ramp * 255 / 4).astype(np.float32) * 4 / 255
    assert 2 < banding(coarse, ramp) <= 4.01


@pytest.fixture
def given(monkeypatch):
    """Makes ``run_program`` answer with the exact outputs, and then some."""

    def give(added):
        def run(source, inputs):
            return Outputs([tile + added for tile in source.run(source.deployed, inputs).tiles])

        monkeypatch.setattr(gates, "run_program", run)

    return give


def test_an_artifact_that_shifts_colours_or_makes_bands_is_refused(source, given):
    exact = source.literal_outputs.tiles
    stripes = np.zeros((1, 3, TILE, TILE), np.float32)
    stripes[..., ::2] = 3 / 255
    given(np.float32(0))
    check_gates(CHOSEN8, source, exact, source)
    with pytest.raises(OutOfBounds, match=r"colours shift by 0.[45]\d of 255 \(\w+\); 0.25 is the bound"):
        check_gates(CHOSEN8, source, [tile + np.float32(0.5 / 255) for tile in exact], source)
    given(stripes)
    with pytest.raises(OutOfBounds, match=r"a smooth ramp gets steps of [23]\.\d\d of 255; 1 is the bound"):
        check_gates(CHOSEN8, source, exact, source)
    none = dataclasses.replace(CHOSEN8, colour=None, banding=None)
    check_gates(none, source, [tile + 1 for tile in exact], source)


@pytest.mark.parametrize(
    ("kind", "after", "loss", "said"),
    [
        ("noise", 30.0, 0.19, None),
        ("noise", 30.0, 0.21, r"PSNR loss 0.21 dB of noise is above the bound 0.20 dB"),
        ("clean", 45.5, 3.0, None),
        ("clean", 44.0, 0.1, None),
        ("clean", 44.0, 0.3, r"a clean photo keeps 44.0 dB and loses 0.30 dB; 45.0 dB, or a loss of 0.20"),
    ],
)
def test_each_degradation_is_bounded_by_itself(source, kind, after, loss, said):
    parity = measure(source, CHOSEN8, [("artifact", source.deployed_outputs)])
    one = Degradation(kind=kind, literal_psnr=after + loss, artifact_psnr=after, loss=loss)
    rest = [Degradation(kind="rain", literal_psnr=30, artifact_psnr=30.5, loss=-0.5)] * 20
    spoilt = SimpleNamespace(
        bounds=CHOSEN8, stages=parity.stages, literal=parity.literal, degradations=[one, *rest]
    )
    if said is None:
        check(spoilt)
        return
    with pytest.raises(OutOfBounds, match=said):
        check(spoilt)
