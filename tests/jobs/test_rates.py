"""How rates are spread over the windows of a file."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sewall.jobs.recombination.rates import BINS, deconvolved, rate_weights, weight_at

TOP = 2.5
EDGES = np.linspace(0, TOP, BINS + 1)
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
Floats = NDArray[np.float64]


def prior_roots(rng: np.random.Generator, number: int) -> Floats:
    drawn = rng.normal(1.3, 0.5, 3 * number)
    return drawn[(drawn > 0) & (drawn < TOP)][:number]


def statistics(roots: Floats, rng: np.random.Generator) -> Floats:
    """Return two that tell of the rate and one that does not."""
    noise = rng.normal(0, 0.25, (3, len(roots)))
    return np.column_stack([roots + noise[0], roots**2 + 2 * noise[1], noise[2]])


def shares(roots: Floats) -> Floats:
    return np.histogram(roots, EDGES)[0] / len(roots)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tail_that_the_file_lacks_is_taken_from_the_prior(seed: int) -> None:
    rng = np.random.default_rng(seed)
    roots, truth = prior_roots(rng, 2_000), np.sqrt(rng.uniform(0, 2.5, 150))  # none above 1.58
    drawn = prior_roots(rng, 10_000)
    weights = rate_weights(statistics(roots, rng), roots, statistics(truth, rng), drawn, TOP, seed)
    assert weights.max() == 1
    found = np.array([weight_at(root, weights, TOP) for root in drawn])
    tail = drawn > 1.8
    assert tail.mean() > 0.1
    assert found[tail].sum() / found.sum() < 0.3 * tail.mean()
    again = rng.choice(drawn, 10_000, p=found / found.sum())
    assert np.abs(shares(again) - shares(truth)).sum() < 0.6 * np.abs(shares(drawn) - shares(truth)).sum()


def test_a_file_like_the_prior_changes_little() -> None:
    rng = np.random.default_rng(4)
    roots, truth = prior_roots(rng, 2_000), prior_roots(rng, 300)
    drawn = prior_roots(rng, 10_000)
    weights = rate_weights(statistics(roots, rng), roots, statistics(truth, rng), drawn, TOP, 4)
    found = np.array([weight_at(root, weights, TOP) for root in drawn])
    again = rng.choice(drawn, 10_000, p=found / found.sum())
    assert np.mean(again) == pytest.approx(np.mean(drawn), abs=0.1)
    assert np.std(again) == pytest.approx(np.std(drawn), rel=0.15)


def test_a_few_windows_say_little() -> None:
    prior = np.full(BINS, 1 / BINS)
    found = deconvolved(np.full(2, CENTRES[3]), CENTRES, np.full(BINS, 0.1), prior)
    assert found.sum() == pytest.approx(1)
    assert found[10:].sum() > 0.7 * prior[10:].sum()
    many = deconvolved(np.full(2_000, CENTRES[3]), CENTRES, np.full(BINS, 0.1), prior)
    assert many[2:5].sum() > 0.9 and many.min() >= 0.04 / BINS  # of no rate nothing is left


def test_weights_lie_on_the_scale_of_the_roots() -> None:
    weights = np.linspace(0, 1, BINS)
    assert weight_at(0.0, weights, TOP) == 0
    assert weight_at(TOP, weights, TOP) == 1
    assert weight_at(TOP / 2, weights, TOP) == pytest.approx(0.5)
