from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.optimize import minimize

from sewall.errors import SewallError
from sewall.genomic.contract import FixedEffects, inner_folds
from sewall.genomic.reml import ErrorVariance, one_kernel, several_kernels

Floats = NDArray[np.float64]
N = 120


def similarity(seed: int, columns: int = 200) -> Floats:
    z = np.random.default_rng(seed).standard_normal((N, columns))
    return np.asarray(z @ z.T / columns)


@pytest.fixture(scope="module")
def basis() -> Floats:
    covariates = np.random.default_rng(5).standard_normal((N, 2)) * [1, 100] + [0, 7]
    return FixedEffects.of(covariates).basis(covariates)


def draw(kernels: list[Floats], variances: list[float], seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    total = sum(v * k for v, k in zip(variances, kernels, strict=True)) + 0.5 * np.eye(N)
    return np.asarray(np.linalg.cholesky(total) @ rng.standard_normal(N) + 3)


def restricted(logs: Floats, kernels: list[Floats], basis: Floats, target: Floats) -> float:
    """Minus the restricted likelihood with the residual variance free, from a basis of what is left of the effects."""
    contrast = np.linalg.svd(basis, full_matrices=True)[0][:, basis.shape[1] :]
    total = sum(np.exp(v) * k for v, k in zip(logs, [*kernels, np.eye(N)], strict=True))
    inside = contrast.T @ total @ contrast
    left = contrast.T @ target
    return float(0.5 * (np.linalg.slogdet(inside)[1] + left @ np.linalg.solve(inside, left)))


def by_brute_force(kernels: list[Floats], basis: Floats, target: Floats) -> Floats:
    start = np.zeros(len(kernels) + 1)
    found = minimize(restricted, start, (kernels, basis, target), "Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9})
    return np.exp(found.x)


def test_one_kernel_finds_the_maximum_of_the_likelihood(basis: Floats) -> None:
    kernel = similarity(1)
    target = draw([kernel], [1.0], 2)
    fitted = one_kernel(kernel, basis, target)
    assert_allclose([*fitted.variances, fitted.residual], by_brute_force([kernel], basis, target), rtol=1e-3)


def test_several_kernels_find_the_maximum_of_the_likelihood(basis: Floats) -> None:
    kernels = [similarity(1, 60), similarity(2, 60)]
    target = draw(kernels, [1.5, 1.0], 4)
    fitted = several_kernels(kernels, basis, target)
    assert (fitted.variances > 0).all()
    assert_allclose([*fitted.variances, fitted.residual], by_brute_force(kernels, basis, target), rtol=5e-3)


def test_likelihoods_of_one_and_of_several_are_on_one_scale(basis: Floats) -> None:
    kernel = similarity(1)
    target = draw([kernel], [1.0], 2)
    split = several_kernels([kernel / 2, kernel / 2], basis, target)
    assert_allclose(split.likelihood, one_kernel(kernel, basis, target).likelihood, atol=0.03)


def test_effects_and_predictions_are_those_of_generalised_least_squares(basis: Floats) -> None:
    kernels = [similarity(1, 60), similarity(2, 60)]
    target = draw(kernels, [1.5, 1.0], 4)
    fitted = several_kernels(kernels, basis, target)
    total = sum(v * k for v, k in zip(fitted.variances, kernels, strict=True)) + fitted.residual * np.eye(N)
    inverse = np.linalg.inv(total)
    effects = np.linalg.solve(basis.T @ inverse @ basis, basis.T @ inverse @ target)
    assert_allclose(fitted.effects, effects, rtol=1e-6, atol=1e-8)
    assert_allclose(fitted.dual, inverse @ (target - basis @ effects), rtol=1e-5, atol=1e-8)


def test_a_kernel_that_brings_nothing_gets_no_variance(basis: Floats) -> None:
    kernels = [similarity(1, 60), similarity(2, 60)]
    fitted = several_kernels(kernels, basis, draw([kernels[0]], [2.0], 13))
    assert fitted.variances[0] > 0
    assert fitted.variances[1] == 0


def test_noise_alone_has_little_heritability(basis: Floats) -> None:
    kernel = similarity(1, 60)
    shares = [one_kernel(kernel, basis, draw([kernel], [0.0], seed)).heritability for seed in range(20)]
    assert np.mean(shares) < 0.15
    assert min(shares) == 0
    strong = [one_kernel(kernel, basis, draw([kernel], [2.0], seed)).heritability for seed in range(20)]
    assert 0.7 < np.mean(strong) < 0.9  # 2 / 2.5


def test_a_trait_without_variance_is_predicted_as_it_is(basis: Floats) -> None:
    fitted = one_kernel(similarity(1), basis, np.full(N, 4.0))
    assert_allclose(basis @ fitted.effects, 4.0)


def test_error_variance_is_that_of_best_linear_unbiased_prediction() -> None:
    """Compare with the covariance of the error by definition: Var(y_t - c'y) for the weights c of the predictor."""
    kernel = similarity(1, 60)
    rows, new = np.arange(N - 10), np.arange(N - 10, N)
    covariates = np.random.default_rng(1).standard_normal((N, 1))
    fixed = FixedEffects.of(covariates[rows])
    basis, basis_new = fixed.basis(covariates[rows]), fixed.basis(covariates[new])
    among = kernel[np.ix_(rows, rows)]
    fitted = one_kernel(among, basis, draw([kernel], [1.0], 2)[rows])
    cross = kernel[np.ix_(new, rows)]
    errors = ErrorVariance.of(lambda: among, basis, fitted)
    unknown = errors.genetic_error(cross, np.diag(kernel)[new])
    found = errors.total(unknown, errors.through(cross), basis_new)

    variance, residual = fitted.variances[0], fitted.residual
    inverse = np.linalg.inv(variance * among + residual * np.eye(len(rows)))
    effects = np.linalg.solve(basis.T @ inverse @ basis, basis.T @ inverse)
    weights = basis_new @ effects + variance * cross @ inverse @ (np.eye(len(rows)) - basis @ effects)
    everyone = variance * kernel + residual * np.eye(N)
    combined = np.hstack([-weights, np.eye(10)])
    assert_allclose(found, np.diag(combined @ everyone @ combined.T), rtol=1e-8)


def test_collinear_and_constant_covariates_take_no_column() -> None:
    first = np.random.default_rng(1).standard_normal(30)
    covariates = np.column_stack([first, 2 * first + 1, np.full(30, 1e6), np.zeros(30)])
    fixed = FixedEffects.of(covariates)
    basis = fixed.basis(covariates)
    assert basis.shape == (30, 2)
    assert_allclose(basis.T @ basis, np.eye(2), atol=1e-10)
    seen_later = fixed.basis(np.array([[0.0, 1.0, 1e6, 1.0]]))  # a category that no training individual had
    assert np.abs(seen_later).max() < 10


def test_too_few_individuals_are_an_error() -> None:
    with pytest.raises(SewallError, match="3 individuals are too few"):
        FixedEffects.of(np.random.default_rng(1).standard_normal((3, 2)))


def test_inner_folds_are_even_or_those_given() -> None:
    assert np.bincount(inner_folds(10, None)).tolist() == [4, 3, 3]
    assert inner_folds(4, np.array([7, 7, 3, 3])).tolist() == [1, 1, 0, 0]
    with pytest.raises(ValueError, match="one inner fold"):
        inner_folds(3, np.array([1, 1, 1]))
