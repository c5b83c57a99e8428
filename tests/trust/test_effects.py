from __future__ import annotations

import numpy as np
import pytest

from sewall.trust.effects import FEWEST_NULL, Members, bounds, empirical_p, false_discovery, judge


def ensemble(rng: np.random.Generator, number: int, networks: int = 5) -> np.ndarray:
    """Effects whose networks agree the less the larger they are, as real ones do."""
    true = rng.standard_t(4, number)
    return true[:, None] + (0.1 + 0.3 * np.abs(true))[:, None] * rng.standard_normal((number, networks))


def test_p_values_of_random_changes_are_uniform() -> None:
    rng = np.random.default_rng(1)
    p = np.concatenate([empirical_p(rng.standard_t(3, 50), rng.standard_t(3, 300)) for _ in range(60)])
    for level in (0.02, 0.1, 0.5):
        assert abs((p <= level).mean() - level) < 4 * np.sqrt(level / len(p)) + 0.01
    assert empirical_p(np.array([99.0]), rng.standard_normal(300))[0] == pytest.approx(1 / 301)


def test_q_values_leave_out_what_has_no_p() -> None:
    q = false_discovery(np.array([0.001, np.nan, 0.01, 0.9, 0.8]))
    np.testing.assert_allclose(q, [0.004, np.nan, 0.02, 0.9, 0.9])
    assert np.isnan(false_discovery(np.array([np.nan]))).all()


def test_at_most_the_level_of_further_random_changes_lies_beyond_the_bounds() -> None:
    rng = np.random.default_rng(2)
    beyond = []
    for _ in range(200):
        (lower, upper), further = bounds(rng.gamma(2, size=300), 0.9), rng.gamma(2, size=100)
        beyond.append([(further < lower).mean(), (further > upper).mean()])
    assert (np.abs(np.mean(beyond, axis=0) - 0.05) < 0.006).all()


def test_intervals_hold_a_further_network_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(60):
        members, six = Members.fit(ensemble(rng, 300)), ensemble(rng, 200, 6)
        lower, upper = members.interval(six[:, :5], 0.9)
        held.append(((lower <= six[:, 5]) & (six[:, 5] <= upper)).mean())
    assert 0.89 < np.mean(held) < 0.94  # five networks know a little more than the four of the calibration


def test_classes_hold_for_further_networks_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    said, true = [], []
    for _ in range(60):
        null, six = ensemble(rng, 300), ensemble(rng, 200, 6)
        lower, upper = (np.full(200, end) for end in bounds(null.mean(axis=1), 0.9))
        said.append(Members.fit(null).classes(six[:, :5], lower, upper))
        sixth = np.where(six[:, 5] < lower, 0, np.where(six[:, 5] > upper, 2, 1))
        true.append(np.eye(3)[sixth])
    shares, outcome = np.concatenate(said), np.concatenate(true)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.7), (0.7, 0.95)):
        bin_ = (shares >= low) & (shares < high)
        assert abs(shares[bin_].mean() - outcome[bin_].mean()) < 0.06


def test_networks_that_all_say_the_same_are_sure_of_it() -> None:
    null, effects = (np.repeat(own[:, None], 5, axis=1) for own in (np.linspace(-1, 1, 300), np.array([3.0, 0, -3])))
    found = judge(effects, np.array(["x"] * 3), np.ones(3, bool), {"x": null}, 0.9)
    assert found.table["effect"].tolist() == ["gain", "none", "loss"]
    assert (found.table["confidence"] == 1).all()
    assert found.tested == {"n": 3, "covered": 1.0, "said": 1.0, "held": 1.0}


def test_nothing_is_claimed_without_support_without_a_null_and_without_an_effect() -> None:
    rng = np.random.default_rng(6)
    change, kind = ensemble(rng, 5), np.array(["x", "x", "y", "x", "x"], object)
    change[3] = np.nan
    claimed = np.array([True, False, True, False, True])
    nulls = {"x": ensemble(rng, 300), "y": ensemble(rng, FEWEST_NULL - 1)}
    found = judge(change, kind, claimed, nulls, 0.9)
    known = np.array([True, False, False, False, True])
    for name in ("lower", "upper", "p", "q", "confidence", "effect"):
        assert (found.table[name].notna().to_numpy() == known).all(), name
    assert found.table["estimate"].notna().tolist() == [True, True, True, False, True]
    assert [(row["kind"], row["effects"], row["random"], row["lower"] is None) for row in found.kinds] == [
        ("x", 4, 300, False), ("y", 1, FEWEST_NULL - 1, True),
    ]  # fmt: skip


def test_networks_held_out_are_foretold_as_often_as_is_said() -> None:
    rng = np.random.default_rng(7)
    change, null = ensemble(rng, 4_000), ensemble(rng, 2_000)
    tested = judge(change, np.full(4_000, "x"), np.ones(4_000, bool), {"x": null}, 0.9).tested
    assert abs(tested["covered"] - 0.9) < 0.02
    assert abs(tested["said"] - tested["held"]) < 0.02


def test_two_networks_have_no_spread_to_speak_of() -> None:
    change, null = np.array([[-2.0, -2], [0, 0], [9, 9]]), np.repeat(np.linspace(-1, 1, 300)[:, None], 2, axis=1)
    found = judge(change, np.full(3, "x"), np.ones(3, bool), {"x": null}, 0.9).table
    assert found[["lower", "upper", "confidence"]].isna().all(axis=None)
    assert found["effect"].tolist() == ["loss", "none", "gain"]
