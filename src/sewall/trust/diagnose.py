"""Diagnostics of predictive distributions: is what they say of their own error true, and is it worth saying?

No single one suffices. Coverage hardly sees a bias; the probability integral transform sees nothing wrong with a
prediction that ignores the data; the width and a reference point that depends on the data do. Ship them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, kstest

Floats = NDArray[np.float64]

FEWEST_DRAWS = 100
TARP_BAR = 1.63  # times 1 / sqrt(examples): the 99 % point of Kolmogorov's statistic


@dataclass(frozen=True)
class Share:
    """A share with its 95 % Wilson interval (Wilson 1927), of `n` examples."""

    value: float
    lower: float
    upper: float
    n: int

    def to_dict(self) -> dict[str, float]:
        """Return ``{"value", "lower", "upper"}``."""
        return {"value": self.value, "lower": self.lower, "upper": self.upper}

    def rejects(self, level: float, size: float = 0.01) -> bool:
        """Return whether an exact binomial test of the given size refuses that the true share is *level*."""
        return bool(binomtest(round(self.value * self.n), self.n, level).pvalue < size)


def share(inside: NDArray[np.bool_]) -> Share:
    """Return the share of ``(examples,)`` that is true.

    >>> round(share(np.array([True] * 9 + [False])).lower, 3)
    0.596
    """
    interval = binomtest(int(inside.sum()), len(inside)).proportion_ci(method="wilson")
    return Share(float(inside.mean()), float(interval.low), float(interval.high), len(inside))


def coverage(lower: Floats, upper: Floats, truth: Floats) -> Share:
    """Return how many of ``(examples,)`` intervals hold the truth.

    >>> coverage(np.zeros(4), np.ones(4), np.array([0.5, 0.5, 0.5, 2.0])).value
    0.75
    """
    return share((lower <= truth) & (truth <= upper))


def coverage_by_group(lower: Floats, upper: Floats, truth: Floats, groups: NDArray[Any]) -> dict[str, Share]:
    """Return the coverage within each of ``(examples,)`` observable groups.

    Groups must be made from the prediction or the data: by the true value even an exact method need not cover evenly.
    """
    found = np.unique(groups)
    return {str(g): coverage(lower[groups == g], upper[groups == g], truth[groups == g]) for g in found}


def interval_score(lower: Floats, upper: Floats, truth: Floats, level: float) -> Floats:
    """Return ``(examples,)`` interval scores, in the unit of the truth; less is better (Gneiting and Raftery 2007).

    >>> interval_score(np.array([0.0]), np.array([1.0]), np.array([1.5]), 0.9).round(6)
    array([11.])
    """
    miss = np.maximum(lower - truth, 0.0) + np.maximum(truth - upper, 0.0)
    return np.asarray(upper - lower + 2.0 / (1.0 - level) * miss)


def crps_from_quantiles(quantiles: Floats, levels: Floats, truth: Floats) -> Floats:
    """Return ``(examples,)`` continuous ranked probability scores: twice the pinball loss over levels (Gneiting 2011).

    The integral over levels is taken by the trapezium rule between the levels given and extended flat beyond them.

    Args:
        quantiles: ``(examples, levels)``.
        levels: ``(levels,)`` rising, in (0, 1).
        truth: ``(examples,)``.
    """
    error = truth[:, None] - quantiles
    pinball = np.maximum(levels * error, (levels - 1.0) * error)
    edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2.0, [1.0]])
    return np.asarray(2.0 * pinball @ np.diff(edges))


def pit_from_quantiles(quantiles: Floats, levels: Floats, truth: Floats, seed: int) -> Floats:
    """Return ``(examples,)`` probability integral transforms, uniform where the quantiles are right.

    Between levels the distribution is taken as linear; beyond the outermost, where nothing is known of its shape, the
    transform is drawn uniformly from the tail.
    """
    draws = np.random.default_rng(seed).random(len(truth))
    inner = np.array([np.interp(y, q, levels) for y, q in zip(truth, quantiles, strict=True)])
    low, high = truth < quantiles[:, 0], truth > quantiles[:, -1]
    return np.select([low, high], [draws * levels[0], 1.0 - draws * (1.0 - levels[-1])], inner)


@dataclass(frozen=True)
class Uniformity:
    """Ranks on (0, 1) that should be uniform, their Kolmogorov-Smirnov p-value, and counts in 20 equal bins."""

    ranks: Floats
    p: float
    counts: list[int]


def uniformity(ranks: Floats) -> Uniformity:
    """Test whether ``(examples,)`` *ranks* are uniform on (0, 1); a thousand examples or more."""
    counts = np.histogram(ranks, bins=20, range=(0.0, 1.0))[0]
    return Uniformity(ranks, float(kstest(ranks, "uniform").pvalue), counts.tolist())


def sbc(draws: Floats, truth: Floats, seed: int) -> Uniformity:
    """Simulation-based calibration: the rank of the truth among posterior draws (Talts et al. 2018, arXiv:1804.06788).

    Ranks are spread at random within their step, so that the test is exact. A posterior that equals the prior passes:
    read it together with the width.

    Args:
        draws: ``(examples, draws)``, 100 draws or more.
        truth: ``(examples,)``.
        seed: of the spreading.

    Raises:
        ValueError: fewer than 100 draws.
    """
    if draws.shape[1] < FEWEST_DRAWS:
        raise ValueError(f"{draws.shape[1]} draws are too few for ranks; give {FEWEST_DRAWS} or more")
    rng = np.random.default_rng(seed)
    below, equal = (draws < truth[:, None]).sum(axis=1), (draws == truth[:, None]).sum(axis=1)
    return uniformity((below + rng.random(len(truth)) * (1 + equal)) / (1 + draws.shape[1]))


@dataclass(frozen=True)
class Tarp:
    """Expected coverage of distance regions: ``coverage`` at each of ``levels``, and how far off it is at most.

    `distance` is sup |coverage - level|, to be judged by ``bar`` = 1.63 / sqrt(examples); `area` is the mean of it.
    """

    levels: Floats
    coverage: Floats
    distance: float
    area: float
    bar: float

    @property
    def passes(self) -> bool:
        """Whether the distance stays below its bar (false alarms: 1 %)."""
        return self.distance <= self.bar


def tarp(draws: Floats, truth: Floats, reference: Floats, seed: int = 0) -> Tarp:
    """Test expected coverage with one reference point per example (Lemos et al. 2023, ICML 40).

    Uniform references are nearly blind to a bias: run it with two others, a point below the prior's range and a point
    estimate made from the data, which alone exposes a posterior that ignores the data.

    Args:
        draws: ``(examples, draws)`` or ``(examples, draws, parameters)``, parameters on comparable scales.
        truth: ``(examples,)`` or ``(examples, parameters)``.
        reference: shaped as *truth*.
        seed: spreads ranks at random within their step.
    """
    shape = (len(truth), draws.shape[1], -1)
    points, centre = draws.reshape(shape), reference.reshape(len(truth), 1, -1)
    nearer = np.linalg.norm(points - centre, axis=2)
    own = np.linalg.norm(truth.reshape(len(truth), 1, -1) - centre, axis=2)
    spread = np.random.default_rng(seed).random(len(truth))
    ranks = np.sort(((nearer < own).sum(axis=1) + spread) / (1 + draws.shape[1]))
    levels = np.linspace(0.0, 1.0, 101)
    expected = np.searchsorted(ranks, levels, side="right") / len(truth)
    gap = np.abs(expected - levels)
    distance = float(kstest(ranks, "uniform").statistic)
    return Tarp(levels, expected, distance, float(gap.mean()), TARP_BAR / float(np.sqrt(len(truth))))


def ece(probabilities: Floats, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the calibration error of ``(examples,)`` *probabilities* of being right, its own noise taken off.

    Root mean square over bins of equal size of observed minus stated share, each bin's binomial variance subtracted
    (Kumar, Liang and Ma 2019, NeurIPS 32). A plain plug-in error of a perfect classifier is about three points at
    1,000 examples; this one is about zero.
    """
    order = np.argsort(probabilities, kind="stable")
    terms = []
    for rows in np.array_split(order, min(bins, len(order) // 2)):
        observed = float(correct[rows].mean())
        noise = observed * (1.0 - observed) / (len(rows) - 1)
        terms.append(len(rows) * ((observed - float(probabilities[rows].mean())) ** 2 - noise))
    return float(np.sqrt(max(sum(terms) / len(order), 0.0)))


@dataclass(frozen=True)
class RiskCoverage:
    """Mean error of the most certain examples: ``risk`` at each kept share ``coverage``, and its mean `area`.

    `ideal` is the area had examples been kept by their true error, `chance` the area without knowing anything.
    """

    coverage: Floats
    risk: Floats
    area: float
    ideal: float
    chance: float


def risk_coverage(errors: Floats, uncertainty: Floats) -> RiskCoverage:
    """Return how the mean of ``(examples,)`` *errors* falls as uncertain ones are left out (Geifman et al. 2019).

    >>> risk_coverage(np.array([3.0, 1.0, 2.0]), np.array([0.3, 0.1, 0.2])).risk
    array([1. , 1.5, 2. ])
    """
    kept = np.arange(1, len(errors) + 1)
    risk = np.cumsum(errors[np.argsort(uncertainty, kind="stable")]) / kept
    ideal = np.cumsum(np.sort(errors)) / kept
    return RiskCoverage(kept / len(errors), risk, float(risk.mean()), float(ideal.mean()), float(errors.mean()))
