"""The list of degradations: what is added to it changes no figure of what is there already."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from anyir.conversion.samples import calibration_pairs, make_cases
from anyir.model.cli import build_app
from anyir.model.data import degradation_registry, degradations
from anyir.model.data.dataset_registry import CDD11_KINDS
from anyir.model.data.degradation_registry import (
    CLEAN,
    DEGRADATIONS,
    Degradation,
    find_degradation,
    kind_title,
    kinds_of,
    parse_kind,
    single_kinds,
)
from anyir.model.data.mixture import SHARES, Sampler
from anyir.model.training.validation import degraded_crops

SETS = ("validation", "calibration", "parity")
NUMBERS = {
    "validation": "noise rain haze motion_blur defocus_blur low_light snow low_light+haze+rain haze+snow "
    "camera_noise jpeg underexposure heavy_rain near_snow dense_haze grain impulse_noise web_copy",
    "calibration": "noise rain haze motion_blur defocus_blur low_light snow camera_noise jpeg "
    "low_light+haze+rain haze+snow underexposure heavy_rain near_snow dense_haze grain impulse_noise "
    "web_copy",
    "parity": "noise rain haze motion_blur defocus_blur low_light snow low_light+haze+rain clean",
    "stream": "low_light rain snow haze defocus_blur motion_blur noise camera_noise jpeg underexposure "
    "heavy_rain near_snow dense_haze grain impulse_noise web_copy fine_rain",
}
"""The kinds of each set in the order of their numbers, from 0. A line may only grow at its end."""


def crops():
    """(4, 3, 32, 32), smooth and the same everywhere."""
    ramp = torch.linspace(0, 1, 32)
    planes = torch.stack([ramp[:, None].expand(32, 32), ramp.expand(32, 32), (ramp[:, None] + ramp) / 2])
    return planes[None].repeat(4, 1, 1, 1).contiguous()


def tiles(which):
    """Set -> what is made of it, one tensor a kind, in order."""
    if which == "validation":
        return [made for kind, made in degraded_crops(crops()).items() if kind != CLEAN]
    if which == "calibration":
        return [image for _, image in calibration_pairs(32)[2:]]
    return [torch.from_numpy(case.degraded)[None] / 255 for case in make_cases(32)[::3]]


@pytest.mark.parametrize("which", NUMBERS)
def test_numbers_are_given_once_and_stay(which):
    numbers = [n for one in DEGRADATIONS if (n := getattr(one, which)) is not None]
    assert sorted(numbers) == list(range(len(numbers)))
    names = sorted((n, one.name) for one in DEGRADATIONS if (n := getattr(one, which)) is not None)
    first = NUMBERS[which].split()
    assert [name for _, name in names][: len(first)] == first


PIXELS = {
    "validation": [
        [55, 172, 97, 226],
        [41, 193, 90, 214],
        [116, 193, 120, 215],
        [46, 182, 93, 215],
        [42, 181, 91, 214],
        [35, 130, 65, 144],
        [61, 183, 96, 214],
        [112, 167, 130, 184],
        [118, 199, 167, 216],
        [41, 179, 92, 214],
        [41, 182, 92, 214],
    ],
    "calibration": [
        [50, 117, 158, 194],
        [23, 227, 38, 148],
        [126, 146, 197, 206],
        [35, 68, 65, 109],
        [87, 104, 155, 157],
        [20, 18, 18, 39],
        [64, 109, 171, 192],
        [26, 53, 28, 91],
        [52, 98, 174, 192],
        [189, 193, 187, 182],
        [150, 174, 199, 205],
    ],
    "parity": [
        [176, 165, 194, 178],
        [193, 182, 190, 237],
        [204, 200, 199, 203],
        [189, 185, 171, 181],
        [190, 186, 171, 184],
        [117, 105, 110, 113],
        [192, 186, 185, 212],
        [165, 151, 156, 133],
        [189, 182, 181, 194],
    ],
}
"""Set -> for each kind, four of its first tile's pixels, of 255."""


def four_pixels(tile):
    return [round(float(tile[0, 1, y, x]) * 255) for y, x in ((3, 5), (9, 22), (17, 11), (28, 26))]


@pytest.mark.parametrize("which", SETS)
def test_the_same_pixels_as_ever(which):
    """Drawn with the seeds that every figure so far was measured with."""
    for kind, tile, pixels in zip(kinds_of(which), tiles(which), PIXELS[which], strict=False):
        assert np.abs(np.subtract(four_pixels(tile), pixels)).max() <= 1, kind


def test_one_entry_and_one_function_add_a_degradation(monkeypatch):
    before = {which: tiles(which) for which in SETS}

    def fog(images, severity, draw):
        return images + (draw.uniform(0.8, 1.0) * severity)[:, None, None, None] * (1 - images)

    last = {which: len(kinds_of(which)) for which in SETS}
    entry = Degradation(
        "fog", "Fog", "none to all", order=27, stream=len(single_kinds()), training=0.1, **last
    )
    monkeypatch.setattr(degradations, "fog", fog, raising=False)
    monkeypatch.setattr(degradation_registry, "DEGRADATIONS", (*DEGRADATIONS, entry))
    for which in SETS:
        after = tiles(which)
        assert len(after) == len(before[which]) + 1
        assert all(torch.equal(a, b) for a, b in zip(before[which], after, strict=False))
        assert list(kinds_of(which))[-1] == "fog"
    assert parse_kind("haze+fog+rain+low_light") == ["low_light", "rain", "fog", "haze"]
    assert kind_title("fog+jpeg") == "Fog + JPEG"


@pytest.mark.parametrize("name", single_kinds())
def test_a_single_degradation_is_whole(name):
    entry = find_degradation(name)
    assert entry.title
    assert entry.severity
    assert entry.stream is not None
    assert list(inspect.signature(degradations.degradation(name)).parameters) == [
        "images",
        "severity",
        "draw",
    ]


def test_names_are_those_of_the_singles():
    for one in DEGRADATIONS:
        if one.name != CLEAN:
            assert parse_kind(one.name)
        if "+" in one.name:
            assert one == replace(one, title="", severity="", order=None, stream=None)
    assert len({one.name for one in DEGRADATIONS}) == len(DEGRADATIONS)
    assert len({one.order for one in DEGRADATIONS if one.order is not None}) == len(single_kinds())
    assert set(CDD11_KINDS.values()) <= set(SHARES)


def test_training_applies_every_single_with_a_stream_of_its_own():
    sampler = Sampler([], batch=1, crop=8, seed=0)
    assert sorted(sampler.streams) == sorted(single_kinds())
    assert len(set(sampler.streams.values())) == len(sampler.streams)


def test_what_is_unknown_is_refused_by_name():
    for refused in (parse_kind, find_degradation, degradations.degradation):
        with pytest.raises(ValueError, match=r"unknown degradation 'fog'; known: noise, rain, .*jpeg"):
            refused("fog")
    result = CliRunner().invoke(build_app(), ["degrade", "in.png", "out.png", "--kind", "rain+fog"])
    assert result.exit_code == 2
    assert all(kind in " ".join(result.output.split()) for kind in ("'fog'", *single_kinds()))


def test_titles():
    assert [kind_title(kind) for kind in ("clean", "jpeg", "low_light", "low_light+haze+rain")] == [
        "Clean",
        "JPEG",
        "Low light",
        "Low light + haze + rain",
    ]
    assert kind_title("of_another_version") == "Of another version"
