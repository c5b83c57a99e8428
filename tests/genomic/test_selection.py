"""Models that choose sites: association, linkage, LASSO, cutoffs, clumping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import ElasticNet

from sewall.data.panel import Panel
from sewall.genomic import sparse
from sewall.genomic.association import Associations, parts
from sewall.genomic.clumping import Clumping
from sewall.genomic.coding import Coding
from sewall.genomic.contract import FixedEffects, inner_folds, without
from sewall.genomic.kernels import Kernels
from sewall.genomic.linkage import LEVELS, Linkage
from sewall.genomic.selection import BestPerWindow, PValueCutoff
from sewall.genomic.sparse import Lasso

NONE = np.zeros((300, 0))


@pytest.fixture(scope="module")
def kernels(cohort: Any) -> Kernels:
    return Kernels(cohort.panel, cohort.train)


def standardised(kernels: Kernels) -> NDArray[np.float64]:
    return kernels.coding.standardised(kernels.panel, kernels.rows, slice(None)).astype(float)


def test_association_is_regression_on_one_site(cohort: Any, kernels: Kernels) -> None:
    target = cohort.trait[cohort.train]
    divided = parts(inner_folds(220, None), target, NONE[cohort.train])
    found = Associations.of(kernels, divided)
    inside, columns = divided[1].inside, standardised(kernels)
    for site in (0, 100, 299):
        expected = stats.linregress(columns[inside, site], target[inside])
        assert_allclose(found.slope[site, 1], expected.slope, rtol=1e-3)
        assert_allclose(found.p_value[site, 1], expected.pvalue, rtol=1e-3)


def test_association_stands_beside_the_covariates(cohort: Any, kernels: Kernels) -> None:
    target, covariates = cohort.trait[cohort.train], cohort.covariates[cohort.train]
    found = Associations.of(kernels, parts(inner_folds(220, None), target, covariates))
    design = np.column_stack([standardised(kernels)[:, 50], np.ones(220), covariates])
    effects, squares = np.linalg.lstsq(design, target, rcond=None)[:2]
    error = np.sqrt(squares[0] / 216 * np.linalg.inv(design.T @ design)[0, 0])
    assert_allclose(found.slope[50, -1], effects[0], rtol=1e-3)
    assert_allclose(found.p_value[50, -1], 2 * stats.t.sf(abs(effects[0]) / error, 216), rtol=1e-3)


def test_every_individual_is_left_out_once(cohort: Any) -> None:
    divided = parts(inner_folds(220, None), cohort.trait[cohort.train], cohort.covariates[cohort.train])
    assert np.sort(np.concatenate([part.outside for part in divided])).tolist() == list(range(220))
    assert all(not np.isin(part.outside, part.inside).any() for part in divided)


def test_linkage_is_the_squared_correlation_of_neighbours(kernels: Kernels) -> None:
    linkage = Linkage.of(kernels.columns, reach=15)
    expected = np.corrcoef(standardised(kernels).T) ** 2
    for site, other in ((40, 41), (40, 30), (110, 125), (1, 0)):
        found = linkage.squared[site, 15 + other - site] / LEVELS
        assert abs(found - expected[site, other]) < 0.006
    assert not linkage.squared[119, 16:].any()  # the next chromosome begins
    assert not linkage.squared[:, 15].any()


def test_no_two_sites_of_a_clump_are_kept(kernels: Kernels) -> None:
    linkage = Linkage.of(kernels.columns, reach=400)
    order = np.random.default_rng(1).permutation(300)
    kept = linkage.clump(order, 0.3)
    among = np.corrcoef(standardised(kernels)[:, kept].T) ** 2
    chrom = kernels.panel.sites.chrom[kept]
    among[chrom[:, None] != chrom] = 0
    assert among[np.triu_indices(len(among), 1)].max() < 0.31
    assert kept[order[0]]
    left_out = np.flatnonzero(~kept)
    everyone = np.corrcoef(standardised(kernels).T) ** 2
    assert (everyone[np.ix_(left_out, np.flatnonzero(kept))].max(1) > 0.29).all()  # none without a representative


@pytest.mark.parametrize("mixing", [1.0, 0.5])
def test_the_path_solves_the_penalised_problem(cohort: Any, kernels: Kernels, mixing: float) -> None:
    target = cohort.trait[cohort.train]
    model = Lasso(mixing).fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    basis = FixedEffects.of(cohort.covariates[cohort.train]).basis(cohort.covariates[cohort.train])
    columns = without(basis, standardised(kernels))
    expected = ElasticNet(alpha=model.penalty, l1_ratio=mixing, fit_intercept=False, tol=1e-8, max_iter=100_000)
    expected.fit(columns, without(basis, target))
    found = model.weights / kernels.coding.scale
    assert_allclose(columns @ found, columns @ expected.coef_, atol=0.05 * target.std())
    assert np.corrcoef(found, expected.coef_)[0, 1] > 0.995
    assert 5 < model.sites < 200


def test_stretches_and_working_sets_do_not_change_the_solution(
    cohort: Any, kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = cohort.trait[cohort.train]
    usual = Lasso().fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    monkeypatch.setattr(sparse, "STRETCH", 30)  # many sites enter at once, and many are let in by the check
    monkeypatch.setattr(sparse, "PATIENCE", 60)
    other = Lasso().fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    assert usual.penalty == other.penalty
    assert_allclose(usual.weights, other.weights, atol=0.02 * np.abs(usual.weights).max())


def test_the_penalty_is_that_of_the_least_inner_error(cohort: Any, kernels: Kernels) -> None:
    """A trait of two sites needs few; chance alone needs none or next to none."""
    rng = np.random.default_rng(5)
    columns = standardised(kernels)
    sparse_trait = columns[:, 20] - columns[:, 200] + 0.3 * rng.standard_normal(220)
    model = Lasso().fit(cohort.panel, cohort.train, sparse_trait, NONE, kernels)
    assert {20, 200} <= set(np.argsort(-np.abs(model.weights))[:4].tolist())
    noise = [Lasso().fit(cohort.panel, cohort.train, rng.standard_normal(220), NONE, kernels).sites for _ in range(6)]
    assert np.median(noise) < 15


def duplicated(cohort: Any) -> Panel:
    """Every site three times: least squares on them would have no answer."""
    index = np.repeat(np.arange(300), 3)
    codes = cohort.panel.calls.codes(slice(None))[index]
    return Panel.from_codes(codes, cohort.panel.sites.take(index), cohort.panel.sample_ids, cohort.panel.copies)


@pytest.mark.parametrize("kind", [PValueCutoff, BestPerWindow, Clumping, Lasso])
def test_copies_of_sites_do_no_harm(kind: Any, cohort: Any) -> None:
    panel, target = duplicated(cohort), cohort.trait[cohort.train]
    model = kind().fit(panel, cohort.train, target, cohort.covariates)
    found = model.predict(panel, cohort.test, cohort.covariates)
    assert np.corrcoef(found, cohort.trait[cohort.test])[0, 1] > 0.7
    assert found.std() < 1.5 * cohort.trait.std()


def test_a_cutoff_keeps_the_sites_that_pass_it(cohort: Any, kernels: Kernels) -> None:
    rng = np.random.default_rng(5)
    trait = standardised(kernels)[:, 20] + 0.5 * rng.standard_normal(220)
    model = PValueCutoff().fit(cohort.panel, cohort.train, trait, NONE, kernels)
    p_value = Associations.of(kernels, parts(inner_folds(220, None), trait, NONE[cohort.train])).p_value[:, -1]
    assert model.setting < 0.01
    assert set(np.flatnonzero(model.weights)) == set(np.flatnonzero(p_value <= model.setting))


@pytest.mark.parametrize("rank", ["p", "value"])
def test_each_window_keeps_its_best(cohort: Any, kernels: Kernels, rank: Any) -> None:
    target = cohort.trait[cohort.train]
    model = BestPerWindow(rank).fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    windows = [*range(0, 120, 50), *range(120, 240, 50), 240, 290]
    kept = np.add.reduceat(model.weights != 0, windows)
    assert (kept == np.minimum(np.diff([*windows, 300]), model.setting)).all()


@pytest.mark.parametrize("rank", ["p", "value"])
def test_clumping_keeps_no_correlated_neighbours(cohort: Any, kernels: Kernels, rank: Any) -> None:
    target = cohort.trait[cohort.train]
    model = Clumping(rank).fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    kept = np.flatnonzero(model.weights)
    assert len(kept) > 1
    among = np.corrcoef(standardised(kernels)[:, kept].T) ** 2
    near = np.abs(np.subtract.outer(kept, kept)) <= 100
    same = kernels.panel.sites.chrom[kept][:, None] == kernels.panel.sites.chrom[kept]
    assert (among * near * same)[np.triu_indices(len(kept), 1)].max() < model.limit + 0.01


def test_the_scale_of_a_clumped_score_comes_from_outside(cohort: Any, kernels: Kernels) -> None:
    """Marginal effects overlap and are chosen: taken as they are, the score promises more than it holds."""
    target = cohort.trait[cohort.train]
    model = Clumping().fit(cohort.panel, cohort.train, target, cohort.covariates, kernels)
    assert 0 < model.slope < 1


def test_the_coding_is_shared_by_all_choices(cohort: Any, kernels: Kernels) -> None:
    assert_allclose(kernels.coding.frequency, Coding.learn(cohort.panel, cohort.train).frequency)
