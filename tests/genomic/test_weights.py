from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sewall.data.panel import Panel
from sewall.genomic import weights as w
from sewall.genomic.blup import GBLUP, AdditiveDominance, XLinked
from sewall.genomic.clumping import Clumping
from sewall.genomic.gaussian import GaussianKernel
from sewall.genomic.kernels import Kernels
from sewall.genomic.principal import CovariatesOnly
from sewall.genomic.score import ScoreModel
from sewall.genomic.selection import BestPerWindow, PValueCutoff
from sewall.genomic.sparse import Lasso

LINEAR = [GBLUP, AdditiveDominance, XLinked, Lasso, PValueCutoff, Clumping, BestPerWindow]


@pytest.fixture(scope="module")
def kernels(cohort: Any) -> Kernels:
    return Kernels(cohort.panel, cohort.train)


@pytest.fixture(scope="module")
def fitted(cohort: Any, kernels: Kernels) -> Callable[[type[ScoreModel]], ScoreModel]:
    kept: dict[type[ScoreModel], ScoreModel] = {}

    def fit(kind: type[ScoreModel]) -> ScoreModel:
        if kind not in kept:
            kept[kind] = kind().fit(cohort.panel, cohort.train, cohort.trait[cohort.train], cohort.covariates, kernels)
        return kept[kind]

    return fit


def scored(panel: Panel, weights: w.AlleleWeights, frequency: np.ndarray) -> np.ndarray:
    """Return scores as any program would make them: weights times copies, missing calls as random mating has them."""
    carried = panel.dosages(np.arange(len(panel)), slice(None)).astype(float)
    copies = panel.copies[panel.sites.inheritance].T
    missing = np.isnan(carried)
    if weights.by_copies is None:
        return np.where(missing, copies * frequency, carried) @ weights.per_copy
    none, one, two = weights.by_copies.T
    found = np.select([carried == 1, carried == 2], [one + 0 * carried, two + 0 * carried], none)
    expected = np.where(copies == 2, 2 * frequency * (1 - frequency) * one + frequency**2 * two, frequency * one)
    return np.where(missing, expected, found).sum(axis=1)


@pytest.mark.parametrize("kind", LINEAR)
def test_the_weights_of_every_linear_model_give_its_predictions(cohort: Any, fitted: Any, kind: type) -> None:
    model, panel = fitted(kind), cohort.panel
    frequency = model.score.coding.frequency.astype(float)
    genetic = model.score.genetic(panel, np.arange(len(panel)))
    male = np.arange(len(panel)) % 2 == 1
    for some, weights in ((~male, w.allele_weights(model.score, panel.sites)),
                          (male, w.allele_weights(model.score, panel.sites, male=True))):  # fmt: skip
        found = scored(panel, weights, frequency) - weights.at_frequencies
        np.testing.assert_allclose(found[some], genetic[some], atol=2e-4 * max(genetic.std(), 1e-9))


def test_those_of_gblup_are_found_back_from_the_training_genotypes(cohort: Any, fitted: Any, kernels: Kernels) -> None:
    model = fitted(GBLUP)
    z = kernels.coding.centred(cohort.panel, cohort.train, slice(None)).astype(float)
    scaling = kernels.coding.scale.astype(float) ** (model.columns == "standardised")
    genetic = model.score.genetic(cohort.panel, cohort.train)
    kernel = (z * scaling) @ (z * scaling).T
    expected = scaling**2 * (z.T @ (np.linalg.pinv(kernel, rcond=1e-10) @ genetic))
    assert np.corrcoef(expected, model.weights)[0, 1] > 0.99999
    np.testing.assert_allclose(model.weights, expected, atol=1e-3 * np.abs(expected).max())


def test_only_sums_over_sites_are_linear(cohort: Any, fitted: Any, kernels: Kernels) -> None:
    models = [fitted(kind) for kind in (CovariatesOnly, GBLUP, Lasso)] + [GaussianKernel()]
    assert list(w.linear_scores(models)) == ["gblup", "lasso"]
    assert w.linear_scores(models)["lasso"][0] == "LASSO"


def test_dominance_weighs_heterozygotes_by_themselves(cohort: Any, fitted: Any) -> None:
    weights = w.allele_weights(fitted(AdditiveDominance).score, cohort.panel.sites)
    if weights.by_copies is None:
        pytest.fail("the cohort should have some variance of dominance")
    assert (weights.by_copies[:, 0] == 0).all()
    bent = weights.by_copies[:, 1] - weights.by_copies[:, 2] / 2
    assert np.abs(bent).max() > 1e-6
    np.testing.assert_allclose(bent, fitted(AdditiveDominance).score.dominance, atol=1e-9)


def test_models_whose_x_depends_on_sex_are_told(cohort: Any, fitted: Any) -> None:
    assert not w.depends_on_sex(fitted(GBLUP).score, cohort.panel.sites)
    linked = fitted(XLinked).score
    assert w.depends_on_sex(linked, cohort.panel.sites) == bool(len(linked.by_sex) and linked.by_sex.any())


@pytest.mark.parametrize("kind", [GBLUP, AdditiveDominance, XLinked])
def test_scores_of_the_chromosomes_sum_to_the_genetic_part(cohort: Any, fitted: Any, kind: type) -> None:
    score = fitted(kind).score
    parts = w.chromosome_scores(score, cohort.panel, cohort.test)
    assert parts.shape == (len(cohort.test), 3)
    np.testing.assert_allclose(parts.sum(axis=1), score.genetic(cohort.panel, cohort.test), atol=1e-5)


def test_shares_of_variance_sum_to_one() -> None:
    rng = np.random.default_rng(1)
    parts = rng.standard_normal((400, 3)) * [1.0, 2.0, 0.0]
    shares = w.variance_shares(parts)
    assert shares.sum() == pytest.approx(1)
    assert shares[1] == pytest.approx(0.8, abs=0.06)
    assert w.variance_shares(np.ones((5, 2))).tolist() == [0, 0]
    assert w.variance_shares(np.array([[2.0, -1.0], [0.0, 0.0], [1.0, -0.5]]))[1] < 0  # works against the other


def shares_of(cohort: Any, answer: np.ndarray, score: np.ndarray) -> float:
    everyone = np.arange(len(cohort.panel))
    return w.linear_share(Kernels(cohort.panel, everyone), answer, score, everyone % 5)


def test_a_linear_answer_is_linear_and_a_product_is_not(cohort: Any) -> None:
    z = np.nan_to_num(cohort.dosages() - 1)
    rng = np.random.default_rng(4)
    linear = z @ rng.standard_normal(z.shape[1])
    centred = z - z.mean(axis=0)
    product = centred[:, 5] * centred[:, 150]
    assert shares_of(cohort, 3 - 2 * linear, linear) == pytest.approx(1)
    assert shares_of(cohort, product / product.std(), np.zeros(len(z))) < 0.2
    half = shares_of(cohort, linear / linear.std() + product / product.std(), linear)
    assert 0.4 < half < 0.65


def test_what_a_known_score_misses_is_refitted(cohort: Any) -> None:
    z = np.nan_to_num(cohort.dosages() - 1)
    linear = z @ np.random.default_rng(4).standard_normal(z.shape[1])
    assert shares_of(cohort, linear, np.zeros(len(z))) > 0.6


def test_answers_that_do_not_vary_have_no_share(cohort: Any) -> None:
    assert np.isnan(shares_of(cohort, np.ones(len(cohort.panel)), np.zeros(len(cohort.panel))))
