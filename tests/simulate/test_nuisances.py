import numpy as np
import pytest

from sewall.data.alignment import MISSING, Alignment
from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.history import History
from sewall.simulate.nuisances import (
    add_errors,
    allele_counts,
    apply_mask,
    drop_rare,
    mask_calls,
    switch_phase,
    unphase,
)


def alignment(calls: list[list[int]], positions: list[int] | None = None, copies: list[int] | None = None) -> Alignment:
    matrix = np.array(calls, np.int8)
    where = np.array(positions if positions is not None else range(len(calls)), np.int32)
    return Alignment(where, matrix, np.array(copies or [1] * matrix.shape[1], np.int8), 100)


@pytest.fixture(scope="module")
def window() -> Alignment:
    return simulate_window(WindowSpec(20, 100_000, 1.25e-8, 1e-8, History((1e4,))), np.random.SeedSequence(8))


@pytest.fixture
def nothing() -> Alignment:
    return Alignment(np.zeros(0, np.int32), np.zeros((0, 4), np.int8), np.ones(4, np.int8), 100)


def assert_varies(al: Alignment) -> None:
    alternate, called = allele_counts(al)
    assert (alternate > 0).all()
    assert (alternate < called).all()


def test_counts_leave_missing_calls_out() -> None:
    alternate, called = allele_counts(alignment([[0, 2, 1], [MISSING, 1, 0]], copies=[1, 2, 1]))
    assert alternate.tolist() == [3, 1]
    assert called.tolist() == [4, 3]


def test_rare_means_the_rarer_allele() -> None:
    al = alignment([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, MISSING, 0]], [3, 5, 7, 9])
    assert drop_rare(al, 2).positions.tolist() == [5]
    assert drop_rare(al, 1).positions.tolist() == [3, 5, 7, 9]


def test_mask_keeps_half_open_stretches() -> None:
    al = alignment([[1, 0]] * 6, [0, 10, 19, 20, 30, 99])
    masked = apply_mask(al, np.array([[10, 20], [30, 31]], np.int32))
    assert masked.positions.tolist() == [10, 19, 30]
    assert masked.accessible_bp == 11
    assert masked.length == 100


def test_nothing_accessible_leaves_nothing() -> None:
    masked = apply_mask(alignment([[1, 0]], [4]), np.zeros((0, 2), np.int32))
    assert masked.sites == 0
    assert masked.accessible_bp == 0


def test_missing_calls_follow_the_pattern_of_the_data(window: Alignment) -> None:
    pattern = np.zeros((50, 20), bool)
    pattern[:, 3] = True
    pattern[::2, 7] = True
    lost = mask_calls(window, pattern, np.random.default_rng(1))
    missing = (lost.calls == MISSING).mean(0)
    assert missing[3] == 1
    assert 0.4 < missing[7] < 0.6
    assert np.delete(missing, [3, 7]).max() == 0
    assert_varies(lost)
    assert lost.sites < window.sites  # some were carried by column 3 alone


def test_missing_calls_that_fall_together_stay_together(window: Alignment) -> None:
    pattern = np.zeros((200, 20), bool)
    pattern[:60, 4:] = True
    lost = mask_calls(window, pattern, np.random.default_rng(2))
    gaps = lost.calls[:, 4] == MISSING
    assert 0 < gaps.mean() < 1
    assert np.abs(np.diff(gaps.astype(int))).sum() <= 2 * (1 + window.sites // 200 + 1)


def test_missing_pattern_of_another_sample_size(window: Alignment) -> None:
    pattern = np.random.default_rng(0).random((500, 8)) < 0.1
    lost = mask_calls(window, pattern, np.random.default_rng(1))
    assert (lost.calls == MISSING).mean() == pytest.approx(0.1, abs=0.03)


def test_unphased_genotypes_have_no_phase_left(window: Alignment) -> None:
    copies = np.full(10, 2, np.int8)
    genotypes = unphase(window, copies)
    assert genotypes.calls.shape == (window.sites, 10)
    assert set(np.unique(genotypes.calls)) == {0, 1, 2}
    assert genotypes.chromosomes == 20
    assert not genotypes.phased
    swapped = window.calls.copy()
    swapped[::3, [0, 1]] = swapped[::3, [1, 0]]
    same = unphase(Alignment(window.positions, swapped, window.copies, window.length), copies)
    np.testing.assert_array_equal(same.calls, genotypes.calls)


def test_mixed_ploidy_and_missing_haplotypes() -> None:
    al = alignment([[1, 1, 0, 1, 0], [MISSING, 1, 0, 1, 1]])
    genotypes = unphase(al, np.array([2, 1, 2], np.int8))
    assert genotypes.calls.tolist() == [[2, 0, 1], [MISSING, 0, 2]]


def test_individuals_must_match_haplotypes(window: Alignment) -> None:
    with pytest.raises(SewallError, match="20 haplotypes"):
        unphase(window, np.full(9, 2, np.int8))
    with pytest.raises(SewallError, match="holds genotypes"):
        unphase(unphase(window, np.full(10, 2, np.int8)), np.full(10, 2, np.int8))


def test_errors_lose_heterozygotes_more_often_than_they_make_them() -> None:
    calls = np.tile([1, 0, 1, 1, 0, 0], (4000, 1))
    al = Alignment(np.arange(4000, dtype=np.int32), calls.astype(np.int8), np.ones(6, np.int8), 4000)
    wrong = add_errors(al, 0.1, np.random.default_rng(1))
    dosage = wrong.calls.reshape(-1, 3, 2).sum(2)
    assert (dosage[:, 0] != 1).mean() == pytest.approx(0.1, abs=0.02)
    assert (dosage[:, 1] != 2).mean() == pytest.approx(0.01, abs=0.006)
    assert (dosage[:, 2] != 0).mean() == pytest.approx(0.01, abs=0.006)


def test_errors_keep_missing_calls_and_the_input() -> None:
    al = alignment([[MISSING, 0, 1, 0]] * 200)
    before = al.calls.copy()
    wrong = add_errors(al, 1.0, np.random.default_rng(1), gained=1.0)
    np.testing.assert_array_equal(al.calls, before)
    assert (wrong.calls[:, 0] == MISSING).all()
    assert_varies(wrong)


def test_switched_phase_keeps_genotypes(window: Alignment) -> None:
    copies = np.full(10, 2, np.int8)
    switched = switch_phase(window, 0.1, np.random.default_rng(3))
    assert (switched.calls != window.calls).any()
    np.testing.assert_array_equal(unphase(switched, copies).calls, unphase(window, copies).calls)


def test_an_empty_window_survives_everything(nothing: Alignment) -> None:
    rng = np.random.default_rng(0)
    al = switch_phase(add_errors(nothing, 0.1, rng), 0.1, rng)
    al = unphase(apply_mask(al, np.array([[0, 5]], np.int32)), np.array([2, 2], np.int8))
    al = drop_rare(mask_calls(al, np.ones((3, 2), bool), rng), 2)
    assert al.calls.shape == (0, 2)


def test_zero_rates_change_nothing(window: Alignment) -> None:
    rng = np.random.default_rng(0)
    assert add_errors(window, 0.0, rng) is window
    assert switch_phase(window, 0.0, rng) is window
    assert mask_calls(window, np.zeros((5, 20), bool), rng) is window
