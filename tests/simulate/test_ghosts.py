"""Histories with a population that nobody sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.defects import ABSENT
from sewall.simulate.ghosts import (
    ALONE,
    MIGRANTS,
    SHARE,
    SIZES,
    SPLIT,
    Exchange,
    GhostHistory,
    WithGhosts,
    exchange_at,
    exchange_numbers,
    random_ghost_history,
)
from sewall.simulate.history import History, OneHistory, RandomHistories

LONG_AGO, RECENT = 1e7, 1.0  # generations


def _ghost(split: float, size: float, migration: float) -> GhostHistory:
    return GhostHistory(History((1e4, 5e3), (split,)), size, split, migration)


@pytest.mark.parametrize(
    ("history", "size"),
    [
        (_ghost(RECENT, 1e4, 1e-9), 5e3),  # all lineages meet in the common ancestors
        (_ghost(LONG_AGO, 2e4, 1e-12), 1e4),  # none has ever left
        (_ghost(LONG_AGO, 1e4, 0.05), 2e4),  # as good as one population of both
    ],
)
@pytest.mark.parametrize("least", [1, 2])
def test_effective_size_at_the_limits(history: GhostHistory, size: float, least: int) -> None:
    # of each history the mean length of thirty trees of 20 has a standard error of 7 to 9 % where sizes are constant
    found = [replace(history, ghost=history.ghost * (1 + 1e-6 * k)).effective_size(20, least) for k in range(10)]
    assert np.mean(found) == pytest.approx(size, rel=0.12)
    assert 0.02 < np.std(found) / size < 0.2


def test_sizes_before_the_split_are_those_of_the_common_ancestors() -> None:
    history = History((1e4, 2e3, 5e3, 7e3), (100, 500, 900))
    found = GhostHistory(history, 3e3, 600, 1e-4).demography()
    assert [found[name].initial_size for name in ("sampled", "ghost", "ancestral")] == [1e4, 3e3, 5e3]
    sizes = found.debug().population_size_history
    np.testing.assert_allclose(sizes[found["sampled"].id, :3], (1e4, 2e3, 5e3))
    np.testing.assert_allclose(sizes[found["ancestral"].id, -2:], (5e3, 7e3))


def test_a_population_without_migrants_has_no_ghost() -> None:
    history = History((1e4, 5e3), (300.0,))
    assert Exchange(0.0, 0.5, 0.25).added(history, 8e3) is history
    assert Exchange(2.0, 0.5, 0.25).added(history, 8e3) == GhostHistory(history, 2e3, 8e3, 2 / 3.2e4)


def test_levels_of_an_exchange() -> None:
    assert exchange_at(ALONE).migrants == exchange_at((ABSENT, 1.0, 0.0)).migrants == 0
    most, least = exchange_at((1.0, 1.0, 0.0)), exchange_at(np.array([1.0, 0.0, 1.0]))
    ends = [(most.migrants, least.split, most.split), (most.ghost, least.ghost)]
    np.testing.assert_allclose(np.hstack(ends), (MIGRANTS[1], *SPLIT, *SIZES))
    alone, other, much = exchange_numbers(np.array([ALONE, (ABSENT, 1.0, 0.0), (1.0, 1.0, 0.0)]))
    np.testing.assert_allclose(alone, 0)
    np.testing.assert_allclose(other, 0, atol=1e-12)
    np.testing.assert_allclose(much, (1.0, 0.5, -0.5))
    assert exchange_at(ALONE).ghost == pytest.approx(1.0)


def test_effective_size_is_always_the_same() -> None:
    history = random_ghost_history(np.random.default_rng(3))
    assert history.effective_size(10) == history.effective_size(10)


def test_some_histories_have_a_ghost_and_the_others_are_those_of_the_source() -> None:
    rng, source = np.random.default_rng(1), WithGhosts(OneHistory(History((7.0,)), "seven"))
    drawn = [source.draw(rng) for _ in range(1_000)]
    ghosts = sum(isinstance(history, GhostHistory) for history in drawn)
    assert ghosts == pytest.approx(1_000 * SHARE, abs=4 * np.sqrt(1_000 * SHARE * (1 - SHARE)))
    assert {history for history in drawn if not isinstance(history, GhostHistory)} == {History((7.0,))}
    assert source.description.startswith("seven;")


def test_windows_have_the_theta_that_was_asked_for() -> None:
    rng, source, ratios = np.random.default_rng(2), WithGhosts(RandomHistories(10)), []
    expected = 4e4 * 1e-8 * 50_000 * (1 / np.arange(1, 10)).sum()
    for number in range(120):
        history = source.draw(rng)
        scale = 1e4 / history.effective_size(10)
        spec = WindowSpec(10, 50_000, 1e-8 * scale, 1e-8 * scale, history)
        ratios.append(simulate_window(spec, np.random.SeedSequence(number)).sites / expected)
    # one window varies by half or so; ghosts by more
    assert np.mean(ratios) == pytest.approx(1, abs=4 * np.std(ratios) / np.sqrt(len(ratios)) + 0.05)
