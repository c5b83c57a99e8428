"""Conformal intervals under covariate shift: calibration examples weighted to look like the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sewall.errors import SewallError
from sewall.trust.calibrate import Floats, conformal_quantile, interval_scores, widened

FEWEST_EFFECTIVE = 100


@dataclass(frozen=True)
class WeightedIntervals:
    """Weighted conformal intervals (Tibshirani, Foygel Barber, Candès and Ramdas 2019, NeurIPS 32).

    They hold where data and calibration examples differ in what they look like, not in what the target is given what
    they look like, and as far as the weights are the true density ratio.

    Attributes:
        level: share of the truths that the intervals shall cover.
        scores: ``(examples,)`` calibration scores, rising.
        weights: ``(examples,)`` of the same examples.
    """

    level: float
    scores: Floats
    weights: Floats

    @classmethod
    def fit(cls, lower: Floats, upper: Floats, truth: Floats, level: float, weights: Floats) -> WeightedIntervals:
        """Fit to raw ends and truths, all ``(examples,)`` on one scale.

        Args:
            lower, upper: raw ends.
            truth: true values.
            level: share to cover, in (0, 1).
            weights: density of the data over density of the calibration examples, up to a factor.

        Raises:
            SewallError: the weights amount to fewer than 100 examples, or there are too few for the level.
        """
        effective = effective_examples(weights)
        if effective < FEWEST_EFFECTIVE:
            raise SewallError(
                f"weighted to the data, the {len(weights)} calibration examples are worth {effective:.0f}, fewer than "
                f"{FEWEST_EFFECTIVE}: simulations and data overlap too little; widen the simulations instead"
            )
        scores = interval_scores(lower, upper, truth)
        conformal_quantile(scores, level)
        order = np.argsort(scores, kind="stable")
        return cls(level, scores[order], np.asarray(weights, np.float64)[order])

    def apply(self, lower: Floats, upper: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Return calibrated ends of data with ``(examples,)`` *weights*; infinite where no finite end would hold."""
        mass = np.cumsum(self.weights)
        wanted = self.level * (mass[-1] + np.asarray(weights, np.float64))
        rank = np.searchsorted(mass, wanted * (1 - 1e-12))
        return widened(lower, upper, np.append(self.scores, np.inf)[rank])

    def state(self) -> dict[str, Any]:
        """Return plain numbers and arrays from which `from_state` makes the same intervals."""
        return {"level": self.level, "scores": self.scores, "weights": self.weights}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> WeightedIntervals:
        """Return the intervals whose `state` was *state*."""
        return cls(float(state["level"]), np.asarray(state["scores"]), np.asarray(state["weights"]))


def effective_examples(weights: Floats) -> float:
    """Return how many examples of equal weight are worth as much: (sum w)² / sum w² (Kish 1965).

    >>> effective_examples(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    w = np.asarray(weights, np.float64)
    if not len(w) or not np.isfinite(w).all() or w.min() < 0 or w.sum() == 0:
        raise SewallError("weights must be finite, none negative and not all zero")
    return float(w.sum() ** 2 / (w**2).sum())
