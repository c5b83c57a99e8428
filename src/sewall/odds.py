"""Log probabilities of classes from numbers: logistic regression that holds where classes are rare or apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEAK = 1e4  # inverse of the penalty: next to none, yet finite where the numbers tell all
SMOOTHED = 0.5  # of an example, added to every class, so that one that a fit has not seen is not impossible


def log_shares(labels: NDArray[np.int64], classes: int) -> Floats:
    """Return ``(classes,)`` log shares of the classes.

    >>> np.exp(log_shares(np.array([0, 0, 1]), 2)).tolist()
    [0.625, 0.375]
    """
    counts = np.bincount(labels, minlength=classes) + SMOOTHED
    return np.asarray(np.log(counts / counts.sum()))


def log_odds(values: Any, labels: NDArray[np.int64], classes: int, strength: float = WEAK) -> Floats:
    """Return ``(1 + columns, classes)`` effects on the log odds, the intercepts first; their softmax are chances.

    Args:
        values: ``(examples, columns)``, dense or sparse.
        labels: ``(examples,)`` numbers of the classes; one that is absent keeps its small share.
        classes: how many.
        strength: inverse of the penalty on squared effects.
    """
    effects = np.zeros((1 + values.shape[1], classes))
    effects[0] = log_shares(labels, classes)
    seen = np.unique(labels)
    if values.shape[1] == 0 or len(seen) < 2:
        return effects
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=strength, max_iter=1000).fit(values, labels)
    both = len(seen) == 2
    weights = np.vstack([np.zeros_like(found.coef_), found.coef_]) if both else found.coef_
    shares = effects[0].copy()
    effects[1:, seen] = weights.T
    effects[0, seen] = np.r_[0.0, found.intercept_] if both else found.intercept_
    absent = np.setdiff1d(np.arange(classes), seen)
    effects[0, absent] = effects[0, seen].mean() + shares[absent] - shares[seen].mean()
    return effects
