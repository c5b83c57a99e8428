"""Histories of population size, and what they lead one to expect of a sample.

Only the shape of a history can be seen without a clock: multiplying all sizes and all times by one number and dividing
the mutation and recombination rates by it changes nothing in the data. Histories are therefore made comparable by
matching the number of variants that they lead one to expect (`theta_matched`); otherwise the number of variants alone
would tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sewall.errors import SewallError

if TYPE_CHECKING:
    import msprime

REFERENCE_SIZE = 1e4
LOG_SIZES, LOG_TIMES = (2.7, 5.3), (2.0, 4.3)  # log10 of the sizes of random histories, and of when they change
Floats = NDArray[np.float64]


class PopulationHistory(Protocol):
    """What the coalescent needs to know of a history: one population, or the sampled one of several."""

    @property
    def population(self) -> str | None:
        """Name of the sampled population; None where there is only one."""
        ...

    def demography(self) -> msprime.Demography:
        """Return the history for msprime, in generations."""
        ...

    def effective_size(self, n: int, min_count: int = 1) -> float:
        """Return the constant size that leads one to expect as many visible variants in *n* chromosomes."""
        ...


class HistorySource(Protocol):
    """Where simulations take their histories from: one given history, or many."""

    @property
    def description(self) -> str:
        """What the histories are, in words for a report."""
        ...

    def draw(self, rng: np.random.Generator) -> PopulationHistory:
        """Draw the history of one simulation."""
        ...

    def state(self) -> dict[str, Any]:
        """Return all that the draws depend on, as plain numbers and text for JSON."""
        ...


@dataclass(frozen=True)
class History:
    """Piecewise-constant size of one random-mating population, backwards in time.

    Attributes:
        sizes: ``(epochs,)`` numbers of diploid individuals, the most recent first.
        times: ``(epochs - 1,)`` generations ago at which the size becomes the next one, increasing.

    Raises:
        SewallError: for a size or time that is not a positive number, or times that do not increase.

    >>> History((1e4, 500.0), (1000.0,)).scaled(2)
    History(sizes=(20000.0, 1000.0), times=(2000.0,))
    """

    sizes: tuple[float, ...]
    times: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(float(x) for x in self.sizes))
        object.__setattr__(self, "times", tuple(float(x) for x in self.times))
        if len(self.sizes) != len(self.times) + 1:
            raise SewallError(
                f"history: {len(self.sizes)} sizes need {len(self.sizes) - 1} times, not {len(self.times)}"
            )
        for size in self.sizes:
            if not (size > 0 and np.isfinite(size)):
                raise SewallError(
                    f"history: population size {size:g} is not a positive number; give diploid individuals"
                )
        if not (np.all(np.diff((0.0, *self.times)) > 0) and np.isfinite(self.times).all()):
            raise SewallError(f"history: times {self.times} must be positive and increasing, in generations ago")

    @property
    def population(self) -> str | None:
        """None: there is only one population."""
        return None

    def scaled(self, factor: float) -> History:
        """Return the history with all sizes and times multiplied by *factor*: the same shape at another scale."""
        return History(tuple(x * factor for x in self.sizes), tuple(x * factor for x in self.times))

    def demography(self) -> msprime.Demography:
        """Return the history for msprime; the same object every time, so copy it before changing it."""
        return _msprime_demography(self)

    def effective_size(self, n: int, min_count: int = 1) -> float:
        """Return the constant size that leads one to expect as many variants.

        Args:
            n: chromosomes in the sample.
            min_count: smallest count of the rarer allele that the data can show (2 where singletons are missing).

        >>> round(History((5000.0,)).effective_size(20))
        5000
        """
        return equivalent_size(branch_lengths(self, n), min_count)


_UNIT = History((1.0,))


@lru_cache(maxsize=4)
def _msprime_demography(history: History) -> msprime.Demography:
    """Kept for given histories: a hundred epochs take longer to set up than a window to simulate."""
    import msprime

    demography = msprime.Demography.isolated_model([history.sizes[0]])
    for time, size in zip(history.times, history.sizes[1:], strict=True):
        demography.add_population_parameters_change(time=time, initial_size=size)
    return demography


@lru_cache(maxsize=64)
def _spectrum_weights(n: int) -> Floats:
    """Return the weights W of Polanski & Kimmel (2003, eq. 13-15), ``(n - 1 counts, n - 1 subsample sizes)``."""
    count = np.arange(1, n)
    weights = np.empty((n - 1, n - 1))
    weights[:, 0] = 6 / (n + 1)
    if n > 2:
        weights[:, 1] = 30 * (n - 2 * count) / ((n + 1) * (n + 2))
    for j in range(2, n - 1):
        older = (1 + j) * (3 + 2 * j) * (n - j) / (j * (2 * j - 1) * (n + j + 1))
        newer = (3 + 2 * j) * (n - 2 * count) / (j * (n + j + 1))
        weights[:, j] = newer * weights[:, j - 1] - older * weights[:, j - 2]
    weights.flags.writeable = False
    return weights


def first_coalescence_times(history: History, n: int) -> Floats:
    """Return the expected time to the first coalescence among 2, 3 … n chromosomes.

    The waiting time among j chromosomes has rate j(j-1)/2 in coalescent units, which tick at 1 / 2N per generation.

    Returns:
        ``(n - 1,)`` generations.

    >>> first_coalescence_times(History((100.0,)), 3)
    array([200.        ,  66.66666667])
    """
    return waiting_times(np.array([history.sizes]), np.array([history.times]), n)[0]


def waiting_times(sizes: Floats, times: Floats, n: int) -> Floats:
    """Return ``(histories, n - 1)`` what `first_coalescence_times` does, of many at once.

    Args:
        sizes: ``(histories, epochs)``.
        times: ``(histories, epochs - 1)``.
        n: chromosomes.
    """
    pairs = (np.arange(2, n + 1) * np.arange(1, n) / 2)[:, None]
    ends = np.pad(times, ((0, 0), (1, 1)), constant_values=((0, 0), (0, np.inf)))
    duration = (np.diff(ends, axis=1) / (2 * sizes))[:, None]
    begin = np.concatenate((np.zeros_like(duration[..., :1]), np.cumsum(duration[..., :-1], axis=2)), axis=2)
    within = -np.expm1(-pairs * duration) * 2 * sizes[:, None] / pairs
    return np.asarray((np.exp(-pairs * begin) * within).sum(axis=2))


def branch_lengths(history: History, n: int) -> Floats:
    """Return the expected length of the branches that lead to 1, 2 … n - 1 of *n* chromosomes.

    Exact (Polanski & Kimmel 2003, Genetics 165:427); the recursion loses no digits up to n = 200 at least. A variant
    carried by k chromosomes is a mutation on a branch that leads to k, hence the expected site-frequency spectrum per
    bp is the mutation rate times this.

    Returns:
        ``(n - 1,)`` generations.

    Raises:
        SewallError: for fewer than two chromosomes.

    >>> branch_lengths(History((1.0,)), 5)  # 4 N / k
    array([4.        , 2.        , 1.33333333, 1.        ])
    """
    if n < 2:
        raise SewallError(f"{n} chromosomes have no genealogy; give at least 2")
    return branch_lengths_of(first_coalescence_times(history, n))


def simulated_branch_lengths(history: PopulationHistory, n: int, trees: int, seed: int = 1) -> Floats:
    """Return about what `branch_lengths` does, for any history: the mean of simulated trees, always the same ones.

    Args:
        history: any.
        n: chromosomes.
        trees: number.
        seed: of the trees, positive and below 2^32.

    Returns:
        ``(n - 1,)`` generations.
    """
    import msprime

    simulated = msprime.sim_ancestry(
        samples=[msprime.SampleSet(n, population=history.population, ploidy=1)], ploidy=2,
        demography=history.demography(), num_replicates=trees, random_seed=seed, record_provenance=False,
    )  # fmt: skip
    total = sum(ts.allele_frequency_spectrum(mode="branch", polarised=True, span_normalise=True) for ts in simulated)
    return np.asarray(total[1:n]) / trees


def equivalent_size(lengths: Floats, min_count: int = 1) -> float:
    """Return the constant size that leads one to expect as many visible variants as ``(n - 1,)`` branch lengths do."""
    n = len(lengths) + 1
    seen = visible(n, min_count)
    return float(lengths[seen].sum() / branch_lengths(_UNIT, n)[seen].sum())


def branch_lengths_of(waiting: Floats) -> Floats:
    """Return ``(..., n - 1)`` branch lengths from ``(..., n - 1)`` times to the first coalescence; see both."""
    return np.asarray(waiting @ _spectrum_weights(waiting.shape[-1] + 1).T)


def total_branch_length(history: History, n: int) -> float:
    """Return the expected total length of the genealogy of *n* chromosomes, in generations."""
    return float(branch_lengths(history, n).sum())


def expected_sfs(history: History, n: int) -> Floats:
    """Return the expected shares of variants whose derived allele is carried by 1 … n - 1 chromosomes.

    Returns:
        ``(n - 1,)``, sums to 1.
    """
    lengths = branch_lengths(history, n)
    return lengths / lengths.sum()


def fold(spectrum: Floats) -> Floats:
    """Return a spectrum by the count of the rarer allele, 1 … n // 2, from one by the count of the derived allele.

    Args:
        spectrum: ``(..., n - 1)``.

    >>> fold(np.array([4.0, 2.0, 1.0]))
    array([5., 2.])
    """
    n = spectrum.shape[-1] + 1
    folded = spectrum[..., : n // 2].copy()
    other = spectrum[..., ::-1][..., : (n - 1) // 2]
    folded[..., : (n - 1) // 2] += other
    return folded


def theta_matched(history: History, n: int, size: float = REFERENCE_SIZE, min_count: int = 1) -> History:
    """Return the history scaled so that *n* chromosomes are expected to show as many variants as under constant size.

    Args:
        history: any shape.
        n: chromosomes in the sample.
        size: the constant size (theta per bp over four times the mutation rate).
        min_count: smallest count of the rarer allele that the data can show.

    >>> [round(size) for size in theta_matched(History((3.0,)), 20).sizes]
    [10000]
    """
    return history.scaled(size / history.effective_size(n, min_count))


def random_history(rng: np.random.Generator, epochs: tuple[int, int] = (1, 3)) -> History:
    """Draw a history; sizes and times of changes are log-uniform, see `LOG_SIZES` and `LOG_TIMES`.

    Wide enough to hold bottlenecks, expansions and declines; its scale means nothing until it is theta-matched.

    Args:
        rng: draws the history.
        epochs: fewest and most epochs, equally likely.
    """
    number = int(rng.integers(epochs[0], epochs[1] + 1))
    sizes = 10 ** rng.uniform(*LOG_SIZES, number)
    times = np.sort(10 ** rng.uniform(*LOG_TIMES, number - 1))
    return History(tuple(sizes), tuple(times))


@dataclass(frozen=True)
class OneHistory:
    """One history, for every simulation.

    Attributes:
        history: as it was given.
        description: what it is, in words for a report.
    """

    history: PopulationHistory
    description: str

    def draw(self, rng: np.random.Generator) -> PopulationHistory:
        """Return the history."""
        return self.history

    def state(self) -> dict[str, Any]:
        """Return all that the draws depend on, as plain numbers and text for JSON."""
        return {"description": self.description, "history": repr(self.history)}


@dataclass(frozen=True)
class RandomHistories:
    """The whole prior of `random_history`, theta-matched: a `HistorySource` that ignores the data.

    Attributes:
        n: chromosomes in the sample.
        min_count: smallest count of the rarer allele that the data can show.
    """

    n: int
    min_count: int = 1

    @property
    def description(self) -> str:
        """What the histories are, in words for a report."""
        return "random histories of one to three epochs, whatever the site-frequency spectrum of the data"

    def draw(self, rng: np.random.Generator) -> History:
        """Draw a history, theta-matched to `REFERENCE_SIZE`."""
        return theta_matched(random_history(rng), self.n, REFERENCE_SIZE, self.min_count)

    def state(self) -> dict[str, Any]:
        """Return all that the draws depend on, as plain numbers and text for JSON."""
        return {"description": self.description, "n": self.n, "min_count": self.min_count}


def visible(n: int, min_count: int) -> slice:
    """Return which counts 1 … n - 1 of the derived allele can be seen where the rarer allele has *min_count* at least.

    Raises:
        SewallError: a count that leaves no variant.
    """
    if not 1 <= min_count <= n // 2:
        raise SewallError(f"a minimum allele count of {min_count} leaves no variant in {n} chromosomes; lower it")
    return slice(min_count - 1, n - min_count)
