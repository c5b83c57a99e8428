"""How well candidates explain what all windows of a file show together: a synthetic likelihood.

One window says little of what its whole genome shares (a history, wrong calls, the level of its rates); the mean over
many says much. What the mean statistics of a file should be under any candidate is learned from simulated windows,
each of another candidate, and the mean that was observed is taken to be normal around it (Wood 2010, Nature 466:1102).
The statistics are bounded, so that a few odd windows (a sweep) do not decide; predictions of the parameters by linear
regression on them count as statistics, too (Fearnhead & Prangle 2012, J R Stat Soc B 74:419).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.covariance import LedoitWolf
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

FOLDS = 5
BOUND, FURTHEST = 1.5, 4.0  # standard deviations of the simulated windows: of a mean over windows, of one
PENALTIES, EMULATOR_PENALTIES = np.logspace(-1, 5, 13), np.logspace(-2, 3, 11)
NODES, SHARES = np.polynomial.hermite_e.hermegauss(3)
WORTH = 10  # windows of a file that the scatter of those simulated counts for
WAVES, HEIGHT = 300, 3.0  # number, and amplitude relative to a parameter
REACH = 0.87  # of the kernel, in standard deviations of a parameter, times the square root of their number

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Terms:
    """What the emulator is linear in: powers and products of parameters, and waves along random directions.

    The powers carry it over where few windows were simulated. The waves bend it where many were: together they are a
    Gaussian kernel, about (Rahimi & Recht 2007, NeurIPS 20).

    Attributes:
        waves: random directions.
    """

    waves: RBFSampler

    @classmethod
    def of(cls, parameters: Floats, seed: int) -> _Terms:
        """Return terms of ``(simulations, parameters)`` of mean 0 and variance 1."""
        gamma = 1 / (2 * REACH**2 * parameters.shape[1])
        return cls(RBFSampler(gamma=gamma, n_components=WAVES, random_state=seed % 2**32).fit(parameters))

    def __call__(self, parameters: Floats) -> Floats:
        first, others = parameters[:, :1], parameters[:, 1:]
        return np.hstack([
            np.ones_like(first), parameters, first**2, first**3, first * others, first**2 * others, others**2,
            HEIGHT * self.waves.transform(parameters),
        ])  # fmt: skip


@dataclass(frozen=True)
class SyntheticLikelihood:
    """See the module.

    Attributes:
        centre, scale: ``(parameters,)`` of the simulated windows.
        varies: ``(parameters,)`` whether a parameter differed between them.
        terms: of those that vary.
        intercept, slopes: of the emulator, ``(summaries,)`` and ``(terms, summaries)``.
        known: ``(terms, terms)`` inverse information of the emulator.
        extra, directions: in these directions the errors of the mean over the windows have variance 1, and those of the
            emulator *extra* times the leverage of a candidate.
        seen: ``(summaries,)`` mean over the windows of the file.
    """

    centre: Floats
    scale: Floats
    varies: NDArray[np.bool_]
    terms: _Terms
    intercept: Floats
    slopes: Floats
    known: Floats
    extra: Floats
    directions: Floats
    seen: Floats

    @classmethod
    def fit(cls, statistics: Floats, parameters: Floats, data: Floats, seed: int) -> SyntheticLikelihood:
        """Learn what to expect of a file.

        Args:
            statistics: ``(simulations, statistics)`` of windows.
            parameters: ``(simulations, parameters)`` that they were simulated with; the first is that which differs
                between the windows of a file, and is not negative.
            data: ``(windows, statistics)`` of the file.
            seed: of the folds.
        """
        varies = parameters.std(axis=0) > 1e-9
        varies[0] = True
        centre, scale = parameters[:, varies].mean(axis=0), np.maximum(parameters[:, varies].std(axis=0), 1e-9)
        wanted = (parameters[:, varies] - centre) / scale
        ours, theirs = _bounded(statistics, data, BOUND)
        predicted, found = _regressed(ours, wanted, theirs, seed)
        # The square of the first tells how widely it is spread over the windows.
        summaries = np.column_stack([ours, predicted, predicted[:, 0] ** 2])
        seen = np.column_stack([theirs, found, found[:, 0] ** 2])
        terms = _Terms.of(wanted, seed)
        x = terms(wanted)
        emulator = RidgeCV(EMULATOR_PENALTIES).fit(x, summaries)
        left = LedoitWolf().fit(summaries - emulator.predict(x)).covariance_
        information = x.T @ x + emulator.alpha_ * np.eye(x.shape[1])
        # A few windows of a file say little of how much they scatter: less than those that were simulated.
        scatter = len(seen) * LedoitWolf().fit(seen).covariance_ if len(seen) > 1 else np.zeros_like(left)
        extra, directions = eigh(left, (scatter + WORTH * left) / (len(seen) + WORTH) / len(seen))
        return cls(
            centre, scale, varies, terms, emulator.intercept_, emulator.coef_.T, np.linalg.inv(information), extra,
            directions, seen.mean(axis=0),
        )  # fmt: skip

    def log(self, parameters: Floats, spread: Floats) -> Floats:
        """Return ``(candidates,)`` log likelihoods, up to a constant.

        Args:
            parameters: ``(candidates, parameters)``; of the first the mean over the windows.
            spread: ``(candidates,)`` standard deviation of the first over the windows, about normal but above 0.
        """
        terms: Floats = np.zeros((len(parameters), len(self.slopes)))
        for node, share in zip(NODES, SHARES / SHARES.sum(), strict=True):
            at = parameters[:, self.varies].copy()
            at[:, 0] = np.abs(at[:, 0] + node * spread)
            terms += share * self.terms((at - self.centre) / self.scale)
        off = (terms @ self.slopes + self.intercept - self.seen) @ self.directions
        leverage = ((terms @ self.known) * terms).sum(axis=1)
        variance = 1 + leverage[:, None] * self.extra
        return np.asarray(-0.5 * (off**2 / variance + np.log(variance)).sum(axis=1))


def rough_estimates(statistics: Floats, wanted: Floats, data: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return what statistics say of a parameter, by regression on them and their squares.

    Args:
        statistics: ``(simulations, statistics)`` of windows.
        wanted: ``(simulations,)`` or ``(simulations, parameters)`` that they were simulated with.
        data: ``(windows, statistics)`` of a file.
        seed: of the folds.

    Returns:
        Of the simulations, each learned from others, and of the data.
    """
    ours, theirs = _bounded(statistics, data, FURTHEST)
    return _regressed(ours, wanted, theirs, seed)


def _regressed(ours: Floats, wanted: Floats, theirs: Floats, seed: int) -> tuple[Floats, Floats]:
    x, at = np.hstack([ours, ours**2]), np.hstack([theirs, theirs**2])
    folds = KFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    found = RidgeCV(PENALTIES).fit(x, wanted).predict(at)
    return np.asarray(cross_val_predict(RidgeCV(PENALTIES), x, wanted, cv=folds)), np.asarray(found)


def _bounded(statistics: Floats, data: Floats, most: float) -> tuple[Floats, Floats]:
    varies = statistics.std(axis=0) > 1e-6
    centre, scale = statistics[:, varies].mean(axis=0), statistics[:, varies].std(axis=0)
    ours, theirs = (np.clip((values[:, varies] - centre) / scale, -most, most) for values in (statistics, data))
    return ours, theirs
