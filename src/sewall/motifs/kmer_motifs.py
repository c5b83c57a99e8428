"""The motifs of a simple model: k-mers of high weight that overlap, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sewall.motifs.motif import Motif

Floats = NDArray[np.float64]

MOST_KMERS = 100  # of the highest weight
MOST_MOTIFS = 5
LEAST_SHARE = 0.15  # of the highest weight, that a k-mer must have
LONGEST = 30
_PAIRS = str.maketrans("ACGT", "TGCA")


@dataclass
class _Growing:
    """Letters on top of each other, each with the weight of its k-mer; the first k-mer begins at place ``LONGEST``."""

    weights: Floats = field(default_factory=lambda: np.zeros((3 * LONGEST, 4)))
    low: int = LONGEST
    high: int = LONGEST
    kmers: int = 0

    def add(self, letters: NDArray[np.int64], start: int, weight: float) -> None:
        self.weights[np.arange(start, start + len(letters)), letters] += weight
        self.low = min(self.low, start) if self.kmers else start
        self.high = max(self.high, start + len(letters))
        self.kmers += 1


def assemble(
    kmers: Sequence[str], weights: Floats, *, both_strands: bool = True, most: int = MOST_MOTIFS
) -> list[Motif]:
    """Put the k-mers of highest weight together to motifs.

    The heaviest k-mer begins a motif. Others join it, heaviest first, where they overlap it by all but two letters and
    differ from its commonest letters in one at the most. What joins none begins another motif.

    Args:
        kmers: of any lengths.
        weights: ``(kmers,)`` of the linear model; those above zero are read. Negate them for what takes from
            the answer.
        both_strands: whether a k-mer stands for its reverse complement as well.
        most: motifs to return.

    Returns:
        Motifs of two k-mers or more, the heaviest first; support is the number of k-mers.

    >>> motif, = assemble(["GACC", "CGAC", "ACCG", "TTTT"], np.array([3.0, 2.0, 1.0, 0.1]))
    >>> motif.consensus
    'CGACCG'
    """
    order = np.argsort(-weights, kind="stable")[:MOST_KMERS]
    heavy = [k for k in order.tolist() if weights[k] > LEAST_SHARE * weights[order[0]] and weights[k] > 0]
    growing: list[_Growing] = []
    waiting = heavy
    while waiting and len(growing) < 2 * most:
        own = _Growing()
        growing.append(own)
        own.add(_letters(kmers[waiting[0]]), LONGEST, float(weights[waiting[0]]))
        waiting = _grown(own, kmers, weights, waiting[1:], both_strands)
    motifs = [_motif(own) for own in growing if own.kmers > 1]
    return [motif.named(f"kmers_{k}") for k, motif in enumerate(motifs[:most], 1)]


def _grown(own: _Growing, kmers: Sequence[str], weights: Floats, waiting: list[int], both_strands: bool) -> list[int]:
    """Add all k-mers that fit, until none does, and return the others."""
    while True:
        left = []
        for number in waiting:
            place = _place(own, kmers[number], both_strands)
            if place is None:
                left.append(number)
            else:
                own.add(*place, float(weights[number]))
        if len(left) == len(waiting):
            return left
        waiting = left


def _place(own: _Growing, kmer: str, both_strands: bool) -> tuple[NDArray[np.int64], int] | None:
    """Return the letters of a k-mer, turned where that fits better, and where they go; None where they fit nowhere."""
    top = own.weights.argmax(axis=1)
    best: tuple[int, NDArray[np.int64], int] | None = None
    for text in (kmer, kmer.translate(_PAIRS)[::-1])[: 1 + both_strands]:
        letters, width = _letters(text), len(text)
        for start in range(max(own.low - 2, own.high - LONGEST, 0), min(own.high + 2, own.low + LONGEST) - width + 1):
            low, high = max(start, own.low), min(start + width, own.high)
            if high - low < max(width - 2, 3):
                continue
            same = int((top[low:high] == letters[low - start : high - start]).sum())
            if same >= high - low - (high - low == width and width > 4) and (best is None or same > best[0]):
                best = same, letters, start
    return None if best is None else best[1:]


def _letters(kmer: str) -> NDArray[np.int64]:
    return np.array(["ACGT".index(letter) for letter in kmer])


def _motif(own: _Growing) -> Motif:
    weights = own.weights[own.low : own.high]
    light = 0.05 * weights.sum(axis=1).max()  # so that a place of one light k-mer is not certain
    return Motif("", (weights + light / 4) / (weights.sum(axis=1, keepdims=True) + light), own.kmers)
