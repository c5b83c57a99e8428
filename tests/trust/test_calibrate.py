import json

import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.trust.calibrate import (
    ConformalIntervals,
    ConformalSets,
    Temperature,
    WeightedIntervals,
    assign_groups,
    quantile_edges,
)


def covered(truth, ends):
    return ((truth >= ends[0]) & (truth <= ends[1])).mean()


def heteroscedastic(n, seed):
    """x in (0, 1), y ~ N(x, (0.1 + x)^2): an interval of constant width covers small x too much and large x too little."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    return x, x + (0.1 + x) * rng.standard_normal(n)


def stored(obj):
    """Through the plain state, with numbers and texts as JSON, as a bundle would."""
    state = obj.state()
    plain = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
    arrays = {k: v for k, v in state.items() if isinstance(v, np.ndarray)}
    assert all(a.dtype.kind in "fib" for a in arrays.values())
    return type(obj).from_state(json.loads(json.dumps(plain)) | arrays)


@pytest.mark.parametrize("half", [0.5, 1.0, 4.0])  # too narrow, about right, too wide
def test_cqr_mends_any_width(half):
    x, y = heteroscedastic(4000, 1)
    fit, test = slice(0, 2000), slice(2000, None)
    raw = (x - half * (0.1 + x), x + half * (0.1 + x))
    intervals = ConformalIntervals.fit(raw[0][fit], raw[1][fit], y[fit], 0.9)
    assert abs(covered(y[test], intervals.apply(raw[0][test], raw[1][test])) - 0.9) < 0.025


def test_two_levels_at_once_are_nested_and_cover():
    x, y = heteroscedastic(4000, 2)
    lower = np.stack([x - 0.2, x - 0.4], axis=1)
    upper = np.stack([x + 0.2, x + 0.4], axis=1)
    intervals = stored(ConformalIntervals.fit(lower[:2000], upper[:2000], y[:2000], [0.5, 0.9]))
    low, high = intervals.apply(lower[2000:], upper[2000:])
    coverage = [covered(y[2000:], (low[:, i], high[:, i])) for i in range(2)]
    assert np.allclose(coverage, [0.5, 0.9], atol=0.035)
    assert (low[:, 1] <= low[:, 0]).all()


def test_groups_are_covered_each_where_one_quantile_is_not_enough():
    x, y = heteroscedastic(6000, 3)
    group = assign_groups(x, quantile_edges(x[:4000]))
    fit, test = slice(0, 4000), slice(4000, None)
    flat = ConformalIntervals.fit(x[fit], x[fit], y[fit], 0.9)
    grouped = stored(ConformalIntervals.fit(x[fit], x[fit], y[fit], 0.9, groups=group[fit]))
    one = flat.apply(x[test], x[test])
    each = grouped.apply(x[test], x[test], groups=group[test])
    by_group = [covered(y[test][k], (each[0][k], each[1][k])) for k in (group[test] == g for g in range(5))]
    assert min(by_group) > 0.85
    top = group[test] == 4
    assert covered(y[test][top], (one[0][top], one[1][top])) < 0.8


def test_small_groups_are_merged_and_unknown_groups_get_all():
    rng = np.random.default_rng(4)
    groups = np.repeat(["big", "a", "b"], [1000, 150, 150])
    y = rng.standard_normal(1300) * np.repeat([1.0, 5.0, 5.0], [1000, 150, 150])
    zero = np.zeros(1300)
    intervals = stored(ConformalIntervals.fit(zero, zero, y, 0.9, groups=groups))
    _, upper = intervals.apply(np.zeros(4), np.zeros(4), groups=["big", "a", "b", "new"])
    assert upper[1] == upper[2] == pytest.approx(8.2, abs=1.2)
    assert upper[0] == pytest.approx(1.64, abs=0.15)
    assert upper[0] < upper[3] < upper[1]


def test_normalised_residuals_follow_the_spread():
    x, y = heteroscedastic(4000, 5)
    sd = 0.1 + x
    intervals = ConformalIntervals.fit(x[:2000], x[:2000], y[:2000], 0.9, scale=sd[:2000])
    low, high = intervals.apply(x[2000:], x[2000:], scale=sd[2000:])
    assert abs(covered(y[2000:], (low, high)) - 0.9) < 0.025
    assert np.allclose((high - low) / sd[2000:], 2 * 1.645, rtol=0.06)


def test_an_interval_narrowed_past_itself_is_its_middle():
    y = np.zeros(100)
    intervals = ConformalIntervals.fit(y - 5.0, y + 5.0, y, 0.9)
    low, high = intervals.apply([0.0], [2.0])
    assert low.tolist() == high.tolist() == [1.0]


def test_too_few_examples_or_infinite_values_are_refused():
    ConformalIntervals.fit(np.zeros(9), np.zeros(9), np.arange(9), 0.9)
    with pytest.raises(SewallError, match="8 calibration examples are too few for a 90%"):
        ConformalIntervals.fit(np.zeros(8), np.zeros(8), np.arange(8), 0.9)
    with pytest.raises(SewallError, match="1 of 20 calibration scores"):
        ConformalIntervals.fit(np.zeros(20), np.zeros(20), np.r_[np.nan, np.zeros(19)], 0.9)
    with pytest.raises(SewallError, match="not between 0 and 1"):
        ConformalIntervals.fit(np.zeros(20), np.zeros(20), np.zeros(20), 90)


def test_weights_mend_covariate_shift_where_plain_intervals_fail():
    rng = np.random.default_rng(6)
    x = rng.random(8000)
    y = (0.1 + 2 * x) * rng.standard_normal(8000)
    shifted = np.sqrt(rng.random(4000))  # density 2x against 1
    truth = (0.1 + 2 * shifted) * rng.standard_normal(4000)
    zero, new = np.zeros(8000), np.zeros(4000)
    plain = ConformalIntervals.fit(zero, zero, y, 0.9).apply(new, new)
    weighted = stored(WeightedIntervals.fit(zero, zero, y, 0.9, 2 * x)).apply(new, new, 2 * shifted)
    assert covered(truth, plain) < 0.86
    assert abs(covered(truth, weighted) - 0.9) < 0.02


def test_equal_weights_give_the_plain_quantile_and_a_heavy_example_an_infinite_interval():
    y = np.random.default_rng(7).standard_normal(500)
    zero = np.zeros(500)
    weighted = WeightedIntervals.fit(zero, zero, y, 0.9, np.ones(500))
    plain = ConformalIntervals.fit(zero, zero, y, 0.9)
    assert weighted.apply([0.0], [0.0], [1.0])[1] == plain.apply([0.0], [0.0])[1]
    low, high = weighted.apply([0.0], [0.0], [1e6])
    assert np.isinf(low).all() and np.isinf(high).all()


def test_weights_worth_few_examples_are_refused():
    weights = np.r_[np.full(5, 1000.0), np.ones(995)]
    with pytest.raises(SewallError, match="amount to 7, fewer than 100"):
        WeightedIntervals.fit(np.zeros(1000), np.zeros(1000), np.zeros(1000), 0.9, weights)
    with pytest.raises(SewallError, match="weights must be finite"):
        WeightedIntervals.fit(np.zeros(2), np.zeros(2), np.zeros(2), 0.9, [np.nan, 1.0])


def overconfident(n, seed, sharpness=3.0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 4))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    labels = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=3)
    return sharpness * z, labels


def test_temperature_recovers_the_true_sharpness():
    z, labels = overconfident(4000, 8)
    assert stored(Temperature.fit(z, labels)).temperature == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_label_sets_hold_the_true_class_however_wrong_the_probabilities(sharpness):
    z, labels = overconfident(4000, 9, sharpness)
    p = Temperature(1.0).apply(z)
    sets = stored(ConformalSets.fit(p[:2000], labels[:2000], 0.9, seed=1))
    members = sets.apply(p[2000:], seed=2)
    assert abs(members[np.arange(2000), labels[2000:]].mean() - 0.9) < 0.025
    assert 1 < members.sum(axis=1).mean() < 3.5
    assert members[np.arange(2000), p[2000:].argmax(axis=1)].all()
