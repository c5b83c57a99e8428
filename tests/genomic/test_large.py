"""Panels that are too large for matrices of individuals by individuals, or for columns that are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sewall.genomic import blup, columns, lanczos
from sewall.genomic.blup import GBLUP
from sewall.genomic.contract import FixedEffects, without
from sewall.genomic.kernels import Kernels
from sewall.genomic.lanczos import Product, Recurrence
from sewall.genomic.reml import one_kernel
from sewall.genomic.tridiagonal import Tridiagonal


@pytest.fixture(scope="module")
def product(cohort: Any) -> Product:
    kernels = Kernels(cohort.panel, cohort.train)
    basis = FixedEffects.of(cohort.covariates[cohort.train]).basis(cohort.covariates[cohort.train])
    return Product(kernels.columns, np.full(300, 1 / np.sqrt(kernels.centred_total)), basis)


def test_columns_are_the_same_kept_or_not(cohort: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kernels(cohort.panel, cohort.train)
    values, sites = np.random.default_rng(1).standard_normal((220, 2)), np.array([3, 250, 17])
    expected = [kept.columns.site_sums(values), kept.columns.standardised(sites), kept.centred]
    monkeypatch.setattr(columns, "MOST_KEPT", 0)
    decoded = Kernels(cohort.panel, cohort.train)
    found = [decoded.columns.site_sums(values), decoded.columns.standardised(sites), decoded.centred]
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_kept_columns_cannot_be_spoilt(cohort: Any) -> None:
    with pytest.raises(ValueError, match="read-only"):
        Kernels(cohort.panel, cohort.train).columns.centred(slice(0, 5))[:] = 0


def test_the_kernel_is_multiplied_with_and_never_held(cohort: Any, product: Product) -> None:
    kernel = Kernels(cohort.panel, cohort.train).centred
    vectors = np.random.default_rng(1).standard_normal((220, 3))
    found, trace = product.times(vectors)
    assert_allclose(found, kernel @ vectors, atol=1e-4)
    assert_allclose(trace, np.trace(kernel), rtol=1e-5)


def test_the_recurrence_solves_and_knows_its_error(cohort: Any, product: Product) -> None:
    kernel, basis = Kernels(cohort.panel, cohort.train).centred, product.basis
    target = cohort.trait[cohort.train]
    walk = Recurrence(product, without(basis, target[:, None]))
    reduced = Tridiagonal.of(kernel, basis)
    expected = reduced.back(reduced.solved(0.6, reduced.rotated(target)))
    walk.go(5)
    early, error = walk.solution(0.6)
    actual = np.linalg.norm(early - expected) / np.linalg.norm(expected)
    assert actual > 1e-4
    assert actual / 20 < error < actual * 20
    walk.go(60)
    assert_allclose(walk.solution(0.6)[0], expected, atol=1e-4 * np.abs(expected).max())
    assert walk.solution(0.6)[1] < 1e-5


def test_without_a_kernel_the_fit_is_that_with_it(
    cohort: Any, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanczos, "PROBES", 200)  # for so few individuals; their chance falls with both numbers
    kernel, target = Kernels(cohort.panel, cohort.train).centred, cohort.trait[cohort.train]
    expected = one_kernel(kernel, product.basis, target)
    found = lanczos.without_kernel(product.columns, product.scaling, product.basis, target)
    assert_allclose(found.heritability, expected.heritability, atol=0.02)
    assert_allclose(found.likelihood, expected.likelihood, atol=1)
    answer, exact = (fit.variances[0] * kernel @ fit.dual for fit in (found, expected))
    assert_allclose(answer, exact, atol=0.03 * exact.std())
    assert_allclose(found.effects, expected.effects, rtol=1e-3)


def test_noise_has_no_heritability_without_a_kernel(product: Product) -> None:
    target = np.random.default_rng(4).standard_normal(220)
    found = lanczos.without_kernel(product.columns, product.scaling, product.basis, target)
    assert found.heritability < 0.15


def test_gblup_of_very_many_individuals_is_gblup(cohort: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    target = cohort.trait[cohort.train]
    expected = GBLUP("centred").fit(cohort.panel, cohort.train, target, cohort.covariates)
    monkeypatch.setattr(blup, "MOST_DUAL", 100)
    monkeypatch.setattr(blup, "MOST_REMEMBERED", 60)
    monkeypatch.setattr(lanczos, "PROBES", 200)
    kernels = Kernels(cohort.panel, cohort.train)
    model = GBLUP("centred").fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    assert "_additive" not in vars(kernels)  # no matrix of individuals by individuals
    answers = [each.predict(cohort.panel, cohort.test, cohort.covariates) for each in (model, expected)]
    assert_allclose(*answers, atol=0.03 * answers[1].std())
    spreads = [each.spread(cohort.panel, cohort.test, cohort.covariates) for each in (model, expected)]
    assert (spreads[0] > 0.98 * spreads[1]).all()  # fewer are remembered, so less seems known
    assert spreads[0].mean() < 1.5 * spreads[1].mean()
    again = GBLUP.from_state(model.state())
    assert_allclose(again.spread(cohort.panel, cohort.test, cohort.covariates), spreads[0], rtol=1e-4)
