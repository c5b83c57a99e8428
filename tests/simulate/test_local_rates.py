from __future__ import annotations

import msprime
import numpy as np
import pytest

from sewall.simulate.local_rates import along, local_rates


def draw(seed: int, log_sd: float = 1.5, length: int = 100_000, mean: float = 1e-8) -> msprime.RateMap:
    drawn = local_rates(mean, length, log_sd, np.random.default_rng(seed))
    assert isinstance(drawn, msprime.RateMap)
    return drawn


@pytest.mark.parametrize("length", [2, 300, 50_000, 1_000_000])
@pytest.mark.parametrize("log_sd", [0.1, 2.0])
def test_the_mean_is_the_label(length: int, log_sd: float) -> None:
    for seed in range(20):
        drawn = draw(seed, log_sd, length, 3e-8)
        assert drawn.mean_rate == pytest.approx(3e-8, rel=1e-9)
        assert drawn.sequence_length == length
        assert (drawn.rate > 0).all()


@pytest.mark.parametrize("log_sd", [0.0, 1.0])
def test_what_is_known_of_parts_is_followed(log_sd: float) -> None:
    own = local_rates(1e-8, 1_000, log_sd, np.random.default_rng(2))
    known = along(own, np.array([0.5, 3.0]), 1_000)
    for start, stop, factor in ((0, 500, 0.5), (500, 1_000, 3.0)):
        plain = own if isinstance(own, float) else own.slice(start, stop, trim=True).mean_rate
        assert known.slice(start, stop, trim=True).mean_rate == pytest.approx(factor * plain)


def test_an_even_rate_stays_a_number() -> None:
    assert local_rates(2e-8, 1_000, 0.0, np.random.default_rng(1)) == 2e-8
    assert local_rates(2e-8, 1, 1.0, np.random.default_rng(1)) == 2e-8


def test_no_recombination_is_still_none() -> None:
    assert draw(1, mean=0.0).mean_rate == 0.0


def test_the_seed_decides() -> None:
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_more_unevenness_puts_more_crossovers_into_fewer_bases() -> None:
    def share_of_hottest_tenth(log_sd: float) -> float:
        shares = []
        for seed in range(60):
            drawn = draw(seed, log_sd, 1_000_000)
            order = np.argsort(drawn.rate)[::-1]
            bases, mass = (np.cumsum(x[order]) for x in (drawn.span, drawn.mass))
            shares.append(float(np.interp(0.1, bases / bases[-1], mass / mass[-1])))
        return float(np.mean(shares))

    even, some, human = (share_of_hottest_tenth(sd) for sd in (0.01, 1.0, 2.0))
    assert even == pytest.approx(0.1, abs=0.01)
    assert even + 0.15 < some < human - 0.15
    assert human > 0.5


def test_the_spread_between_segments_is_what_was_asked_for() -> None:
    logs = [np.log(draw(seed, 1.2, 2_000_000).rate) for seed in range(40)]
    assert np.mean([rates.std() for rates in logs if len(rates) > 50]) == pytest.approx(1.2, abs=0.05)
