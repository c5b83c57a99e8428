"""Metrics of predictions, each a function of (truth, prediction) that returns one number.

Regression metrics take ``(n,)`` truth and ``(n,)`` prediction; class metrics take ``(n,)`` integer labels and ``(n,
classes)`` probabilities. They are lean because the bootstrap calls each a thousand times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Numbers = NDArray[np.float64]
Function = Callable[[Numbers, Numbers], float]


def r2(truth: Numbers, prediction: Numbers) -> float:
    """Return the share of the variance of the truth that is explained: 1 - residual / total sum of squares."""
    total = float(((truth - truth.mean()) ** 2).sum())
    return 1.0 - float(((truth - prediction) ** 2).sum()) / total if total > 0 else np.nan


def mean_absolute_error(truth: Numbers, prediction: Numbers) -> float:
    """Return the mean absolute error, in the unit of the truth."""
    return float(np.abs(prediction - truth).mean())


def root_mean_squared_error(truth: Numbers, prediction: Numbers) -> float:
    """Return the root of the mean squared error, in the unit of the truth."""
    return float(np.sqrt(((prediction - truth) ** 2).mean()))


def bias(truth: Numbers, prediction: Numbers) -> float:
    """Return the mean of prediction minus truth, in the unit of the truth."""
    return float((prediction - truth).mean())


def pearson(truth: Numbers, prediction: Numbers) -> float:
    """Return Pearson's correlation; not a number where either side is constant."""
    x, y = truth - truth.mean(), prediction - prediction.mean()
    norm = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / norm if norm > 0 else np.nan


def spearman(truth: Numbers, prediction: Numbers) -> float:
    """Return Spearman's rank correlation.

    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0])), 9)
    1.0
    """
    return pearson(rankdata(truth), rankdata(prediction))


def accuracy(truth: Numbers, prediction: Numbers) -> float:
    """Return the share of examples whose most probable class is the true one."""
    return float((prediction.argmax(axis=1) == truth).mean())


def log_loss(truth: Numbers, prediction: Numbers) -> float:
    """Return the mean negative log probability of the true class (natural logarithm)."""
    chosen = prediction[np.arange(len(truth)), truth.astype(np.intp)]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def brier(truth: Numbers, prediction: Numbers) -> float:
    """Return the Brier score: squared error summed over classes, halved for two classes (Brier 1950)."""
    classes = prediction.shape[1]
    errors = ((prediction - (truth[:, None] == np.arange(classes))) ** 2).sum(axis=1).mean()
    return float(errors) / (2.0 if classes == 2 else 1.0)


def auroc(truth: Numbers, prediction: Numbers) -> float:
    """Return the area under the ROC curve, for several classes the mean of each against the rest.

    Not a number where a class is absent (a bootstrap sample may lack a rare class).

    >>> auroc(np.array([0.0, 0.0, 1.0]), np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]))
    1.0
    """
    classes = prediction.shape[1]
    wanted = [1] if classes == 2 else range(classes)
    return float(np.mean([_rank_auroc(truth == c, prediction[:, c]) for c in wanted]))


def _rank_auroc(positive: NDArray[np.bool_], scores: Numbers) -> float:
    """Mann-Whitney form of the area: the share of (positive, negative) pairs in the right order."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return np.nan
    rank_sum = float(rankdata(scores)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


@dataclass(frozen=True)
class Metric:
    """A metric with its name in words; `higher` says whether more is better (None: nearer to zero is better)."""

    name: str
    function: Function
    higher: bool | None


METRICS = {
    "r2": Metric("R²", r2, True),
    "mae": Metric("mean absolute error", mean_absolute_error, False),
    "rmse": Metric("root mean squared error", root_mean_squared_error, False),
    "spearman": Metric("Spearman correlation", spearman, True),
    "pearson": Metric("Pearson correlation", pearson, True),
    "bias": Metric("bias", bias, None),
    "accuracy": Metric("accuracy", accuracy, True),
    "auroc": Metric("AUROC", auroc, True),
    "log_loss": Metric("log loss", log_loss, False),
    "brier": Metric("Brier score", brier, False),
}
REGRESSION = ("r2", "mae", "rmse", "spearman", "pearson", "bias")
CLASSIFICATION = ("accuracy", "auroc", "log_loss", "brier")
