from __future__ import annotations

import numpy as np
import pytest

from sewall.jobs.recombination.prior import RatePrior, range_of_rates, unfolded


def test_unfolding_takes_the_errors_of_the_estimates_out_of_their_spread() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0, 9, 2_000)

    def estimated(rates: np.ndarray) -> np.ndarray:
        return np.maximum(np.sqrt(rates) + 0.35 * rng.standard_normal(len(rates)), 0) ** 2

    data = rng.uniform(1, 3, 400)
    rough = estimated(data)
    found = np.array(unfolded(rough, truth, estimated(truth)))
    assert len(found) == 200
    assert (np.diff(found) >= 0).all()
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    wanted, before, after = (np.quantile(values, levels) for values in (data, rough, found))
    assert np.abs(after - wanted).max() < 0.5 * np.abs(before - wanted).max()


def test_unfolding_has_no_more_rates_than_windows() -> None:
    truth = np.linspace(0.1, 5, 300)
    assert len(unfolded(np.array([1.0, 2.0, 3.0]), truth, truth)) == 3


def test_unfolding_survives_estimates_beyond_all_simulations() -> None:
    truth = np.linspace(0.1, 5, 300)
    found = np.array(unfolded(np.array([50.0, 60.0]), truth, truth))
    assert np.isfinite(found).all()
    assert found.max() <= 5


@pytest.mark.parametrize("estimates", [(), (1.0, 2.0)])
def test_rates_stay_inside_their_range_and_reach_both_ends(estimates: tuple[float, ...]) -> None:
    prior, rng = RatePrior(4.0, estimates), np.random.default_rng(2)
    drawn = np.array([prior.draw(rng) for _ in range(4_000)])
    assert drawn.min() >= 0
    assert drawn.max() <= 4
    assert (drawn > 3.5).mean() > 0.02
    assert (drawn < 0.1).mean() > 0.02


def test_the_range_lies_above_what_the_data_show() -> None:
    assert range_of_rates(np.full(10, 4.0), 1.3) == pytest.approx(5.2)
