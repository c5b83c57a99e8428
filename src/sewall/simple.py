"""Simple models on named statistics: what a network must beat to be worth its cost.

They keep their fitted state as plain arrays, so that a bundle holds no pickled code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV

from sewall.task import Examples, Rows, Task

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


_TREE_FIELDS = ("value", "feature_idx", "num_threshold", "left", "right", "is_leaf")


class GradientBoosting:
    """Histogram gradient boosting (`sklearn.ensemble.HistGradientBoostingRegressor`).

    Args:
        seed: seed of the columns drawn for each split.
    """

    key = "boosting"
    name = "gradient boosting on statistics"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.baseline = 0.0
        self.trees: dict[str, NDArray] = {}

    def fit(self, statistics: pd.DataFrame, target: Floats) -> GradientBoosting:
        """Fit to ``(rows, statistics)``, none of them NaN, and ``(rows,)`` targets on the learning scale."""
        model = HistGradientBoostingRegressor(
            max_iter=600, learning_rate=0.03, max_leaf_nodes=15, max_features=0.4, early_stopping=False,
            random_state=self.seed % 2**32,
        ).fit(statistics.to_numpy(float), target)  # fmt: skip
        nodes = [stage[0].nodes for stage in model._predictors]
        depth = max(len(tree) for tree in nodes)
        padded = np.zeros((len(nodes), depth), nodes[0].dtype)
        for row, tree in zip(padded, nodes, strict=True):
            row[: len(tree)] = tree
        self.trees = {name: np.ascontiguousarray(padded[name]) for name in _TREE_FIELDS}
        self.baseline = float(np.ravel(model._baseline_prediction)[0])
        return self

    def predict(self, statistics: pd.DataFrame) -> Floats:
        """Return ``(rows,)`` predictions on the learning scale."""
        values = statistics.to_numpy(float)
        total = np.full(len(values), self.baseline)
        for tree in range(len(self.trees["value"])):
            total += self._leaf_values(tree, values)
        return total

    def _leaf_values(self, tree: int, values: Floats) -> Floats:
        part = {name: column[tree] for name, column in self.trees.items()}
        node = np.zeros(len(values), np.intp)
        inside = np.flatnonzero(part["is_leaf"][node] == 0)
        while len(inside):
            at = node[inside]
            left = values[inside, part["feature_idx"][at]] <= part["num_threshold"][at]
            node[inside] = np.where(left, part["left"][at], part["right"][at])
            inside = inside[part["is_leaf"][node[inside]] == 0]
        return np.asarray(part["value"][node], float)

    @property
    def parameters(self) -> int:
        """Number of splits and leaf values."""
        return int((self.trees["value"] != 0).sum())

    def state(self) -> Mapping[str, Any]:
        """Return the fitted trees."""
        return {"baseline": np.array([self.baseline])} | self.trees

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> GradientBoosting:
        """Return the model whose `state` was *state*."""
        model = cls()
        model.baseline = float(state["baseline"][0])
        model.trees = {name: state[name] for name in _TREE_FIELDS}
        return model


@dataclass(frozen=True)
class OnStatistics:
    """A model of tables, fitted to a task's classical statistics: the `SimpleModel` of jobs that have them.

    Attributes:
        task: gives statistics and the learning scale.
        model: fitted to them.
    """

    task: Task
    model: Ridge | GradientBoosting

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
        return replace(self, model=self.model.fit(self.task.statistics(examples, rows), target))

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)`` predictions on the learning scale."""
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
