from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import RidgeCV

from sewall.simple import ClassBoosting, ClassForest, GradientBoosting, OnStatistics, Ridge
from sewall.task import Examples, Task


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = {f"x{k}": rng.standard_normal(600) * 10.0**k for k in range(4)} | {"constant": np.full(600, 3.0)}
    columns["whole"] = rng.integers(0, 4, 600).astype(float)  # ties with the thresholds
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def target(table: pd.DataFrame) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal(600)
    return np.asarray(np.sin(table["x0"]) + 0.1 * table["x1"] + table["whole"] ** 2 + 0.1 * noise)


def through_a_bundle(model: Ridge | GradientBoosting | ClassBoosting | ClassForest) -> object:
    state = {name: np.asarray(value) for name, value in model.state().items()}
    assert all(array.dtype.kind in "fiub" for array in state.values())
    return model.from_state(state)


@pytest.fixture(scope="module")
def boosting(table: pd.DataFrame, target: np.ndarray) -> GradientBoosting:
    return GradientBoosting(7).fit(table[:400], target[:400])


def test_boosting_predicts_what_scikit_learn_predicts(
    table: pd.DataFrame, target: np.ndarray, boosting: GradientBoosting
) -> None:
    model = HistGradientBoostingRegressor(
        max_iter=600, learning_rate=0.03, max_leaf_nodes=15, max_features=0.4, early_stopping=False, random_state=7
    ).fit(table[:400].to_numpy(), target[:400])
    np.testing.assert_allclose(boosting.predict(table), model.predict(table.to_numpy()), rtol=0, atol=1e-9)


def test_boosting_predicts_far_from_what_it_saw(table: pd.DataFrame, boosting: GradientBoosting) -> None:
    far = pd.DataFrame(np.array([[1e300] * 6, [-1e300] * 6]), columns=table.columns)
    assert np.isfinite(boosting.predict(far)).all()
    assert boosting.predict(table[:0]).shape == (0,)


def test_boosting_survives_its_state(table: pd.DataFrame, boosting: GradientBoosting) -> None:
    again = through_a_bundle(boosting)
    np.testing.assert_array_equal(again.predict(table), boosting.predict(table))
    assert again.parameters == boosting.parameters > 600


def test_boosting_depends_on_its_seed_alone(table: pd.DataFrame, target: np.ndarray) -> None:
    one, same, other = (GradientBoosting(seed).fit(table, target).predict(table) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("seed", [2**32 + 5, 2**63])
def test_any_seed_will_do(table: pd.DataFrame, target: np.ndarray, seed: int) -> None:
    assert np.isfinite(GradientBoosting(seed).fit(table[:60], target[:60]).predict(table)).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_boosted_classes_are_those_of_scikit_learn(table: pd.DataFrame, target: np.ndarray, classes: int) -> None:
    labels = np.digitize(target, np.quantile(target, np.arange(1, classes) / classes))
    model = ClassBoosting(classes, 3).fit(table[:400], labels[:400])
    theirs = [
        HistGradientBoostingClassifier(
            max_iter=500, learning_rate=0.02, max_leaf_nodes=10, min_samples_leaf=40, l2_regularization=1.0,
            max_features=0.3, early_stopping=False, random_state=seed,
        ).fit(table[:400].to_numpy(), labels[:400])
        for seed in (3, 4)
    ]  # fmt: skip
    scores = np.mean([one.decision_function(table.to_numpy()) for one in theirs], axis=0)
    scores = np.column_stack([np.zeros(600), scores]) if classes == 2 else scores
    np.testing.assert_allclose(model.predict(table), log_softmax(scores, axis=1), rtol=0, atol=1e-9)
    again = through_a_bundle(model)
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    assert again.parameters == model.parameters > 500


@pytest.mark.parametrize("labels", [[1] * 300, [1, 3] * 150])
@pytest.mark.parametrize(("kind", "share"), [(ClassBoosting, 0.5 / 302), (ClassForest, 0.5 / 302 / 201)])
def test_classes_that_are_absent_keep_a_small_share(
    table: pd.DataFrame, labels: list[int], kind: type[ClassBoosting | ClassForest], share: float
) -> None:
    model = through_a_bundle(kind(4, 3).fit(table[:300], np.array(labels)))
    chances = np.exp(model.predict(table[300:]))
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
    absent = np.setdiff1d(np.arange(4), labels)
    np.testing.assert_allclose(chances[:, absent], share)


def test_a_forest_is_that_of_scikit_learn_and_the_shares(table: pd.DataFrame, target: np.ndarray) -> None:
    labels = np.digitize(target, np.quantile(target, [0.2, 0.6]))
    model = ClassForest(3, 3).fit(table[:400], labels[:400])
    theirs = RandomForestClassifier(200, min_samples_leaf=3, random_state=3).fit(table[:400].to_numpy(), labels[:400])
    shares = (np.bincount(labels[:400]) + 0.5) / 401.5
    expected = (200 * theirs.predict_proba(table.to_numpy()) + shares) / 201
    np.testing.assert_allclose(np.exp(model.predict(table)), expected, rtol=0, atol=1e-6)
    again = through_a_bundle(model)
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    leaves = sum(tree.tree_.n_leaves for tree in theirs.estimators_)
    assert 2 * leaves - 200 <= again.parameters == model.parameters <= 4 * leaves
    far = pd.DataFrame(np.array([[1e300] * 6, [-1e300] * 6]), columns=table.columns)
    assert np.isfinite(model.predict(far)).all()


@pytest.mark.parametrize("model", [ClassBoosting(3, 1), ClassForest(3, 1)])
def test_classes_are_learnt_from_the_statistics_of_a_task(
    toy_classes: Task, toy_kinds: Callable[..., Examples], model: ClassBoosting | ClassForest
) -> None:
    examples = toy_kinds(900, empty=0)
    fitted = OnStatistics(toy_classes, model).fit(examples, np.arange(600))
    logs = fitted.predict(examples, np.arange(600, 900))
    assert examples.target is not None
    assert (logs.argmax(axis=1) == examples.target[600:]).mean() > 0.55
    again = OnStatistics(toy_classes, type(model)(3)).with_state(fitted.state())
    np.testing.assert_array_equal(again.predict(examples, np.arange(600, 900)), logs)
    assert (again.key, again.parameters) == (model.key, fitted.parameters)


def test_ridge_predicts_what_scikit_learn_predicts(table: pd.DataFrame, target: np.ndarray) -> None:
    model = Ridge().fit(table[:400], target[:400])
    values = table.to_numpy()
    scaled = (values - values[:400].mean(0)) / np.maximum(values[:400].std(0), 1e-9)
    theirs = RidgeCV(np.logspace(-3, 4, 15)).fit(scaled[:400], target[:400])
    np.testing.assert_allclose(model.predict(table), theirs.predict(scaled), rtol=0, atol=1e-9)
    assert model.parameters == 7


def test_ridge_survives_its_state(table: pd.DataFrame, target: np.ndarray) -> None:
    model = Ridge().fit(table, target)
    np.testing.assert_array_equal(through_a_bundle(model).predict(table), model.predict(table))


def test_ridge_does_not_extrapolate_without_end(table: pd.DataFrame, target: np.ndarray) -> None:
    model = Ridge().fit(table, target)
    assert model.predict(table * 1e6).max() == pytest.approx(model.predict(table * 1e9).max())


def test_the_simplest_has_the_fewest_parameters(
    table: pd.DataFrame, target: np.ndarray, boosting: GradientBoosting
) -> None:
    assert Ridge().fit(table, target).parameters < boosting.parameters
