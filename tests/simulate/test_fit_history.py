import json

import numpy as np
import pytest

from sewall.data.alignment import MISSING, Alignment
from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.fit_history import (
    HistoryPool,
    design_effect,
    fit_histories,
    observed_spectrum,
    smallest_visible_count,
)
from sewall.simulate.histories import Histories
from sewall.simulate.history import History, RandomHistories, branch_lengths, expected_sfs, fold
from sewall.simulate.nuisances import drop_rare, mask_calls

BOTTLENECK = History((3e4, 1e3, 1.2e4), (800, 1600))
EXPANSION = History((2e5, 1e4), (1000,))


def pool(
    history: History, *, min_count: int = 1, draws: int = 2000, sites: float = 5000, **given: float
) -> HistoryPool:
    spectrum = fold(expected_sfs(history, 20)) * sites
    return fit_histories(spectrum, 20, min_count, np.random.default_rng(1), draws=draws, **given)


def mean_spectrum(source: HistoryPool | RandomHistories, draws: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.mean([fold(expected_sfs(source.draw(rng), 20)) for _ in range(draws)], axis=0)


@pytest.mark.parametrize("truth", [BOTTLENECK, EXPANSION])
def test_draws_look_more_like_the_data_than_the_prior(truth: History) -> None:
    target = fold(expected_sfs(truth, 20))
    fitted = mean_spectrum(pool(truth, prior_share=0.0), 300)
    prior = mean_spectrum(RandomHistories(20), 300)
    assert np.abs(fitted - target).sum() < np.abs(prior - target).sum() / 2


def test_tempering_keeps_many_histories() -> None:
    fitted = pool(EXPANSION, effective=150.0)
    assert 0 < fitted.temperature < 1
    assert fitted.effective_draws == pytest.approx(150, rel=0.05)
    assert fitted.weights.sum() == pytest.approx(1)


def test_few_sites_need_no_tempering() -> None:
    fitted = pool(EXPANSION, sites=5)
    assert fitted.temperature == 1
    assert fitted.effective_draws > 200


def test_linked_sites_count_for_what_they_are_worth() -> None:
    few, linked = pool(EXPANSION, sites=500), pool(EXPANSION, sites=5_000, linkage=10.0)
    np.testing.assert_allclose(linked.weights, few.weights)
    assert linked.sites == pytest.approx(few.sites)
    assert pool(EXPANSION, sites=500, linkage=10.0).effective_draws > 1.2 * few.effective_draws


def test_the_design_effect_is_that_of_simulated_windows() -> None:
    """By how much the likelihood of all sites must be divided, so that the truth lies where it should."""
    every = [observed_spectrum([window], 20) for window in windows(20, 200)]
    expected = fold(expected_sfs(History((1e4,)), 20))
    expected /= expected.sum()
    parts = [np.array(every[first : first + 50]) for first in range(0, 200, 50)]
    effects = np.array([design_effect(part) for part in parts])
    assert (effects > 1.3).all()
    shares = np.array([part.sum(axis=0) for part in parts])
    wanted = shares.sum(axis=1, keepdims=True) * expected
    away = ((shares - wanted) ** 2 / wanted).sum(axis=1)  # Pearson's statistic, 9 degrees of freedom
    assert 0.4 < (away / effects / 9).mean() < 2.2


@pytest.mark.parametrize("spectra", [np.ones((1, 9)), np.ones((5, 1)), np.zeros((4, 4)), np.full((6, 3), 10.0)])
def test_nothing_is_said_of_linkage_where_nothing_shows_it(spectra: np.ndarray) -> None:
    assert design_effect(spectra) == 1.0


def test_all_draws_are_theta_matched_on_what_the_data_show() -> None:
    visible = slice(1, 18)
    constant = branch_lengths(History((1e4,)), 20)[visible].sum()
    fitted, rng = pool(EXPANSION, min_count=2), np.random.default_rng(0)
    for _ in range(50):
        assert branch_lengths(fitted.draw(rng), 20)[visible].sum() == pytest.approx(constant)


def test_classes_below_the_minimum_count_are_not_looked_at() -> None:
    spectrum = fold(expected_sfs(EXPANSION, 20)) * 5000
    without = spectrum.copy()
    without[0] = 0
    full, cut = (fit_histories(s, 20, 2, np.random.default_rng(1), draws=1000) for s in (spectrum, without))
    np.testing.assert_array_equal(full.weights, cut.weights)
    assert len(full.observed) == len(full.expected) == 9


def test_a_share_of_the_draws_ignores_the_data() -> None:
    everything, nothing = pool(EXPANSION, prior_share=1.0), pool(EXPANSION, prior_share=0.0)
    epochs = [len(everything.draw(np.random.default_rng(i)).sizes) for i in range(200)]
    assert epochs.count(1) > 40  # one epoch comes only from the whole prior
    assert all(len(nothing.draw(np.random.default_rng(i)).sizes) > 1 for i in range(200))


def test_no_two_draws_are_equal() -> None:
    fitted, rng = pool(EXPANSION, prior_share=0.0), np.random.default_rng(5)
    assert len({fitted.draw(rng) for _ in range(300)}) == 300


def test_other_histories_are_as_likely_as_those_of_the_pool() -> None:
    fitted = pool(EXPANSION, sites=300, prior_share=0.0)
    assert fitted.temperature == 1
    found = fitted.log_likelihood(Histories.of(fitted.histories))
    np.testing.assert_allclose(found - found.max(), np.log(fitted.weights) - np.log(fitted.weights).max(), atol=1e-6)


def test_a_pool_comes_back_from_json() -> None:
    fitted = pool(EXPANSION, draws=500)
    again = HistoryPool.from_state(json.loads(json.dumps(fitted.state())))
    assert again.draw(np.random.default_rng(3)) == fitted.draw(np.random.default_rng(3))
    assert again.description == fitted.description
    assert "20%" in fitted.description


def test_impossible_spectra_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(SewallError, match="10 classes, not 9"):
        fit_histories(np.ones(9), 20, 1, rng)
    with pytest.raises(SewallError, match="no variant with a minor allele count of 2"):
        fit_histories(np.array([5.0] + [0] * 9), 20, 2, rng)
    with pytest.raises(SewallError, match="minor allele count of 11"):
        fit_histories(np.ones(10), 20, 11, rng)
    with pytest.raises(SewallError, match="draw more"):
        fit_histories(np.ones(10), 20, 1, rng, draws=100, effective=100)


def windows(n: int, number: int) -> list[Alignment]:
    spec = WindowSpec(n, 200_000, 1.25e-8, 5e-8, History((1e4,)))
    return [simulate_window(spec, np.random.SeedSequence(1, spawn_key=(i,))) for i in range(number)]


def test_the_spectrum_of_complete_data_is_a_count() -> None:
    calls = np.array([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0]], np.int8)
    al = Alignment(np.array([1, 2, 3], np.int32), calls, np.ones(4, np.int8), 10)
    np.testing.assert_allclose(observed_spectrum([al, al], 4), [4, 2])
    genotypes = Alignment(al.positions, np.array([[1, 0], [2, 1], [1, 1]], np.int8), np.full(2, 2, np.int8), 10)
    np.testing.assert_allclose(observed_spectrum([genotypes], 4), [2, 1])


def test_projection_gives_the_spectrum_of_a_smaller_sample() -> None:
    spectrum = observed_spectrum(windows(20, 60), 10)
    np.testing.assert_allclose(spectrum / spectrum.sum(), fold(expected_sfs(History((1e4,)), 10)), atol=0.03)


def test_sites_with_too_few_calls_are_left_out() -> None:
    calls = np.array([[1, 0, 0, MISSING], [1, 1, 0, 0]], np.int8)
    al = Alignment(np.array([1, 2], np.int32), calls, np.ones(4, np.int8), 10)
    assert observed_spectrum([al], 4).sum() == 1
    assert observed_spectrum([al], 3).sum() == pytest.approx(2)


def test_missing_calls_do_not_bend_the_spectrum() -> None:
    pattern = np.random.default_rng(0).random((1000, 20)) < 0.1
    lost = [mask_calls(w, pattern, np.random.default_rng(i)) for i, w in enumerate(windows(20, 60))]
    spectrum = observed_spectrum(lost, 14)
    np.testing.assert_allclose(spectrum / spectrum.sum(), fold(expected_sfs(History((1e4,)), 14)), atol=0.03)


@pytest.mark.parametrize("min_count", [1, 2, 3])
def test_filtered_classes_are_seen(min_count: int) -> None:
    spectrum = observed_spectrum([drop_rare(w, min_count) for w in windows(20, 30)], 20)
    assert smallest_visible_count(spectrum) == min_count


def test_few_variants_filter_nothing() -> None:
    assert smallest_visible_count(np.zeros(10)) == 1
