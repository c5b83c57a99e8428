"""Histories of a population that exchanges migrants with one that nobody sampled, a ghost.

Most populations have such neighbours (Beerli 2004, Mol Ecol 13:827; Slatkin 2005, Mol Ecol 14:67). Lineages that come
from there are old and keep long haplotypes apart, so that the frequency spectrum and linkage of a sample are those of
no single random-mating population, whatever its sizes were.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sewall.simulate.defects import presence
from sewall.simulate.history import (
    REFERENCE_SIZE,
    History,
    HistorySource,
    PopulationHistory,
    equivalent_size,
    simulated_branch_lengths,
)

if TYPE_CHECKING:
    import msprime

SHARE = 0.4  # of random histories
SIZES = (0.25, 4.0)  # of the ghost and of the common ancestors, in units of the sampled population
SPLIT = (0.25, 8.0)  # 2 N generations ago
MIGRANTS = (0.1, 10.0)  # 4 N m
ALONE = (0.0, 0.5, 0.5)  # levels of a population that exchanges no migrants, see `exchange_at`
EXCHANGE = ("migrants", "migrants_since", "migrants_from")  # names of `exchange_numbers`
TREES = 30  # whose mean length leaves an error of some 6 to 10 % of theta, as windows of one genome differ by, too


Floats = NDArray[np.float64]
ExchangeLevels = Floats | tuple[float, float, float]


@dataclass(frozen=True)
class GhostHistory:
    """A population with symmetric migration from and to a ghost of constant size, since the two split.

    Attributes:
        history: sizes of the sampled population; before the split, of the common ancestors.
        ghost: number of diploid individuals.
        split: generations ago.
        migration: share of each population that comes from the other, per generation.
    """

    history: History
    ghost: float
    split: float
    migration: float

    @property
    def population(self) -> str:
        """Name of the sampled population."""
        return "sampled"

    def demography(self) -> msprime.Demography:
        """Return the history for msprime, in generations."""
        import msprime

        sizes, times = self.history.sizes, self.history.times
        found = msprime.Demography()
        found.add_population(name="sampled", initial_size=sizes[0])
        found.add_population(name="ghost", initial_size=self.ghost)
        found.add_population(name="ancestral", initial_size=sizes[sum(time <= self.split for time in times)])
        found.set_symmetric_migration_rate(["sampled", "ghost"], self.migration)
        found.add_population_split(time=self.split, derived=["sampled", "ghost"], ancestral="ancestral")
        for time, size in zip(times, sizes[1:], strict=True):
            if time != self.split:
                name = "sampled" if time < self.split else "ancestral"
                found.add_population_parameters_change(time=time, initial_size=size, population=name)
        found.sort_events()
        return found

    def effective_size(self, n: int, min_count: int = 1) -> float:
        """Return the constant size that leads one to expect about as many visible variants in *n* chromosomes.

        From a few simulated trees: the same for equal histories, and others for others, so that errors average out.
        """
        seed = zlib.crc32(repr(self).encode()) % (2**32 - 1) + 1
        return equivalent_size(simulated_branch_lengths(self, n, TREES, seed), min_count)


@dataclass(frozen=True)
class Exchange:
    """What a population had to do with a ghost, relative to its own size N.

    Attributes:
        migrants: 4 N m; there is no ghost where it is 0.
        split: 2 N generations ago.
        ghost: its size over N.
    """

    migrants: float
    split: float
    ghost: float

    def added(self, history: History, size: float) -> PopulationHistory:
        """Return a history with the ghost, N being *size*."""
        if self.migrants == 0:
            return history
        return GhostHistory(history, self.ghost * size, 2 * size * self.split, self.migrants / (4 * size))


def exchange_at(levels: ExchangeLevels) -> Exchange:
    """Return the exchange at three levels in 0 to 1: of migrants, of the time since the split, and of the ghost's size.

    There is none up to `sewall.simulate.defects.ABSENT`. Migrants grow with the square from there: where the data do
    not tell, few are likelier than many.
    """
    migrants, split, ghost = levels
    between = [float(np.exp(np.interp(x, (0, 1), np.log(ends)))) for x, ends in ((split, SPLIT), (ghost, SIZES))]
    return Exchange(float(MIGRANTS[1] * presence(np.asarray(migrants)) ** 2), *between)


def exchange_numbers(levels: Floats) -> Floats:
    """Return ``(histories, 3)`` numbers that change smoothly with what an exchange leads to.

    Args:
        levels: ``(histories, 3)``, see `exchange_at`; when and with whom does not matter where no migrants came.
    """
    there = presence(levels[:, :1])
    return np.hstack([there, there * (levels[:, 1:] - 0.5)])


def random_ghost_history(rng: np.random.Generator) -> PopulationHistory:
    """Draw a history of constant sizes; these, split and migration are log-uniform, see `SIZES` and what follows it."""

    def drawn(ends: tuple[float, float]) -> float:
        return float(np.exp(rng.uniform(*np.log(ends))))

    size = REFERENCE_SIZE
    ghost, ancestral, split, migrants = drawn(SIZES), drawn(SIZES), drawn(SPLIT), drawn(MIGRANTS)
    return Exchange(migrants, split, ghost).added(History((size, size * ancestral), (2 * size * split,)), size)


@dataclass(frozen=True)
class WithGhosts:
    """Histories of another source, and in `SHARE` of the draws ones with a ghost population.

    Attributes:
        others: where histories of a single population come from.
    """

    others: HistorySource

    @property
    def description(self) -> str:
        """What the histories are, in words for a report."""
        return f"{self.others.description}; {SHARE:.0%} of them of a population that exchanges migrants with another"

    def draw(self, rng: np.random.Generator) -> PopulationHistory:
        """Draw a history."""
        return random_ghost_history(rng) if rng.random() < SHARE else self.others.draw(rng)

    def state(self) -> dict[str, Any]:
        """Return all that the draws depend on, as plain numbers and text for JSON."""
        return self.others.state() | {"description": self.description}
