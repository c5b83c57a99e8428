from __future__ import annotations

import numpy as np
import pytest

from sewall.data.panel import AUTOSOME, FEMALE, MALE, UNKNOWN, Calls, OddCalls, X, Y
from sewall.data.panels import sexes as sex
from sewall.errors import SewallError

NO_ODD = OddCalls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))


def test_words_for_sex() -> None:
    assert sex.parse_sex({"a": "Male", "b": "f", "c": "0"}, ["a", "b", "c", "d"]).tolist() == [MALE, FEMALE, 0, 0]
    with pytest.raises(SewallError, match="sample b: sex 'boar' is not known"):
        sex.parse_sex({"b": "boar"}, ["a", "b"])


def test_copies() -> None:
    assert sex.copies_by_sex(np.array([MALE, FEMALE], np.int8), 4).tolist() == [[4, 4], [2, 4], [2, 0], [1, 1]]
    assert sex.copies_by_sex(np.array([UNKNOWN], np.int8), 1).tolist() == [[1], [1], [1], [1]]


def test_copies_of_birds() -> None:
    assert sex.copies_by_sex(np.array([MALE, FEMALE], np.int8), 2, sex.ZW).tolist() == [[2, 2], [2, 1], [0, 1], [1, 1]]
    assert sex.ZW.het_large == "calls set to missing: heterozygous on the Z of females"


def test_the_given_sex_is_believed_before_that_of_the_file() -> None:
    given, filed = np.array([MALE, UNKNOWN, MALE], np.int8), np.array([FEMALE, FEMALE, MALE], np.int8)
    used, notes = sex.believed(given, filed, ["a", "b", "c"])
    assert used.tolist() == [MALE, FEMALE, MALE] and "1 individuals is not that of the genotype file (a)" in notes[0]


def cohort(males: int = 10, females: int = 10, sites: int = 300) -> tuple[Calls, np.ndarray]:
    """X in the first sites, Y in 20 more; males are written as homozygous."""
    rng = np.random.default_rng(5)
    p = rng.uniform(0.2, 0.8, (sites, 1))
    copies = rng.random((2, sites, males + females)) < p
    codes = copies.sum(axis=0)
    codes[:, :males] = 2 * copies[0, :, :males]
    on_y = np.repeat([[0] * males + [3] * females], 20, axis=0)
    inheritance = np.repeat([X, Y], [sites, 20]).astype(np.int8)
    return Calls.pack(np.vstack([codes, on_y]).astype(np.uint8)), inheritance


def test_sex_is_inferred_from_x_and_from_y() -> None:
    calls, inheritance = cohort()
    truth = [MALE] * 10 + [FEMALE] * 10
    assert sex.sex_signs(calls, inheritance).sex().tolist() == truth
    birds = sex.sex_signs(calls, inheritance).sex(system=sex.ZW)
    assert birds.tolist() == [FEMALE] * 10 + [MALE] * 10
    only_y = np.where(inheritance == X, AUTOSOME, inheritance).astype(np.int8)
    assert sex.sex_signs(calls, only_y).sex().tolist() == truth
    nothing = np.zeros_like(inheritance)
    assert sex.sex_signs(calls, nothing).sex().tolist() == [UNKNOWN] * 20


def test_disagreement_is_named_and_the_report_believed() -> None:
    calls, inheritance = cohort()
    reported = np.array([MALE] * 9 + [FEMALE, UNKNOWN] + [FEMALE] * 9, np.int8)
    used, notes = sex.settle_sex(reported, sex.sex_signs(calls, inheritance), [f"s{k}" for k in range(20)])
    assert used[9] == FEMALE and used[10] == FEMALE
    assert any("sex of 1 individuals disagrees" in note and "s9" in note for note in notes)
    assert any("sex of 1 individuals was inferred from X and Y: 0 males" in note for note in notes)


def test_impossible_calls_become_missing_and_are_counted() -> None:
    codes = np.array([[1, 1, 0], [2, 0, 1], [0, 2, 3], [1, 3, 2]], np.uint8)  # a male, two females
    inheritance = np.array([X, X, Y, Y], np.int8)
    copies = sex.copies_by_sex(np.array([MALE, FEMALE, FEMALE], np.int8))
    calls = Calls.pack(codes)
    counts = sex.clean_sex_calls(calls, NO_ODD, inheritance, copies)
    assert calls.codes(slice(0, 4)).tolist() == [[3, 1, 0], [2, 0, 1], [0, 3, 3], [3, 3, 3]]
    found = {reason: number.tolist() for reason, number in counts.items()}
    assert found == {sex.MALE_HET_X: [1, 0, 0], sex.MALE_HET_Y: [1, 0, 0], sex.FEMALE_Y: [0, 1, 1]}


def test_a_male_with_two_other_alleles_is_heterozygous() -> None:
    odd = OddCalls(np.array([1, 1]), np.array([0, 1]), np.array([[1, 1, 0, 0, 0], [0, 1, 0, 1, 0]], np.float32))
    calls = Calls.pack(np.array([[0, 1], [0, 1]], np.uint8))
    copies = sex.copies_by_sex(np.array([MALE, FEMALE], np.int8))
    assert sex.clean_sex_calls(calls, odd, np.array([AUTOSOME, X], np.int8), copies)[sex.MALE_HET_X].tolist() == [1, 0]
    assert calls.codes(slice(0, 2)).tolist() == [[0, 1], [3, 1]]
