"""What a sequence is made of, in a few numbers: the simplest thing that labels could follow from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import BASES, MAY_BE, Codes, Floats, Sequences
from sewall.encode.dna import numbers
from sewall.task import Rows

if TYPE_CHECKING:
    import pandas as pd

PAIRS = tuple(f"{first}{second}" for first in BASES for second in BASES)
LABELS: dict[str, str] = {
    "gc": "GC content",
    "length": "length",
    "cpg": "CpG, observed over expected",
    "n_share": "share of ambiguous letters",
    "lower": "share of lower case",
    "complexity": "complexity",
    **{f"pair_{pair.lower()}": f"share of {pair}" for pair in PAIRS},
}

_AT_ONCE = 4_000_000  # letters in memory
_GC_OF = np.zeros(16)
for _bases in MAY_BE.values():
    _GC_OF[sum(1 << BASES.index(base) for base in _bases)] = sum(base in "CG" for base in _bases) / len(_bases)
_WORD = 3


def composition(sequences: Sequences, rows: Rows) -> pd.DataFrame:
    """Return what each of the ``(rows,)`` sequences is made of; all numbers are finite.

    Columns are those of `LABELS`: ``gc``, where an ambiguous letter counts by the share of its bases; ``length`` in
    letters; ``cpg``, CG pairs over what the shares of C and G let expect, 0 without either; ``n_share`` and ``lower``,
    shares of the letters; ``complexity``, the entropy of 3-letter words over the largest possible at this length; and
    ``pair_aa`` to ``pair_tt``, shares of the 16 pairs of neighbours among pairs of plain letters.

    >>> from sewall.data.sequences import packed
    >>> composition(packed(["a", "b"], ["ACGTACGTCG", "aaaaaaaaan"]), np.arange(2)).iloc[:, :6].round(2).values.tolist()
    [[0.6, 10.0, 3.33, 0.0, 0.0, 0.83], [0.05, 10.0, 0.0, 0.1, 1.0, 0.0]]
    """
    import pandas as pd

    rows = np.asarray(rows, np.intp)
    ends = np.cumsum(sequences.lengths[rows])
    cuts = np.searchsorted(ends, np.arange(_AT_ONCE, ends[-1] if len(ends) else 0, _AT_ONCE))
    parts = [_numbers(sequences, part) for part in np.split(rows, np.unique(cuts))]
    return pd.DataFrame(np.concatenate(parts), columns=list(LABELS))


def _numbers(sequences: Sequences, rows: Rows) -> Floats:
    """Return ``(rows, columns)`` as in `LABELS`."""
    codes, owner = _letters(sequences, rows)
    length = sequences.lengths[rows].astype(float)
    plain = numbers(codes)
    single = _counts(plain, owner, len(rows), 1)
    pairs = _counts(plain, owner, len(rows), 2)
    words = _counts(plain, owner, len(rows), _WORD)
    gc = np.bincount(owner, _GC_OF[codes], len(rows)) / np.maximum(length, 1)
    cg = pairs[:, BASES.index("C") * 4 + BASES.index("G")]
    expected = single[:, 1] * single[:, 2] / np.maximum(single.sum(axis=1), 1)
    cpg = np.where(expected > 0, cg / np.where(expected > 0, expected, 1), 0.0)
    ambiguous = 1 - single.sum(axis=1) / np.maximum(length, 1)
    shares = pairs / np.maximum(pairs.sum(axis=1, keepdims=True), 1)
    return np.column_stack([gc, length, cpg, ambiguous, sequences.lower[rows], _evenness(words), shares])


def _letters(sequences: Sequences, rows: Rows) -> tuple[Codes, NDArray[np.int64]]:
    """Return the letters of the sequences one after the other, and to which of them each belongs."""
    length = sequences.lengths[rows]
    owner = np.repeat(np.arange(len(rows)), length)
    shift = sequences.starts[rows] - (np.cumsum(length) - length)
    return sequences.codes[np.arange(len(owner)) + shift[owner]], owner


def _counts(plain: NDArray[np.int8], owner: NDArray[np.int64], number: int, k: int) -> NDArray[np.int64]:
    """Return ``(sequences, 4**k)`` counts of words of k plain letters."""
    places = max(len(plain) - k + 1, 0)
    column = np.zeros(places, np.int64)
    whole = owner[:places] == owner[len(owner) - places :]
    for offset in range(k):
        letter = plain[offset : offset + places]
        column = 4 * column + letter
        whole &= letter >= 0
    return np.bincount((owner[:places] * 4**k + column)[whole], minlength=number * 4**k).reshape(number, 4**k)


def _evenness(counts: NDArray[np.int64]) -> Floats:
    """Return ``(rows,)`` entropies of the ``(rows, words)`` over the largest that so many words allow, from 0 to 1."""
    total = counts.sum(axis=1)
    spread = np.where(counts > 0, counts * np.log(np.maximum(counts, 1)), 0.0).sum(axis=1)
    entropy = np.log(np.maximum(total, 1)) - spread / np.maximum(total, 1)
    most = np.log(np.maximum(np.minimum(total, counts.shape[1]), 2))
    return np.asarray(np.clip(entropy / most, 0.0, 1.0))
