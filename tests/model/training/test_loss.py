import pytest
import torch

from anyir.model.training.config import LossConfig
from anyir.model.training.loss import restoration_loss as loss_of
from tests.helpers.training import make_trainer


def restoration_loss(restored, clean, degraded, **options):
    return loss_of(restored, clean, degraded, LossConfig(**options))


def test_loss_counts_both_domains():
    clean = torch.zeros(1, 3, 8, 8)
    assert restoration_loss(clean, clean, clean) == 0
    # A constant error has one Fourier coefficient a channel: 0.5 * 8, a real part in 8 x 5 x 2 numbers.
    expected = 0.5 + 0.1 * (0.5 * 8) / (8 * 5 * 2)
    assert float(restoration_loss(clean + 0.5, clean, clean + 0.03)) == pytest.approx(expected)


def test_rmse_is_the_root_of_a_samples_mean_square_where_that_is_large():
    clean = torch.zeros(2, 3, 8, 8)
    restored = clean.clone()
    restored[0, :, ::2], restored[1] = 0.6, 0.5
    found = restoration_loss(restored, clean, clean, distance="rmse", fourier=0.0)
    assert float(found) + 0.02 == pytest.approx((0.6 * 0.5**0.5 + 0.5) / 2, rel=0.002)
    flat = clean.clone().requires_grad_()
    loss = restoration_loss(flat, clean, clean, distance="rmse")
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.isfinite(flat.grad).all()


def test_rmse_counts_small_errors_by_their_square():
    """Or else clean photos, which lose by any attempt, keep the rest from being learned."""
    clean = torch.zeros(1, 3, 8, 8)
    losses = [
        float(restoration_loss(clean + error, clean, clean, distance="rmse", fourier=0.0))
        for error in (0.001, 0.002)
    ]
    assert losses[1] / losses[0] == pytest.approx(4, rel=0.02)


def test_colour_counts_the_shift_of_every_channel_of_every_sample():
    clean = torch.zeros(2, 3, 8, 8)
    restored = clean.clone()
    restored[0, 0] += 0.03
    restored[1, 2] -= 0.06  # does not make up for the other
    noise = torch.zeros(8, 8)
    noise[::2], noise[1::2] = 0.2, -0.2  # shifts nothing

    def added(colour):
        both = [restoration_loss(restored + noise, clean, clean, colour=weight) for weight in (colour, 0.0)]
        return float(both[0] - both[1])

    assert added(0.5) == pytest.approx(0.5 * (0.03 / 3 + 0.06 / 3) / 2, rel=1e-4)
    assert added(1.0) == pytest.approx(2 * added(0.5), rel=1e-4)


def test_l1_asks_for_the_median_and_rmse_for_the_mean():
    """A pixel that is 0 three times out of four and 1 else."""
    truth = torch.zeros(1, 3, 8, 8)
    truth[..., ::2, ::2] = 1

    def slope(value, distance):
        guess = torch.tensor(value, requires_grad=True)
        images = guess.expand_as(truth)
        restoration_loss(images, truth, truth, distance=distance, fourier=0.0).backward()
        return float(guess.grad)

    assert slope(0.01, "l1") > 0
    assert slope(0.24, "rmse") < 0 < slope(0.26, "rmse")


def test_balance_counts_samples_by_the_damage_done_to_them():
    clean = torch.zeros(1, 3, 8, 8)

    def losses(balance):
        damaged = (clean, clean + 0.06, clean + 0.30)
        return [float(restoration_loss(clean + 0.01, clean, d, balance=balance)) for d in damaged]

    on_clean, on_blurred, on_hazy = losses(0.5)
    assert on_clean == pytest.approx(2 * on_blurred)
    assert on_clean == pytest.approx(4 * on_hazy)
    assert losses(0.0)[0] == losses(0.0)[2]


@pytest.mark.parametrize(
    "option",
    [{"fourier": 0.0}, {"distance": "rmse"}, {"colour": 1.0}, {"balance": 0.5}],
    ids=lambda option: next(iter(option)),
)
def test_training_takes_the_loss_that_it_is_asked_for(tmp_path, option):
    def first_loss(**options):
        trainer = make_trainer(tmp_path, loss=options)
        degraded, clean = trainer.loader.take(0)
        with torch.no_grad():
            expected = restoration_loss(trainer.network(degraded), clean, degraded, **options)
        return float(trainer.step()), float(expected)

    found, expected = first_loss(**option)
    assert found == pytest.approx(expected, rel=1e-5)
    assert found != pytest.approx(first_loss()[0], rel=1e-3)


@pytest.mark.parametrize("distance", ["l1", "rmse"])
def test_harm_counts_what_is_farther_from_the_truth_than_the_input(distance):
    clean = torch.zeros(1, 3, 8, 8)
    options = {"distance": distance, "fourier": 0.0}
    for restored, degraded, worse in ((0.2, 0.0, True), (0.5, 0.3, True), (0.1, 0.3, False)):
        plain, weighed = (
            float(restoration_loss(clean + restored, clean, clean + degraded, harm=harm, **options))
            for harm in (0.0, 2.0)
        )
        given = float(restoration_loss(clean + degraded, clean, clean + degraded, **options))
        expected = plain + 2 * (plain - given) if worse else plain
        assert weighed == pytest.approx(expected, rel=1e-5)
