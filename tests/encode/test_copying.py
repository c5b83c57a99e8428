from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sewall.data.alignment import MISSING, Alignment
from sewall.encode.copying import (
    MOST_COLUMNS,
    differences,
    gaps_between_columns,
    gaps_within_columns,
    mosaic,
    spread_columns,
)

Make = Callable[..., Alignment]


def test_columns_differ_where_they_share_no_allele(alignment: Make) -> None:
    differ = differences(alignment([[0, 1, 2, MISSING]], copies=2))
    # Pairs 0-1, 0-2, 0-3, 1-2, 1-3, 2-3: a heterozygote and a missing call may share with anybody.
    assert differ[:, 0].tolist() == [False, True, False, False, False, False]


def test_gaps_between_haplotypes_by_hand(alignment: Make) -> None:
    window = alignment([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], positions=[0, 7, 20, 50])
    length, owner = gaps_between_columns(window)
    # 0-1 differ at 0, 7; 0-2 at 0, 20, 50; 1-2 at 7, 20, 50.
    assert length.tolist() == [7, 20, 30, 13, 30]
    assert owner.tolist() == [0, 1, 1, 2, 2]


def test_gaps_within_individuals_are_between_heterozygous_sites(alignment: Make) -> None:
    window = alignment([[1, 0], [2, 1], [1, 1], [MISSING, 0], [1, 1]], positions=[3, 10, 30, 40, 90], copies=2)
    length, owner = gaps_within_columns(window)
    assert length.tolist() == [27, 60, 20, 60]
    assert owner.tolist() == [0, 0, 1, 1]


def test_haplotypes_have_no_gaps_within(random_alignment: Make) -> None:
    assert len(gaps_within_columns(random_alignment(1, 6, 30))[0]) == 0


def test_a_recombinant_is_pieced_together_from_its_parents(alignment: Make) -> None:
    # Columns 0, 1: parent A twice; 2, 3: parent B twice; 4: A up to the third site, B from there on.
    a, b = [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]
    recombinant = [0, 0, 0, 1, 1, 1]
    window = alignment(np.array([a, a, b, b, recombinant]).T.tolist(), positions=[5, 10, 20, 60, 70, 80])
    pieces = mosaic(window)
    # Only the recombinant must change its source, at the fourth site, once it has been like A from the first on.
    assert (pieces.lengths.tolist(), pieces.ends.tolist(), pieces.columns) == ([55], [60], 5)


def test_two_crossovers_give_two_stretches(alignment: Make) -> None:
    a, b = [0] * 6, [1] * 6
    window = alignment(np.array([a, a, b, b, [0, 0, 1, 1, 0, 0]]).T.tolist(), positions=[0, 10, 20, 30, 40, 50])
    pieces = mosaic(window)
    assert pieces.lengths.tolist() == [20, 20]
    assert pieces.ends.tolist() == [20, 40]


def test_an_allele_of_its_own_ends_a_stretch_and_the_next_begins_behind_it(alignment: Make) -> None:
    window = alignment([[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], positions=[0, 10, 25])
    # The singleton cannot be copied: one stretch ends there for its carrier, the site itself is a stretch of its own.
    assert mosaic(window).ends.tolist() == [10, 25]


def test_missing_calls_and_heterozygotes_never_end_a_stretch(alignment: Make) -> None:
    assert len(mosaic(alignment([[0, 0, 0], [0, 0, MISSING], [0, 0, 0]])).lengths) == 0
    assert len(mosaic(alignment([[0, 0, 0], [0, 0, 1], [0, 0, 0]], copies=2)).lengths) == 0


@pytest.mark.parametrize(("sites", "columns"), [(0, 4), (1, 4), (0, 200)])
def test_windows_with_nothing_to_copy(sites: int, columns: int) -> None:
    calls = np.zeros((sites, columns), np.int8)
    calls[:, 0] = 1
    window = Alignment(np.arange(sites, dtype=np.int32), calls, np.ones(columns, np.int8), 100)
    assert len(mosaic(window).lengths) == 0
    assert len(gaps_between_columns(window)[0]) == 0


def fewest_stretches(column: int, calls: np.ndarray) -> int:
    """By dynamic programming over all sources: the fewest pieces of the other columns that make up a column."""
    sites, columns = calls.shape
    same = calls == calls[:, [column]]
    others = [k for k in range(columns) if k != column]
    least = [0] + [sites] * sites
    for end in range(1, sites + 1):
        for start in range(end):
            if end - start == 1 or any(same[start:end, k].all() for k in others):
                least[end] = min(least[end], least[start] + 1)
    return least[sites]


@pytest.mark.parametrize("seed", range(4))
def test_the_mosaic_has_the_fewest_stretches(random_alignment: Make, seed: int) -> None:
    window = random_alignment(seed, 7, 30)
    expected = sum(fewest_stretches(k, window.calls) - 1 for k in range(7))  # the last, cut off, is not counted
    assert len(mosaic(window).lengths) == expected
    assert expected > 0


def test_a_large_sample_is_thinned_by_content(random_alignment: Make) -> None:
    window = random_alignment(5, 200, 60)
    chosen = spread_columns(window.calls)
    assert len(chosen) == len(set(chosen.tolist())) == MOST_COLUMNS
    assert mosaic(window).columns == MOST_COLUMNS
