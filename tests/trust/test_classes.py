import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.trust.classes import ConformalSets, LeastAmbiguousSets, Temperature, stated_shares, with_priors


def classes(n, seed, sharpness):
    """Four classes; the scores given are *sharpness* times those that the labels are drawn from."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n, 4))
    p = Temperature(1.0).apply(scores)
    labels = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=3)
    return sharpness * scores, labels


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_temperature_recovers_the_true_sharpness(sharpness):
    fitted = Temperature.fit(*classes(4000, 8, sharpness))
    assert Temperature.from_state(fitted.state()).temperature == pytest.approx(sharpness, rel=0.1)


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(SewallError, match="class scores must be finite"):
        Temperature.fit(np.full((5, 2), np.nan), np.zeros(5, dtype=int))


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
def test_sets_hold_the_true_class_however_wrong_the_probabilities(sharpness):
    scores, labels = classes(4000, 9, sharpness)
    p = Temperature(1.0).apply(scores)
    fitted = ConformalSets.fit(p[:2000], labels[:2000], 0.9, seed=1)
    members = ConformalSets.from_state(fitted.state()).apply(p[2000:], seed=2)
    assert abs(members[np.arange(2000), labels[2000:]].mean() - 0.9) < 0.025
    assert 1 < members.sum(axis=1).mean() < 3.5
    assert members[np.arange(2000), p[2000:].argmax(axis=1)].all()


def test_sets_by_class_hold_in_a_rare_class_too():
    rng = np.random.default_rng(5)
    labels = (rng.random(8000) < 0.12).astype(int)
    score = labels + 1.2 * rng.standard_normal(8000)
    p = Temperature(1.0).apply(np.column_stack([np.zeros(8000), 1.1 * score - 2.5]))
    half, held = slice(0, 4000), np.arange(4000, 8000)
    rare = labels[held] == 1

    def shares(sets):
        members = sets.apply(p[held], seed=2)
        return members[np.flatnonzero(rare), 1].mean(), members[np.flatnonzero(~rare), 0].mean()

    rare_alone, _ = shares(ConformalSets.fit(p[half], labels[half], 0.9, seed=1))
    assert rare_alone < 0.85
    by_class = ConformalSets.fit_by_class(p[half], labels[half], 0.9, seed=1)
    rare_own, common_own = shares(ConformalSets.from_state(by_class.state()))
    assert abs(rare_own - 0.9) < 0.05 and common_own > 0.86
    few = ConformalSets.fit_by_class(p[:300], labels[:300], 0.9, seed=1)
    assert few.mass[1] == ConformalSets.fit(p[:300], labels[:300], 0.9, seed=1).mass


def test_least_ambiguous_sets_hold_the_level_in_every_class_and_may_be_empty() -> None:
    rng = np.random.default_rng(4)
    labels = (rng.random(8_000) < 0.3).astype(np.int64)
    scores = rng.normal(2.5 * labels, 1.0)
    chances = 1 / (1 + np.exp(-np.column_stack([-scores + 1.25, scores - 1.25])))
    sets = LeastAmbiguousSets.fit(chances[:4_000], labels[:4_000], 0.9).apply(chances[4_000:])
    held = sets[np.arange(4_000), labels[4_000:]]
    for k in (0, 1):
        assert 0.87 < held[labels[4_000:] == k].mean() < 0.93
    easy = np.where(labels[:, None] == [0, 1], 0.99, 0.01) - rng.random((8_000, 1)) * 0.01
    sure = LeastAmbiguousSets.fit(easy, labels, 0.9).apply(easy)
    assert 0.08 < (sure.sum(axis=1) == 0).mean() < 0.12


@pytest.mark.parametrize(
    ("priors", "problem"),
    [
        ({"neutral": 0.9, "sweeps": 0.1}, "prior of 'sweeps': there is no such class; the classes are neutral, sweep"),
        ({"neutral": 0.9}, "no prior is given for sweep"),
        ({}, "no prior is given for neutral, sweep"),
        ({"neutral": 1.0, "sweep": 0.0}, "prior sweep=0: give a share above 0"),
        ({"neutral": 1.1, "sweep": -0.1}, "prior sweep=-0.1: give a share above 0"),
        ({"neutral": 1.0, "sweep": float("nan")}, "prior sweep=nan: give a share above 0"),
        ({"neutral": 0.9, "sweep": 0.10001}, "the priors sum to 1.00001; give shares of all that sum to 1"),
        ({"neutral": 0.9, "sweep": float("inf")}, "the priors sum to inf"),
    ],
)
def test_priors_that_cannot_be_are_refused_in_one_line(priors, problem):
    with pytest.raises(SewallError) as caught:
        stated_shares(priors, ("neutral", "sweep"))
    assert str(caught.value).startswith(problem) and "\n" not in str(caught.value)


def test_priors_give_what_bayes_gives():
    """Two normal densities, learnt at equal shares: their posterior is known at any others."""
    x, shares, stated = np.linspace(-3, 3, 50), np.array([0.5, 0.5]), np.array([0.98, 0.02])
    likelihood = np.exp(-0.5 * (x[:, None] - [0.0, 2.0]) ** 2)
    learnt, expected = (np.log(likelihood * p / (likelihood @ p)[:, None]) for p in (shares, stated))
    np.testing.assert_allclose(with_priors(learnt, shares, stated), expected)
    assert np.isfinite(with_priors(Temperature(0.02).logs(np.array([[0.0, 900.0]])), shares, stated)).all()
