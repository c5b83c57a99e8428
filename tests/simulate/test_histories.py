import numpy as np
import pytest

from sewall.simulate.histories import Histories
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
def test_spectra_are_those_of_each(drawn: list[History], min_count: int) -> None:
    spectra = [fold(expected_sfs(history, 20))[min_count - 1 :] for history in drawn]
    np.testing.assert_allclose(Histories.of(drawn).spectra(20, min_count), [row / row.sum() for row in spectra])


def test_more_histories_than_fit_into_memory_at_once(drawn: list[History], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Histories.of(drawn).branch_lengths(10)
    monkeypatch.setattr("sewall.simulate.histories.AT_ONCE", 7)
    np.testing.assert_array_equal(Histories.of(drawn).branch_lengths(10), whole)
