"""Random histories in proportion to how well they explain the site-frequency spectrum of the data.

Where the history of a population is not known, networks are trained over many. Most random histories look nothing like
the data at hand; those that fit its spectrum are drawn more often, and a stated share still comes from the whole prior,
because one spectrum never singles out one history (Myers, Fefferman & Patterson 2008, Theor. Popul. Biol. 73:342).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax
from scipy.stats import hypergeom

from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.simulate.histories import Histories
from sewall.simulate.history import (
    REFERENCE_SIZE,
    Floats,
    History,
    fold,
    random_history,
    theta_matched,
)
from sewall.simulate.nuisances import allele_counts

EPOCHS = (2, 4)  # of the histories that are weighed


@dataclass(frozen=True)
class HistoryPool:
    """Histories to draw from, and the spectrum that they explain.

    Attributes:
        histories: drawn from the prior, theta-matched for the sample.
        weights: ``(histories,)`` probability of each, sums to 1.
        n: chromosomes in the sample.
        min_count: smallest count of the rarer allele in the data.
        prior_share: share of draws that come from the whole prior instead.
        jitter: standard deviation of log10 sizes and times around the chosen history, so that no two draws are equal.
        temperature: power (at most 1) to which the likelihood of that many unlinked sites was raised.
        sites: unlinked sites that those of the data are worth.
        observed, expected: ``(classes,)`` shares of the folded spectrum from *min_count* on, of the data and of the
            weighted histories.
    """

    histories: tuple[History, ...]
    weights: Floats
    n: int
    min_count: int
    prior_share: float
    jitter: float
    temperature: float
    sites: float
    observed: Floats
    expected: Floats

    def draw(self, rng: np.random.Generator) -> History:
        """Draw a history, theta-matched to `sewall.simulate.history.REFERENCE_SIZE`."""
        if rng.random() < self.prior_share:
            drawn = random_history(rng)
        else:
            drawn = _jittered(self.histories[rng.choice(len(self.weights), p=self.weights)], self.jitter, rng)
        return theta_matched(drawn, self.n, REFERENCE_SIZE, self.min_count)

    def log_likelihood(self, histories: Histories) -> Floats:
        """Return ``(histories,)`` how well others explain the spectrum: log likelihoods, up to a constant."""
        shares = histories.spectra(self.n, self.min_count)
        return np.asarray(self.sites * (np.log(np.maximum(shares, 1e-12)) @ self.observed))

    @property
    def effective_draws(self) -> float:
        """Effective number of histories, (sum w)² / sum w²."""
        return float(1 / np.square(self.weights).sum())

    @property
    def description(self) -> str:
        """What the pool is, in words for a report."""
        return (
            f"random histories of two to four epochs, weighted by the site-frequency spectrum of the data (minor "
            f"allele counts from {self.min_count}; an effective {self.effective_draws:.0f} of {len(self.histories)} "
            f"histories); {self.prior_share:.0%} of the windows from unweighted histories of one to three epochs"
        )

    def state(self) -> dict[str, Any]:
        """Return the pool as plain numbers and lists, for JSON."""
        plain = {
            name: getattr(self, name) for name in ("n", "min_count", "prior_share", "jitter", "temperature", "sites")
        }
        arrays = {name: getattr(self, name).tolist() for name in ("weights", "observed", "expected")}
        return plain | arrays | {"histories": [[list(h.sizes), list(h.times)] for h in self.histories]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> HistoryPool:
        """Return the pool that `state` described."""
        arrays = {name: np.asarray(state[name], float) for name in ("weights", "observed", "expected")}
        histories = tuple(History(tuple(sizes), tuple(times)) for sizes, times in state["histories"])
        return cls(**{**state, **arrays, "histories": histories})


def fit_histories(
    observed: NDArray[Any],
    n: int,
    min_count: int,
    rng: np.random.Generator,
    *,
    linkage: float = 1.0,
    draws: int = 5000,
    effective: float = 200.0,
    prior_share: float = 0.2,
    jitter: float = 0.05,
) -> HistoryPool:
    """Weigh random histories by the spectrum of the data.

    The likelihood is multinomial over the visible classes. Linked sites are worth fewer unlinked ones, and a few epochs
    cannot be the whole truth, so it is tempered: raised to the largest power up to 1 / *linkage* that leaves the
    effective number of histories at *effective* or more.

    Args:
        observed: ``(n // 2,)`` folded spectrum: sites by the count of the rarer allele, from 1.
        n: chromosomes in the sample.
        min_count: smallest count that the data can show; lower classes are not looked at.
        rng: draws the histories.
        linkage: how many times as much the spectrum varies as one of unlinked sites, see `design_effect`.
        draws: histories drawn from the prior.
        effective: effective number of histories to keep, below *draws*.
        prior_share: share of later draws that ignore the data.
        jitter: spread of later draws around the chosen history, standard deviation of log10.

    Raises:
        SewallError: for a spectrum of another sample size, or one without variants.
    """
    visible = _visible_counts(observed, n, min_count)
    # Two epochs at least: all constant histories are one once matched, and would count as many.
    drawn = [random_history(rng, EPOCHS) for _ in range(draws)]
    shares = Histories.of(drawn).spectra(n, min_count)
    fit = np.log(np.maximum(shares, 1e-12)) @ visible / linkage
    temperature = _temperature(fit - fit.max(), effective)
    weights = softmax(temperature * fit)
    kept = _heaviest(weights, 0.99)
    weights = weights[kept] / weights[kept].sum()
    return HistoryPool(
        tuple(theta_matched(drawn[i], n, REFERENCE_SIZE, min_count) for i in kept),
        weights,
        n,
        min_count,
        prior_share,
        jitter,
        temperature,
        float(visible.sum() / linkage),
        visible / visible.sum(),
        weights @ shares[kept],
    )


def observed_spectrum(alignments: Iterable[Alignment], n: int) -> Floats:
    """Return the folded spectrum of the data in samples of *n* chromosomes.

    Sites with more called chromosomes are projected: the expected counts in random subsamples without replacement
    (Marth et al. 2004). Sites with fewer are left out.

    Returns:
        ``(n // 2,)`` sites by the count of the rarer allele, from 1; not whole numbers where sites are projected.
    """
    spectrum = np.zeros(n + 1)
    for alternate, called in map(allele_counts, alignments):
        for total in np.unique(called[called >= n]):
            carriers = np.bincount(alternate[called == total], minlength=total + 1)
            seen = np.flatnonzero(carriers)
            spectrum += carriers[seen] @ hypergeom.pmf(np.arange(n + 1), total, seen[:, None], n)
    return fold(spectrum[1:n])


def design_effect(spectra: NDArray[Any]) -> float:
    """Return how many times as much a spectrum varies as one of unlinked sites.

    Pearson's statistic of stretches of the genome against classes, per degree of freedom: the mean of the design
    effects of Rao & Scott (1981, J Am Stat Assoc 76:221), by which counts from clusters are divided. At least 1; 1 for
    fewer than two stretches or classes, which say nothing of it.

    Args:
        spectra: ``(stretches, classes)`` sites of distant stretches, by the count of the rarer allele.

    >>> design_effect(np.array([[30, 10], [10, 30]]))  # as if 20 sites always went together
    20.0
    """
    known = np.asarray(spectra, float)
    known = known[known.sum(axis=1) > 0][:, np.asarray(spectra).sum(axis=0) > 0]
    free = (known.shape[0] - 1) * (known.shape[1] - 1)
    if free < 1:
        return 1.0
    expected = np.outer(known.sum(axis=1), known.sum(axis=0)) / known.sum()
    return max(1.0, float(((known - expected) ** 2 / expected).sum() / free))


def smallest_visible_count(observed: NDArray[Any]) -> int:
    """Return the smallest count of the rarer allele that the data seem to show in full.

    In any random-mating population, whatever its history, rarer variants are expected to be the more frequent
    (Sargsyan & Wakeley 2008, Theor. Popul. Biol. 74:104). A class with less than half the sites of the next is
    therefore one that was filtered; nothing is said of a class that was thinned less than that.

    >>> smallest_visible_count(np.array([0, 30, 20, 15, 12]))
    2
    """
    for count in range(1, len(observed)):
        if observed[count - 1] >= observed[count] / 2 and observed[count - 1] > 0:
            return count
    return 1


def _heaviest(weights: Floats, share: float) -> NDArray[np.intp]:
    """Return the fewest histories that hold *share* of the weight."""
    order = np.argsort(-weights, kind="stable")
    return order[: int(np.searchsorted(np.cumsum(weights[order]), share)) + 1]


def _jittered(history: History, spread: float, rng: np.random.Generator) -> History:
    sizes = np.asarray(history.sizes) * 10 ** rng.normal(0, spread, len(history.sizes))
    times = np.sort(np.asarray(history.times) * 10 ** rng.normal(0, spread, len(history.times)))
    return History(tuple(sizes), tuple(times))


def _visible_counts(observed: NDArray[Any], n: int, min_count: int) -> Floats:
    observed = np.asarray(observed, float)
    if len(observed) != n // 2:
        raise SewallError(f"{n} chromosomes have a folded spectrum of {n // 2} classes, not {len(observed)}")
    visible = observed[min_count - 1 :]
    if visible.sum() <= 0:
        raise SewallError(f"no variant with a minor allele count of {min_count} or more; lower the minimum count")
    return visible


def _temperature(fit: Floats, effective: float) -> float:
    """Return the largest power up to 1 at which the weights exp(power x fit) are worth *effective* histories."""

    def excess(power: float) -> float:
        weights = softmax(power * fit)
        return float(1 / np.square(weights).sum() - effective)

    if effective >= len(fit):
        raise SewallError(f"{len(fit)} histories cannot be worth {effective:g}; draw more")
    # The effective number falls as the power grows; halve until it suffices, then find the crossing.
    upper = 1.0
    if excess(upper) >= 0:
        return 1.0
    lower = upper / 2
    while excess(lower) < 0:
        lower, upper = lower / 2, lower
    return float(brentq(excess, lower, upper, xtol=lower * 1e-6))
