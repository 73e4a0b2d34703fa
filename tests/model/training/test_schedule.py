"""The learning rate and the reach of the averaged weights, both by steps alone."""

import math

import pytest

from anyir.model.training.config import ScheduleConfig
from anyir.model.training.schedule import average_decay, learning_rate


def test_learning_rate_warms_up_and_falls():
    rates = [learning_rate(place, 1.0, ScheduleConfig()) for place in (0.0, 0.015, 0.03, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == 1.0 > rates[3] > rates[4] == pytest.approx(0.02)


def test_a_schedule_that_ends_before_its_cosine():
    """PromptIR's: 15 epochs up, a cosine over 150, of which 120 are run."""
    schedule = ScheduleConfig(warmup_ratio=15 / 120, cosine_end=150 / 120, min_lr_ratio=0.0)

    def rate(epoch):
        return learning_rate(epoch / 120, 2e-4, schedule)

    assert rate(7.5) == pytest.approx(1e-4)
    assert rate(15) == pytest.approx(2e-4)
    assert rate(82.5) == pytest.approx(1e-4)
    assert rate(120) == pytest.approx(1e-4 * (1 + math.cos(math.pi * 105 / 135)))


def test_a_cosine_that_ends_with_the_warmup_drops_to_the_lowest_rate():
    schedule = ScheduleConfig(warmup_ratio=0.2, cosine_end=0.2)
    rates = [learning_rate(place, 1.0, schedule) for place in (0.1, 0.2, 0.21, 1.0)]
    assert rates == pytest.approx([0.5, 1.0, 0.02, 0.02])


def test_the_average_reaches_back_over_the_last_tenth_of_a_run():
    """The weights of a step count by what later steps leave of them."""
    steps = 1000
    left = 1.0
    recent = 0.0
    for step in reversed(range(steps)):
        decay = average_decay(step)
        if step >= steps - steps // 10:
            recent += left * (1 - decay)
        left *= decay
    assert left < 1e-9  # of the weights that the run began with
    assert recent == pytest.approx(0.61, abs=0.02)
    assert average_decay(0) == 0.1
    assert average_decay(1_000_000) == 0.999
