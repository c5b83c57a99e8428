from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sewall.data.panel import Panel, X
from sewall.genomic import kernels as kernels_module
from sewall.genomic.blup import GBLUP, AdditiveDominance, XLinked
from sewall.genomic.coding import Coding, x_sign
from sewall.genomic.gaussian import GaussianKernel
from sewall.genomic.kernels import Kernels
from sewall.genomic.reference import Reference
from sewall.genomic.tridiagonal import Tridiagonal

REDUCE = Tridiagonal.of


def direct_columns(cohort: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, its standard deviation and kpq of training individuals, by the definitions."""
    panel, rows = cohort.panel, cohort.train
    dosages = cohort.dosages()[rows]
    copies = panel.copies[panel.sites.inheritance][:, rows].T.astype(float)
    copies[np.isnan(dosages)] = np.nan
    p = np.nansum(dosages, 0) / np.nansum(copies, 0)
    z = dosages - copies * p
    return np.nan_to_num(z), np.sqrt(np.nanmean(z**2, 0)), np.nanmean(copies, 0) * p * (1 - p)


def test_kernels_follow_their_definitions(cohort: Any) -> None:
    z, deviation, variance = direct_columns(cohort)
    kernels = Kernels(cohort.panel, cohort.train)
    assert_allclose(kernels.centred, z @ z.T / variance.sum(), atol=1e-5)
    scaled = z / deviation
    assert_allclose(kernels.standardised, scaled @ scaled.T / z.shape[1], atol=1e-5)
    on_x = cohort.panel.sites.inheritance == X
    assert_allclose(kernels.x_linked, z[:, on_x] @ z[:, on_x].T / variance[on_x].sum(), atol=1e-5)
    distance = ((scaled[3] - scaled[8]) ** 2).mean()
    assert_allclose(kernels.distances[3, 8], distance, atol=1e-5)


def test_the_dominance_code_is_that_of_the_textbook(cohort: Any) -> None:
    coding = Coding.learn(cohort.panel, cohort.train)
    site = np.array([5])
    p = float(coding.frequency[5])
    codes = coding.dominance(cohort.panel, cohort.train, site)[:, 0]
    dosages = cohort.dosages()[cohort.train, 5]
    for copies, expected in enumerate((-2 * p**2, 2 * p * (1 - p), -2 * (1 - p) ** 2)):
        assert_allclose(codes[dosages == copies], expected, atol=1e-6)
    assert_array_equal(codes[np.isnan(dosages)], 0)


def test_a_male_has_no_dominance_on_x(cohort: Any) -> None:
    coding = Coding.learn(cohort.panel, cohort.train)
    on_x = np.flatnonzero(cohort.panel.sites.inheritance == X)
    codes = coding.dominance(cohort.panel, cohort.train, on_x)
    males = x_sign(cohort.panel, cohort.train) < 0
    assert not codes[males].any()
    assert codes[~males].any()


def test_columns_are_centred_in_each_sex_by_what_it_carries(cohort: Any) -> None:
    """A male's X stands at his one copy: sex itself must not be written into the columns of X."""
    coding = Coding.learn(cohort.panel, cohort.train)
    on_x = np.flatnonzero(cohort.panel.sites.inheritance == X)
    z = coding.centred(cohort.panel, cohort.train, on_x)
    male = x_sign(cohort.panel, cohort.train) < 0
    dosages = np.nan_to_num(cohort.dosages()[cohort.train][:, on_x])
    assert dosages[~male].mean() - dosages[male].mean() > 0.4
    assert abs(z[~male].mean() - z[male].mean()) < 0.1


def test_exchanged_alleles_change_no_kernel(cohort: Any, exchanged: Callable[..., Panel]) -> None:
    first = Kernels(cohort.panel, cohort.train)
    second = Kernels(exchanged(cohort.panel, np.arange(0, 300, 3)), cohort.train)
    assert_allclose(first.centred, second.centred, atol=1e-5)
    assert_allclose(first.standardised, second.standardised, atol=1e-5)
    assert_allclose(first.dominance, second.dominance, atol=1e-5)


def test_nothing_is_learnt_from_other_individuals(cohort: Any, other_genotypes: Callable[..., Panel]) -> None:
    changed = Kernels(other_genotypes(cohort.panel, cohort.test, 9), cohort.train)
    kernels = Kernels(cohort.panel, cohort.train)
    assert_array_equal(kernels.standardised, changed.standardised)
    assert_array_equal(kernels.linkage.squared, changed.linkage.squared)


def test_inbred_lines_have_no_dominance_kernel(inbred: Any) -> None:
    kernels = Kernels(inbred.panel, inbred.train)
    assert kernels.coding.heterozygous == 0
    assert kernels.dominance is None


def test_a_site_that_does_not_vary_in_training_weighs_nothing(cohort: Any) -> None:
    codes = cohort.panel.calls.codes(slice(None)).copy()
    codes[7, cohort.train] = 0
    panel = Panel.from_codes(codes, cohort.panel.sites, cohort.panel.sample_ids, cohort.panel.copies)
    coding = Coding.learn(panel, cohort.train)
    assert coding.scale[7] == 0
    assert not coding.varying[7]
    assert not coding.standardised(panel, cohort.test, np.array([7])).any()


def test_the_scale_of_a_rare_site_is_capped(cohort: Any) -> None:
    codes = cohort.panel.calls.codes(slice(None)).copy()
    codes[7] = 0
    codes[7, cohort.train[0]] = 1
    panel = Panel.from_codes(codes, cohort.panel.sites, cohort.panel.sample_ids, cohort.panel.copies)
    assert_allclose(Coding.learn(panel, cohort.train).scale[7], 1 / np.sqrt(2 * 0.01 * 0.99), rtol=1e-5)


def test_kernels_of_other_individuals_are_refused(cohort: Any) -> None:
    kernels = Kernels(cohort.panel, cohort.train)
    assert Kernels.shared(cohort.panel, cohort.train, kernels) is kernels
    with pytest.raises(ValueError, match="other individuals"):
        Kernels.shared(cohort.panel, cohort.train[1:], kernels)


def test_kept_genotypes_give_the_products_of_the_panel(cohort: Any) -> None:
    kernels = Kernels(cohort.panel, cohort.train)
    scaling = kernels.coding.scale / np.sqrt(kernels.standardised_total)
    reference = Reference.of(kernels, scaling)
    cross, own = reference.products(cohort.panel, cohort.train)
    assert_allclose(cross, kernels.standardised, atol=1e-5)
    assert_allclose(own, np.diag(kernels.standardised), atol=1e-5)


def test_another_trait_of_the_same_individuals_finds_everything_prepared(
    cohort: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two traits through one object: kernels are reduced once, and the second fit is that of kernels of its own."""
    made = []
    monkeypatch.setattr(Tridiagonal, "of", classmethod(lambda cls, *given: made.append(1) or REDUCE(*given)))
    shared, second = Kernels(cohort.panel, cohort.train), cohort.trait[cohort.train] ** 2
    for kind in (GBLUP, AdditiveDominance, XLinked, GaussianKernel):
        kind().fit(cohort.panel, cohort.train, cohort.trait[cohort.train], cohort.covariates, shared)
    first = len(made)
    models = [
        kind().fit(cohort.panel, cohort.train, second, cohort.covariates, shared)
        for kind in (GBLUP, AdditiveDominance, XLinked, GaussianKernel)
    ]
    assert first == 2 + 1 + 2 + 5  # additive twice, dominance, X and X by sex, five bandwidths
    assert len(made) == first
    for model in models:
        alone = type(model)().fit(cohort.panel, cohort.train, second, cohort.covariates)
        answers = [each.predict(cohort.panel, cohort.test, cohort.covariates) for each in (model, alone)]
        assert_allclose(*answers, rtol=1e-9)


def test_reduced_kernels_take_no_more_memory_than_they_may(cohort: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels_module, "MOST_KEPT", 400_000)  # one of 219 x 219
    kernels, basis = Kernels(cohort.panel, cohort.train), np.full((220, 1), 220**-0.5)
    kept = kernels.reduced("centred", lambda: kernels.centred, basis)
    other = kernels.reduced("standardised", lambda: kernels.standardised, basis)
    assert kernels.reduced("centred", lambda: kernels.centred, basis) is kept
    assert kernels.reduced("standardised", lambda: kernels.standardised, basis) is not other
