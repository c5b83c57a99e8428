import json

import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.trust.calibrate import ConformalIntervals
from sewall.trust.weighted import WeightedIntervals


def covered(truth, ends):
    return ((truth >= ends[0]) & (truth <= ends[1])).mean()


def heteroscedastic(n, seed):
    """x in (0, 1), y ~ N(x, (0.1 + x)^2): a constant width covers small x too often and large x too rarely."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    return x, x + (0.1 + x) * rng.standard_normal(n)


def stored(fitted):
    """Through the plain state, numbers as JSON, as a bundle would."""
    state = fitted.state()
    plain = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
    arrays = {k: v for k, v in state.items() if isinstance(v, np.ndarray)}
    return type(fitted).from_state(json.loads(json.dumps(plain)) | arrays)


@pytest.mark.parametrize("half", [0.5, 1.0, 4.0])  # too narrow, nearly right, far too wide
def test_cqr_mends_any_width(half):
    x, y = heteroscedastic(4000, 1)
    fit, test = slice(0, 2000), slice(2000, None)
    lower, upper = x - half * (0.1 + x), x + half * (0.1 + x)
    intervals = stored(ConformalIntervals.fit(lower[fit], upper[fit], y[fit], 0.9))
    assert abs(covered(y[test], intervals.apply(lower[test], upper[test])) - 0.9) < 0.025


def test_coverage_survives_a_monotone_transform():
    x, y = heteroscedastic(4000, 2)
    intervals = ConformalIntervals.fit(x[:2000] - 1, x[:2000] + 1, y[:2000], 0.8)
    low, high = intervals.apply(x[2000:] - 1, x[2000:] + 1)
    assert covered(np.exp(y[2000:]), (np.exp(low), np.exp(high))) == covered(y[2000:], (low, high))
    assert abs(covered(y[2000:], (low, high)) - 0.8) < 0.03


def test_groups_are_covered_each_where_one_quantile_is_not_enough():
    x, y = heteroscedastic(6000, 3)
    group = np.searchsorted([0.2, 0.4, 0.6, 0.8], x)
    fit, test = slice(0, 4000), slice(4000, None)
    flat = ConformalIntervals.fit(x[fit], x[fit], y[fit], 0.9).apply(x[test], x[test])
    each = stored(ConformalIntervals.fit(x[fit], x[fit], y[fit], 0.9, group[fit])).apply(x[test], x[test], group[test])

    def by_group(ends):
        return [covered(y[test][k], (ends[0][k], ends[1][k])) for k in (group[test] == g for g in range(5))]

    assert min(by_group(each)) > 0.85
    assert by_group(flat)[4] < 0.8


def test_small_and_unknown_groups_get_the_quantile_of_all():
    rng = np.random.default_rng(4)
    groups = np.repeat([0, 1], [1000, 199])
    y = rng.standard_normal(1199) * np.where(groups == 1, 5.0, 1.0)
    zero = np.zeros(1199)
    intervals = ConformalIntervals.fit(zero, zero, y, 0.9, groups)
    _, upper = intervals.apply(np.zeros(3), np.zeros(3), np.array([0, 1, 7]))
    assert upper[1] == upper[2] == intervals.overall > upper[0]


def test_normalised_residuals_follow_the_spread():
    x, y = heteroscedastic(4000, 5)
    sd = 0.1 + x
    intervals = ConformalIntervals.fit(x[:2000], x[:2000], y[:2000], 0.9, scale=sd[:2000])
    low, high = intervals.apply(x[2000:], x[2000:], scale=sd[2000:])
    assert abs(covered(y[2000:], (low, high)) - 0.9) < 0.025
    assert np.allclose((high - low) / sd[2000:], 2 * 1.645, rtol=0.06)


def test_an_interval_narrowed_past_itself_is_its_middle():
    y = np.zeros(100)
    low, high = ConformalIntervals.fit(y - 5.0, y + 5.0, y, 0.9).apply(np.array([0.0]), np.array([2.0]))
    assert low.tolist() == high.tolist() == [1.0]


def test_the_quantile_is_the_smallest_that_is_guaranteed():
    zero = np.zeros(9)
    assert ConformalIntervals.fit(zero, zero, np.arange(9.0), 0.9).overall == 8.0
    assert ConformalIntervals.fit(np.zeros(99), np.zeros(99), np.arange(99.0), 0.9).overall == 89.0


def test_too_few_examples_or_senseless_values_are_refused():
    with pytest.raises(SewallError, match="8 calibration examples are too few for 90% intervals; 9 are needed"):
        ConformalIntervals.fit(np.zeros(8), np.zeros(8), np.arange(8.0), 0.9)
    with pytest.raises(SewallError, match="1 of 20 calibration scores"):
        ConformalIntervals.fit(np.zeros(20), np.zeros(20), np.r_[np.nan, np.zeros(19)], 0.9)
    with pytest.raises(SewallError, match="a level of 90 is no share"):
        ConformalIntervals.fit(np.zeros(20), np.zeros(20), np.zeros(20), 90)


def test_weights_mend_covariate_shift_where_plain_intervals_fail():
    rng = np.random.default_rng(6)
    x, shifted = rng.random(8000), np.sqrt(rng.random(4000))  # densities 1 and 2x
    y = (0.1 + 2 * x) * rng.standard_normal(8000)
    truth = (0.1 + 2 * shifted) * rng.standard_normal(4000)
    zero, new = np.zeros(8000), np.zeros(4000)
    plain = ConformalIntervals.fit(zero, zero, y, 0.9).apply(new, new)
    weighted = stored(WeightedIntervals.fit(zero, zero, y, 0.9, 2 * x)).apply(new, new, 2 * shifted)
    assert covered(truth, plain) < 0.86
    assert abs(covered(truth, weighted) - 0.9) < 0.02


def test_equal_weights_give_the_plain_interval_and_a_weight_without_match_an_infinite_one():
    y = np.random.default_rng(7).standard_normal(500)
    zero, one = np.zeros(500), np.zeros(1)
    weighted = WeightedIntervals.fit(zero, zero, y, 0.9, np.ones(500))
    assert weighted.apply(one, one, np.ones(1)) == ConformalIntervals.fit(zero, zero, y, 0.9).apply(one, one)
    low, high = weighted.apply(one, one, np.array([1e6]))
    assert np.isneginf(low).all() and np.isposinf(high).all()


def test_weights_worth_few_examples_are_refused():
    zero = np.zeros(1000)
    with pytest.raises(SewallError, match="are worth 7, fewer than 100"):
        WeightedIntervals.fit(zero, zero, zero, 0.9, np.r_[np.full(5, 1000.0), np.ones(995)])
    with pytest.raises(SewallError, match="weights must be finite"):
        WeightedIntervals.fit(zero, zero, zero, 0.9, np.full(1000, np.nan))
