"""Classes that are matched in a number cannot be told by it; a quantity that is freed of it does not follow it."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.dna.confounders import told_by
from sewall.dna.matched import bins, left_over, matched_rows


def apart(seed: int, number: int = 2_000, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = rng.integers(2, size=number)
    return rng.normal(shift * classes, 1.0), classes


@pytest.mark.parametrize("seed", range(5))
def test_matched_classes_have_equal_histograms_and_the_number_tells_nothing(seed):
    values, classes = apart(seed)
    rows = matched_rows([values], classes, seed)
    own = bins([values])
    assert all(np.array_equal(np.bincount(own[rows][classes[rows] == k], minlength=40),
                              np.bincount(own[rows][classes[rows] == 0], minlength=40)) for k in (0, 1))  # fmt: skip
    before, after = (told_by([values[some]], classes[some].astype(str)).value(False) for some in (slice(None), rows))
    assert before > 0.73 and after < 0.53
    assert len(rows) == 2 * np.minimum(*(np.bincount(own[classes == k], minlength=40) for k in (0, 1))).sum()


def test_the_rarest_of_three_uneven_classes_sets_the_number():
    rng = np.random.default_rng(1)
    classes = rng.permutation(np.repeat([0, 1, 2], [1_500, 400, 100]))
    values = rng.integers(4, size=2_000).astype(float)
    rows = matched_rows([values], classes, 1)
    assert set(np.bincount(classes[rows]).tolist()) == {100}


def test_the_seed_decides_who_is_left_out_and_nothing_else():
    values, classes = apart(3)
    one, same, other = (matched_rows([values], classes, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and len(one) == len(other) and not np.array_equal(one, other)
    assert np.array_equal(one, np.unique(one))


def test_letters_are_matched_letter_by_letter():
    rng = np.random.default_rng(4)
    letter, classes = rng.integers(4, size=1_000), rng.integers(2, size=1_000)
    letter[(classes == 1) & (rng.random(1_000) < 0.5)] = 2
    flags = [(letter == k).astype(float) for k in range(4)]
    rows = matched_rows(flags, classes, 1)
    assert all((letter[rows][classes[rows] == 0] == k).sum() == (letter[rows][classes[rows] == 1] == k).sum()
               for k in range(4))  # fmt: skip


def test_the_correlation_of_what_is_left_is_the_partial_one():
    rng = np.random.default_rng(5)
    number = rng.normal(size=5_000)
    truth, answer = number + rng.normal(size=5_000), 2 * number + rng.normal(size=5_000)
    r = np.corrcoef([truth, answer, number])
    partial = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    left = np.corrcoef(left_over(truth, [number]), left_over(answer, [number]))[0, 1]
    assert left == pytest.approx(partial) and abs(left) < 0.05 < r[0, 1]


def test_nothing_is_left_of_a_constant():
    assert not left_over(np.full(50, 0.3), [np.linspace(0, 1, 50)]).any()
