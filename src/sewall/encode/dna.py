"""DNA as arrays: one row per base, or k-mers as numbers; both strands.

Codes are sets of bases as in `sewall.data.sequences`. An ambiguous letter is shared out evenly over its bases, padding
has none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Codes

Numbers = NDArray[np.int64]

_COMPLEMENT = np.array([int(f"{mask:04b}"[::-1], 2) for mask in range(16)], np.uint8)
_SHARES = np.array([[bool(mask >> base & 1) for base in range(4)] for mask in range(16)], np.float32)
_SHARES /= np.maximum(_SHARES.sum(axis=1, keepdims=True), 1)
_NUMBER = np.full(16, -1, np.int8)
_NUMBER[[1, 2, 4, 8]] = range(4)


def one_hot(codes: Codes) -> NDArray[np.float32]:
    """Return ``(..., 4, letters)`` shares of A, C, G and T for ``(..., letters)`` codes; padding is all zeros.

    >>> one_hot(np.array([1, 5, 0], np.uint8)).tolist()
    [[1.0, 0.5, 0.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    return np.ascontiguousarray(np.moveaxis(_SHARES[codes], -1, -2))


def complement(codes: Codes) -> Codes:
    """Return the codes of the letters that pair with these."""
    return np.asarray(_COMPLEMENT[codes])


def reverse_complement(codes: Codes) -> Codes:
    """Return the other strand of ``(..., letters)`` codes, read in its own direction.

    >>> from sewall.data.sequences import letters, packed
    >>> letters(reverse_complement(packed(["a"], ["AACGR"]).codes))
    'YCGTT'
    """
    return complement(codes)[..., ::-1]


def numbers(codes: Codes) -> NDArray[np.int8]:
    """Return 0, 1, 2, 3 for A, C, G, T, and -1 for all other letters and padding."""
    return np.asarray(_NUMBER[codes])


def kmers(codes: Codes, k: int) -> Numbers:
    """Return ``(..., letters - k + 1)`` numbers of the k-mers in base 4, -1 where one holds another letter than ACGT.

    >>> from sewall.data.sequences import packed
    >>> kmers(packed(["a"], ["AACNGT"]).codes, 2).tolist()
    [0, 1, -1, -1, 11]
    """
    places = codes.shape[-1] - k + 1
    if places < 1:
        return np.zeros((*codes.shape[:-1], 0), np.int64)
    single = numbers(codes)
    total, known = np.zeros((*codes.shape[:-1], places), np.int64), np.ones((*codes.shape[:-1], places), bool)
    for offset in range(k):
        part = single[..., offset : offset + places]
        total = 4 * total + part
        known &= part >= 0
    return np.where(known, total, -1)


def other_strand(k: int) -> Numbers:
    """Return ``(4**k,)`` the number of each k-mer's reverse complement.

    >>> other_strand(1).tolist()
    [3, 2, 1, 0]
    """
    number, found = np.arange(4**k), np.zeros(4**k, np.int64)
    for _ in range(k):
        found = 4 * found + 3 - number % 4
        number = number // 4
    return found


def canonical(k: int) -> tuple[Numbers, int]:
    """Return ``(4**k,)`` the column of each k-mer where it shares one with its reverse complement, and their number.

    >>> canonical(1)
    (array([0, 1, 1, 0]), 2)
    """
    own = np.arange(4**k)
    first, column = np.unique(np.minimum(own, other_strand(k)), return_inverse=True)
    return column.astype(np.int64), len(first)


def spelled(number: int, k: int) -> str:
    """Return the letters of a k-mer.

    >>> spelled(27, 3)
    'CGT'
    """
    return "".join("ACGT"[number >> 2 * place & 3] for place in reversed(range(k)))
