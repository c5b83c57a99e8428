from __future__ import annotations

import numpy as np
import pytest

from sewall.simulate.synthetic import SyntheticLikelihood

Floats = np.ndarray
WINDOWS = 150


def shown(parameters: Floats, rng: np.random.Generator) -> Floats:
    """Statistics of windows that hang on the first parameter, on a curve, and on the second and third together."""
    first, second, third = parameters[:, :3].T
    clean = np.column_stack([np.tanh(first), second * third, first + second, third])
    return clean + 0.5 * rng.standard_normal(clean.shape)


@pytest.fixture(scope="module")
def likelihood() -> SyntheticLikelihood:
    """Of a file whose windows have 1.2 ± 0.3 of the first parameter, and 0.5 and -0.8 of the others."""
    rng = np.random.default_rng(1)
    simulated = np.column_stack([rng.uniform(0, 3, 3_000), rng.uniform(-1, 1, (3_000, 2)), np.zeros(3_000)])
    own = np.column_stack([rng.normal(1.2, 0.3, WINDOWS), np.tile([0.5, -0.8, 0.0], (WINDOWS, 1))])
    return SyntheticLikelihood.fit(shown(simulated, rng), simulated, shown(own, rng), seed=1)


def test_the_truth_is_likelier_than_what_is_far_from_it(likelihood: SyntheticLikelihood) -> None:
    truth = np.array([1.2, 0.5, -0.8, 0.0])
    others = truth + np.array([[0.5, 0, 0, 0], [-0.5, 0, 0, 0], [0, -0.6, 0, 0], [0, 0, 0.6, 0], [0, -1.3, 1.3, 0]])
    at = likelihood.log(np.vstack([truth, others]), np.full(6, 0.3))
    assert (at[0] > at[1:] + 5).all()


def test_the_highest_likelihood_lies_near_the_truth(likelihood: SyntheticLikelihood) -> None:
    grid = np.linspace(0.3, 2.5, 45)
    parameters = np.column_stack([grid, np.tile([0.5, -0.8, 0.0], (45, 1))])
    assert grid[likelihood.log(parameters, np.full(45, 0.3)).argmax()] == pytest.approx(1.2, abs=0.15)


def test_what_never_varied_is_not_looked_at(likelihood: SyntheticLikelihood) -> None:
    parameters = np.array([[1.2, 0.5, -0.8, 0.0], [1.2, 0.5, -0.8, 7.0]])
    at = likelihood.log(parameters, np.full(2, 0.3))
    assert at[0] == at[1]


def test_what_parameters_do_together_is_seen() -> None:
    rng = np.random.default_rng(2)
    simulated = np.column_stack([rng.uniform(0, 3, 3_000), rng.uniform(-1, 1, (3_000, 2))])
    truth, opposite = np.array([1.0, 0.8, 0.8]), np.array([1.0, -0.8, -0.8])  # alike in what the product shows
    own = np.tile(truth, (WINDOWS, 1))
    statistics = [shown(values, rng)[:, :2] for values in (simulated, own)]
    likelihood = SyntheticLikelihood.fit(statistics[0], simulated, statistics[1], seed=1)
    at = likelihood.log(np.array([truth, opposite, [1.0, 0.8, -0.8]]), np.full(3, 0.05))
    assert at[0] == pytest.approx(at[1], abs=4) and (at[:2] > at[2] + 20).all()


def test_a_few_odd_windows_do_not_decide() -> None:
    rng = np.random.default_rng(3)
    simulated = np.column_stack([rng.uniform(0, 3, 2_000), rng.uniform(-1, 1, (2_000, 2))])
    own = np.column_stack([rng.normal(1.2, 0.3, WINDOWS), np.tile([0.5, -0.8], (WINDOWS, 1))])
    ours, theirs = shown(simulated, rng), shown(own, rng)
    odd = theirs.copy()
    odd[:3] = 1e4
    grid = np.linspace(0.3, 2.5, 45)
    parameters = np.column_stack([grid, np.tile([0.5, -0.8], (45, 1))])
    best = [
        grid[SyntheticLikelihood.fit(ours, simulated, data, 1).log(parameters, np.full(45, 0.3)).argmax()]
        for data in (theirs, odd)
    ]
    assert best[1] == pytest.approx(best[0], abs=0.11)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_file_of_few_windows_is_sure_of_little(likelihood: SyntheticLikelihood, number: int) -> None:
    rng = np.random.default_rng(4)
    simulated = np.column_stack([rng.uniform(0, 3, 2_000), rng.uniform(-1, 1, (2_000, 2))])
    own = np.tile([1.2, 0.5, -0.8], (number, 1))
    few = SyntheticLikelihood.fit(shown(simulated, rng), simulated, shown(own, rng), seed=1)
    grid = np.column_stack([np.linspace(0.3, 2.5, 45), np.tile([0.5, -0.8], (45, 1))])
    found, whole = few.log(grid, np.full(45, 0.3)), likelihood.log(np.pad(grid, ((0, 0), (0, 1))), np.full(45, 0.3))
    assert np.isfinite(found).all()
    assert np.ptp(found) < 0.5 * np.ptp(whole)
