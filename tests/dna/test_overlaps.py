from __future__ import annotations

import numpy as np

from sewall.data.sequences import Sequences, packed
from sewall.dna.audit import audit
from sewall.dna.clusters import homology_clusters
from sewall.dna.overlaps import overlaps

TURNED = str.maketrans("ACGT", "TGCA")


def windows(starts: list[int], length: int = 41, seed: int = 3) -> Sequences:
    genome = "".join(np.random.default_rng(seed).choice(list("ACGT"), 50_000))
    return packed([f"w{start}" for start in starts], [genome[start : start + length] for start in starts])


def turned(sequences: Sequences, row: int) -> Sequences:
    texts = [sequences.text(other) for other in range(len(sequences))]
    texts[row] = texts[row].translate(TURNED)[::-1]
    return packed(sequences.ids, texts)


APART = [100 * k for k in range(400)]
BESIDE = [place for k in range(100) for place in (400 * k, 400 * k + 20)]


def test_windows_side_by_side_are_seen_and_others_are_not() -> None:
    assert sorted(overlaps(windows(BESIDE)).pairs.tolist()) == [[2 * k, 2 * k + 1] for k in range(100)]
    assert not len(overlaps(windows(APART)).pairs)


def test_the_other_strand_counts_where_strands_are_one() -> None:
    for row in (0, 1):
        two = turned(windows([0, 20]), row)
        assert overlaps(two).pairs.tolist() == [[0, 1]]
        assert not len(overlaps(two, stranded=True).pairs)


def test_windows_of_different_lengths_overlap() -> None:
    genome = "".join(np.random.default_rng(5).choice(list("ACGT"), 400))
    texts = [genome[:120], genome[100:150], genome[180:300], genome[310:]]
    for row in range(4):
        assert overlaps(turned(packed(list("abcd"), texts), row)).pairs.tolist() == [[0, 1]]


def test_an_allele_within_the_overlap_does_not_hide_it() -> None:
    genome = list(np.random.default_rng(6).choice(list("ACGT"), 200))
    first, changed = "".join(genome[:120]), [*genome]
    changed[100] = "A" if genome[100] != "A" else "C"
    assert overlaps(packed(["a", "b"], [first, "".join(changed[60:180])])).pairs.tolist() == [[0, 1]]


def test_a_repeat_shared_in_the_middle_is_no_overlap() -> None:
    rng = np.random.default_rng(7)
    repeat, *rest = ("".join(rng.choice(list("ACGT"), 60)) for _ in range(5))
    assert not len(overlaps(packed(["a", "b"], [rest[0] + repeat + rest[1], rest[2] + repeat + rest[3]])).pairs)


def test_copies_and_simple_repeats_are_no_overlaps() -> None:
    texts = ["ACGTTGCAGGATCCATTGACCATGACCAGTACGATTACAGGA", "ACGTTGCAGGATCCATTGACCATGACCAGTACGATTACAGGA"]
    assert not len(overlaps(packed(["a", "b"], texts)).pairs)
    assert not len(overlaps(packed(["a", "b"], ["AT" * 20 + "G", "AT" * 20 + "C"])).pairs)


def test_windows_that_overlap_are_in_one_cluster() -> None:
    of = homology_clusters(windows(BESIDE)).of
    assert of.tolist() == [k for k in range(100) for _ in range(2)]


def test_an_audit_warns_where_they_are_many() -> None:
    found = audit(windows(BESIDE)).finding("overlaps")
    assert (found.status, found.count, found.of) == ("warn", 200, 200)
    assert audit(windows(APART)).finding("overlaps").status == "pass"


def test_within_a_group_they_do_not_count() -> None:
    together = np.array([f"g{k}" for k in range(100) for _ in range(2)])
    assert audit(windows(BESIDE), groups=together).finding("overlaps").status == "pass"
    apart = np.array([f"g{k}" for k in range(200)])
    assert audit(windows(BESIDE), groups=apart).finding("overlaps").status == "warn"


def test_windows_of_the_test_that_overlap_those_of_the_training_are_a_leak() -> None:
    every = windows([*APART[:50], 20, *(40_000 + 100 * k for k in range(9))])
    parts = np.array(["train"] * 50 + ["test"] * 10)
    found = audit(every, parts=parts).finding("leak: overlap")
    assert (found.status, found.count, found.of, found.first) == ("warn", 1, 10, ("w20",))


def test_unequal_and_ambiguous_sequences_are_read() -> None:
    text = "ACGTTGCAGGATCCATTGACC"
    found = overlaps(packed(["a", "b", "c"], [text + "N" * 9, "GG" + text, "AC"]))
    assert found.pairs.tolist() == [[0, 1]]
