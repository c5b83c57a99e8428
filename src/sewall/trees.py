"""Trees as plain arrays, as boosting and forests of scikit-learn leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier

Floats = NDArray[np.float64]

_FIELDS = ("value", "feature_idx", "num_threshold", "left", "right", "is_leaf")


@dataclass(frozen=True)
class Trees:
    """Trees whose answers are added up.

    Attributes:
        baseline: ``(answers,)`` to which the trees add.
        nodes: ``(trees, nodes)`` by field of a node. Trees add to the answers in turn; where values are
            ``(trees, nodes, answers)``, each adds to all of them.
    """

    baseline: Floats
    nodes: Mapping[str, NDArray]

    @classmethod
    def of(cls, *models: HistGradientBoostingRegressor | HistGradientBoostingClassifier) -> Trees:
        """Return the mean of fitted models that answer the same question."""
        trees = [tree.nodes for model in models for stage in model._predictors for tree in stage]
        nodes = {name: _padded([tree[name] for tree in trees]) for name in _FIELDS}
        baseline = np.mean([np.ravel(model._baseline_prediction) for model in models], axis=0)
        return cls(baseline, nodes | {"value": nodes["value"] / len(models)})

    @classmethod
    def of_forest(cls, model: RandomForestClassifier, shares: Floats) -> Trees:
        """Return a fitted forest's mean probabilities; the *shares* of all classes count as one more tree."""
        trees, number = [tree.tree_ for tree in model.estimators_], 1 + len(model.estimators_)
        leaf = _padded([tree.children_left < 0 for tree in trees])
        value = np.zeros((*leaf.shape, len(shares)), np.float32)
        value[..., model.classes_] = _padded([tree.value[:, 0] for tree in trees]) / number
        places = {"feature_idx": "feature", "left": "children_left", "right": "children_right"}
        nodes = {
            name: _padded([getattr(tree, theirs) for tree in trees]).clip(0).astype(np.int32)
            for name, theirs in places.items()
        }
        nodes |= {"num_threshold": _padded([tree.threshold for tree in trees]), "is_leaf": leaf.astype(np.uint8)}
        return cls(shares / number, nodes | {"value": np.where(leaf[..., None], value, np.float32(0))})

    def answers(self, values: NDArray) -> Floats:
        """Return ``(rows, answers)`` for ``(rows, columns)``."""
        total = np.tile(self.baseline, (len(values), 1))
        for tree in range(len(self.nodes["value"])):
            column = slice(None) if self._whole else tree % len(self.baseline)
            total[:, column] += self._leaf_values(tree, values)
        return total

    def _leaf_values(self, tree: int, values: NDArray) -> Floats:
        part = {name: column[tree] for name, column in self.nodes.items()}
        node = np.zeros(len(values), np.intp)
        inside = np.flatnonzero(part["is_leaf"][node] == 0)
        while len(inside):
            at = node[inside]
            left = values[inside, part["feature_idx"][at]] <= part["num_threshold"][at]
            node[inside] = np.where(left, part["left"][at], part["right"][at])
            inside = inside[part["is_leaf"][node[inside]] == 0]
        return np.asarray(part["value"][node], float)

    @property
    def _whole(self) -> bool:
        return self.nodes["value"].ndim == 3

    @property
    def parameters(self) -> int:
        """Number of splits and leaf values."""
        valued = int((self.nodes["value"] != 0).sum())  # where trees answer in turn, splits have values as well
        return valued + int((self.nodes["left"] > 0).sum()) if self._whole else valued

    def state(self) -> dict[str, NDArray]:
        """Return the numbers."""
        return {"baseline": self.baseline, **self.nodes}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Trees:
        """Return the trees whose `state` was *state*."""
        return cls(np.asarray(state["baseline"]), {name: np.asarray(state[name]) for name in _FIELDS})


def _padded(trees: Sequence[NDArray]) -> NDArray:
    """Return one field of the nodes of all trees, ``(trees, nodes, ...)``."""
    out = np.zeros((len(trees), max(map(len, trees)), *trees[0].shape[1:]), trees[0].dtype)
    for row, tree in zip(out, trees, strict=True):
        row[: len(tree)] = tree
    return out


NO_TREES = Trees(np.zeros(1), {name: np.zeros((0, 1)) for name in _FIELDS})
