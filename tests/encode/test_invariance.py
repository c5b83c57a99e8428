"""What every encoding must keep to: no order of columns, no ancestral state, any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sewall.data.alignment import MISSING, Alignment
from sewall.encode.statistics import NAMES, statistics
from sewall.encode.tables import tables
from sewall.jobs.recombination.windows import ENCODED, encode
from sewall.simulate.nuisances import unphase

THETA = 0.01
Make = Callable[..., Alignment]
KINDS = {
    "four": (4, 60, 0.0, True),
    "twenty": (20, 200, 0.0, True),
    "more columns than are compared": (200, 120, 0.0, True),
    "more sites than are paired": (12, 700, 0.0, True),
    "calls missing": (20, 120, 0.15, True),
    "few chromosomes, calls missing": (4, 40, 0.15, True),
    "genotypes": (20, 120, 0.0, False),
    "genotypes, calls missing": (24, 120, 0.15, False),
    "many genotypes, calls missing": (200, 80, 0.1, False),
}


@pytest.fixture(params=list(KINDS))
def window(request: pytest.FixtureRequest, random_alignment: Make) -> Alignment:
    return random_alignment(7, *KINDS[request.param])


def encoded(window: Alignment) -> dict[str, NDArray]:
    return encode(window, THETA, 1)


def assert_same(first: dict[str, NDArray], second: dict[str, NDArray]) -> None:
    assert first.keys() == second.keys()
    off = [name for name in NAMES if first["statistics"][NAMES.index(name)] != second["statistics"][NAMES.index(name)]]
    assert off == []
    assert {name: bool((first[name] == second[name]).all()) for name in first} == dict.fromkeys(first, True)


def test_the_order_of_columns_does_not_matter(window: Alignment) -> None:
    order = np.random.default_rng(1).permutation(len(window.copies))
    mixed = replace(window, calls=window.calls[:, order], copies=window.copies[order])
    assert_same(encoded(window), encoded(mixed))


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_swapping_reference_and_alternate_does_not_matter(window: Alignment, share: float) -> None:
    swap = np.random.default_rng(2).random((window.sites, 1)) < share
    other = np.where(window.calls == MISSING, window.calls, window.copies - window.calls)
    swapped = replace(window, calls=np.where(swap, other, window.calls).astype(np.int8))
    assert_same(encoded(window), encoded(swapped))


def test_genotypes_do_not_know_the_phase(random_alignment: Make) -> None:
    phased = random_alignment(3, 20, 150)
    switch = np.random.default_rng(3).random((150, 10)) < 0.5
    first, second = phased.calls[:, 0::2], phased.calls[:, 1::2]
    calls = phased.calls.copy()
    calls[:, 0::2], calls[:, 1::2] = np.where(switch, second, first), np.where(switch, first, second)
    rephased = replace(phased, calls=calls)
    individuals = np.full(10, 2, np.int8)
    assert_same(encoded(unphase(phased, individuals)), encoded(unphase(rephased, individuals)))
    assert (encoded(phased)["pairs"] != encoded(rephased)["pairs"]).any()  # while haplotypes do


@pytest.mark.parametrize("chromosomes", [4, 20, 200])
@pytest.mark.parametrize("sites", [0, 1, 5, 10, 700, 1500])
@pytest.mark.parametrize("phased", [True, False])
def test_any_size_gives_arrays_of_one_shape(random_alignment: Make, chromosomes: int, sites: int, phased: bool) -> None:
    shapes = {"pairs": (15, 270), "between": (3, 14, 14), "within": (3, 14, 14), "copying": (4, 16)}
    shapes["statistics"] = (len(NAMES),)
    arrays = encoded(random_alignment(4, chromosomes, sites, 0.05, phased))
    assert {name: array.shape for name, array in arrays.items()} == shapes
    assert set(ENCODED) == set(shapes)
    assert np.isnan(arrays["statistics"]).all() == (sites < 10)
    assert all(np.isfinite(arrays[name]).all() for name in ENCODED if sites >= 10 or name != "statistics")


@pytest.mark.parametrize("missing", [0.2, 0.4])
@pytest.mark.parametrize("phased", [True, False])
def test_many_missing_calls_in_few_chromosomes_leave_numbers(
    random_alignment: Make, missing: float, phased: bool
) -> None:
    values = statistics(random_alignment(5, 4, 30, missing, phased), THETA)
    assert [name for name, value in values.items() if not np.isfinite(value)] == []
    assert values["missing"] > 0.05


def test_a_column_of_missing_calls_alone_changes_no_table_of_pairs(random_alignment: Make) -> None:
    window = random_alignment(6, 12, 80)
    calls = np.hstack([window.calls, np.full((80, 1), MISSING, np.int8)])
    wider = Alignment(window.positions, calls, np.ones(13, np.int8), window.length)
    from sewall.encode.pairs import site_pairs

    complete, gaps = site_pairs(window), site_pairs(wider)
    np.testing.assert_array_equal(complete.four_gametes, gaps.four_gametes)
    np.testing.assert_allclose(complete.correlation, gaps.correlation, rtol=1e-12)
    assert 0 < complete.four_gametes.mean() < 1
    one, other = (tables(w, pairs, THETA) for w, pairs in ((window, complete), (wider, gaps)))
    for name in ("pairs", "between", "within"):
        np.testing.assert_array_equal(one[name], other[name])


def test_the_unit_of_length_is_theta(random_alignment: Make) -> None:
    window = random_alignment(8, 20, 100)
    stretched = replace(
        window, positions=window.positions * 7, length=window.length * 7, accessible=window.accessible * 7
    )
    one, other = encode(window, 0.07, 1), encode(stretched, 0.01, 1)
    np.testing.assert_allclose(one["statistics"], other["statistics"], rtol=1e-6)
    np.testing.assert_array_equal(one["pairs"], other["pairs"])
