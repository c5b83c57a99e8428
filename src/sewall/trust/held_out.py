"""Intervals and sets from what cross-fitted models answered to people that they did not know.

The arrays of such answers are one dictionary, as a bundle keeps it: ``answer`` and ``truth`` on the learning scale,
``spread`` (predicted standard deviation), ``stratum`` (sex) and ``fold``, one row for each of the people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sewall.trust.calibrate import ConformalIntervals
from sewall.trust.classes import ConformalSets, LeastAmbiguousSets

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Known = Mapping[str, NDArray[Any]]

EMPTY = "{}"  # a set without any class, in tables


@dataclass(frozen=True)
class Intervals:
    """Intervals around answers: conformal, in units of the predicted spread, by stratum where that has people enough.

    Residuals come from people that the models did not know; so the interval of somebody new is, if anything, a little
    wide, since the shipped models know everybody (the jackknife+ and CV+ of Barber et al. 2021, Ann Stat 49:486).
    """

    conformal: ConformalIntervals

    @classmethod
    def fit(cls, known: Known, level: float) -> Intervals:
        """Fit to held-out answers."""
        answer = known["answer"]
        return cls(ConformalIntervals.fit(answer, answer, known["truth"], level, known["stratum"], known["spread"]))

    def around(self, answer: Floats, spread: Floats, stratum: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return both ends, ``(people,)`` each."""
        return self.conformal.apply(answer, answer, stratum, spread)


@dataclass(frozen=True)
class Sets:
    """Sets of classes that hold the true one as often as the level says, in every class that has people enough."""

    conformal: ConformalSets | LeastAmbiguousSets
    seed: int

    @classmethod
    def fit(cls, known: Known, level: float, seed: int, abstains: bool = False) -> Sets:
        """Fit to held-out answers, ``(people, classes)`` log probabilities.

        With *abstains*, sets may be empty; else the called class is always in its set.
        """
        labels, chances = known["truth"].astype(np.int64), softmax(known["answer"], axis=1)
        if abstains:
            return cls(LeastAmbiguousSets.fit(chances, labels, level), seed)
        return cls(ConformalSets.fit_by_class(chances, labels, level, seed), seed)

    def around(self, answer: Floats, names: Sequence[str]) -> Flags:
        """Return ``(people, classes)`` which classes each person's set holds."""
        chances = softmax(answer, axis=1)
        if isinstance(self.conformal, LeastAmbiguousSets):
            return self.conformal.apply(chances)
        return self.conformal.apply(chances, self.seed, names)


def held_out_intervals(known: Known, level: float) -> tuple[Floats, Floats]:
    """Return the interval of everybody, each from the residuals of the folds that they are not in."""
    lower, upper = np.empty(len(known["truth"])), np.empty(len(known["truth"]))
    for mine, others in _by_fold(known):
        own = (known[name][mine] for name in ("answer", "spread", "stratum"))
        lower[mine], upper[mine] = Intervals.fit(others, level).around(*own)
    return lower, upper


def held_out_sets(known: Known, level: float, seed: int, abstains: bool = False) -> Flags:
    """Return ``(people, classes)`` the set of everybody, each from the folds that they are not in."""
    found = np.zeros(known["answer"].shape, bool)
    for mine, others in _by_fold(known):
        names = [str(row) for row in np.flatnonzero(mine)]
        found[mine] = Sets.fit(others, level, seed, abstains).around(known["answer"][mine], names)
    return found


def _by_fold(known: Known) -> list[tuple[Flags, Known]]:
    """Return, by fold, whose it is, and the answers to all others."""
    folds = [known["fold"] == fold for fold in np.unique(known["fold"])]
    return [(mine, {name: values[~mine] for name, values in known.items()}) for mine in folds]
