"""Copies and kin: all that are planted are found, and nothing by chance."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.data.sequences import Sequences, packed
from sewall.dna.clusters import clusters, homology_clusters
from sewall.dna.kinship import MOST_KIN, NEAR, RELATIVE, SIMILAR, kinship

NONE = np.zeros((0, 2), np.int64)


def many(number: int, length: int, seed: int, gc: float = 0.5) -> Sequences:
    rng = np.random.default_rng(seed)
    shares = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    codes = (1 << rng.choice(4, number * length, p=shares)).astype(np.uint8)
    ids = tuple(f"s{row}" for row in range(number))
    return Sequences(ids, codes, np.arange(number + 1, dtype=np.int64) * length, np.zeros(number))


def set_of(texts: list[str]) -> Sequences:
    return packed([f"s{row}" for row in range(len(texts))], texts)


@pytest.mark.parametrize("length, changes, indels, found", [
    (200, 4, 2, 1.0), (200, 20, 3, 1.0), (200, 37, 3, 1.0), (200, 40, 0, 1.0), (100, 18, 2, 0.99), (60, 12, 0, 0.98),
    (41, 8, 0, 0.97), (1000, 195, 5, 1.0),
])  # fmt: skip
def test_kin_of_80_per_cent_identity_are_found_on_either_strand(simulated, length, changes, indels, found):
    dna = simulated(length + changes)
    first = [dna.text(length) for _ in range(100)]
    second = [dna.mutated(text, changes, indels) for text in first]
    second = [dna.turned(text) if row % 2 else text for row, text in enumerate(second)]
    pairs = kinship(set_of(first + second)).pairs
    right = pairs["second"] - pairs["first"] == 100
    assert right.all()
    assert right.sum() >= found * 100
    assert (pairs["strand"] == np.where(pairs["first"] % 2, "-", "+")).all()


def test_kinds_follow_identity_and_coverage(simulated):
    dna = simulated(1)
    base = [dna.text(200) for _ in range(3)]
    half = base[2][:120] + dna.text(80)
    near, similar = dna.mutated(base[0], 5, 1), dna.mutated(base[1], 30)
    pairs = kinship(set_of([*base, near, similar, half])).pairs.sort_values("first")
    assert pairs["kind"].tolist() == [NEAR, SIMILAR, RELATIVE]
    assert pairs["identity"].iloc[1] == pytest.approx(0.85, abs=0.02)
    assert pairs["coverage"].iloc[2] == pytest.approx(0.6, abs=0.05)


def test_the_shift_is_where_the_first_letter_comes_to_lie(simulated):
    dna = simulated(2)
    text = dna.text(300)
    pairs = kinship(set_of([text[:200], text[30:230]])).pairs
    assert abs(int(pairs["shift"].iloc[0])) == 30


@pytest.mark.parametrize("number, length, gc", [(2000, 200, 0.5), (3000, 41, 0.5), (3000, 60, 0.3), (5000, 25, 0.5)])
def test_unrelated_sequences_have_no_kin(number, length, gc):
    for seed in range(2):
        assert kinship(many(number, length, seed, gc)).pairs.empty


def test_copies_are_told_from_reverse_complements(simulated):
    dna = simulated(3)
    text, other = dna.text(50), dna.text(50)
    sequences = set_of([text, other, dna.turned(text), text, text.lower()])
    found = kinship(sequences)
    assert found.same.tolist() == [0, 1, 2, 0, 0]
    assert found.either.tolist() == [0, 1, 0, 0, 0]
    assert found.pairs.empty
    assert kinship(sequences, stranded=True).original.tolist() == [0, 1, 2, 0, 0]


def test_a_stranded_search_keeps_strands_apart(simulated):
    dna = simulated(4)
    text = dna.text(200)
    sequences = set_of([text, dna.turned(dna.mutated(text, 10))])
    assert len(kinship(sequences).pairs) == 1
    assert kinship(sequences, stranded=True).pairs.empty


def test_unknown_letters_are_like_nothing(simulated):
    dna = simulated(5)
    masked = ["N" * 190 + dna.text(10) for _ in range(5)]
    assert kinship(set_of(masked)).pairs.empty


def test_a_family_larger_than_is_listed_is_one_cluster(simulated):
    dna = simulated(6)
    parent = dna.text(150)
    family = [dna.mutated(parent, 4) for _ in range(200)]
    found = kinship(set_of(family))
    assert len(found.pairs) <= 200 * MOST_KIN
    assert clusters(found, NONE, 1.0).number == 1


def test_the_same_seed_finds_the_same(simulated):
    sequences = set_of([simulated(row).mutated("ACGTTGCA" * 20, 15) for row in range(60)])
    assert kinship(sequences, seed=1).pairs.equals(kinship(sequences, seed=1).pairs)


def test_clusters_hold_chains_of_kin_together_and_are_capped(simulated):
    dna = simulated(7)
    long = dna.text(2000)
    chain = [long[start : start + 200] for start in range(0, 1500, 50)]
    alone = [dna.text(200) for _ in range(170)]
    found = kinship(set_of(chain + alone))
    whole = clusters(found, NONE, most_share=1.0)
    assert (whole.of[:30] == 0).all() and whole.number == 171 and whole.cut == 0
    capped = clusters(found, NONE)
    assert capped.largest <= 20 and capped.cut > 0
    assert "different clusters" in capped.notes()[0]


def test_copies_are_in_one_cluster_however_many(simulated):
    dna = simulated(8)
    text = dna.text(100)
    of = homology_clusters(set_of([text] * 30 + [dna.turned(text)] + [dna.text(100)])).of
    assert of.tolist() == [0] * 31 + [1]


@pytest.mark.slow
def test_twenty_thousand_sequences_are_compared_in_seconds():
    import time

    kinship(many(10, 100, 0))
    begun = time.process_time()
    assert kinship(many(20_000, 200, 0)).pairs.empty
    assert time.process_time() - begun < 15
