"""DNA as arrays."""

from __future__ import annotations

import numpy as np

from sewall.data.sequences import letters, packed
from sewall.encode.dna import canonical, kmers, one_hot, other_strand, reverse_complement, spelled

EVERY_LETTER = packed(["a"], ["ACGTRYSWKMBDHVN"]).codes


def test_ambiguous_letters_are_shared_out_evenly() -> None:
    shares = one_hot(EVERY_LETTER)
    assert np.allclose(shares.sum(axis=0), 1)
    assert shares[:, 4].tolist() == [0.5, 0, 0.5, 0]


def test_the_other_strand_twice_is_the_same_strand() -> None:
    assert letters(reverse_complement(EVERY_LETTER)) == "NBDHVKMWSRYACGT"
    assert np.array_equal(reverse_complement(reverse_complement(EVERY_LETTER)), EVERY_LETTER)
    assert np.array_equal(one_hot(reverse_complement(EVERY_LETTER)), one_hot(EVERY_LETTER)[::-1, ::-1])


def test_kmers_and_their_other_strand() -> None:
    rng = np.random.default_rng(1)
    codes = 1 << rng.integers(4, size=50).astype(np.uint8)
    for k in (1, 3, 5):
        forward, backward = kmers(codes, k), kmers(reverse_complement(codes), k)
        assert np.array_equal(other_strand(k)[forward], backward[::-1])
        column, number = canonical(k)
        assert np.array_equal(column[forward], column[backward[::-1]])
        assert number == (4**k + (4 ** (k // 2) if k % 2 == 0 else 0)) // 2
        assert spelled(int(forward[0]), k) == letters(codes[:k])


def test_a_sequence_shorter_than_a_kmer_has_none() -> None:
    assert kmers(EVERY_LETTER[:2], 3).shape == (0,)
