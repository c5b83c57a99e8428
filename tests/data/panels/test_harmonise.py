from __future__ import annotations

import numpy as np
import pytest

from sewall.data.panel import OddCalls, Panel, Sites
from sewall.data.panels import harmonise as h


def sites(alleles: list[tuple[str, str]], chrom: str = "1", start: int = 10) -> Sites:
    number = len(alleles)
    return Sites(
        np.array([chrom] * number),
        np.arange(start, start + number, dtype=np.int32),
        np.array([f"rs{k}" for k in range(number)]),
        np.array(alleles),
        np.zeros(number, np.int8),
    )


OURS = [("A", "G"), ("A", "G"), ("C", "T"), ("C", "A"), ("A", "T"), ("C", "G"), ("A", "T"), ("A", "C"), ("G", "GA")]
CODES = np.array(
    [[0, 1, 2, 3], [0, 1, 2, 2], [2, 2, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1], [0, 1, 2, 0],
     [0, 1, 2, 0]], np.uint8
)  # fmt: skip
IDS = ["a", "b", "c", "d"]


def panel(alleles: list[tuple[str, str]], codes: np.ndarray, chrom: str = "1", start: int = 10) -> Panel:
    return Panel.from_codes(codes, sites(alleles, chrom, start), IDS)


@pytest.fixture
def ours() -> Panel:
    return panel(OURS, CODES)


@pytest.fixture
def frequency(ours: Panel) -> np.ndarray:
    return h.frequencies(ours, np.arange(len(ours.sites)))


def test_frequencies_count_copies(ours: Panel, frequency: np.ndarray) -> None:
    np.testing.assert_allclose(frequency[:3], [0.5, 5 / 8, 5 / 8])
    males = np.array([[2] * 4, [2, 1, 1, 2], [0] * 4, [1] * 4], np.int8)
    x = Panel.from_codes(np.array([[0, 2, 2, 1]], np.uint8), sites([("A", "G")], "X"), IDS, males)
    on_x = Sites(x.sites.chrom, x.sites.position, x.sites.name, x.sites.alleles, np.array([1], np.int8))
    assert h.frequencies(Panel(IDS, on_x, x.calls, males, x.odd, {}), np.array([0]))[0] == pytest.approx(3 / 6)


def test_the_same_data_come_back_as_they_are(ours: Panel, frequency: np.ndarray) -> None:
    found, table = h.harmonise(ours, ours.sites, frequency)
    expected = [h.SAME] * 4 + [h.BY_FREQUENCY, h.BY_FREQUENCY, h.AMBIGUOUS, h.SAME, h.SAME]
    assert table["outcome"].tolist() == expected
    used = table["outcome"].isin(h.USED).to_numpy()
    np.testing.assert_array_equal(found.calls.codes(slice(None))[used], CODES[used])
    assert (found.calls.codes(slice(None))[~used] == 3).all()


def turned(codes: np.ndarray) -> np.ndarray:
    return np.where(codes == 3, 3, 2 - np.minimum(codes, 2)).astype(np.uint8)


def test_swapped_and_complemented_alleles_give_the_same_calls(ours: Panel, frequency: np.ndarray) -> None:
    """Turn every site but the first another way; the panel that comes back is the one that went in."""
    theirs = [("A", "G"), ("G", "A"), ("G", "A"), ("T", "G"), ("T", "A"), ("C", "G"), ("T", "A"), ("A", "C")]
    theirs.append(("GA", "G"))
    codes = CODES.copy()
    for k in (1, 3, 4, 6, 8):  # swapped; the third is the other strand, the fourth the other strand and swapped
        codes[k] = turned(CODES[k])
    codes[5] = turned(CODES[5])  # C/G on the other strand: the same letters, another meaning
    found, table = h.harmonise(panel(theirs, codes), ours.sites, frequency)
    assert table["outcome"].tolist() == [
        h.SAME, h.SWAPPED, h.FLIPPED, h.FLIPPED_SWAPPED, h.BY_FREQUENCY, h.BY_FREQUENCY, h.AMBIGUOUS, h.SAME, h.SWAPPED,
    ]  # fmt: skip
    used = table["outcome"].isin(h.USED).to_numpy()
    np.testing.assert_array_equal(found.calls.codes(slice(None))[used], CODES[used])


def test_chromosomes_match_with_and_without_chr(ours: Panel, frequency: np.ndarray) -> None:
    _, table = h.harmonise(panel(OURS, CODES, "chr1"), ours.sites, frequency)
    assert (table["outcome"] != h.ABSENT).all()


def test_sites_elsewhere_or_with_other_alleles_are_left_out(ours: Panel, frequency: np.ndarray) -> None:
    theirs = [("A", "C"), *OURS[1:]]
    found, table = h.harmonise(panel(theirs, CODES, start=9), ours.sites, frequency)
    assert table["outcome"].tolist()[-1] == h.ABSENT
    assert table["outcome"].tolist()[0] == h.SAME  # ours 0 is theirs 1
    assert table["outcome"].tolist()[2] == h.DIFFERENT
    assert found.counts[h.ABSENT] == 1
    assert np.isnan(found.dosages(np.arange(4), slice(8, 9))).all()


def test_odd_calls_move_with_their_sites_and_turn_with_their_strand(ours: Panel, frequency: np.ndarray) -> None:
    theirs = panel([("G", "A"), ("C", "T")], CODES[[2, 0]], start=12)
    odd = OddCalls(np.array([0, 1]), np.array([3, 1]), np.array([[0, 0, 1, 1, 0], [0.5, 0.5, 1, 0, 0]], np.float32))
    moved, table = h.harmonise(Panel(IDS, theirs.sites, theirs.calls, theirs.copies, odd, {}), ours.sites, frequency)
    assert table["outcome"].tolist()[2] == h.FLIPPED
    np.testing.assert_array_equal(moved.odd.site, [2])
    np.testing.assert_array_equal(moved.odd.code, [[1, 1, 0, 0, 0]])  # G and T of the other strand are C and A


def test_other_sites_tell_the_strand_of_all(ours: Panel) -> None:
    """An A/T site of frequency one half is settled where twenty others are all on one strand."""
    many = [("A", "G")] * 25 + [("A", "T"), ("T", "A")]
    codes = np.array([[0, 1, 1, 2]] * 27, np.uint8)
    theirs = [("G", "A")] * 25 + [("A", "T"), ("A", "T")]
    turned_codes = np.array([turned(row) for row in codes[:25]] + [codes[25], turned(codes[26])], np.uint8)
    mine, other = panel(many, codes), panel(theirs, turned_codes)
    found, table = h.harmonise(other, mine.sites, np.full(27, 0.5))
    assert table["outcome"].tolist() == [h.SWAPPED] * 25 + [h.SAME, h.SWAPPED]
    np.testing.assert_array_equal(found.calls.codes(slice(None)), codes)
