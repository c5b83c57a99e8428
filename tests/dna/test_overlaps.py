from __future__ import annotations

import numpy as np

from sewall.data.sequences import Sequences, packed
from sewall.dna.audit import audit
from sewall.dna.overlaps import overlaps


def windows(starts: list[int], length: int = 41, seed: int = 3) -> Sequences:
    genome = "".join(np.random.default_rng(seed).choice(list("ACGT"), 50_000))
    return packed([f"w{start}" for start in starts], [genome[start : start + length] for start in starts])


APART = [100 * k for k in range(400)]


def test_windows_side_by_side_are_seen_and_others_are_not() -> None:
    beside = windows([place for k in range(100) for place in (400 * k, 400 * k + 20)])
    assert overlaps(beside).flags.all()
    assert not overlaps(windows(APART)).flags.any()


def test_copies_and_simple_repeats_are_no_overlaps() -> None:
    texts = ["ACGTTGCAGGATCCATTGACCATGACCAGTACGATTACAGGA", "ACGTTGCAGGATCCATTGACCATGACCAGTACGATTACAGGA"]
    assert not overlaps(packed(["a", "b"], texts)).flags.any()
    assert not overlaps(packed(["a", "b"], ["AT" * 20 + "G", "G" + "AT" * 20])).flags.any()


def test_within_a_group_they_do_not_count() -> None:
    two = windows([0, 20, 1_000, 1_020])
    assert overlaps(two, np.array(["x", "x", "y", "z"])).flags.tolist() == [False, False, True, True]


def test_an_audit_warns_where_they_are_many() -> None:
    beside = windows([place for k in range(100) for place in (400 * k, 400 * k + 20)])
    found = audit(beside).finding("overlaps")
    assert (found.status, found.count, found.of) == ("warn", 200, 200)
    assert audit(windows(APART)).finding("overlaps").status == "pass"


def test_unequal_and_ambiguous_sequences_are_read() -> None:
    text = "ACGTTGCAGGATCCATTGACC"
    found = overlaps(packed(["a", "b", "c"], [text + "N" * 9, "GG" + text, "AC"]))
    assert found.flags.tolist() == [True, True, False]
