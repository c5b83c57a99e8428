"""Intervals that cover as often as they say, whatever the network: conformal prediction.

Scores come from examples that decided nothing else. Coverage is then guaranteed on average over examples like them
(Vovk et al. 2005; Romano et al. 2019, NeurIPS 32), and holds within each group that has calibration examples enough.
Everything works on the scale that it is given: calibrate where the model learns and map the ends back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.errors import SewallError

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]

FEWEST_IN_GROUP = 200


def conformal_quantile(scores: Floats, level: float) -> float:
    """Return the k-th smallest score, k = ceil((n + 1) level).

    Raises:
        SewallError: too few scores for the level (9 for 90 %, 19 for 95 %), scores that are not finite, or a level
            that is not a share.

    >>> conformal_quantile(np.arange(1.0, 10.0), 0.9)
    9.0
    """
    if not 0 < level < 1:
        raise SewallError(f"a level of {level:g} is no share; give 0.9 for 90 % intervals")
    if not np.isfinite(scores).all():
        raise SewallError(f"{(~np.isfinite(scores)).sum()} of {len(scores)} calibration scores are not finite numbers")
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

    With a *scale*, what is added counts in units of it: the centre as both ends and a predicted standard deviation as
    scale give normalised residuals (Lei et al. 2018).

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
        cls,
        lower: Floats,
        upper: Floats,
        truth: Floats,
        level: float,
        groups: Groups | None = None,
        scale: Floats | None = None,
    ) -> ConformalIntervals:
        """Fit to raw ends and truths, all ``(examples,)`` on one scale.

        Args:
            lower, upper: raw ends.
            truth: true values.
            level: share to cover, in (0, 1).
            groups: whole numbers; a group with fewer than 200 examples is calibrated with all others together.
            scale: ``(examples,)`` positive spread of each example.

        Raises:
            SewallError: too few examples for the level.
        """
        scores = interval_scores(lower, upper, truth) / (1.0 if scale is None else scale)
        overall = conformal_quantile(scores, level)
        offsets = {}
        for group in np.unique(groups) if groups is not None else ():
            own = scores[groups == group]
            if len(own) >= FEWEST_IN_GROUP:
                offsets[int(group)] = conformal_quantile(own, level)
        return cls(level, offsets, overall)

    def apply(
        self, lower: Floats, upper: Floats, groups: Groups | None = None, scale: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Return calibrated ends; where they would cross, both are their middle.

        >>> truth = np.arange(-9.5, 10)
        >>> intervals = ConformalIntervals.fit(np.full(20, -1.0), np.full(20, 1.0), truth, 0.9)
        >>> intervals.apply(np.array([-1.0]), np.array([1.0]))
        (array([-9.5]), array([9.5]))
        """
        if groups is None:
            offset = np.full(len(lower), self.overall)
        else:
            offset = np.array([self.offsets.get(int(group), self.overall) for group in groups])
        return widened(lower, upper, offset * (1.0 if scale is None else scale))

    def state(self) -> dict[str, Any]:
        """Return plain numbers and arrays from which `from_state` makes the same intervals."""
        groups = np.array(list(self.offsets), dtype=np.int64)
        offsets = np.array(list(self.offsets.values()), dtype=np.float64)
        return {"level": self.level, "overall": self.overall, "groups": groups, "offsets": offsets}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ConformalIntervals:
        """Return the intervals whose `state` was *state*."""
        offsets = {int(group): float(offset) for group, offset in zip(state["groups"], state["offsets"], strict=True)}
        return cls(float(state["level"]), offsets, float(state["overall"]))


def interval_scores(lower: Floats, upper: Floats, truth: Floats) -> Floats:
    """Return how far each truth lies beyond the nearer end, negative inside, ``(examples,)``."""
    return np.asarray(np.maximum(lower - truth, truth - upper))


def widened(lower: Floats, upper: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Return the ends moved outwards by *offset*; where they would cross, both are their middle."""
    middle = (np.asarray(lower) + np.asarray(upper)) / 2
    return np.minimum(lower - offset, middle), np.maximum(upper + offset, middle)
