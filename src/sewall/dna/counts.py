"""How often every k-mer stands in every sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from sewall.data.sequences import Sequences
from sewall.encode.dna import Numbers, canonical, kmers, one_hot, spelled


def kmer_counts(sequences: Sequences, k: int, strands: int) -> csr_matrix:
    """Return ``(sequences, k-mers)`` counts; those that hold another letter than A, C, G, T are left out.

    Args:
        sequences: of any lengths.
        k: letters of a k-mer.
        strands: 2 to count a k-mer and its reverse complement as one, 1 to tell them apart.

    >>> from sewall.data.sequences import packed
    >>> kmer_counts(packed(["a"], ["AAT"]), 1, 2).toarray().tolist()
    [[3.0, 0.0]]
    """
    found = kmers(sequences.codes, k)
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    whole = (found >= 0) & (owner[: len(found)] == owner[k - 1 :])
    column, number = _columns(k, strands)
    ones = np.ones(int(whole.sum()), np.float32)
    return csr_matrix((ones, (owner[: len(found)][whole], column[found[whole]])), shape=(len(sequences), number))


def all_counts(sequences: Sequences, longest: int, strands: int) -> csr_matrix:
    """Return the counts of all k-mers of 1 to *longest* letters side by side."""
    return hstack([kmer_counts(sequences, k, strands) for k in range(1, longest + 1)], format="csr")


def kmer_names(longest: int, strands: int) -> list[str]:
    """Return the k-mer of each column of `all_counts`; of two that are one, the first in the alphabet.

    >>> kmer_names(1, 2)
    ['A', 'C']
    """
    names = []
    for k in range(1, longest + 1):
        column, number = _columns(k, strands)
        first = np.full(number, 4**k)
        np.minimum.at(first, column, np.arange(4**k))
        names += [spelled(int(kmer), k) for kmer in first]
    return names


def _columns(k: int, strands: int) -> tuple[Numbers, int]:
    return canonical(k) if strands == 2 else (np.arange(4**k, dtype=np.int64), 4**k)


def placed(sequences: Sequences) -> NDArray[np.float32]:
    """Return ``(sequences, 4 × letters)`` which base stands at which place, for sequences of one length.

    An ambiguous letter is shared out over its bases.
    """
    codes = sequences.padded(np.arange(len(sequences)))
    return one_hot(codes).reshape(len(sequences), -1)
