"""Intervals that cover as often as they say, whatever the network: conformal prediction.

Scores come from examples that decided nothing else. Coverage is then guaranteed on average over examples like them
(Vovk et al. 2005; Romano et al. 2019, NeurIPS 32), and holds within each group that has calibration examples enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.errors import SewallError

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]

FEWEST_IN_GROUP = 200


def conformal_quantile(scores: Floats, level: float) -> float:
    """Return the k-th smallest score, k = ceil((n + 1) level).

    Raises:
        SewallError: too few scores for the level (9 for 90 %, 19 for 95 %).

    >>> conformal_quantile(np.arange(1.0, 10.0), 0.9)
    9.0
    """
    rank = math.ceil((len(scores) + 1) * level - 1e-9)
    if rank > len(scores):
        needed = math.ceil(level / (1 - level) - 1e-9)
        raise SewallError(
            f"{len(scores)} calibration examples are too few for {level:.0%} intervals; {needed} are needed"
        )
    return float(np.partition(scores, rank - 1)[rank - 1])


@dataclass(frozen=True)
class ConformalIntervals:
    """Conformalised quantile regression (Romano et al. 2019), by group (Mondrian; Vovk et al. 2005).

    Attributes:
        level: share of the truths that the intervals shall cover.
        offsets: by group, what is added at both ends; negative where the raw intervals are too wide.
        overall: for groups without an offset of their own.
    """

    level: float
    offsets: dict[int, float]
    overall: float

    @classmethod
    def fit(
        cls, lower: Floats, upper: Floats, truth: Floats, level: float, groups: Groups | None = None
    ) -> ConformalIntervals:
        """Fit to raw ends and truths, all ``(examples,)`` on one scale.

        Args:
            lower, upper: raw ends.
            truth: true values.
            level: share to cover, in (0, 1).
            groups: whole numbers; a group with fewer than 200 examples is calibrated with all others together.

        Raises:
            SewallError: too few examples for the level.
        """
        scores = np.maximum(lower - truth, truth - upper)
        overall = conformal_quantile(scores, level)
        offsets = {}
        for group in np.unique(groups) if groups is not None else ():
            own = scores[groups == group]
            if len(own) >= FEWEST_IN_GROUP:
                offsets[int(group)] = conformal_quantile(own, level)
        return cls(level, offsets, overall)

    def apply(self, lower: Floats, upper: Floats, groups: Groups | None = None) -> tuple[Floats, Floats]:
        """Return calibrated ends; where they would cross, both are their middle."""
        if groups is None:
            offset = np.full(len(lower), self.overall)
        else:
            offset = np.array([self.offsets.get(int(group), self.overall) for group in groups])
        low, high = lower - offset, upper + offset
        middle = (low + high) / 2
        return np.minimum(low, middle), np.maximum(high, middle)
