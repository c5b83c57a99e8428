"""Histories of a population that exchanges migrants with one that nobody sampled, a ghost.

Most populations have such neighbours (Beerli 2004, Mol Ecol 13:827; Slatkin 2005, Mol Ecol 14:67). Lineages that come
from there are old and keep long haplotypes apart, so that the frequency spectrum and linkage of a sample are those of
no single random-mating population, whatever its sizes were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sewall.simulate.history import (
    REFERENCE_SIZE,
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
TREES = 100  # whose mean length leaves an error of about 5 % of theta


@dataclass(frozen=True)
class GhostHistory:
    """Two populations of constant size with symmetric migration since they split; one of them is sampled.

    Attributes:
        size, ghost, ancestral: numbers of diploid individuals.
        split: generations ago.
        migration: share of each population that comes from the other, per generation.
    """

    size: float
    ghost: float
    ancestral: float
    split: float
    migration: float

    @property
    def population(self) -> str:
        """Name of the sampled population."""
        return "sampled"

    def demography(self) -> msprime.Demography:
        """Return the history for msprime, in generations."""
        import msprime

        found = msprime.Demography()
        sizes = {"sampled": self.size, "ghost": self.ghost, "ancestral": self.ancestral}
        for name, size in sizes.items():
            found.add_population(name=name, initial_size=size)
        found.set_symmetric_migration_rate(["sampled", "ghost"], self.migration)
        found.add_population_split(time=self.split, derived=["sampled", "ghost"], ancestral="ancestral")
        return found

    def effective_size(self, n: int, min_count: int = 1) -> float:
        """Return the constant size that leads one to expect about as many visible variants in *n* chromosomes.

        From a few simulated trees.
        """
        return equivalent_size(simulated_branch_lengths(self, n, TREES), min_count)


def random_ghost_history(rng: np.random.Generator) -> GhostHistory:
    """Draw a history; sizes, split and migration are log-uniform, see `SIZES`, `SPLIT` and `MIGRANTS`."""

    def drawn(ends: tuple[float, float]) -> float:
        return float(np.exp(rng.uniform(*np.log(ends))))

    size = REFERENCE_SIZE
    return GhostHistory(
        size, size * drawn(SIZES), size * drawn(SIZES), 2 * size * drawn(SPLIT), drawn(MIGRANTS) / (4 * size)
    )


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
