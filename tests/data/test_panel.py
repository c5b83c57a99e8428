from __future__ import annotations

import numpy as np

from sewall.data.panel import HAPLOID, MALE, UNKNOWN, Calls, OddCalls, Panel, Sites, X, Y

CODES = np.array([[0, 1, 2, 3, 1], [2, 2, 0, 1, 3], [0, 2, 2, 0, 0], [2, 0, 2, 3, 0]], np.uint8)


def small() -> Panel:
    chrom = np.array(["1", "1", "X", "Y"])
    alleles = np.array([["A", "G"], ["AT", "A"], ["C", "T"], ["G", "T"]])
    sites = Sites(chrom, np.array([3, 9, 4, 7], np.int32), chrom, alleles, np.array([0, 0, X, Y], np.int8))
    copies = np.array([[2] * 5, [2, 1, 1, 2, 2], [0, 1, 1, 0, 0], [1] * 5], np.int8)
    return Panel.from_codes(CODES, sites, list("abcde"), copies)


def test_codes_survive_packing() -> None:
    rng = np.random.default_rng(1)
    for samples in range(1, 10):
        codes = rng.integers(0, 4, (7, samples)).astype(np.uint8)
        packed = Calls.pack(codes)
        assert packed.data.shape == (7, -(-samples // 4))
        np.testing.assert_array_equal(packed.codes(slice(2, 6)), codes[2:6])
    wide = rng.integers(0, 256, (7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(Calls.pack(wide, 8, 254).codes(np.array([5, 1])), wide[[5, 1]])


def test_dosages_follow_the_copies() -> None:
    found = small().dosages(np.array([1, 0, 3]), slice(0, 4))
    nan = np.nan
    np.testing.assert_array_equal(found, [[1, 2, 1, 0], [0, 2, 0, nan], [nan, 1, 0, nan]])
    np.testing.assert_array_equal(np.concatenate([b for _, b in small().blocks(np.arange(5), 3)], axis=1).shape, (5, 4))


def test_shares_of_a_tetraploid() -> None:
    panel = small()
    calls = Calls.pack(np.array([[0, 1, 4, 255, 2]], np.uint8), 8, 4)
    four = Panel(panel.sample_ids, panel.sites.take(np.array([0])), calls, panel.copies * 2, panel.odd, {})
    np.testing.assert_array_equal(four.dosages(np.arange(5), slice(0, 1))[:, 0], [0, 1, 4, np.nan, 2])


def test_letters_and_chromosomes() -> None:
    sites = small().sites
    assert sites.letters.tolist() == [[0, 2], [-1, 0], [1, 3], [2, 3]]
    assert sites.chromosomes() == [("1", slice(0, 2)), ("X", slice(2, 3)), ("Y", slice(3, 4))]
    assert HAPLOID not in sites.inheritance


def test_odd_calls_move_with_their_sites() -> None:
    code = np.eye(5, dtype=np.float32)[:3]
    odd = OddCalls(np.array([0, 2, 3]), np.array([4, 1, 2]), code)
    panel = small()
    panel = Panel(panel.sample_ids, panel.sites, panel.calls, panel.copies, odd, {})
    for which in (np.array([2, 3]), np.array([False, False, True, True])):
        taken = panel.take_sites(which)
        assert taken.odd.site.tolist() == [0, 1] and taken.odd.sample.tolist() == [1, 2]
        np.testing.assert_array_equal(taken.odd.code, code[1:])
        np.testing.assert_array_equal(taken.calls.codes(slice(0, 2)), CODES[2:])


def test_some_individuals_are_unpacked_alone() -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, (9, 13)).astype(np.uint8)
    wide = Calls.pack(rng.integers(0, 256, (9, 13)).astype(np.uint8), 8, 254)
    for calls in (Calls.pack(codes), wide):
        for rows in (np.array([12, 0, 5]), np.arange(13), np.zeros(0, np.intp)):
            for sites in (slice(2, 7), np.array([8, 1])):
                np.testing.assert_array_equal(calls.of(rows, sites), calls.codes(sites)[:, rows])


def test_no_site_at_all() -> None:
    none = np.zeros(0, np.intp)
    assert Calls.pack(np.zeros((0, 5), np.uint8)).codes(slice(0, 3)).shape == (0, 5)
    assert small().calls.codes(none).shape == (0, 5)
    empty = small().take_sites(none)
    assert empty.dosages(np.arange(3), slice(0, 0)).shape == (3, 0) and len(empty.sites) == 0


def test_sex_is_unknown_until_told() -> None:
    assert small().sex.tolist() == [UNKNOWN] * 5
    panel = Panel.from_codes(CODES, small().sites, list("abcde"), sex=np.array([MALE, 2, 0, 0, 0], np.int8))
    assert panel.take_sites(np.array([1])).sex.tolist() == [1, 2, 0, 0, 0]
