"""Small changes are small, and hang on the letters and the seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import Sequences, packed
from sewall.dna.small_changes import CHANGES, FARTHEST, LOWER_CASE, OTHER_STRAND, moved, substituted, unread

SUBSTITUTION = CHANGES[1]


def drawn(number: int, length: int, seed: int = 1, letters: str = "ACGT") -> Sequences:
    rng = np.random.default_rng(seed)
    return packed([f"s{k}" for k in range(number)], ["".join(rng.choice(list(letters), length)) for _ in range(number)])


def test_a_window_moves_by_few_letters_to_either_side():
    steps = set()
    for seed in range(60):
        codes = drawn(1, 60, seed).codes
        own = moved(codes, np.random.default_rng(seed))
        step = len(codes) - len(own)
        steps.add((step, np.array_equal(own, codes[step:])))
        assert np.array_equal(own, codes[step:]) or np.array_equal(own, codes[:-step])
    assert steps == {(step, side) for step in range(1, FARTHEST + 1) for side in (True, False)}
    assert len(moved(np.ones(12, np.uint8), np.random.default_rng(1))) == 11


@pytest.mark.parametrize(("length", "changed", "unknown"), [(30, 1, 2), (100, 1, 5), (1_000, 10, 50)])
def test_as_many_letters_change_as_is_said(length, changed, unknown):
    codes = drawn(1, length).codes
    other, holes = (made(codes, np.random.default_rng(2)) for made in (substituted, unread))
    assert (other != codes).sum() == changed and set(other.tolist()) <= {1, 2, 4, 8}
    assert (holes == 15).sum() == unknown and np.array_equal(holes[holes < 15], codes[holes < 15])


def test_substitutions_are_even_among_the_other_three_and_spare_ambiguous_letters():
    found = substituted(np.full(100_000, 4, np.uint8), np.random.default_rng(3))
    counts = np.bincount(found, minlength=9)
    assert counts[4] == 99_000 and counts[[1, 2, 8]].min() > 270
    assert (substituted(np.full(1_000, 15, np.uint8), np.random.default_rng(3)) == 15).all()


@pytest.mark.parametrize("change", [*CHANGES, LOWER_CASE, OTHER_STRAND], ids=lambda change: change.key)
def test_company_and_order_do_not_matter_but_the_seed_does(change):
    sequences = drawn(20, 80)
    every = change.of(sequences, np.arange(20), 1)
    some = change.of(sequences.take(np.array([7, 3])), np.arange(2), 1)
    assert [some.text(0), some.text(1)] == [every.text(7), every.text(3)]
    others = change.of(sequences, np.arange(20), 2)
    assert (others.codes.tolist() == every.codes.tolist()) == (change in (LOWER_CASE, OTHER_STRAND))


def test_lower_case_is_the_same_letters_and_the_other_strand_comes_back():
    sequences = drawn(5, 50, letters="ACGTNRY")
    lower = LOWER_CASE.of(sequences, np.arange(5), 1)
    assert np.array_equal(lower.codes, sequences.codes) and (lower.lower == 1).all()
    back = OTHER_STRAND.of(OTHER_STRAND.of(sequences, np.arange(5), 1), np.arange(5), 1)
    assert np.array_equal(back.codes, sequences.codes)


def test_changes_have_names_of_their_own():
    assert SUBSTITUTION.of(drawn(3, 40), np.array([2, 0]), 1).ids == ("substitution 2", "substitution 0")
