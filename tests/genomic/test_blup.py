from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from sewall.data.panel import Panel, X
from sewall.genomic.blup import GBLUP, AdditiveDominance, XLinked
from sewall.genomic.coding import x_sign
from sewall.genomic.contract import FixedEffects
from sewall.genomic.gaussian import GaussianKernel
from sewall.genomic.kernels import Kernels
from sewall.genomic.principal import PrincipalComponents, principal_components
from sewall.genomic.reml import one_kernel

NONE = np.zeros((300, 0))


def correlation(model: Any, cohort: Any, panel: Panel, trait: np.ndarray, covariates: np.ndarray = NONE) -> float:
    model.fit(panel, cohort.train, trait[cohort.train], covariates)
    return float(np.corrcoef(model.predict(panel, cohort.test, covariates), trait[cohort.test])[0, 1])


@pytest.mark.parametrize("columns", ["centred", "standardised"])
def test_gblup_is_ridge_regression_with_the_penalty_of_reml(cohort: Any, columns: Any) -> None:
    model = GBLUP(columns).fit(cohort.panel, cohort.train, cohort.trait[cohort.train], NONE)
    kernels = Kernels(cohort.panel, cohort.train)
    fitted = one_kernel(getattr(kernels, columns), np.full((220, 1), 220**-0.5), cohort.trait[cohort.train])
    code = kernels.coding.centred if columns == "centred" else kernels.coding.standardised
    divisor = kernels.centred_total if columns == "centred" else kernels.standardised_total
    z = [code(cohort.panel, rows, slice(None)).astype(float) for rows in (cohort.train, cohort.test)]
    ridge = Ridge(fitted.residual / fitted.variances[0] * divisor).fit(z[0], cohort.trait[cohort.train])
    assert_allclose(model.predict(cohort.panel, cohort.test, NONE), ridge.predict(z[1]), rtol=1e-4)


def test_gblup_takes_the_likelier_columns(cohort: Any) -> None:
    target = cohort.trait[cohort.train]
    kernels = Kernels(cohort.panel, cohort.train)
    basis = FixedEffects.of(cohort.covariates[cohort.train]).basis(cohort.covariates[cohort.train])
    likelihood = {
        name: one_kernel(getattr(kernels, name), basis, target).likelihood for name in ("centred", "standardised")
    }
    model = GBLUP().fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    assert model.columns == max(likelihood, key=lambda name: likelihood[name])


@pytest.mark.parametrize("kind", [GBLUP, GaussianKernel])
def test_the_spread_covers_what_it_should(kind: Any, cohort: Any) -> None:
    """Traits drawn from the model: 90 % of test individuals within 1.645 spreads, and no wider than needed."""
    z = np.nan_to_num(cohort.dosages() - 1)
    inside = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        genetic = z @ rng.standard_normal(z.shape[1])
        trait = genetic / genetic.std() + rng.standard_normal(300)
        model = kind(errors=True).fit(cohort.panel, cohort.train, trait[cohort.train], cohort.covariates)
        error = trait[cohort.test] - model.predict(cohort.panel, cohort.test, cohort.covariates)
        inside.append(np.abs(error) < 1.645 * model.spread(cohort.panel, cohort.test, cohort.covariates))
    assert 0.87 < np.mean(inside) < 0.93


@pytest.mark.parametrize("kind", [GBLUP, GaussianKernel])
def test_a_relative_is_better_known_than_a_stranger(kind: Any, cohort: Any) -> None:
    model = kind(errors=True).fit(cohort.panel, cohort.train, cohort.trait[cohort.train], cohort.covariates)
    own, others = (model.reliability(cohort.panel, rows) for rows in (cohort.train, cohort.test))
    assert own.mean() > others.mean() + 0.05
    assert others.min() > 0
    assert own.max() < 1


@pytest.mark.parametrize("kind", [GBLUP, GaussianKernel])
def test_a_model_without_errors_says_so(kind: Any, cohort: Any) -> None:
    model = kind(errors=False).fit(cohort.panel, cohort.train, cohort.trait[cohort.train], cohort.covariates)
    assert "error_inverse" not in model.state()
    assert ("reference_calls" in model.state()) == (kind is GaussianKernel)
    with pytest.raises(ValueError, match="errors=True"):
        model.spread(cohort.panel, cohort.test, cohort.covariates)


def test_heritability_is_found(cohort: Any) -> None:
    z = np.nan_to_num(cohort.dosages() - 1)
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        genetic = z @ rng.standard_normal(z.shape[1])
        trait = genetic / genetic.std() + rng.standard_normal(300)
        found.append(GBLUP(errors=False).fit(cohort.panel, cohort.train, trait[cohort.train], NONE).heritability)
    assert 0.4 < np.mean(found) < 0.6


def test_dominance_is_seen_by_its_kernel_and_not_without(cohort: Any) -> None:
    rng = np.random.default_rng(2)
    heterozygous = cohort.dosages()[:, :240] == 1
    trait = heterozygous[:, ::8] @ rng.uniform(0.5, 1.5, 30) + rng.standard_normal(300)
    model = AdditiveDominance()
    with_dominance = correlation(model, cohort, cohort.panel, trait)
    assert with_dominance > correlation(GBLUP(errors=False), cohort, cohort.panel, trait) + 0.1
    assert model.variances[1] > model.variances[0]


def test_inbred_lines_get_no_dominance(inbred: Any) -> None:
    target = inbred.trait[inbred.train]
    model = AdditiveDominance().fit(inbred.panel, inbred.train, target, inbred.covariates)
    assert model.variances[1] == 0
    gblup = GBLUP("centred", errors=False).fit(inbred.panel, inbred.train, target, inbred.covariates)
    assert_allclose(
        model.predict(inbred.panel, inbred.test, inbred.covariates),
        gblup.predict(inbred.panel, inbred.test, inbred.covariates),
    )


def test_effects_of_x_that_differ_between_the_sexes_are_seen(cohort: Any) -> None:
    rng = np.random.default_rng(4)
    on_x = cohort.panel.sites.inheritance == X
    sign = x_sign(cohort.panel, np.arange(300))
    kernels = Kernels(cohort.panel, np.arange(300))
    z = kernels.coding.centred(cohort.panel, np.arange(300), np.flatnonzero(on_x)).astype(float)
    trait = sign * (z @ rng.standard_normal(on_x.sum()))
    trait += rng.standard_normal(300) * trait.std()
    sex = cohort.covariates[:, :1]
    linked = correlation(XLinked(), cohort, cohort.panel, trait, sex)
    assert linked > correlation(GBLUP(errors=False), cohort, cohort.panel, trait, sex) + 0.1


def test_without_x_it_is_gblup(cohort: Any) -> None:
    panel = cohort.panel.take_sites(cohort.panel.sites.inheritance != X)
    target = cohort.trait[cohort.train]
    linked = XLinked().fit(panel, cohort.train, target, cohort.covariates)
    plain = GBLUP("centred", errors=False).fit(panel, cohort.train, target, cohort.covariates)
    assert_allclose(linked.weights, plain.weights)


def test_the_gaussian_kernel_sees_an_interaction(cohort: Any, another_panel: Callable[..., Panel]) -> None:
    """Few sites, so that pairs of them are a large part of what likeness says."""
    panel = another_panel(8, missing=0.0).take_sites(np.arange(0, 240, 40))
    z = panel.dosages(np.arange(300), slice(None)).astype(float) - 1
    trait = 2 * z[:, 0] * z[:, 1] + z[:, 2] * z[:, 3] + 0.5 * np.random.default_rng(1).standard_normal(300)
    gaussian = correlation(GaussianKernel(), cohort, panel, trait)
    assert gaussian > correlation(GBLUP(errors=False), cohort, panel, trait) + 0.2


def test_gaussian_predictions_follow_the_definition(cohort: Any) -> None:
    model = GaussianKernel().fit(cohort.panel, cohort.train, cohort.trait[cohort.train], NONE)
    kernels = Kernels(cohort.panel, cohort.train)
    columns = [kernels.coding.standardised(cohort.panel, rows, slice(None)) for rows in (cohort.train, cohort.test)]
    length = model.bandwidth * kernels.median_distance * 300
    train, cross = (np.exp(-((a[:, None] - columns[0]) ** 2).sum(-1) / length) for a in columns)
    fitted = one_kernel(train.astype(float), np.full((220, 1), 220**-0.5), cohort.trait[cohort.train])
    expected = 220**-0.5 * fitted.effects[0] + fitted.variances[0] * cross @ fitted.dual
    assert_allclose(model.predict(cohort.panel, cohort.test, NONE), expected, rtol=1e-4)


def test_components_are_those_of_the_standardised_genotypes(cohort: Any) -> None:
    kernels = Kernels(cohort.panel, cohort.train)
    scores, loadings = principal_components(kernels, 3)
    columns = kernels.coding.standardised(cohort.panel, cohort.train, slice(None)).astype(float)
    left = np.linalg.svd(columns - columns.mean(0), full_matrices=False)[0][:, :3]
    assert_allclose(np.abs(left.T @ scores / np.sqrt(220)), np.eye(3), atol=1e-3)
    projected = kernels.coding.score(cohort.panel, cohort.train, loadings)
    assert_allclose(projected - projected.mean(0), scores, atol=1e-3)  # as any new individual would be


def test_structure_alone_predicts_a_trait_that_follows_it(cohort: Any) -> None:
    kernels = Kernels(cohort.panel, cohort.train)
    _, loadings = principal_components(kernels, 1)
    trait = kernels.coding.score(cohort.panel, np.arange(300), loadings)[:, 0]
    assert correlation(PrincipalComponents(), cohort, cohort.panel, trait) > 0.98
