from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sewall.data.sequences import letters, packed
from sewall.motifs.shuffling import dinucleotide_shuffles, drawn


def pairs(text: str) -> Counter[str]:
    return Counter(text[k : k + 2] for k in range(len(text) - 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ACGTNR", min_size=1, max_size=60), min_size=1, max_size=4), st.integers(0, 2**31))
def test_pairs_and_ends_are_kept(texts: list[str], seed: int) -> None:
    found = dinucleotide_shuffles(packed([f"s{k}" for k in range(len(texts))], texts), 3, seed)
    for text, copies in zip(texts, found.copies, strict=True):
        assert copies.shape == (3, len(text))
        for copy in map(letters, copies):
            assert pairs(copy) == pairs(text)
            assert (copy[0], copy[-1]) == (text[0], text[-1])


def test_what_cannot_be_shuffled_is_listed() -> None:
    found = dinucleotide_shuffles(packed(["a", "b", "c"], ["ACACACACACAC", "GATTACAGATTCCA", "A"]), 20, 1)
    assert found.fixed.tolist() == [0, 2]


def test_shuffles_differ_and_depend_on_the_seed_alone() -> None:
    text = "GATTACAGATTCCATGCAGTCATGCATTTACG"
    one = dinucleotide_shuffles(packed(["a"], [text]), 20, 1).copies[0]
    assert len({letters(copy) for copy in one}) > 15
    again = dinucleotide_shuffles(packed(["a", "b"], [text, "ACGTACCA"]), 20, 1).copies[0]
    np.testing.assert_array_equal(one, again)
    assert (one != dinucleotide_shuffles(packed(["a"], [text]), 20, 2).copies[0]).any()


def test_ambiguous_letters_are_drawn_from_their_bases() -> None:
    some, number = drawn(packed(["a"], ["NRY" * 400]), 3)
    text = some.text(0)
    assert number == 1200
    assert set(text[1::3]) == {"A", "G"}
    assert set(text[2::3]) == {"C", "T"}
    assert min(Counter(text[::3]).values()) > 60
