from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
import pytest

from sewall.simulate.defects import ABSENT, MOST, NAMES, AnyDefects, Defects, MatchedDefects, match_defects


def drawn(prior: AnyDefects | MatchedDefects, number: int = 4_000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    rows = [asdict(prior.draw(rng)) for _ in range(number)]
    return {name: np.array([row[name] for row in rows]) for name in NAMES}


def test_the_first_look_is_wide_and_each_defect_is_often_absent() -> None:
    for name, levels in drawn(AnyDefects()).items():
        most = getattr(MOST, name)
        assert (levels == 0).mean() == pytest.approx(ABSENT, abs=0.03)
        assert levels.max() <= most
        assert levels[levels > 0].mean() == pytest.approx(most / 2, rel=0.05)


def test_defects_are_drawn_apart() -> None:
    correlation = np.corrcoef(list(drawn(AnyDefects()).values()))
    assert np.abs(correlation - np.eye(len(NAMES))).max() < 0.07


def test_a_matched_defect_is_drawn_around_its_level() -> None:
    levels = Defects(unevenness=0.8, gene_conversion=2.0, switches=0.0, errors=0.001)
    for name, values in drawn(MatchedDefects(levels)).items():
        assert values.mean() == pytest.approx(getattr(levels, name), rel=0.05)
        assert values.max() <= 2 * getattr(levels, name)


def test_the_same_seed_draws_the_same_defects() -> None:
    one, other = (AnyDefects().draw(np.random.default_rng(3)) for _ in range(2))
    assert one == other != AnyDefects().draw(np.random.default_rng(4))


def statistics_of(defects: dict[str, np.ndarray], seed: int, blind: tuple[str, ...] = ()) -> np.ndarray:
    """One noisy statistic per defect, save those that no statistic sees."""
    rng = np.random.default_rng(seed)
    size = len(defects["errors"])
    return np.column_stack(
        [(0 if n in blind else defects[n] / getattr(MOST, n)) + 0.4 * rng.standard_normal(size) for n in NAMES]
    )


def data_at(share: float, number: int = 400) -> dict[str, np.ndarray]:
    return {field.name: np.full(number, share * getattr(MOST, field.name)) for field in fields(Defects)}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_the_level_of_the_data_is_found(share: float) -> None:
    look = drawn(AnyDefects(), 1_500)
    found = match_defects(statistics_of(look, 5), look, statistics_of(data_at(share), 6), seed=7)
    for name in NAMES:
        # A plain regression would say 0.3 or so of everything.
        assert getattr(found, name) / getattr(MOST, name) == pytest.approx(share, abs=0.15), name


def test_levels_stay_in_their_range() -> None:
    look = drawn(AnyDefects(), 600)
    for share in (-3.0, 4.0):
        found = match_defects(statistics_of(look, 5), look, statistics_of(data_at(share, 50), 6), seed=7)
        assert all(0 <= getattr(found, name) <= getattr(MOST, name) for name in NAMES)


def test_what_no_statistic_sees_keeps_half_of_its_prior_mean() -> None:
    look = drawn(AnyDefects(), 1_000)
    blind = ("switches",)
    statistics, data = statistics_of(look, 5, blind), statistics_of(data_at(0.0), 6, blind)
    found = match_defects(statistics, look, data, seed=7)
    assert found.switches == pytest.approx(look["switches"].mean() / 2, rel=0.05)
    assert found.errors < 0.15 * MOST.errors


def test_a_level_that_never_varied_is_kept() -> None:
    look = drawn(MatchedDefects(Defects(unevenness=0.5)), 400)  # the others are absent throughout
    found = match_defects(statistics_of(look, 5), look, statistics_of(data_at(0.2, 50), 6), seed=7)
    assert (found.gene_conversion, found.switches, found.errors) == (0.0, 0.0, 0.0)


def test_the_same_seed_finds_the_same_levels() -> None:
    look = drawn(AnyDefects(), 400)
    one, other = (
        match_defects(statistics_of(look, 5), look, statistics_of(data_at(0.5, 50), 6), seed=7) for _ in range(2)
    )
    assert one == other
