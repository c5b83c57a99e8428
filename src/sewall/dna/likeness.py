"""How alike sequences are: what two of them share, as the cosine of the angle between their features.

Both kinds of features are made block by block, so that memory stays bounded however many features there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.encode.dna import Numbers, numbers, other_strand

Features = NDArray[np.float32]


class Kind(Protocol):
    """A kind of features."""

    def blocks(self, sequences: Sequences) -> Iterator[Features]:
        """Yield ``(sequences, features)`` blocks, in the same order for any sequences."""
        ...


@dataclass(frozen=True)
class Gapped:
    """Counts of gapped k-mers: *known* letters looked at among up to *span*, the others free.

    A mismatch at a free letter costs nothing, which is how proteins read DNA (Ghandi et al. 2014, PLoS Comput Biol
    10:e1003711).

    Attributes:
        span: most letters from the first to the last.
        known: letters looked at.
        strands: 2 to count a pattern and its reverse complement as one.
    """

    span: int = 8
    known: int = 5
    strands: int = 2

    def blocks(self, sequences: Sequences) -> Iterator[Features]:
        """Yield the counts of one pattern of places after the other."""
        single = numbers(sequences.codes).astype(np.int64)
        owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
        for places in self._patterns():
            mirrored = tuple(sorted(places[-1] - place for place in places))
            counted = _counted(single, owner, places, len(sequences))
            if self.strands == 2:
                other = counted if mirrored == places else _counted(single, owner, mirrored, len(sequences))
                counted = counted + other[:, other_strand(self.known)]
            yield counted

    def _patterns(self) -> list[tuple[int, ...]]:
        """Return the places that are looked at, from 0; of two that mirror each other only one, if strands are one."""
        every = [(0, *rest) for rest in combinations(range(1, self.span), self.known - 1)]
        if self.strands == 1:
            return every
        return [places for places in every if places <= tuple(sorted(places[-1] - place for place in places))]


def _counted(single: Numbers, owner: Numbers, places: tuple[int, ...], sequences: int) -> Features:
    """Return ``(sequences, 4**known)`` counts of one pattern."""
    positions = max(len(single) - places[-1], 0)
    total = np.zeros(positions, np.int64)
    whole = owner[:positions] == owner[places[-1] :]
    for place in places:
        part = single[place : place + positions]
        total = 4 * total + part
        whole &= part >= 0
    width = 4 ** len(places)
    cells = owner[:positions][whole] * width + total[whole]
    return np.bincount(cells, minlength=sequences * width).reshape(sequences, width).astype(np.float32)


@dataclass(frozen=True)
class Placed:
    """Which k-mers stand at which place, of 1 to *longest* letters; for sequences of one length, read from one strand.

    The weighted degree of Rätsch & Sonnenburg (2004, Kernel Methods in Computational Biology), whose weights fall with
    the length.

    Attributes:
        longest: letters of the longest k-mers.
    """

    longest: int = 4

    def blocks(self, sequences: Sequences) -> Iterator[Features]:
        """Yield the k-mers of one place after the other."""
        single = numbers(sequences.padded(np.arange(len(sequences)))).astype(np.int64)
        every = np.arange(len(sequences))
        for k in range(1, self.longest + 1):
            weight = np.sqrt(2 * (self.longest - k + 1) / (self.longest * (self.longest + 1)))
            for place in range(single.shape[1] - k + 1):
                window = single[:, place : place + k]
                known = (window >= 0).all(axis=1)
                block = np.zeros((len(sequences), 4**k), np.float32)
                block[every[known], (window @ 4 ** np.arange(k - 1, -1, -1))[known]] = weight
                yield block


def likeness(kind: Kind, some: Sequences, others: Sequences | None = None) -> Features:
    """Return ``(some, others)`` cosines: 1 for sequences of equal features, 0 for those that share none.

    Args:
        kind: of features.
        some: sequences.
        others: the sequences that these are compared with; by default themselves.
    """
    if others is None:
        return _normalised(_products(kind.blocks(some)))
    products, own, theirs = None, np.zeros(len(some)), np.zeros(len(others))
    for mine, other in zip(_gathered(kind.blocks(some)), _gathered(kind.blocks(others)), strict=True):
        part = mine @ other.T
        products = part if products is None else np.add(products, part, out=products)
        own, theirs = own + _squares(mine), theirs + _squares(other)
    assert products is not None
    return products / _norm(own)[:, None] / _norm(theirs)


def _products(blocks: Iterator[Features]) -> Features:
    products = None
    for block in _gathered(blocks):
        part = block @ block.T
        products = part if products is None else np.add(products, part, out=products)
    assert products is not None
    return products


def _normalised(products: Features) -> Features:
    norm = _norm(np.diag(products).astype(float))
    return np.asarray(products / norm[:, None] / norm)


AT_ONCE = 1_024  # features: enough for a matrix product to be fast


def _gathered(blocks: Iterator[Features]) -> Iterator[Features]:
    """Join blocks until they are wide enough."""
    waiting: list[Features] = []
    for block in blocks:
        waiting.append(block)
        if sum(part.shape[1] for part in waiting) >= AT_ONCE:
            yield np.concatenate(waiting, axis=1)
            waiting = []
    if waiting:
        yield np.concatenate(waiting, axis=1)


def _squares(block: Features) -> NDArray[np.float64]:
    return np.einsum("nf,nf->n", block, block).astype(float)


def _norm(squares: NDArray[np.float64]) -> Features:
    return np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)
