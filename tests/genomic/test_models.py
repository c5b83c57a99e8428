"""What every genomic predictor must do; a new one is added to `ALL` and then tested here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sewall.data.panel import Panel
from sewall.genomic.catalogue import ALL, KINDS, Kind, from_state
from sewall.genomic.contract import GenomicModel
from sewall.genomic.kernels import Kernels

GENETIC = [kind for kind in ALL if kind.key not in ("covariates", "components")]
EVERY = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.key)
EVERY_GENETIC = pytest.mark.parametrize("kind", GENETIC, ids=lambda kind: kind.key)
CLOSE = {"rtol": 1e-4, "atol": 1e-3}  # the trait's standard deviation is about 6


@pytest.fixture(scope="module")
def fitted(cohort: Any) -> Callable[[Kind], GenomicModel]:
    kernels = Kernels(cohort.panel, cohort.train)

    @cache
    def fit(kind: Kind) -> GenomicModel:
        return kind().fit(cohort.panel, cohort.train, cohort.trait[cohort.train], cohort.covariates, kernels)

    return fit


def fresh(kind: Kind, cohort: Any, panel: Panel) -> np.ndarray:
    """Predictions for the test individuals by a model fitted without shared kernels."""
    model = kind().fit(panel, cohort.train, cohort.trait[cohort.train], cohort.covariates)
    return model.predict(panel, cohort.test, cohort.covariates)


@EVERY
def test_a_fitted_model_is_its_arrays(kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]) -> None:
    model = fitted(kind)
    state = {name: np.asarray(value) for name, value in model.state().items()}
    assert all(array.dtype.kind in "fiu" for array in state.values())
    again = from_state(kind.key, state)
    assert again.parameters == model.parameters > 0
    predictions = [m.predict(cohort.panel, cohort.test, cohort.covariates) for m in (model, again)]
    np.testing.assert_array_equal(*predictions)
    assert again.state().keys() == model.state().keys()


@EVERY
def test_shared_kernels_change_nothing(kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]) -> None:
    shared = fitted(kind).predict(cohort.panel, cohort.test, cohort.covariates)
    assert_allclose(shared, fresh(kind, cohort, cohort.panel), rtol=1e-9)


@EVERY
def test_one_person_alone_is_predicted_as_in_a_crowd(
    kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]
) -> None:
    model = fitted(kind)
    crowd = model.predict(cohort.panel, cohort.test, cohort.covariates)
    alone = model.predict(cohort.panel, cohort.test[4:5], cohort.covariates)
    assert_allclose(alone, crowd[4:5], **CLOSE)


@EVERY
def test_test_individuals_are_never_looked_at_in_training(
    kind: Kind, cohort: Any, other_genotypes: Callable[..., Panel]
) -> None:
    """Fitted where the test individuals have other genotypes, covariates and traits: the model is the same."""
    covariates = cohort.covariates.copy()
    covariates[cohort.test] = 1e3
    changed = other_genotypes(cohort.panel, cohort.test, 9)
    target = cohort.trait[cohort.train]
    one = kind().fit(cohort.panel, cohort.train, target, cohort.covariates)
    other = kind().fit(changed, cohort.train, target, covariates)
    for name, value in one.state().items():
        np.testing.assert_array_equal(value, other.state()[name], err_msg=name)


@EVERY
def test_exchanged_alleles_change_no_prediction(
    kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel], exchanged: Callable[..., Panel]
) -> None:
    expected = fitted(kind).predict(cohort.panel, cohort.test, cohort.covariates)
    found = fresh(kind, cohort, exchanged(cohort.panel, np.arange(0, 300, 2)))
    assert_allclose(found, expected, rtol=0, atol=0.02)


@EVERY
def test_covariates_are_not_penalised(kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]) -> None:
    """An effect of a covariate, however large, comes back whole."""
    target = cohort.trait + 1e3 * cohort.covariates[:, 1]
    model = kind().fit(cohort.panel, cohort.train, target[cohort.train], cohort.covariates)
    expected = fitted(kind).predict(cohort.panel, cohort.test, cohort.covariates)
    found = model.predict(cohort.panel, cohort.test, cohort.covariates) - 1e3 * cohort.covariates[cohort.test, 1]
    assert_allclose(found, expected, rtol=0, atol=0.02)


@EVERY
def test_predictions_keep_the_units_of_the_trait(
    kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]
) -> None:
    target = cohort.trait[cohort.train] * 1e-3 - 4
    model = kind().fit(cohort.panel, cohort.train, target, cohort.covariates)
    expected = fitted(kind).predict(cohort.panel, cohort.test, cohort.covariates)
    found = (model.predict(cohort.panel, cohort.test, cohort.covariates) + 4) * 1e3
    assert_allclose(found, expected, rtol=0, atol=0.05)


@EVERY_GENETIC
def test_genotypes_predict_what_covariates_leave(
    kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]
) -> None:
    baseline = fitted(KINDS["covariates"]).predict(cohort.panel, cohort.test, cohort.covariates)
    found = fitted(kind).predict(cohort.panel, cohort.test, cohort.covariates)
    left = cohort.trait[cohort.test] - baseline
    assert np.corrcoef(found - baseline, left)[0, 1] > 0.5
    slope = (found - baseline) @ left / ((found - baseline) ** 2).sum()
    assert 0.6 < slope < 1.5  # the scale is right too


@EVERY_GENETIC
def test_a_permuted_trait_is_not_predicted(kind: Kind, cohort: Any) -> None:
    correlations = []
    for seed in range(8):
        trait = np.random.default_rng(seed).permutation(cohort.trait)
        model = kind().fit(cohort.panel, cohort.train, trait[cohort.train], cohort.covariates[:, :0])
        found = model.predict(cohort.panel, cohort.test, cohort.covariates[:, :0])
        correlations.append(np.corrcoef(found, trait[cohort.test])[0, 1] if found.std() > 1e-6 else 0.0)
    assert abs(np.mean(correlations)) < 2.5 / np.sqrt(8 * len(cohort.test))


@EVERY
@pytest.mark.parametrize("case", ["constant trait", "no site varies"])
def test_where_nothing_can_be_learnt_the_mean_is_predicted(kind: Kind, case: str, cohort: Any) -> None:
    panel, target = cohort.panel, cohort.trait[cohort.train]
    if case == "constant trait":
        target = np.full(len(cohort.train), 7.0)
    else:
        codes = np.zeros((len(panel.sites), len(panel)), np.uint8)
        panel = Panel.from_codes(codes, panel.sites, panel.sample_ids, panel.copies)
    model = kind().fit(panel, cohort.train, target, cohort.covariates[:, :0])
    assert_allclose(model.predict(panel, cohort.test, cohort.covariates[:, :0]), target.mean(), rtol=1e-6)


@EVERY_GENETIC
def test_given_inner_folds_are_used(kind: Kind, cohort: Any, fitted: Callable[[Kind], GenomicModel]) -> None:
    folds = np.arange(len(cohort.train)) % 4
    target = cohort.trait[cohort.train]
    model = kind().fit(cohort.panel, cohort.train, target, cohort.covariates, folds=folds)
    found = model.predict(cohort.panel, cohort.test, cohort.covariates)
    assert np.corrcoef(found, fitted(kind).predict(cohort.panel, cohort.test, cohort.covariates))[0, 1] > 0.9
