"""Kernel ridge regression: predictions by likeness to the training sequences.

The penalty is the one whose predictions of left-out sequences are best: one at a time, or, where sequences are akin,
group by group. Both are known in closed form (Craven & Wahba 1979, Numer Math 31:377; a group's errors are its weights
by the inverse of its block of the inverse), and serve as honest scores for what is built on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack, solve

from sewall.task import Rows

Floats = NDArray[np.float64]

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ENOUGH = 1_500  # sequences on which the penalty is chosen


@dataclass(frozen=True)
class KernelRidge:
    """A fit.

    Attributes:
        centre: ``(columns,)`` mean of the training values.
        weights: ``(training, columns)``.
        left_out: ``(training, columns)`` prediction of each training value by all others, or all other groups.
        penalty: that was chosen.
    """

    centre: Floats
    weights: Floats
    left_out: Floats
    penalty: float

    @classmethod
    def fit(cls, kernel: NDArray[np.float32], values: Floats, groups: NDArray[Any] | None = None) -> KernelRidge:
        """Fit to ``(training, columns)`` *values* with the ``(training, training)`` *kernel*.

        Args:
            kernel: likeness of the training sequences.
            values: to be predicted.
            groups: ``(training,)`` which sequences are left out together; by default each alone.
        """
        member = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
        few = np.random.default_rng(len(values)).permutation(len(values))[:ENOUGH]
        small, known, own = kernel[np.ix_(few, few)], values[few], member[few]
        errors = [float(((_solved(small, known, penalty, own)[1] - known) ** 2).mean()) for penalty in PENALTIES]
        penalty = PENALTIES[int(np.argmin(errors))]
        weights, left_out = _solved(kernel, values, penalty, member)
        return cls(values.mean(axis=0), weights, left_out, penalty)

    def predict(self, kernel: NDArray[np.float32]) -> Floats:
        """Return ``(rows, columns)`` predictions for the ``(rows, training)`` *kernel*."""
        return np.asarray(self.centre + kernel @ self.weights)


def _solved(kernel: NDArray[np.float32], values: Floats, penalty: float, member: Rows) -> tuple[Floats, Floats]:
    """Return the weights, and the prediction of each value by all other groups."""
    centre = values.mean(axis=0)
    matrix = kernel.astype(np.float64)
    matrix[np.diag_indices_from(matrix)] += penalty
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    weights = cho_solve(factor, values - centre, check_finite=False)
    inverse, _ = lapack.dpotri(factor[0], lower=1)
    errors = weights / np.diag(inverse)[:, None]
    order = np.argsort(member, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(member[order])) + 1):
        if len(rows) > 1:
            errors[rows] = solve(inverse[np.ix_(rows, rows)], weights[rows], lower=True, assume_a="pos")
    return weights, values - errors
