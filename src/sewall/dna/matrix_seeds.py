"""Where the search for weight matrices begins: words that stand where values are high, or low.

A seed is two words of three letters, 0 to 10 letters apart: sites often have two halves, and those without have six
letters in a row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.dna.matrices import UNKNOWN, Floats, Scanned
from sewall.encode.dna import Numbers, other_strand

HALF, GAPS = 3, 11  # letters of each word; distances between them
SEEDS = 40  # that are made into matrices
FEWEST = 10  # sequences that hold one

_TURNED = other_strand(HALF)


def seeds(scanned: Scanned, values: Floats, strands: int) -> list[tuple[int, int, int]]:
    """Return gap, word and sign of the seeds whose sequences have the most extreme values, the most extreme first.

    Args:
        scanned: the sequences.
        values: ``(sequences,)`` of mean 0 and variance 1.
        strands: 2 to count a seed and its reverse complement as one.
    """
    sums, counts = _presence(_halves(scanned.letters), scanned.starts, scanned.lengths, values, strands == 2)
    z = sums / np.sqrt(np.maximum(counts * (1 - counts / len(scanned)), 1))
    z[counts < FEWEST] = 0
    best = np.argsort(-np.abs(z), axis=None, kind="stable")[:SEEDS]
    gaps, words = np.unravel_index(best, z.shape)
    return [(int(gap), int(word), 1 if z[gap, word] > 0 else -1) for gap, word in zip(gaps, words, strict=True)]


def _halves(letters: NDArray[np.int8]) -> NDArray[np.int16]:
    """Return ``(letters,)`` the word of three letters that begins at each, -1 where one is unknown."""
    places = len(letters) - HALF + 1
    found, whole = np.full(len(letters), -1, np.int16), np.ones(places, bool)
    total = np.zeros(places, np.int16)
    for offset in range(HALF):
        part = letters[offset : offset + places]
        total = 4 * total + part
        whole &= part != UNKNOWN
    found[:places] = np.where(whole, total, -1)
    return found


@compiled
def _presence(
    halves: NDArray[np.int16], starts: Numbers, lengths: Numbers, values: Floats, both: bool
) -> tuple[Floats, Floats]:
    """Return ``(gaps, words)`` sums of the values of the sequences that hold a seed, and their numbers."""
    size = 4**HALF
    sums, counts = np.zeros((GAPS, size * size)), np.zeros((GAPS, size * size))
    seen = np.full((GAPS, size * size), -1, np.int32)
    for k in range(len(starts)):
        for place in range(starts[k], starts[k] + lengths[k]):
            for gap in range(GAPS):
                first, second = halves[place], halves[place + HALF + gap]
                if first < 0 or second < 0:
                    continue
                word = first * size + second
                if both:
                    word = min(word, _TURNED[second] * size + _TURNED[first])
                if seen[gap, word] != k:
                    seen[gap, word] = k
                    sums[gap, word] += values[k]
                    counts[gap, word] += 1
    return sums, counts
