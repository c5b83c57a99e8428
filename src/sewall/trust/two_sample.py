"""Are two samples distributed alike? Kernel and classifier two-sample tests, given strata that may differ in size.

Simulations cover a range of targets that real data do not fill evenly. Compared within strata of the predicted target
the two samples may differ in how often each target occurs without that counting as a difference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
Strata = NDArray[np.int64]

PERMUTATIONS = 999
BANDWIDTHS = (0.25, 1.0, 4.0)  # times the median distance
FOLDS, CLASSES = 5, 31


def matched_weights(first: NDArray[np.bool_], strata: Strata) -> Floats:
    """Return ``(rows,)`` weights: equal in the first sample, in the second matched to it stratum by stratum.

    Each sample's weights sum to one. A stratum that only one sample fills counts in neither.

    >>> first = np.array([True, True, True, False, False, False])
    >>> matched_weights(first, np.array([0, 0, 1, 0, 1, 1])).round(3).tolist()
    [0.333, 0.333, 0.333, 0.667, 0.167, 0.167]
    """
    size = int(strata.max()) + 1
    ones, others = np.bincount(strata[first], minlength=size), np.bincount(strata[~first], minlength=size)
    filled = (ones > 0) & (others > 0)
    share = np.where(filled, ones, 0) / max(int(ones[filled].sum()), 1)
    per_row = np.where(first, (share / np.maximum(ones, 1))[strata], (share / np.maximum(others, 1))[strata])
    return np.asarray(per_row, dtype=np.float64)


def kernel(values: Floats) -> NDArray[np.float32]:
    """Return ``(rows, rows)`` mean of RBF kernels at 1/4, 1 and 4 times the median distance."""
    squared = pairwise_distances(np.asarray(values, dtype=np.float32), metric="sqeuclidean")
    median = max(float(np.median(squared)), 1e-12)
    total = np.zeros_like(squared)
    for width in BANDWIDTHS:
        total += np.exp(squared / (-2.0 * median * width**2))
    return total / len(BANDWIDTHS)


def mmd_p(similarity: NDArray[np.float32], first: NDArray[np.bool_], strata: Strata, seed: int) -> float:
    """Return the p-value of the maximum mean discrepancy under pooled permutation (Gretton et al. 2012).

    Labels are shuffled within strata, so the p-value is exact whatever the sizes of the samples; it is
    ``(1 + as far apart) / (1 + permutations)`` and never zero.

    Args:
        similarity: ``(rows, rows)`` kernel of both samples together.
        first: ``(rows,)`` whether a row belongs to the first sample.
        strata: ``(rows,)`` stratum of each row.
        seed: of the permutations.
    """
    rng = np.random.default_rng(seed)
    labels = np.repeat(first[None], 1 + PERMUTATIONS, axis=0)
    for stratum in np.unique(strata):
        columns = np.flatnonzero(strata == stratum)
        labels[1:, columns] = rng.permuted(labels[1:, columns], axis=1)
    weights = matched_weights(first, strata)
    ones = np.bincount(strata, np.where(first, weights, 0.0))[strata] / np.maximum(
        np.bincount(strata, first)[strata], 1
    )
    others = np.bincount(strata, np.where(first, 0.0, weights))[strata] / np.maximum(
        np.bincount(strata, ~first)[strata], 1
    )
    contrast = np.where(labels, ones, -others).astype(np.float32)
    distance = ((contrast @ similarity) * contrast).sum(axis=1)
    return float((1 + (distance[1:] >= distance[0] * (1 - 1e-6)).sum()) / (1 + PERMUTATIONS))


def classifier_accuracy(values: Floats, first: NDArray[np.bool_], strata: Strata, seed: int) -> float:
    """Return how often a classifier tells the samples apart, 0.5 being chance (C2ST; Lopez-Paz and Oquab 2017).

    Balanced accuracy of logistic regression and small boosting together, in five-fold cross-validation, the second
    sample weighted to the first one's strata. An effect size: its standard error is about 0.5 / sqrt(size of the
    smaller sample), and it is no test. Not a number where the smaller sample has fewer than ten rows.
    """
    weights = matched_weights(first, strata)
    if min(int(first.sum()), int((~first).sum())) < 2 * FOLDS or weights.sum() == 0:
        return float("nan")
    weights = weights * len(weights) / weights.sum()
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2000))
    boosting = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=8, max_bins=CLASSES, early_stopping=False, random_state=seed
    )
    coded = _classes(values)  # boosting would look for the same classes in every fold, and slowly where weights differ
    chance = np.zeros(len(first))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(values, first):
        linear.fit(values[train], first[train], logisticregression__sample_weight=weights[train])
        boosting.fit(coded[train], first[train], sample_weight=weights[train])
        chance[test] += (linear.predict_proba(values[test])[:, 1] + boosting.predict_proba(coded[test])[:, 1]) / 2
    right = (chance > 0.5) == first
    sides = [np.average(right[side], weights=weights[side]) for side in (first, ~first)]
    return float(np.mean(sides))


def _classes(values: Floats) -> Floats:
    """Return each column as classes of about the same number of rows."""
    levels = np.arange(1, CLASSES) / CLASSES
    edges = np.quantile(values, levels, axis=0)
    return np.stack([np.searchsorted(edges[:, k], values[:, k]) for k in range(values.shape[1])], axis=1).astype(float)
