"""A motif: how often each base stands at each of its places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sewall.data.sequences import letters

Floats = NDArray[np.float64]

EVEN = (0.25, 0.25, 0.25, 0.25)
BY_CHANCE = 1e-3  # chance that a place that tells nothing seems to tell something
GAP = 6  # places that tell nothing, at the most, between two that do
LEAST_BITS = 0.25  # of the first and the last place of a motif that is trimmed, and share of its best place


@dataclass(frozen=True)
class Motif:
    """How often each base stands at each place.

    Attributes:
        name: what it is called.
        frequencies: ``(places, 4)`` of A, C, G, T; every row sums to one.
        support: sites that it was made of, 0 where that is not known.
    """

    name: str
    frequencies: Floats
    support: int = 0

    def __len__(self) -> int:
        return len(self.frequencies)

    @cached_property
    def information(self) -> Floats:
        """``(places,)`` information content in bits, 0 to 2 (Schneider et al. 1986, J Mol Biol 188:415)."""
        return relative_entropy(self.frequencies)

    @cached_property
    def consensus(self) -> str:
        """Its letters, IUPAC's where no base prevails (Cavener 1987, Nucleic Acids Res 15:1353).

        >>> Motif("", np.array([[0.9, 0.1, 0, 0], [0.5, 0, 0.5, 0], EVEN])).consensus
        'ARN'
        """
        return letters(np.array([_letter(row) for row in self.frequencies], np.uint8))

    def reversed(self) -> Motif:
        """Return the same motif as the other strand shows it."""
        return replace(self, frequencies=self.frequencies[::-1, ::-1])

    def named(self, name: str) -> Motif:
        """Return the same motif under another name."""
        return replace(self, name=name)


def _letter(row: Floats) -> int:
    """Return the code of one place: a base above half and twice the next, else two above three quarters, else N."""
    order = np.argsort(-row, kind="stable")
    first, second = row[order[0]], row[order[1]]
    if first > 0.5 and first > 2 * second:
        return 1 << int(order[0])
    return (1 << int(order[0]) | 1 << int(order[1])) if first + second > 0.75 else 15


def relative_entropy(frequencies: Floats, background: Sequence[float] | Floats = EVEN) -> Floats:
    """Return ``(places,)`` bits by which ``(places, 4)`` frequencies differ from those of the background.

    >>> relative_entropy(np.array([[1.0, 0, 0, 0], EVEN])).tolist()
    [2.0, 0.0]
    """
    ratio = np.where(frequencies > 0, frequencies, 1.0) / np.where(frequencies > 0, np.asarray(background), 1.0)
    return np.sum(frequencies * np.log2(ratio), axis=1)


def informative(counts: Floats, background: Sequence[float] | Floats = EVEN) -> slice:
    """Return the places from the first to the last that tell something, of ``(places, 4)`` counts of letters.

    What so many letters would seem to tell by chance is taken off (Schneider et al. 1986). Of stretches that are far
    apart the one that tells most is taken.

    >>> informative(np.array([[25.0, 25, 25, 25], [100, 0, 0, 0], [50, 0, 50, 0], [25, 25, 25, 25]]))
    slice(1, 3, None)
    """
    seen = counts.sum(axis=1)
    told = relative_entropy(counts / np.maximum(seen, 1)[:, None], background)
    free = told - 3 / (2 * np.log(2) * np.maximum(seen, 1))
    least = LEAST_BITS * max(float(free.max(initial=0)), 1.0)
    # Twice the likelihood ratio is chi-squared with 3 degrees of freedom where letters are those of the background.
    beyond = 2 * np.log(2) * seen * told >= chi2.isf(BY_CHANCE, 3)
    places = np.flatnonzero((free >= least) & beyond & (seen >= seen.max(initial=0) / 2))
    if not len(places):
        return slice(0, 0)
    parts = np.split(places, np.flatnonzero(np.diff(places) > GAP + 1) + 1)
    best = max(parts, key=lambda part: float(free[part].sum()))
    return slice(int(best[0]), int(best[-1]) + 1)
