from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sewall.data.alignment import Alignment
from sewall.encode import tables
from sewall.encode.copying import gaps_between_columns, gaps_within_columns
from sewall.encode.pairs import site_pairs

Make = Callable[..., Alignment]


@pytest.mark.parametrize(("chromosomes", "sites"), [(4, 5), (20, 300), (8, 700), (200, 60)])
def test_every_pair_of_sites_falls_into_one_class(random_alignment: Make, chromosomes: int, sites: int) -> None:
    window = random_alignment(1, chromosomes, sites)
    pairs = site_pairs(window)
    assert tables.pair_table(window, pairs, 0.01).sum() == len(pairs.first)


def test_a_pair_falls_into_the_class_that_describes_it(alignment: Make) -> None:
    # Minor alleles at 2 and 4 of 10, 2 chromosomes carry both, 100 bp apart at theta 0.01: 1 expected difference.
    window = alignment([[1, 1] + [0] * 8, [1, 1, 1, 1] + [0] * 6], positions=[0, 100])
    table = tables.pair_table(window, site_pairs(window), 0.01)
    distance, cell = (int(k[0]) for k in np.nonzero(table))
    low, high, _, r, _, gametes, scaled = tables.pair_descriptors()[distance, cell]
    assert (tables.DISTANCE_EDGES[distance] <= 1.0 < tables.DISTANCE_EDGES[distance + 1], gametes) == (True, 0.0)
    correlation = (0.2 - 0.2 * 0.4) / np.sqrt(0.2 * 0.8 * 0.4 * 0.6)
    assert r == pytest.approx(correlation, abs=0.2)
    assert {(low + 1) / 4 > 0.3, (high + 1) / 4 > 0.3} == {True, False}  # one class around .2, one around .44
    assert scaled == pytest.approx(np.linspace(-1, 1, tables.DISTANCES)[distance])


def test_gaps_are_paired_with_those_one_two_and_four_further_on(random_alignment: Make) -> None:
    length, owner = gaps_between_columns(random_alignment(2, 6, 80))
    table = tables.gap_table((length, owner), 0.01)
    per_pair = np.bincount(owner)
    assert table.sum(axis=(1, 2)).tolist() == [int(np.maximum(per_pair - lag, 0).sum()) for lag in (1, 2, 4)]


def test_no_gaps_no_counts(random_alignment: Make) -> None:
    assert tables.gap_table(gaps_within_columns(random_alignment(3, 6, 20)), 0.01).sum() == 0


def test_counts_do_not_overflow() -> None:
    gaps = (np.full(70_000, 10), np.zeros(70_000, np.intp))
    assert tables.gap_table(gaps, 0.01).max() == np.iinfo(np.uint16).max


def test_descriptors_have_one_row_per_class_and_order_one() -> None:
    for descriptors in (tables.pair_descriptors(), tables.gap_descriptors()):
        assert descriptors.dtype == np.float32
        assert np.abs(descriptors).max() <= 2
        for group in descriptors:
            assert len(np.unique(group, axis=0)) == len(group)


def test_copying_table_counts_stretches_per_column(alignment: Make) -> None:
    a, b = [0] * 6, [1] * 6
    window = alignment(np.array([a, a, b, b, [0, 0, 0, 1, 1, 1]]).T.tolist(), positions=[5, 10, 20, 60, 70, 80])
    table = tables.copying_table(window, 0.01)
    assert table.shape == (len(tables.COPY_LEVELS), 2 + tables.COPIES)
    assert table[0, 0] == pytest.approx(1 / 5)  # one stretch in five columns, at sites of two copies or more
    assert table[0, 2:].sum() == pytest.approx(1 / 5)
    assert table[1:, 0].tolist() == [0, 0, 0]  # no site has a minor allele of three copies
