"""How sure an effect is that no experiment has measured: random changes, and networks trained alike, are the measure.

Two questions have answers without a measured effect. Is it larger than what random changes of the same kind do? And
would another network, trained in the same way, say the same? Neither says what the molecule does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from sewall.trust.calibrate import Floats, conformal_quantile

CLASSES = LOSS, NONE, GAIN = "loss", "none", "gain"
FEWEST_NULL = 200
FEWEST_MEMBERS = 3
_LEAST_SPREAD = 1e-12


def empirical_p(effect: Floats, null: Floats) -> Floats:
    """Return ``(effects,)`` two-sided p = (1 + b) / (1 + B), b being how many of the null's B effects are as large.

    >>> empirical_p(np.array([3.0, -0.5]), np.array([-1.0, 0.5, 2.0]))
    array([0.25, 1.  ])
    """
    size = np.sort(np.abs(null))
    as_large = len(size) - np.searchsorted(size, np.abs(effect), side="left")
    return np.asarray((1 + as_large) / (1 + len(size)))


def false_discovery(p: Floats) -> Floats:
    """Return ``(effects,)`` q values (Benjamini and Hochberg 1995, J R Stat Soc B 57:289); NaN stays NaN.

    >>> false_discovery(np.array([0.01, np.nan, 0.5]))
    array([0.02,  nan, 0.5 ])
    """
    q, known = np.full(len(p), np.nan), ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q


def bounds(null: Floats, level: float) -> tuple[float, float]:
    """Return between which effects random changes lie: at most ``(1 - level) / 2`` of further ones on either side.

    >>> bounds(np.arange(-199.0, 200.0), 0.9)
    (-180.0, 180.0)
    """
    one_sided = (1 + level) / 2
    return -conformal_quantile(-null, one_sided), conformal_quantile(null, one_sided)


@dataclass(frozen=True)
class Members:
    """What a further network would say, from how far each network of an ensemble lies from the others.

    Deviations count in units of the spread of the others, moderated by a typical spread, because that of few networks
    is small by chance. They are taken from random changes, one network held out of each in turn, and are conformal: of
    random changes, the interval holds what a network trained alike says at the level given (Lei et al. 2018, J Am Stat
    Assoc 113:1094, for normalised residuals).

    Attributes:
        floor: typical spread.
        deviations: ``(random changes,)`` of the network held out.
    """

    floor: float
    deviations: Floats

    @classmethod
    def fit(cls, null: Floats) -> Members:
        """Fit to the effects ``(random changes, networks)`` that every network gives to random changes.

        With fewer than three networks there is no spread to speak of, and all intervals are unknown.
        """
        if null.shape[1] < FEWEST_MEMBERS:
            return cls(math.nan, np.zeros(0))
        floor = float(np.sqrt(np.median(null.var(axis=1, ddof=1))))
        one, others = _one_out(null)
        return cls(floor, (one - others.mean(axis=1)) / cls(floor, np.zeros(0))._spread(others))

    def __bool__(self) -> bool:
        return len(self.deviations) > 0

    def interval(self, effects: Floats, level: float) -> tuple[Floats, Floats]:
        """Return both ends, ``(effects,)`` each, for ``(effects, networks)``; NaN where there are too few networks."""
        mean = effects.mean(axis=1)
        reach = conformal_quantile(np.abs(self.deviations), level) * self._spread(effects) if self else np.nan
        return mean - reach, mean + reach

    def classes(self, effects: Floats, lower: Floats, upper: Floats) -> Floats:
        """Return ``(effects, 3)`` the share of networks trained alike that would say loss, none and gain.

        Loss and gain are effects below *lower* and above *upper*, ``(effects,)`` each.
        """
        if not self:
            return np.full((len(effects), 3), np.nan)
        deviations, mean, spread = np.sort(self.deviations), effects.mean(axis=1), self._spread(effects)
        below = np.searchsorted(deviations, (lower - mean) / spread, side="left") / len(deviations)
        above = 1 - np.searchsorted(deviations, (upper - mean) / spread, side="right") / len(deviations)
        return np.column_stack([below, 1 - below - above, above])

    def tested(self, effects: Floats, lower: Floats, upper: Floats, level: float) -> dict[str, float]:
        """Say how well intervals and classes foretell networks that were held out, one of each effect in turn.

        Returns:
            ``n`` effects; ``covered``: share of the held-out networks inside the intervals of the others; ``said``:
            mean confidence of the others in their class; ``held``: share of the held-out networks in that class.
        """
        if not self or not len(effects):
            return {"n": 0}
        one, others = _one_out(effects)
        first, last = self.interval(others, level)
        shares = self.classes(others, lower, upper)
        own = np.where(one < lower, 0, np.where(one > upper, 2, 1))
        return {
            "n": len(effects),
            "covered": float(((first <= one) & (one <= last)).mean()),
            "said": float(shares.max(axis=1).mean()),
            "held": float((shares.argmax(axis=1) == own).mean()),
        }

    def _spread(self, effects: Floats) -> Floats:
        return np.maximum(np.sqrt(effects.var(axis=1, ddof=1) + self.floor**2), _LEAST_SPREAD)


def _one_out(effects: Floats) -> tuple[Floats, Floats]:
    """Return ``(effects,)`` what one network says of each, all of them in turn, and ``(effects, networks - 1)``."""
    rows, networks = np.arange(len(effects)), effects.shape[1]
    held = rows % networks
    return effects[rows, held], effects[rows[:, None], (held[:, None] + np.arange(1, networks)) % networks]


@dataclass(frozen=True)
class Judged:
    """Effects beside those of random changes.

    Attributes:
        table: one row per effect: ``estimate`` (mean of the networks), ``lower``, ``upper`` (what a further network
            would say), ``p``, ``q``, ``effect`` (loss, none or gain; None without a claim) and ``confidence`` (share of
            further networks that would call it so).
        kinds: by kind how many effects and random changes there are, and the bounds.
        tested: how well networks that were held out are foretold, see `Members.tested`.
    """

    table: pd.DataFrame
    kinds: list[dict[str, Any]]
    tested: dict[str, float]


def judge(
    change: Floats, kind: NDArray[Any], claimed: NDArray[np.bool_], nulls: Mapping[str, Floats], level: float
) -> Judged:
    """Set effects against those of random changes of their kind.

    Args:
        change: ``(effects, networks)`` NaN where unknown.
        kind: ``(effects,)``.
        claimed: ``(effects,)`` of which anything may be claimed; of those whose kind has fewer than 200 random changes
            nothing is.
        nulls: by kind ``(random changes, networks)``.
        level: of the intervals, and share of random changes that count as none.
    """
    enough = {name: null for name, null in nulls.items() if len(null) >= FEWEST_NULL}
    ends = {name: bounds(null.mean(axis=1), level) for name, null in enough.items()}
    rows = np.flatnonzero(claimed & np.isin(kind, list(enough)))
    mean = np.array([own.mean() for own in change])
    columns = {name: np.full(len(change), np.nan) for name in ("lower", "upper", "p", "q", "confidence")}
    effect, tested = np.full(len(change), None, object), {"n": 0.0}
    if len(rows):
        members = Members.fit(np.concatenate(list(enough.values())))
        lower, upper = np.array([ends[name] for name in kind[rows]]).T
        columns["lower"][rows], columns["upper"][rows] = members.interval(change[rows], level)
        for name, null in enough.items():
            mine = rows[kind[rows] == name]
            columns["p"][mine] = empirical_p(mean[mine], null.mean(axis=1))
        shares = members.classes(change[rows], lower, upper)
        called = shares.argmax(axis=1) if members else 1 - (mean[rows] < lower) + (mean[rows] > upper)
        effect[rows], columns["confidence"][rows] = np.array(CLASSES)[called], shares.max(axis=1)
        tested = members.tested(change[rows], lower, upper, level)
    columns["q"] = false_discovery(columns["p"])
    table = pd.DataFrame({"estimate": mean, **columns}).assign(effect=effect)
    told = [
        {"kind": name, "effects": int((kind == name).sum()), "random": len(null),
         "lower": ends[name][0] if name in ends else None, "upper": ends[name][1] if name in ends else None}
        for name, null in nulls.items()
    ]  # fmt: skip
    return Judged(table, told, tested)
