"""Weight matrices: where a sequence is most like the sites of a protein, and how much.

A matrix gives every base at every place of a site the log of how much more often it stands there than elsewhere; the
highest sum that a sequence holds anywhere says whether it has a site (Stormo 2000, Bioinformatics 16:16).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sewall.compiling import compiled
from sewall.data.sequences import Sequences
from sewall.encode.dna import Numbers, numbers
from sewall.motifs.motif import LEAST_BITS, Motif, relative_entropy

Floats = NDArray[np.float64]
Table = NDArray[np.float32]
Flags = NDArray[np.bool_]

PLACES = 20  # of a matrix; those that tell nothing have log odds of 0
OVER = PLACES // 2  # places of a site that may lie beyond the end of a sequence
UNKNOWN = 4  # an ambiguous letter, and what lies beyond the ends
_WORD = 4  # letters that are looked up at once
_GAP = 2 * PLACES  # unknown letters between sequences, and around them


@dataclass(frozen=True)
class Scanned:
    """Sequences as they are scanned: one after the other, with unknown letters between.

    Attributes:
        letters: ``(letters,)`` 0 to 3, or 4 for unknown ones.
        starts, lengths: ``(sequences,)`` of each.
    """

    letters: NDArray[np.int8]
    starts: Numbers
    lengths: Numbers

    @classmethod
    def of(cls, sequences: Sequences) -> Scanned:
        """Lay sequences out."""
        order = np.arange(1, len(sequences) + 1)
        letters = np.full(len(sequences.codes) + _GAP * (len(sequences) + 1), UNKNOWN, np.int8)
        own = numbers(sequences.codes)
        letters[np.arange(len(own)) + np.repeat(_GAP * order, sequences.lengths)] = np.where(own < 0, UNKNOWN, own)
        return cls(letters, sequences.starts[:-1] + _GAP * order, sequences.lengths)

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def words(self) -> NDArray[np.int16]:
        """``(letters,)`` the four letters that begin at each, as a number in base 5."""
        places = len(self.letters) - _WORD + 1
        total = np.zeros(len(self.letters), np.int16)
        for offset in range(_WORD):
            total[:places] = 5 * total[:places] + self.letters[offset : offset + places]
        return total

    def windows(self, firsts: Numbers, turned: Flags, width: int) -> NDArray[np.int8]:
        """Return ``(windows, width)`` letters from *firsts* on; those that are turned, of the other strand."""
        found = self.letters[firsts[:, None] + np.arange(width)]
        other = np.where(found == UNKNOWN, UNKNOWN, 3 - found)[:, ::-1]
        return np.where(turned[:, None], other, found)


@dataclass(frozen=True)
class Sites:
    """The best site of each sequence.

    Attributes:
        scores: ``(sequences,)`` its log odds.
        firsts: ``(sequences,)`` its first letter, counted from that of the sequence; it may lie before it.
        turned: ``(sequences,)`` whether it reads on the other strand.
    """

    scores: Table
    firsts: Numbers
    turned: Flags


def best_sites(scanned: Scanned, log_odds: Floats, strands: int) -> Sites:
    """Return the best site of each sequence.

    Args:
        scanned: the sequences.
        log_odds: ``(PLACES, 4)`` of A, C, G, T, in nats; an unknown letter scores the mean of its place.
        strands: 2 to look at both.

    >>> from sewall.data.sequences import packed
    >>> matrix = np.zeros((PLACES, 4))
    >>> matrix[8:11] = [[1, -2, -2, -2], [-2, 1, -2, -2], [-2, -2, 1, -2]]  # ACG
    >>> found = best_sites(Scanned.of(packed(["a", "b"], ["TTTACGTT", "AACGGN"])), matrix, 1)
    >>> found.scores.tolist(), (found.firsts + 8).tolist()
    ([3.0, 3.0], [3, 1])
    """
    ways = [log_odds, log_odds[::-1, ::-1]][:strands]
    return Sites(*_scan(scanned.words, scanned.starts, scanned.lengths, np.stack([_tables(way) for way in ways])))


def _tables(log_odds: Floats) -> Table:
    """Return ``(PLACES / 4, 5**4)`` the sums of all words of four letters, at every fourth place."""
    whole = np.hstack([log_odds, log_odds.mean(axis=1, keepdims=True)])
    found = []
    for first in range(0, PLACES, _WORD):
        total = np.zeros(1)
        for place in range(first, first + _WORD):
            total = (total[:, None] + whole[place]).ravel()
        found.append(total)
    return np.array(found, np.float32)


@compiled
def _scan(words: NDArray[np.int16], starts: Numbers, lengths: Numbers, tables: Table) -> tuple[Table, Numbers, Flags]:
    """Return score, first letter and strand of the best sites, from ``(strands, blocks, words)`` tables."""
    number, (strands, blocks, _) = len(starts), tables.shape
    scores = np.full(number, -np.inf, np.float32)
    firsts, turned = np.zeros(number, np.int64), np.zeros(number, np.bool_)
    for k in range(number):
        for first in range(starts[k] - OVER, starts[k] + lengths[k] + OVER - PLACES + 1):
            for strand in range(strands):
                score = np.float32(0)
                for block in range(blocks):
                    score += tables[strand, block, words[first + _WORD * block]]
                if score > scores[k]:
                    scores[k], firsts[k], turned[k] = score, first - starts[k], strand == 1
    return scores, firsts, turned


@dataclass(frozen=True)
class Matrices:
    """Some weight matrices.

    Attributes:
        log_odds: ``(matrices, PLACES, 4)``, in nats.
        background: ``(4,)`` shares of the bases that they are measured against.
        thresholds: ``(matrices,)`` log odds from which a place is a site.
        support: ``(matrices,)`` sequences with a site that they were counted from.
        chance: ``(matrices,)`` how often chance tells as much of the sequences that were kept out.
    """

    log_odds: Floats
    background: Floats
    thresholds: Floats
    support: Numbers
    chance: Floats

    @classmethod
    def none(cls) -> Matrices:
        """Return no matrices."""
        number = np.zeros(0)
        return cls(np.zeros((0, PLACES, 4)), np.full(4, 0.25), number, np.zeros(0, np.int64), number)

    def __len__(self) -> int:
        return len(self.log_odds)

    def sites(self, scanned: Scanned, strands: int) -> list[Sites]:
        """Return of each matrix the best site of each sequence."""
        return [best_sites(scanned, log_odds, strands) for log_odds in self.log_odds]

    def read(self, scanned: Scanned, strands: int) -> Floats:
        """Return ``(sequences, 2 × matrices)``: the highest log odds of each matrix, and how far they are a site's.

        That is a share between 0 and 1, one half at the threshold, as of a site that a protein is bound to.
        """
        scores = np.array([own.scores for own in self.sites(scanned, strands)], float).reshape(len(self), len(scanned))
        return np.vstack([scores, expit(scores - self.thresholds[:, None])]).T

    def shown(self, matrix: int) -> slice:
        """Return the places of a matrix from the first to the last that tells much."""
        bits = relative_entropy(self._frequencies(matrix), self.background)
        told = np.flatnonzero(bits >= LEAST_BITS * max(float(bits.max()), 1.0))
        return slice(int(told[0]), int(told[-1]) + 1) if len(told) else slice(0, PLACES)

    def motif(self, matrix: int) -> Motif:
        """Return how often each base stands where, of the places that are shown."""
        frequencies = self._frequencies(matrix)[self.shown(matrix)]
        return Motif(f"matrix_{matrix + 1}", frequencies, int(self.support[matrix]))

    def _frequencies(self, matrix: int) -> Floats:
        found = self.background * np.exp(self.log_odds[matrix])
        return np.asarray(found / found.sum(axis=1, keepdims=True))
