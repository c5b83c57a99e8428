"""Simple models on named statistics: what a network must beat to be worth its cost.

They keep their fitted state as plain arrays, so that a bundle holds no pickled code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import RidgeCV

from sewall.odds import log_shares
from sewall.task import Examples, Rows, Task
from sewall.trees import NO_TREES, Trees

Floats = NDArray[np.float64]


class Ridge:
    """Ridge regression on standardised statistics, its penalty by leave-one-out (`sklearn.linear_model.RidgeCV`)."""

    key = "ridge"
    name = "ridge regression on statistics"

    def __init__(self) -> None:
        self.centre = self.scale = self.coefficients = np.zeros(0)
        self.intercept = 0.0

    def fit(self, statistics: pd.DataFrame, target: Floats) -> Ridge:
        """Fit to ``(rows, statistics)``, none of them NaN, and ``(rows,)`` targets on the learning scale."""
        values = statistics.to_numpy(float)
        self.centre, self.scale = values.mean(0), np.maximum(values.std(0), 1e-9)
        model = RidgeCV(np.logspace(-3, 4, 15)).fit((values - self.centre) / self.scale, target)
        self.coefficients, self.intercept = model.coef_, float(model.intercept_)
        return self

    def predict(self, statistics: pd.DataFrame) -> Floats:
        """Return ``(rows,)`` predictions on the learning scale."""
        scaled = (statistics.to_numpy(float) - self.centre) / self.scale
        return np.asarray(np.clip(scaled, -8, 8) @ self.coefficients + self.intercept)

    @property
    def parameters(self) -> int:
        """Number of coefficients."""
        return len(self.coefficients) + 1

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return {
            "centre": self.centre, "scale": self.scale, "coefficients": self.coefficients,
            "intercept": np.array([self.intercept]),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Ridge:
        """Return the model whose `state` was *state*."""
        model = cls()
        model.centre, model.scale, model.coefficients = state["centre"], state["scale"], state["coefficients"]
        model.intercept = float(state["intercept"][0])
        return model


class _OfTrees:
    """What models have that are nothing but trees."""

    trees: Trees = NO_TREES

    @property
    def parameters(self) -> int:
        """Number of splits and leaf values."""
        return self.trees.parameters

    def state(self) -> Mapping[str, Any]:
        """Return the fitted trees."""
        return self.trees.state()


class GradientBoosting(_OfTrees):
    """Histogram gradient boosting (`sklearn.ensemble.HistGradientBoostingRegressor`).

    Args:
        seed: seed of the columns drawn for each split.
        trees: how many; the fewer, the more each learns.
    """

    key = "boosting"
    name = "gradient boosting on statistics"

    def __init__(self, seed: int = 0, trees: int = 600) -> None:
        self.seed, self.number = seed, trees

    def fit(self, statistics: pd.DataFrame, target: Floats) -> GradientBoosting:
        """Fit to ``(rows, statistics)``, none of them NaN, and ``(rows,)`` targets on the learning scale."""
        model = HistGradientBoostingRegressor(
            max_iter=self.number, learning_rate=18 / self.number, max_leaf_nodes=15, max_features=0.4,
            early_stopping=False, random_state=self.seed % 2**32,
        )  # fmt: skip
        self.trees = Trees.of(model.fit(statistics.to_numpy(float), target))
        return self

    def predict(self, statistics: pd.DataFrame) -> Floats:
        """Return ``(rows,)`` predictions on the learning scale."""
        return self.trees.answers(statistics.to_numpy(float))[:, 0]

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> GradientBoosting:
        """Return the model whose `state` was *state*."""
        model = cls()
        model.trees = Trees.from_state(state)
        return model


class ClassBoosting:
    """The same for classes (`sklearn.ensemble.HistGradientBoostingClassifier`): log loss, shallow and slow, two seeds.

    Args:
        classes: how many there are.
        seed: seed of the columns drawn for each split.
    """

    key = "boosting"
    name = "gradient boosting on statistics"

    def __init__(self, classes: int, seed: int = 0) -> None:
        self.classes, self.seed = classes, seed
        self.seen = np.zeros(0, np.int64)
        self.shares = np.zeros(classes)
        self.trees = NO_TREES

    def fit(self, statistics: pd.DataFrame, labels: NDArray[np.int64]) -> ClassBoosting:
        """Fit to ``(rows, statistics)``, none of them NaN, and ``(rows,)`` numbers of classes; some may be absent."""
        self.seen, self.shares = np.unique(labels), log_shares(labels, self.classes)
        if len(self.seen) > 1:
            models = [self._model(copy).fit(statistics.to_numpy(float), labels) for copy in range(2)]
            self.trees = Trees.of(*models)
        return self

    def _model(self, copy: int) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=500, learning_rate=0.02, max_leaf_nodes=10, min_samples_leaf=40, l2_regularization=1.0,
            max_features=0.3, early_stopping=False, random_state=(self.seed + copy) % 2**32,
        )  # fmt: skip

    def predict(self, statistics: pd.DataFrame) -> Floats:
        """Return ``(rows, classes)`` log probabilities; a class that was absent keeps its small share."""
        found = np.tile(self.shares, (len(statistics), 1))
        scores = self.trees.answers(statistics.to_numpy(float))
        if len(self.seen) == 2:  # one answer: the log odds of the second
            scores = np.hstack([np.zeros_like(scores), scores])
        found[:, self.seen] = log_softmax(scores, axis=1) + logsumexp(self.shares[self.seen])
        return found

    @property
    def parameters(self) -> int:
        """Number of splits, leaf values and shares."""
        return self.trees.parameters + self.classes - 1

    def state(self) -> Mapping[str, Any]:
        """Return the fitted trees, and which classes they know."""
        return {"seen": self.seen, "shares": self.shares, **self.trees.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ClassBoosting:
        """Return the model whose `state` was *state*."""
        model = cls(len(state["shares"]))
        model.seen, model.shares = np.asarray(state["seen"], np.int64), np.asarray(state["shares"])
        model.trees = Trees.from_state(state)
        return model


class ClassForest(_OfTrees):
    """A random forest (Breiman 2001, Machine Learning 45:5; `sklearn.ensemble.RandomForestClassifier`).

    The shares of the classes count as one more tree, so that no class is held to be impossible.

    Args:
        classes: how many there are.
        seed: seed of the rows and columns drawn.
    """

    key = "forest"
    name = "random forest on statistics"

    def __init__(self, classes: int, seed: int = 0) -> None:
        self.classes, self.seed = classes, seed

    def fit(self, statistics: pd.DataFrame, labels: NDArray[np.int64]) -> ClassForest:
        """Fit to ``(rows, statistics)``, none of them NaN, and ``(rows,)`` numbers of classes; some may be absent."""
        model = RandomForestClassifier(200, min_samples_leaf=3, random_state=self.seed % 2**32)
        shares = np.exp(log_shares(labels, self.classes))
        self.trees = Trees.of_forest(model.fit(_single(statistics), labels), shares)
        return self

    def predict(self, statistics: pd.DataFrame) -> Floats:
        """Return ``(rows, classes)`` log probabilities."""
        return np.log(self.trees.answers(_single(statistics)))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ClassForest:
        """Return the model whose `state` was *state*."""
        model = cls(len(state["baseline"]))
        model.trees = Trees.from_state(state)
        return model


def _single(statistics: pd.DataFrame) -> NDArray[np.float32]:
    """Return numbers as a forest compares them with its thresholds: in single precision, none beyond it."""
    most = np.finfo(np.float32).max
    return np.clip(statistics.to_numpy(float), -most, most).astype(np.float32)


class OfTables(Protocol):
    """A model of tables: `Ridge` and `GradientBoosting` of quantities, `ClassBoosting` and `ClassForest` of classes."""

    @property
    def key(self) -> str:
        """Short name, the same in every run."""
        ...

    @property
    def name(self) -> str:
        """Name in front of people."""
        ...

    def fit(self, statistics: pd.DataFrame, target: Any, /) -> OfTables:
        """Fit to ``(rows, statistics)`` and ``(rows,)`` targets on the learning scale, or numbers of classes."""
        ...

    def predict(self, statistics: pd.DataFrame, /) -> Floats:
        """Return ``(rows,)`` answers on the learning scale, or ``(rows, classes)`` log probabilities."""
        ...

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return plain arrays."""
        ...

    def from_state(self, state: Mapping[str, Any], /) -> OfTables:
        """Return the model whose `state` was *state*."""
        ...


@dataclass(frozen=True)
class OnStatistics:
    """A model of tables, fitted to a task's classical statistics: the `SimpleModel` of jobs that have them.

    Attributes:
        task: gives statistics and the learning scale.
        model: fitted to them.
    """

    task: Task
    model: OfTables

    @property
    def key(self) -> str:
        """Short name, the same in every run."""
        return self.model.key

    @property
    def name(self) -> str:
        """Name in front of people."""
        return self.model.name

    def fit(self, examples: Examples, rows: Rows) -> OnStatistics:
        """Fit to labelled *rows*, all of them usable, and to nothing else."""
        assert examples.target is not None
        target = self.task.target.forward(examples.target[rows])
        learnt = target.astype(np.int64) if self.task.target.classes else target
        return replace(self, model=self.model.fit(self.task.statistics(examples, rows), learnt))

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)`` answers on the learning scale, or ``(rows, classes)`` log probabilities."""
        return self.model.predict(self.task.statistics(examples, rows))

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return self.model.parameters

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return self.model.state()

    def with_state(self, state: Mapping[str, Any]) -> OnStatistics:
        """Return the fitted model whose `state` was *state*."""
        return replace(self, model=self.model.from_state(state))
