import numpy as np
import pytest
from scipy.linalg import expm, solve
from scipy.special import comb

from sewall.errors import SewallError
from sewall.simulate.history import (
    History,
    branch_lengths,
    expected_sfs,
    fold,
    random_history,
    theta_matched,
    total_branch_length,
)

SHAPES = {
    "constant": History((1e4,)),
    "bottleneck": History((1e4, 500, 1e4), (1000, 2000)),
    "expansion": History((2e5, 1e4), (1000,)),
    "decline": History((500, 2e5), (2000,)),
    "spike": History((1e3, 1e5, 1e3), (100, 110)),
}


def death_process_branch_lengths(history: History, n: int) -> np.ndarray:
    """The same by another way: expected time with k lineages from the generator of the pure-death process."""
    lineages = np.arange(2, n + 1)
    rate = lineages * (lineages - 1) / 2
    generator = np.diag(-rate) + np.diag(rate[1:], -1)
    state, spent = np.eye(n - 1)[-1], np.zeros(n - 1)
    for size, duration in zip(history.sizes, np.diff([0, *history.times, np.inf]), strict=True):
        after = state @ expm(generator * duration / (2 * size)) if np.isfinite(duration) else np.zeros(n - 1)
        spent += solve(generator.T, after - state) * 2 * size
        state = after
    carriers = np.arange(1, n)[:, None]
    subtends = comb(n - carriers - 1, lineages - 2) / comb(n - 1, lineages - 1)
    return subtends @ (lineages * spent)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [2, 3, 20, 60])
def test_branch_lengths_equal_those_of_the_death_process(shape: str, n: int) -> None:
    expected = death_process_branch_lengths(SHAPES[shape], n)
    np.testing.assert_allclose(branch_lengths(SHAPES[shape], n), expected, rtol=1e-9)


def test_constant_size_gives_the_textbook_spectrum_for_large_samples() -> None:
    k = np.arange(1, 200)
    np.testing.assert_allclose(branch_lengths(History((1e4,)), 200), 4e4 / k, rtol=1e-10)
    np.testing.assert_allclose(total_branch_length(History((1e4,)), 200), 4e4 * (1 / k).sum(), rtol=1e-10)


def test_growth_has_more_singletons_and_decline_fewer() -> None:
    singletons = {name: expected_sfs(shape, 20)[0] for name, shape in SHAPES.items()}
    assert singletons["decline"] < singletons["constant"] < singletons["expansion"]


def test_spectrum_sums_to_one_and_folds_without_loss() -> None:
    for n in (4, 5, 20):
        spectrum = expected_sfs(SHAPES["bottleneck"], n)
        assert spectrum.sum() == pytest.approx(1)
        assert fold(spectrum).sum() == pytest.approx(1)
        assert len(fold(spectrum)) == n // 2


@pytest.mark.parametrize("min_count", [1, 2, 3])
def test_theta_matching_equals_the_visible_branch_length_of_constant_size(min_count: int) -> None:
    visible = slice(min_count - 1, 20 - min_count)
    constant = branch_lengths(History((1e4,)), 20)[visible].sum()
    for shape in SHAPES.values():
        matched = theta_matched(shape, 20, 1e4, min_count)
        assert branch_lengths(matched, 20)[visible].sum() == pytest.approx(constant, rel=1e-9)


def test_a_bottleneck_needs_larger_sizes_for_the_same_diversity() -> None:
    matched = theta_matched(SHAPES["bottleneck"], 20)
    assert matched.sizes == pytest.approx((24141.1, 1207.1, 24141.1), rel=1e-4)
    assert matched.times == pytest.approx((2414.1, 4828.2), rel=1e-4)


def test_random_histories_are_reproducible_and_cover_the_prior() -> None:
    drawn = [random_history(np.random.default_rng(i)) for i in range(300)]
    assert drawn[7] == random_history(np.random.default_rng(7))
    assert {len(h.sizes) for h in drawn} == {1, 2, 3}
    sizes = np.concatenate([h.sizes for h in drawn])
    assert 1e4 * 10**-1.3 <= sizes.min() < 1e3 < 1e5 < sizes.max() <= 1e4 * 10**1.3


def test_demography_holds_all_epochs() -> None:
    debug = SHAPES["bottleneck"].demography().debug()
    sizes = debug.population_size_trajectory([0, 1500, 3000])[:, 0]
    np.testing.assert_allclose(sizes, [1e4, 500, 1e4])


@pytest.mark.parametrize(
    ("sizes", "times", "message"),
    [
        ((1e4, -5), (10,), "-5"),
        ((0,), (), "0 is not a positive"),
        ((float("nan"),), (), "nan"),
        ((1e4, 1e3), (), "1 times"),
        ((1e4, 1e3, 1e4), (20, 10), "increasing"),
        ((1e4, 1e3), (0,), "increasing"),
    ],
)
def test_impossible_histories_are_refused(sizes: tuple, times: tuple, message: str) -> None:
    with pytest.raises(SewallError, match=message):
        History(sizes, times)


def test_impossible_samples_are_refused() -> None:
    with pytest.raises(SewallError, match="at least 2"):
        branch_lengths(History((1e4,)), 1)
    with pytest.raises(SewallError, match="leaves no variant in 4"):
        History((1e4,)).effective_size(4, min_count=3)
