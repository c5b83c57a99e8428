"""How far real genomes and real calls are from the textbook."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

ABSENT = 0.4  # share of windows that lack a defect altogether, where nothing is known of it


@dataclass(frozen=True)
class Defects:
    """What a simulated window has beyond an even rate and perfect calls.

    Attributes:
        unevenness: standard deviation of the log of the local recombination rate.
        gene_conversion: non-crossovers per crossover.
        switches: phase switches per heterozygous site of an individual.
        errors: genotype errors per heterozygous call.
    """

    unevenness: float = 0.0
    gene_conversion: float = 0.0
    switches: float = 0.0
    errors: float = 0.0


MOST = Defects(unevenness=2.0, gene_conversion=5.0, switches=0.01, errors=0.01)
NAMES = tuple(field.name for field in fields(Defects))


def presence(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far levels in 0 to 1 lie above `ABSENT`, as a share of what is above it; 0 below.

    >>> presence(np.array([0.2, 0.4, 0.7, 1.0]))
    array([0. , 0. , 0.5, 1. ])
    """
    return np.asarray(np.maximum(0, (levels - ABSENT) / (1 - ABSENT)))


@dataclass(frozen=True)
class AnyDefects:
    """Where nothing is known: each defect absent in four windows of ten, else uniform up to the most.

    Attributes:
        most: level of each.
    """

    most: Defects = MOST

    def draw(self, rng: np.random.Generator) -> Defects:
        """Draw the defects of one window."""
        there = rng.random(len(NAMES)) >= ABSENT
        return Defects(*(there * rng.uniform(0, list(asdict(self.most).values()))).tolist())
