"""Which answers are taken: those that mend the fault and leave the rest alone."""

import pytest
import torch
import torch.nn.functional as F
from skimage import data

from anyir.model.errors import UserError
from anyir.model.evaluation.conditions import to_linear, to_srgb
from anyir.model.teachers.filter import BOUNDS, judge_answer, structure, tint


@pytest.fixture(scope="module")
def photo():
    pixels = data.chelsea()[:192, 96:320]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="module")
def faults(photo):
    """Kind -> the photo with that fault: the photo itself is the answer that a teacher should give."""
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0)) * (20 / 255)
    streaks = torch.zeros_like(photo)
    streaks[..., ::17] = 0.3
    return {
        "noise": (photo + noise).clamp(0, 1),
        "rain": (photo + streaks * 0.3).clamp(0, 1),
        "blur": F.avg_pool2d(photo, 5, 1, 2),
        "haze": photo * 0.5 + 0.4,
        "low_light": to_srgb(to_linear(photo) / 16),
    }


def test_the_truth_is_taken_for_every_kind(photo, faults):
    assert faults.keys() == BOUNDS.keys()
    said = {kind: judge_answer(fault, photo, kind) for kind, fault in faults.items()}
    assert said == dict.fromkeys(BOUNDS, "")


@pytest.mark.parametrize("kind", BOUNDS)
def test_a_colour_that_drifts_is_refused(photo, faults, kind):
    cast = photo.clone()
    cast[:, 2] *= 0.5
    assert judge_answer(faults[kind], cast, kind).startswith("colour drifts by")


@pytest.mark.parametrize("kind", BOUNDS)
def test_an_answer_that_changes_nothing_says_nothing(faults, kind):
    assert judge_answer(faults[kind], (faults[kind] + 0.001).clamp(0, 1), kind) == "nothing changed"


def test_a_good_photo_is_not_relit(photo):
    assert judge_answer(photo, photo**0.6, "low_light").startswith("not dark: median 0.")
    assert judge_answer(photo, (photo * 1.2 - 0.1).clamp(0, 1), "haze").startswith("not hazy: dark channel")


def test_a_night_with_lamps_is_not_relit(photo, faults):
    """Two in a hundred pixels are lamps: the dark around them is meant; one in a thousand says nothing."""
    night = faults["low_light"].clone()
    night[..., : night.shape[-1] // 50 + 1] = 0.95
    assert judge_answer(night, photo, "low_light").startswith("has lamps: brightness 0.9")
    star = faults["low_light"].clone()
    star[..., :2, :2] = 0.95
    assert judge_answer(star, photo, "low_light") == ""


@pytest.mark.parametrize(
    ("kind", "spoil", "why"),
    [
        ("noise", lambda answer: answer + 0.08, "brightness shifts by +"),
        ("rain", lambda answer: answer * 0.75, "brightness shifts by -"),
        ("low_light", lambda answer: answer * 0.3 + 0.6, "too bright: median"),
        ("blur", lambda answer: F.avg_pool2d(answer, 9, 1, 4), "detail times 0."),
        ("noise", lambda answer: answer.roll(40, dims=3), "large structures change"),
        ("haze", lambda answer: (answer - 0.45) * 2.2 + 0.35, "at the ends of the range"),
    ],
)
def test_what_a_teacher_must_not_do(photo, faults, kind, spoil, why):
    assert why in judge_answer(faults[kind], spoil(photo).clamp(0, 1), kind)


def test_artefacts_of_a_denoiser_add_detail(photo, faults):
    grid = torch.zeros_like(photo)
    grid[..., ::2, ::2] = 0.12
    grid[..., 1::2, 1::2] = -0.12
    assert judge_answer(faults["noise"], (photo + grid).clamp(0, 1), "noise").startswith("detail times")


def test_structure_leaves_out_brightness_and_contrast(photo):
    assert structure(photo, photo * 0.5 + 0.3) > 60
    assert structure(photo, photo.flip(3)) < 25


def test_tint_leaves_out_brightness(photo):
    assert tint(photo, photo * 0.5) < 1e-4
    red = photo.clone()
    red[:, 0] += 0.2
    assert tint(photo, red) == pytest.approx(0.2 * 2 / 3 / float(red.mean()), rel=0.2)
    assert tint(photo * 0.5 + 0.4, photo) < 1e-4


def test_bad_input_is_one_line(photo):
    with pytest.raises(UserError, match=r"unknown kind of teacher 'nois' \(did you mean 'noise'\?\)"):
        judge_answer(photo, photo, "nois")
    with pytest.raises(UserError, match="the answer is"):
        judge_answer(photo, photo[..., 1:], "noise")
