"""Windows that overlap: sequences that share a stretch, letter by letter, at different places.

Such windows were cut from one genome side by side. They are no copies of each other, but what is learnt of one is known
of the next, so that held-out scores are too good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.encode.dna import kmers
from sewall.task import Rows

CHANCE = 0.1  # stretches that two sequences share by chance, expected in the whole set
MOST_LETTERS = 20_000_000  # that are looked at; of more, sequences are drawn
LETTERS = 3  # different ones in a stretch, or it is a simple repeat


@dataclass(frozen=True)
class Overlaps:
    """Which sequences overlap others.

    Attributes:
        rows: the sequences that were looked at.
        flags: ``(rows,)`` whether each shares a stretch with another one.
        letters: of the stretch.
    """

    rows: Rows
    flags: NDArray[np.bool_]
    letters: int


def overlaps(sequences: Sequences, groups: NDArray | None = None, seed: int = 0) -> Overlaps:
    """Find the sequences that share a stretch with another one at another place.

    The stretch is so long that chance would hardly ever make one, if letters were drawn evenly.

    Args:
        sequences: all of them; the strand is that of the file.
        groups: ``(sequences,)``; stretches that are shared within a group alone do not count.
        seed: of the choice among many sequences.

    >>> from sewall.data.sequences import packed
    >>> genome = "".join(np.random.default_rng(1).choice(list("ACGT"), 300))
    >>> windows = packed(["a", "b", "c"], [genome[:60], genome[40:100], genome[200:260]])
    >>> overlaps(windows).flags.tolist()
    [True, True, False]
    """
    rows = np.random.default_rng(seed).permutation(len(sequences))
    rows = np.sort(rows[np.cumsum(sequences.lengths[rows]) <= max(MOST_LETTERS, sequences.lengths[rows[:1]].sum())])
    some = sequences.take(rows)
    total = float(len(some.codes))
    letters = int(np.ceil(np.log(max(total**2 / 2 / CHANCE, 4.0)) / np.log(4)))
    words, owner, place = _stretches(some, letters)
    order = np.argsort(words, kind="stable")
    words, owner, place = words[order], owner[order], place[order]
    flags = np.zeros(len(rows), bool)
    if len(words):
        first = np.flatnonzero(np.r_[True, words[1:] != words[:-1]])
        kind = owner if groups is None else np.unique(np.asarray(groups)[rows], return_inverse=True)[1][owner]
        shared = np.all([_differ(values, first) for values in (owner, place, kind)], axis=0)
        flags[owner[np.repeat(shared, np.diff(np.r_[first, len(words)]))]] = True
    return Overlaps(rows, flags, letters)


def _stretches(sequences: Sequences, letters: int) -> tuple[NDArray[np.int64], Rows, Rows]:
    """Return all stretches of plain letters as numbers, with sequence and place; simple repeats are left out."""
    words = kmers(sequences.codes, letters)
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)[: len(words)]
    place = np.arange(len(words)) - sequences.starts[owner]
    kept = np.flatnonzero((words >= 0) & (place + letters <= sequences.lengths[owner]))
    seen, left = np.zeros((4, len(kept)), bool), words[kept].copy()
    for _ in range(letters):
        seen[left & 3, np.arange(len(kept))] = True
        left >>= 2
    kept = kept[seen.sum(axis=0) >= LETTERS]
    return words[kept], owner[kept], place[kept]


def _differ(values: NDArray, first: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return, by run of equal words, whether its *values* are not all the same."""
    return np.asarray(np.minimum.reduceat(values, first) != np.maximum.reduceat(values, first))
