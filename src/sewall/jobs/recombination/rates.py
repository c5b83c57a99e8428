"""How the rates of a file are spread over its windows, whatever shape that has.

Genomes state a mean and a standard deviation, which leave the shape open; where windows say little, a prior with a long
tail pulls high estimates above every rate that the file has. So the spread of the true rates is taken from the spread
of rough estimates, as what these would have to be blurred from (deconvolution; Laird 1978, J Am Stat Assoc 73:805, of
empirical Bayes), and simulations draw more of the rates that the file has more of.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from sewall.simulate.synthetic import rough_estimates

BINS = 16  # of the square root of rho / theta, from 0 to the upper end
STEPS = 30  # of expectation and maximisation; fewer smooth more
PRIOR_WINDOWS, PRIOR_SHARE = 10, 0.05  # what the prior counts for beside the windows of a file, however many these are
HIGHEST_WEIGHT = 5.0
GROUPS = 20  # of simulations, by their rates

Floats = NDArray[np.float64]


def rate_weights(statistics: Floats, roots: Floats, data: Floats, drawn: Floats, top: float, seed: int) -> Floats:
    """Return how much more or less of each rate a file has than a prior.

    Args:
        statistics: ``(simulations, statistics)`` of windows.
        roots: ``(simulations,)`` square root of the rho / theta that they were simulated with.
        data: ``(windows, statistics)`` of the file.
        drawn: ``(draws,)`` square roots of rates that the prior draws.
        top: upper end of the square roots.
        seed: of the folds.

    Returns:
        ``(BINS,)`` from 0 to *top*, for `weight_at`; the largest is 1.
    """
    ours, theirs = rough_estimates(statistics, roots, data, seed)
    edges = np.linspace(0, top, BINS + 1)
    prior = np.histogram(drawn, edges)[0] / len(drawn)
    found = deconvolved(theirs, *_blur(ours, roots, _centres(top)), prior)
    weights = np.minimum(found / np.maximum(prior, 1e-4), HIGHEST_WEIGHT)
    return np.asarray(weights / weights.max())


def weight_at(root: float, weights: Floats, top: float) -> float:
    """Return the weight of a rate, given the square root of its rho / theta."""
    return float(np.interp(root, _centres(top), weights))


def deconvolved(estimates: Floats, mean: Floats, sd: Floats, prior: Floats) -> Floats:
    """Return ``(bins,)`` shares of the bins that estimates come from.

    Args:
        estimates: ``(windows,)``.
        mean, sd: ``(bins,)`` of the estimates that a true value in each bin leads to; they are taken to be normal.
        prior: ``(bins,)`` shares to begin with, which count for a few windows.
    """
    fit = np.exp(-0.5 * ((estimates[:, None] - mean) / sd) ** 2) / sd + 1e-6
    shares = prior
    for _ in range(STEPS):
        belongs = fit * shares
        belongs /= belongs.sum(axis=1, keepdims=True)
        shares = (belongs.sum(axis=0) + PRIOR_WINDOWS * prior) / (len(estimates) + PRIOR_WINDOWS)
    return np.asarray((1 - PRIOR_SHARE) * shares + PRIOR_SHARE * prior)


def _centres(top: float) -> Floats:
    return (np.arange(BINS) + 0.5) * top / BINS


def _blur(estimates: Floats, roots: Floats, centres: Floats) -> tuple[Floats, Floats]:
    """Return ``(bins,)`` mean and standard deviation of the estimates at given roots; flat beyond those simulated."""
    groups = np.array_split(np.argsort(roots, kind="stable"), GROUPS)
    at = np.array([roots[group].mean() for group in groups])
    mean = isotonic_regression(np.array([estimates[group].mean() for group in groups]))
    sd = np.array([estimates[group].std() for group in groups])
    return np.interp(centres, at, mean), np.maximum(np.interp(centres, at, sd), 1e-3)
