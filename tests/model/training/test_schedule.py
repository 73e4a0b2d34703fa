import pytest

from anyir.model.training.schedule import average_decay


def test_the_average_reaches_back_over_the_last_tenth_of_a_chunk():
    """The weights of a step count by what later steps leave of them."""
    steps = 1000
    left = 1.0
    recent = 0.0
    for step in reversed(range(steps)):
        decay = average_decay(step)
        if step >= steps - steps // 10:
            recent += left * (1 - decay)
        left *= decay
    assert left < 1e-9  # of the weights that the chunk began with
    assert recent == pytest.approx(0.61, abs=0.02)
    assert average_decay(0) == 0.1
    assert average_decay(1_000_000) == 0.999
