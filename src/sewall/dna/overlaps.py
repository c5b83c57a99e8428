"""Windows that overlap: the end of one sequence is, letter by letter, the beginning of another, or lies within it.

Such windows were cut from one genome side by side. They are no copies of each other, but what is learnt of one is known
of the next, so that they must not straddle training and test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.encode.dna import Numbers, kmers, reverse_complement
from sewall.task import Rows

CHANCE = 0.1  # beginnings that are found by chance, expected in the whole set
MOST_LETTERS = 20_000_000  # that are looked at; of more, sequences are drawn
IDENTITY = 0.95  # of the letters that lie over each other, for alleles and misreadings
_DIFFERENT = 3  # letters in a beginning, or it is a simple repeat
_MOST_PLACES = 20  # of one beginning; what stands at more is a repeat of the genome, and is followed up to here


@dataclass(frozen=True)
class Overlaps:
    """Which sequences overlap.

    Attributes:
        rows: the sequences that were looked at.
        pairs: ``(pairs, 2)`` sequences that overlap, the longest overlaps first.
        letters: of the shortest overlap that chance would hardly make.
    """

    rows: Rows
    pairs: NDArray[np.int64]
    letters: int

    def among(self, places: NDArray, *, same: bool) -> Rows:
        """Return the sequences that overlap another one of the same, or of another, of the ``(sequences,)`` places."""
        at = np.asarray(places)[self.pairs]
        return np.unique(self.pairs[(at[:, 0] == at[:, 1]) == same])


def overlaps(sequences: Sequences, *, stranded: bool = False, seed: int = 0) -> Overlaps:
    """Find pairs of sequences that overlap.

    Args:
        sequences: all of them. Those that lie over each other letter by letter from end to end are copies or near
            copies, and are left to `kinship`.
        stranded: tells strands apart; else overlaps with the other strand count, too.
        seed: of the choice among many sequences.

    >>> from sewall.data.sequences import packed
    >>> genome = "".join(np.random.default_rng(1).choice(list("ACGT"), 300))
    >>> windows = packed(["a", "b", "c"], [genome[:60], genome[40:100], genome[200:260]])
    >>> overlaps(windows).pairs.tolist()
    [[0, 1]]
    """
    rows = np.random.default_rng(seed).permutation(len(sequences))
    rows = np.sort(rows[np.cumsum(sequences.lengths[rows]) <= max(MOST_LETTERS, sequences.lengths[rows[:1]].sum())])
    some = sequences.take(rows)
    total = float(len(some.codes)) * (1 if stranded else 4)  # both strands have two ends each
    letters = int(np.ceil(np.log(max(total * len(some) / CHANCE, 4.0)) / np.log(4)))
    found = [_on_strand(some, letters, turned) for turned in ((False,) if stranded else (False, True))]
    table = np.concatenate(found)
    ends = np.sort(table[:, :2], axis=1)[np.argsort(-table[:, 2], kind="stable")]
    _, first = np.unique(ends, axis=0, return_index=True)
    return Overlaps(rows, rows[ends[np.sort(first)]].astype(np.int64).reshape(-1, 2), letters)


def _on_strand(some: Sequences, letters: int, turned: bool) -> NDArray[np.int64]:
    """Return rows of (sequence, another one, letters that lie over each other)."""
    words = kmers(some.codes, letters)
    owner = np.repeat(np.arange(len(some)), some.lengths)[: len(words)]
    whole = (words >= 0) & (np.arange(len(words)) + letters <= some.starts[owner + 1])
    place = np.flatnonzero(whole)
    order = place[np.argsort(words[place], kind="stable")]
    found = [np.zeros((0, 3), np.int64)]
    for own, sought, before in _ends_of(some, words, whole, letters, turned):
        low, high = (np.searchsorted(words[order], sought, side=side) for side in ("left", "right"))
        for step in range(_MOST_PLACES):
            met = np.flatnonzero(low + step < high)
            if not len(met):
                break
            where = order[low[met] + step]
            other = owner[where]
            found.append(_laid_over(some, own[met], other, where - some.starts[other] - before[met], turned))
    return np.concatenate(found)


def _ends_of(
    some: Sequences, words: Numbers, whole: NDArray[np.bool_], letters: int, turned: bool
) -> Iterator[tuple[Rows, Numbers, Numbers]]:
    """Yield sequences, the word at one of their ends as the strand has it, and the letters that lie before it there.

    A sequence that overlaps another one begins within it, or the other within it: looking for first words is enough.
    On the other strand a sequence begins with its last word.
    """
    long = np.flatnonzero(some.lengths >= letters)
    first, last = some.starts[long], some.starts[long + 1] - letters
    for start in (first, last) if turned else (first,):
        good = whole[start]
        good[good] = _mixed(words[start[good]], letters)
        own, sought = long[good], words[start[good]]
        if turned:
            yield own, _turned(sought, letters), (last - start)[good]
        else:
            yield own, sought, np.zeros_like(own)


def _mixed(words: Numbers, letters: int) -> NDArray[np.bool_]:
    """Return which words hold enough different letters."""
    seen, left = np.zeros((4, len(words)), bool), words.copy()
    for _ in range(letters):
        seen[left & 3, np.arange(len(words))] = True
        left >>= 2
    return np.asarray(seen.sum(axis=0) >= _DIFFERENT)


def _turned(words: Numbers, letters: int) -> Numbers:
    """Return the words of the other strand."""
    found, left = np.zeros_like(words), words.copy()
    for _ in range(letters):
        found = 4 * found + 3 - (left & 3)
        left >>= 2
    return found


def _laid_over(some: Sequences, own: Rows, other: Rows, begins: Numbers, turned: bool) -> NDArray[np.int64]:
    """Return which sequences, begun at a letter of others, agree with them as far as both reach."""
    kept = []
    for a, b, begin in zip(own.tolist(), other.tolist(), begins.tolist(), strict=True):
        mine, theirs = some.codes_of(a), some.codes_of(b)
        low, high = max(begin, 0), min(begin + len(mine), len(theirs))
        if a == b or high - low == len(mine) == len(theirs):  # a near copy
            continue
        mine = reverse_complement(mine) if turned else mine
        if (mine[low - begin : high - begin] == theirs[low:high]).mean() >= IDENTITY:
            kept.append((a, b, high - low))
    return np.array(kept, np.int64).reshape(-1, 3)
