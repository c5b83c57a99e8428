from itertools import pairwise

import numpy as np
import pytest

from sewall.simulate.histories import STRETCHES, Histories
from sewall.simulate.history import History, branch_lengths, expected_sfs, fold, random_history

CONSTANT, NECK = History((1e4,)), History((3e4, 1e3, 1.2e4), (800, 1600))


@pytest.fixture
def drawn() -> list[History]:
    rng = np.random.default_rng(1)
    return [CONSTANT, NECK, *(random_history(rng, (1, 4)) for _ in range(30))]


@pytest.mark.parametrize("n", [4, 21, 200])
def test_branch_lengths_are_those_of_each(drawn: list[History], n: int) -> None:
    expected = [branch_lengths(history, n) for history in drawn]
    np.testing.assert_allclose(Histories.of(drawn).branch_lengths(n), expected, rtol=1e-8)


@pytest.mark.parametrize("min_count", [1, 2])
def test_spectra_and_sizes_are_those_of_each(drawn: list[History], min_count: int) -> None:
    many = Histories.of(drawn)
    spectra = [fold(expected_sfs(history, 20))[min_count - 1 :] for history in drawn]
    np.testing.assert_allclose(many.spectra(20, min_count), [row / row.sum() for row in spectra])
    sizes = [history.effective_size(20, min_count) for history in drawn]
    np.testing.assert_allclose(many.effective_sizes(20, min_count), sizes)


def test_more_histories_than_fit_into_memory_at_once(drawn: list[History], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Histories.of(drawn).branch_lengths(10)
    monkeypatch.setattr("sewall.simulate.histories.AT_ONCE", 7)
    np.testing.assert_array_equal(Histories.of(drawn).branch_lengths(10), whole)


def test_drift_is_none_at_constant_size_and_that_of_numerical_integration_otherwise(drawn: list[History]) -> None:
    found = Histories.of(drawn).drift(20)
    np.testing.assert_allclose(found[0], 0, atol=1e-9)
    for history, row in zip(drawn, found, strict=True):
        ne = history.effective_size(20)
        for (begin, end), value in zip(pairwise(STRETCHES), row, strict=True):
            at = 2 * ne * (begin + (end - begin) * (np.arange(20_000) + 0.5) / 20_000)
            sizes = np.array(history.sizes)[np.searchsorted(history.times, at, side="right")]
            assert value == pytest.approx(-np.log(np.mean(ne / sizes)), abs=0.01)


def test_drift_does_not_hang_on_the_scale(drawn: list[History]) -> None:
    scaled = Histories.of([history.scaled(7.0) for history in drawn])
    np.testing.assert_allclose(scaled.drift(20, 2), Histories.of(drawn).drift(20, 2), atol=1e-9)
