"""Each diagnostic passes the exact posterior of a conjugate Gaussian and refuses wrong ones that it can see.

theta ~ N(0, 1), x ~ N(theta, 0.5²); the posterior is N(0.8 x, 0.2).
"""

import numpy as np
import pytest
from scipy.stats import norm

from sewall.trust.diagnose import (
    coverage,
    coverage_by_group,
    crps_from_quantiles,
    ece,
    interval_score,
    pit_from_quantiles,
    risk_coverage,
    sbc,
    share,
    tarp,
    uniformity,
)

LEVELS = np.linspace(0.02, 0.98, 49)
WRONG = {"shifted": (0.3, 1.0), "too narrow": (0.0, 0.67), "too wide": (0.0, 1.5)}  # shift in sd, factor of sd


class Posterior:
    def __init__(self, n, seed, shift=0.0, factor=1.0, prior=False):
        rng = np.random.default_rng(seed)
        self.truth = rng.standard_normal(n)
        self.x = self.truth + 0.5 * rng.standard_normal(n)
        sd = np.sqrt(0.2)
        self.mean = np.zeros(n) if prior else 0.8 * self.x + shift * sd
        self.sd = 1.0 if prior else factor * sd
        self.draws = self.mean[:, None] + self.sd * rng.standard_normal((n, 200))

    def quantiles(self, levels):
        return self.mean[:, None] + self.sd * norm.ppf(levels)

    def interval(self, level=0.9):
        lower, upper = self.quantiles(np.array([(1 - level) / 2, (1 + level) / 2])).T
        return lower, upper


@pytest.fixture(scope="module")
def exact():
    return Posterior(1000, 1)


def wrong(kind):
    return Posterior(1000, 1, *WRONG[kind])


@pytest.fixture(scope="module")
def prior():
    return Posterior(1000, 1, prior=True)


def test_coverage_passes_the_exact_posterior_and_sees_width(exact):
    assert not coverage(*exact.interval(), exact.truth).rejects(0.9)
    for kind in ("too narrow", "too wide"):
        assert coverage(*wrong(kind).interval(), exact.truth).rejects(0.9)


def test_coverage_by_group_is_that_of_each_group(exact):
    lower, upper = exact.interval()
    groups = np.where(exact.x > 0, "high", "low")
    lower = np.where(groups == "high", -9.0, lower)
    upper = np.where(groups == "high", -8.0, upper)
    found = coverage_by_group(lower, upper, exact.truth, groups)
    assert found["high"].value == 0.0
    assert not found["low"].rejects(0.9)
    assert found["high"].n + found["low"].n == 1000


def test_wilson_intervals_hold_the_true_share():
    rng = np.random.default_rng(2)
    found = [share(rng.random(100) < 0.9) for _ in range(300)]
    assert 0.91 < np.mean([one.lower <= 0.9 <= one.upper for one in found]) < 0.99
    assert share(np.ones(10, dtype=bool)).lower < 0.8


def test_sharpness_ranks_the_exact_posterior_first(exact, prior):
    def scores(p):
        lower, upper = p.interval()
        crps = crps_from_quantiles(p.quantiles(LEVELS), LEVELS, p.truth)
        return interval_score(lower, upper, p.truth, 0.9).mean(), crps.mean()

    best = scores(exact)
    for other in [wrong(kind) for kind in WRONG] + [prior]:
        assert scores(other)[0] > best[0]
        assert scores(other)[1] > best[1]


def test_crps_agrees_with_the_formula_for_a_gaussian(exact):
    z = (exact.truth - exact.mean) / exact.sd
    formula = exact.sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    found = crps_from_quantiles(exact.quantiles(LEVELS), LEVELS, exact.truth)
    assert found.mean() == pytest.approx(formula.mean(), rel=0.01)


def ranks(p, how):
    if how == "sbc":
        return sbc(p.draws, p.truth, seed=3)
    return uniformity(pit_from_quantiles(p.quantiles(LEVELS), LEVELS, p.truth, seed=3))


@pytest.mark.parametrize("how", ["pit", "sbc"])
def test_ranks_are_uniform_for_the_exact_posterior_only(exact, how):
    found = ranks(exact, how)
    assert found.p > 0.01
    assert sum(found.counts) == 1000
    for kind in WRONG:
        assert ranks(wrong(kind), how).p < 0.001


@pytest.mark.parametrize("how", ["pit", "sbc"])
def test_ranks_do_not_see_a_posterior_that_ignores_the_data(prior, how):
    assert ranks(prior, how).p > 0.01


def test_too_few_draws_are_refused(exact):
    with pytest.raises(ValueError, match="99 draws are too few"):
        sbc(exact.draws[:, :99], exact.truth, seed=1)


def test_tarp_with_two_references_refuses_every_wrong_posterior(exact, prior):
    below = np.full(1000, -6.0)

    def passes(p):
        return tarp(p.draws, p.truth, below).passes, tarp(p.draws, p.truth, p.x).passes

    assert passes(exact) == (True, True)
    for kind in WRONG:
        assert not all(passes(wrong(kind)))
    assert passes(prior) == (True, False)


def test_tarp_takes_several_parameters():
    rng = np.random.default_rng(4)
    truth, draws = rng.standard_normal((800, 3)), rng.standard_normal((800, 150, 3))
    reference = np.full((800, 3), -4.0)
    assert tarp(draws, truth, reference).passes
    assert not tarp(0.6 * draws, truth, reference).passes
    assert tarp(draws, truth, reference).bar == pytest.approx(1.63 / np.sqrt(800))


def test_calibration_error_of_a_perfect_classifier_is_nearly_zero():
    rng = np.random.default_rng(5)
    p = rng.random((40, 1000))
    found = [ece(row, rng.random(1000) < row) for row in p]
    assert np.mean(found) < 0.012
    sharpened = p**2 / (p**2 + (1 - p) ** 2)
    assert np.mean([ece(row, rng.random(1000) < true) for row, true in zip(sharpened, p, strict=True)]) > 0.05


def test_risk_falls_with_the_share_kept_only_where_uncertainty_is_informed():
    rng = np.random.default_rng(6)
    sd = rng.random(2000) + 0.1
    errors = np.abs(sd * rng.standard_normal(2000))
    informed, blind = risk_coverage(errors, sd), risk_coverage(errors, rng.random(2000))
    assert informed.ideal < informed.area < 0.8 * informed.chance
    assert blind.area == pytest.approx(blind.chance, rel=0.1)
    assert informed.risk[-1] == pytest.approx(errors.mean())
