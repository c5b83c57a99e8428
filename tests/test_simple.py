from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV

from sewall.simple import GradientBoosting, Ridge


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


def through_a_bundle(model: Ridge | GradientBoosting) -> object:
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
