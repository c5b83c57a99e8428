from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from sewall.genomic.contract import FixedEffects, without
from sewall.genomic.tridiagonal import Tridiagonal, likeliest_share

Floats = NDArray[np.float64]
N = 90


@pytest.fixture(scope="module", params=[200, 40], ids=["full rank", "null space"])
def case(request: pytest.FixtureRequest) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(1)
    z, covariates = rng.standard_normal((N, request.param)), rng.standard_normal((N, 2)) + 3
    basis = FixedEffects.of(covariates).basis(covariates)
    return z @ z.T / request.param, basis, rng.standard_normal(N) + 5


def test_the_form_solves_what_the_kernel_poses(case: tuple[Floats, Floats, Floats]) -> None:
    kernel, basis, target = case
    reduced = Tridiagonal.of(kernel, basis)
    left = without(basis, target)
    projected = without(basis, without(basis, kernel).T)
    for share in (0.0, 0.3, 0.999):
        expected = without(basis, np.linalg.solve(share * projected + (1 - share) * np.eye(N), left))
        found = reduced.back(reduced.solved(share, reduced.rotated(target)))
        assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_eigenvalues_are_those_beside_the_fixed_effects(case: tuple[Floats, Floats, Floats]) -> None:
    kernel, basis, _ = case
    beside = np.linalg.svd(basis, full_matrices=True)[0][:, basis.shape[1] :]
    expected = np.linalg.eigvalsh(beside.T @ kernel @ beside)
    assert_allclose(Tridiagonal.of(kernel, basis).values, np.maximum(expected, 0), atol=1e-10)


def test_the_likelihood_is_that_of_the_contrasts(case: tuple[Floats, Floats, Floats]) -> None:
    kernel, basis, target = case
    beside = np.linalg.svd(basis, full_matrices=True)[0][:, basis.shape[1] :]
    reduced, left = Tridiagonal.of(kernel, basis), beside.T @ target
    rotated = reduced.rotated(target)
    for share in (0.0, 0.2, 0.8):
        covariance = share * beside.T @ kernel @ beside + (1 - share) * np.eye(len(left))
        total = left @ np.linalg.solve(covariance, left) / len(left)
        expected = -0.5 * (len(left) * np.log(total) + np.linalg.slogdet(covariance)[1])
        assert_allclose(reduced.likelihood(share, rotated), expected, rtol=1e-9)


def test_the_likeliest_share_is_found_between_the_points_of_the_grid() -> None:
    share, likelihood = likeliest_share(lambda share: -((share - 0.3333) ** 2))
    assert_allclose(share, 0.3333, atol=1e-4)
    assert likelihood > -1e-8
    assert likeliest_share(lambda share: -share) == (0.0, 0.0)
    assert likeliest_share(lambda share: share)[0] > 0.998


def test_fixed_effects_are_never_in_an_answer(case: tuple[Floats, Floats, Floats]) -> None:
    kernel, basis, target = case
    reduced = Tridiagonal.of(kernel, basis)
    shifted = target + basis @ np.array([1e4, -1e4, 1e4])
    assert_allclose(reduced.rotated(shifted), reduced.rotated(target), atol=1e-7)
    assert_allclose(basis.T @ reduced.back(reduced.rotated(target)), 0, atol=1e-9)
