import numpy as np

from sewall.simulate.coalescent import WindowSpec, msprime_seeds, simulate_window
from sewall.simulate.history import History, theta_matched

SPEC = WindowSpec(20, 50_000, 1.25e-8, 1e-8, History((1e4,)))


def sites(spec: WindowSpec, replicates: int) -> np.ndarray:
    children = np.random.SeedSequence(3).spawn(replicates)
    return np.array([simulate_window(spec, child).sites for child in children])


def test_a_window_has_the_shape_of_its_spec() -> None:
    window = simulate_window(SPEC, np.random.SeedSequence(1))
    assert window.calls.shape == (window.sites, 20)
    assert window.calls.dtype == np.int8
    assert window.positions.dtype == np.int32
    assert (np.diff(window.positions) > 0).all()
    assert 0 <= window.positions[0] <= window.positions[-1] < 50_000 == window.length == window.accessible_bp
    assert window.phased
    carriers = window.calls.sum(1)
    assert carriers.min() >= 1
    assert carriers.max() <= 19


def test_the_seed_alone_decides() -> None:
    first, again, other = (simulate_window(SPEC, np.random.SeedSequence(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.calls, again.calls)
    np.testing.assert_array_equal(first.positions, again.positions)
    assert other.calls.shape != first.calls.shape or (other.calls != first.calls).any()


def test_ancestry_and_mutations_have_different_seeds_in_range() -> None:
    drawn = np.array([msprime_seeds(np.random.SeedSequence(1, spawn_key=(i,)), 2) for i in range(500)])
    assert len(np.unique(drawn)) == 1000
    assert drawn.min() >= 1
    assert drawn.max() <= 2**32 - 1


def test_diversity_is_that_of_a_diploid_population() -> None:
    # Expected: theta L a_n = 4 x 1e4 x 1.25e-8 x 5e4 x 3.548 = 88.7; a haploid model would give half.
    counts = sites(SPEC, 200)
    assert abs(counts.mean() - 88.7) < 4 * counts.std() / np.sqrt(200)


def test_theta_matched_histories_show_equally_many_sites() -> None:
    matched = theta_matched(History((1e4, 500, 1e4), (1000, 2000)), 20)
    counts = sites(WindowSpec(20, 50_000, 1.25e-8, 1e-8, matched), 200)
    assert abs(counts.mean() - 88.7) < 4 * counts.std() / np.sqrt(200)


def test_recombination_breaks_haplotypes() -> None:
    def haplotypes(rate: float) -> int:
        window = simulate_window(WindowSpec(20, 50_000, 1.25e-8, rate, History((1e4,))), np.random.SeedSequence(2))
        return len(np.unique(window.calls, axis=1).T)

    assert haplotypes(1e-7) > haplotypes(0.0)


def test_repeated_hits_leave_only_varying_sites() -> None:
    crowded = WindowSpec(6, 200, 2e-5, 0.0, History((1e4,)))
    window = simulate_window(crowded, np.random.SeedSequence(4))
    carriers = window.calls.sum(1)
    assert window.sites > 50
    assert set(np.unique(window.calls)) == {0, 1}
    assert carriers.min() >= 1
    assert carriers.max() <= 5


def test_no_mutations_give_an_empty_window() -> None:
    window = simulate_window(WindowSpec(6, 100, 0.0, 1e-8, History((1e4,))), np.random.SeedSequence(4))
    assert window.calls.shape == (0, 6)
