"""The landscape of a window: no order of columns, no ancestral state, and what it says of planted patterns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sewall.data.alignment import MISSING, Alignment
from sewall.encode.landscape import NAMES, TRACT_EDGES, TRACTS, landscape

THETA, PLACES = 0.01, 11
Make = Callable[..., Alignment]
KINDS = {
    "twenty": (20, 200, 0.0, True),
    "more columns than are compared": (80, 120, 0.0, True),
    "calls missing": (20, 120, 0.15, True),
    "genotypes": (20, 120, 0.0, False),
    "many genotypes, calls missing": (100, 80, 0.1, False),
    "hardly any site": (20, 2, 0.0, True),
}


@pytest.fixture(params=list(KINDS))
def window(request: pytest.FixtureRequest, random_alignment: Make) -> Alignment:
    return random_alignment(7, *KINDS[request.param])


def row(name: str) -> int:
    return NAMES.index(name)


def test_columns_have_no_order(window: Alignment) -> None:
    order = np.random.default_rng(1).permutation(len(window.copies))
    mixed = replace(window, calls=window.calls[:, order], copies=window.copies[order])
    assert np.array_equal(landscape(window, THETA, PLACES), landscape(mixed, THETA, PLACES))


def test_reference_and_alternate_may_be_swapped(window: Alignment) -> None:
    other = np.where(window.calls == MISSING, window.calls, window.copies - window.calls).astype(np.int8)
    assert np.allclose(landscape(window, THETA, PLACES), landscape(replace(window, calls=other), THETA, PLACES))


def test_shares_of_pairs_and_individuals_sum_to_one(window: Alignment) -> None:
    found = landscape(window, THETA, PLACES)
    assert found.shape == (len(NAMES), PLACES) and np.isfinite(found).all()
    assert np.allclose(found[:TRACTS].sum(axis=0), 1)
    assert np.allclose(found[TRACTS : 2 * TRACTS].sum(axis=0), 0 if window.phased else 1)


def test_a_window_read_from_its_other_end_is_its_mirror_image() -> None:
    rng = np.random.default_rng(4)
    positions = np.sort(rng.choice(10_999, 150, replace=False) + 0).astype(np.int32)
    calls = (rng.random((150, 12)) < 0.3).astype(np.int8)
    calls[:, 0], calls[:, 1] = 1, 0
    length = 11_000
    ahead = Alignment(positions, calls, np.ones(12, np.int8), length)
    back = Alignment((length - 1 - positions)[::-1].astype(np.int32), calls[::-1].copy(), ahead.copies, length)
    first, second = landscape(ahead, THETA, PLACES), landscape(back, THETA, PLACES)[:, ::-1]
    assert np.allclose(first[:TRACTS], second[:TRACTS], atol=0.05)
    assert np.allclose(first[row("sites") :], second[row("sites") :], atol=1e-5)


def test_a_stretch_without_variants_gives_long_tracts_and_one_haplotype_there() -> None:
    rng = np.random.default_rng(2)
    positions = np.sort(rng.choice(110_000, 1_100, replace=False)).astype(np.int32)
    calls = (rng.random((1_100, 16)) < 0.4).astype(np.int8)
    calls[:, 0], calls[:, 1] = 1, 0
    empty = (positions >= 50_000) & (positions < 60_000)
    window = Alignment(positions[~empty], calls[~empty], np.ones(16, np.int8), 110_000)
    found = landscape(window, 0.01, 11)
    typical = (found[:TRACTS] * np.arange(TRACTS)[:, None]).sum(axis=0)
    assert typical.argmax() == 5
    assert found[row("sites"), 5] == 0 and found[row("pi"), 5] == 0
    assert (found[row("sites"), [4, 6]] > 0.5).all()


def test_shares_of_haplotypes_are_those_that_were_planted() -> None:
    rng = np.random.default_rng(3)
    founders = (rng.random((200, 4)) < 0.5).astype(np.int8)
    calls = founders[:, [0] * 8 + [1] * 4 + [2] * 3 + [3]]
    window = Alignment(np.arange(0, 20_000, 100, dtype=np.int32), calls, np.ones(16, np.int8), 20_000)
    found = landscape(window, THETA, 4)[:, 2]
    assert found[[row(f"haplotype_{k}_32") for k in (1, 2, 3)]].tolist() == [0.5, 0.25, 0.1875]
    assert found[row("h12_32")] == pytest.approx(0.75**2 + 0.1875**2 + 0.0625**2)
    assert found[row("haplotypes_32")] == pytest.approx(4 / 16)


def test_what_is_masked_is_not_taken_for_a_lack_of_variants(random_alignment: Make) -> None:
    window = random_alignment(1, 20, 200, 0.0, True)
    half = np.array([[0, window.length // 2]], np.int32)
    inside = window.positions < window.length // 2
    masked = Alignment(window.positions[inside], window.calls[inside], window.copies, window.length, half)
    whole, part = landscape(window, THETA, 2), landscape(masked, THETA, 2)
    assert part[row("accessible")].tolist() == [1, 0]
    assert part[row("sites"), 0] == whole[row("sites"), 0] and part[row("sites"), 1] == 0


def test_edges_rise() -> None:
    assert (np.diff(TRACT_EDGES) > 0).all() and len(set(NAMES)) == len(NAMES)
