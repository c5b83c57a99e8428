from __future__ import annotations

import numpy as np
import pytest

from sewall.data import sites

ALLELES = np.array(
    [
        ["A", "C", "G"],
        ["A", "C", "G"],
        ["A", "C", "G"],
        ["A", "CT", ""],
        ["A", "C", "*"],
        ["A", "C", ""],
        ["0", "1", ""],
    ],
    dtype=object,
)
CALLS = np.array(
    [[0, 1, -1, 0], [1, 2, 2, 2], [0, 1, 2, 0], [0, 1, 1, 0], [0, 0, 2, 0], [-1, -1, -1, -1], [0, 0, 0, 0]], np.int8
)


def test_each_row_is_used_or_has_one_reason() -> None:
    found = sites.usable(CALLS, ALLELES, np.ones(7, bool))
    np.testing.assert_array_equal(found.rows, [0, 1])
    np.testing.assert_array_equal(found.calls, [[0, 1, -1, 0], [0, 1, 1, 1]])
    assert found.calls.dtype == np.int8
    expected = {sites.MULTIALLELIC: 1, sites.NOT_SNV: 2, sites.NOT_CALLED: 1, sites.CONSTANT: 1}
    assert found.dropped == expected


def test_rows_dropped_before_have_no_second_reason() -> None:
    found = sites.usable(CALLS, ALLELES, np.arange(7) == 1)
    np.testing.assert_array_equal(found.rows, [1])
    assert found.dropped == {}


@pytest.mark.parametrize("seed", range(5))
def test_the_fast_way_and_the_general_way_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    genotypes = rng.integers(-1, 3, (50, 6, 2)).astype(np.int8)
    padded = np.concatenate([genotypes, np.full((50, 6, 1), sites.NO_COPY, np.int8)], axis=2)
    ploidy = np.full(6, 2, np.int8)
    np.testing.assert_array_equal(sites.columns(genotypes, ploidy), sites.columns(padded, ploidy))


def test_mixed_ploidy_columns_and_dosages() -> None:
    genotypes = np.array([[[0, 1], [1, -2], [-1, -2], [1, 1]], [[1, -2], [0, 1], [0, -2], [0, -1]]], np.int8)
    ploidy = np.array([2, 1, 0, 2], np.int8)
    laid = sites.columns(genotypes, ploidy)
    np.testing.assert_array_equal(laid, [[0, 1, 1, 1, 1], [-1, -1, -1, 0, -1]])
    whole = sites.whole_calls(laid, ploidy)
    np.testing.assert_array_equal(whole[1], [-1, -1, -1, -1, -1])
    np.testing.assert_array_equal(sites.dosages(whole, ploidy), [[1, 1, 2], [-1, -1, -1]])


def test_phase_and_ploidy_of_calls() -> None:
    genotypes = np.array([[[0, 1], [1, -2], [-1, -1]], [[1, 1], [0, -2], [0, -1]]], np.int8)
    np.testing.assert_array_equal(sites.heterozygous(genotypes), [[True, False, False], [False, False, False]])
    np.testing.assert_array_equal(sites.call_ploidy(genotypes), [[0, 0, 2], [0, 2, 0], [1, 0, 1]])
