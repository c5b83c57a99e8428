"""Counts, likenesses and the regression on them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from sewall.data.sequences import letters, packed
from sewall.dna.counts import all_counts, kmer_names
from sewall.dna.likeness import Gapped, Kind, Placed, likeness
from sewall.dna.ridge import KernelRidge
from sewall.encode.dna import reverse_complement

RNG = np.random.default_rng(3)
TEXTS = ["".join(RNG.choice(list("ACGT"), 30)) for _ in range(12)]
SEQUENCES = packed([f"s{k}" for k in range(12)], TEXTS)
FLIPPED = packed([f"s{k}" for k in range(12)], [letters(reverse_complement(SEQUENCES.codes_of(k))) for k in range(12)])


def test_counts_are_those_of_a_search_in_the_text() -> None:
    found = all_counts(SEQUENCES, 3, 1).toarray()
    for column, name in enumerate(kmer_names(3, 1)):
        places = [sum(text[k:].startswith(name) for k in range(len(text))) for text in TEXTS]
        assert found[:, column].tolist() == places


def test_both_strands_count_alike() -> None:
    assert np.array_equal(all_counts(SEQUENCES, 4, 2).toarray(), all_counts(FLIPPED, 4, 2).toarray())
    assert np.allclose(likeness(Gapped(5, 3, 2), SEQUENCES, FLIPPED), likeness(Gapped(5, 3, 2), SEQUENCES), atol=1e-6)


def test_gapped_patterns_are_counted_as_a_slow_search_counts_them() -> None:
    def slow(text: str) -> dict[tuple[tuple[int, ...], str], int]:
        found: dict[tuple[tuple[int, ...], str], int] = {}
        for rest in combinations(range(1, 4), 1):
            places = (0, *rest)
            for start in range(len(text) - places[-1]):
                key = places, "".join(text[start + place] for place in places)
                found[key] = found.get(key, 0) + 1
        return found

    tables = [slow(text) for text in TEXTS]
    keys = sorted(set().union(*tables))
    features = np.array([[table.get(key, 0) for key in keys] for table in tables], float)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    assert np.allclose(likeness(Gapped(4, 2, 1), SEQUENCES), features @ features.T, atol=1e-5)


@pytest.mark.parametrize("kind", [Gapped(5, 3, 2), Gapped(5, 3, 1), Placed(3)])
def test_likeness_is_one_to_oneself_and_the_same_in_any_company(kind: Kind) -> None:
    every = likeness(kind, SEQUENCES)
    assert np.allclose(np.diag(every), 1, atol=1e-5)
    some, others = np.arange(4), np.arange(4, 12)
    part = likeness(kind, SEQUENCES.take(some), SEQUENCES.take(others))
    assert np.allclose(part, every[np.ix_(some, others)], atol=1e-5)


def test_placed_kmers_weigh_matches_by_their_length() -> None:
    pair = packed(["a", "b"], ["ACGT", "ACTT"])
    # letters at three places, pairs at one; weights 2/3 and 1/3 of their squares
    own = 4 * 2 / 3 + 3 * 1 / 3
    assert likeness(Placed(2), pair)[0, 1] == pytest.approx((3 * 2 / 3 + 1 / 3) / own, abs=1e-6)


def test_values_left_out_are_those_of_a_fit_without_them() -> None:
    kernel, values = likeness(Gapped(5, 3, 2), SEQUENCES), RNG.normal(size=(12, 1))
    found = KernelRidge.fit(kernel, values)
    rest = np.arange(1, 12)
    without = np.linalg.solve(kernel[np.ix_(rest, rest)] + found.penalty * np.eye(11), (values - values.mean())[rest])
    assert found.left_out[0, 0] == pytest.approx(float(kernel[0, rest] @ without[:, 0] + values.mean()), abs=1e-5)


def test_groups_that_are_left_out_are_predicted_as_by_a_fit_without_them() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(30, 6)).astype(np.float32)
    kernel, groups = points @ points.T, rng.integers(0, 8, 30)
    values = rng.normal(size=(30, 2))
    values -= values.mean(axis=0)
    found = KernelRidge.fit(kernel, values, groups)
    for group in np.unique(groups):
        held, kept = groups == group, groups != group
        matrix = kernel[np.ix_(kept, kept)].astype(float) + found.penalty * np.eye(kept.sum())
        expected = kernel[np.ix_(held, kept)] @ np.linalg.solve(matrix, values[kept])
        assert np.allclose(found.left_out[held], expected, atol=1e-4)
