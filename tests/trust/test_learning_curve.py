"""Learning curves on numbers whose law is known."""

from __future__ import annotations

import numpy as np
import pytest

from sewall.trust.compare import Estimate
from sewall.trust.learning_curve import PowerLaw, nested_parts, overtaken_at, too_few, word_of

NUMBERS = (100, 200, 400, 800, 1600)


def test_parts_are_nested_and_keep_groups_whole_and_classes_in_proportion() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(400), rng.integers(1, 6, 400))
    labels = (groups % 5 == 0).astype(int)
    parts = nested_parts(labels, groups, seed=2)
    assert list(parts) == [2, 4, 8, 16]
    for share, part in parts.items():
        assert len(groups) / share - 5 <= len(part) <= len(groups) / share + 1
        assert not set(groups[part]) & set(np.delete(groups, part))
        assert labels[part].mean() == pytest.approx(labels.mean(), abs=0.06)
    for larger, smaller in ((2, 4), (4, 8), (8, 16)):
        assert np.isin(parts[smaller], parts[larger]).all()


def test_parts_hang_on_the_seed_and_not_on_the_order_in_which_groups_are_named() -> None:
    labels, groups = np.zeros(300), np.arange(300) // 3
    assert np.array_equal(nested_parts(labels, groups, 1)[2], nested_parts(labels, groups, 1)[2])
    assert not np.array_equal(nested_parts(labels, groups, 1)[2], nested_parts(labels, groups, 2)[2])


def test_parts_that_are_too_small_or_lack_a_class_are_left_out() -> None:
    assert nested_parts(np.zeros(60), None, 1) == {}
    rare = (np.arange(800) < 20).astype(int)
    assert list(nested_parts(rare, None, 1)) == [2, 4]


def test_a_power_law_is_found_again_and_says_what_twice_as_many_bring() -> None:
    rng = np.random.default_rng(3)
    errors = [0.05 + 1.5 * n**-0.6 + rng.normal(0, 0.001) for n in NUMBERS]
    law = PowerLaw.fit(NUMBERS, errors)
    assert law is not None
    assert law.power == pytest.approx(0.6, abs=0.1)
    assert law.floor == pytest.approx(0.05, abs=0.015)
    assert law.gain() == pytest.approx(1.5 * (1600**-0.6 - 3200**-0.6), abs=0.002)
    assert PowerLaw.fit(NUMBERS[:3], errors[:3]) is None
    assert PowerLaw.fit(NUMBERS, [*errors[:3], float("nan"), float("nan")]) is None


def test_a_flat_curve_promises_nothing() -> None:
    law = PowerLaw.fit(NUMBERS, [0.1, 0.099, 0.101, 0.1, 0.1])
    assert law is not None
    assert abs(law.gain()) < 0.002


def test_a_model_overtakes_where_curves_cross_for_the_last_time() -> None:
    assert overtaken_at((100, 200, 400), (0.7, 0.8, 0.9), (0.6, 0.7, 0.8)) is None
    assert overtaken_at((100, 200, 400), (0.7, 0.8, 0.9), (0.7, 0.85, 0.95)) == 100
    assert overtaken_at((100, 200, 400), (0.7, 0.9, 0.9), (0.8, 0.8, 1.0)) == 283
    assert overtaken_at((100, 200, 400), (0.7, float("nan"), 0.9), (0.8, 0.8, 1.0)) == 400


NEXT_TO_NOTHING, A_LOT = Estimate(0.002, -0.003, 0.007), Estimate(0.03, 0.02, 0.04)


@pytest.mark.parametrize(
    ("few", "half", "doubled", "word"),
    [(True, NEXT_TO_NOTHING, 0.001, "too_few"), (False, NEXT_TO_NOTHING, 0.001, "saturated"),
     (False, A_LOT, 0.02, "more_data_would_help"), (False, NEXT_TO_NOTHING, 0.02, "more_data_would_help"),
     (False, A_LOT, 0.005, "undecided"), (False, Estimate(0.003, 0.001, 0.005), 0.001, "undecided"),
     (False, None, None, "undecided"), (False, NEXT_TO_NOTHING, None, "saturated")],
)  # fmt: skip
def test_each_word_has_its_case(few: bool, half: Estimate | None, doubled: float | None, word: str) -> None:
    assert word_of(few, half, doubled) == word


def test_examples_are_too_few_where_nothing_can_be_told() -> None:
    plain = Estimate(0.7, 0.65, 0.75)
    assert too_few(500, Estimate(0.9, 0.86, 0.94), plain)
    assert not too_few(5_000, Estimate(0.9, 0.86, 0.94), plain)
    assert not too_few(500, Estimate(0.9, 0.88, 0.92), plain)
    assert too_few(5_000, Estimate(0.77, 0.74, 0.80), plain)
