from __future__ import annotations

import numpy as np
import pytest

from sewall.data.panel import Panel, Sites
from sewall.genomic import relatedness
from sewall.genomic.relatedness import CLOSE_LINES, FIRST, SAME, SAME_LINE, SECOND, relatives
from sewall.genomic.survey import survey

SITES = 3_000


def people(rng: np.random.Generator) -> np.ndarray:
    """Two strangers, their child, another child, a half sib, a twin, and more strangers: ``(people, 2, sites)``."""
    p = rng.uniform(0.1, 0.9, SITES)
    founders = [(rng.random((2, SITES)) < p) for _ in range(14)]

    def child(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        pick = rng.integers(0, 2, (2, SITES))
        return np.stack([np.where(pick[0], a[1], a[0]), np.where(pick[1], b[1], b[0])])

    first, second = child(founders[0], founders[1]), child(founders[0], founders[1])
    half = child(founders[0], founders[2])
    return np.stack([*founders, first, second, half, first])


def panel_of(codes: np.ndarray) -> Panel:
    count = len(codes)
    chrom = np.repeat(np.arange(1, 11).astype(str), count // 10)
    sites = Sites(
        chrom, np.arange(count, dtype=np.int32), chrom, np.tile(["A", "C"], (count, 1)), np.zeros(count, np.int8)
    )
    return Panel.from_codes(codes, sites, [f"s{k}" for k in range(codes.shape[1])])


@pytest.fixture
def codes() -> np.ndarray:
    return people(np.random.default_rng(3)).sum(axis=1).T.astype(np.uint8)


def found(panel: Panel, inbred: bool = False) -> dict[tuple[int, int], str]:
    related = relatives(panel, survey(panel).sites["frequency"].to_numpy(), inbred)
    assert related is not None
    pairs = related.pairs
    return dict(zip(zip(pairs["first"], pairs["second"], strict=True), pairs["relation"], strict=True))


EXPECTED = {
    (14, 17): SAME, (0, 14): FIRST, (1, 14): FIRST, (0, 15): FIRST, (1, 15): FIRST, (14, 15): FIRST, (0, 16): FIRST,
    (2, 16): FIRST, (0, 17): FIRST, (1, 17): FIRST, (15, 17): FIRST, (14, 16): SECOND, (15, 16): SECOND,
    (16, 17): SECOND,
}  # fmt: skip


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_relatives_by_degree(codes: np.ndarray, missing: float, monkeypatch: pytest.MonkeyPatch) -> None:
    codes[np.random.default_rng(1).random(codes.shape) < missing] = 3
    assert found(panel_of(codes)) == EXPECTED
    monkeypatch.setattr(relatedness, "_TILE", 5)  # pairs within and between tiles
    assert found(panel_of(codes)) == EXPECTED


def test_families_are_chains(codes: np.ndarray) -> None:
    panel = panel_of(codes)
    related = relatives(panel, survey(panel).sites["frequency"].to_numpy())
    assert related is not None
    assert np.flatnonzero(related.family == 0).tolist() == [0, 1, 2, 14, 15, 16, 17] and related.family.max() == 0


def test_lines(codes: np.ndarray) -> None:
    lines = codes.copy() // 2 * 2
    lines[:, 1] = lines[:, 0]
    lines[: SITES // 5, 3] = lines[: SITES // 5, 2]
    lines[SITES // 5 :, 3] = np.where(
        np.random.default_rng(2).random(SITES - SITES // 5) < 0.85, lines[SITES // 5 :, 2], 0
    )
    panel = panel_of(lines[:, :14])
    assert survey(panel).inbred
    assert found(panel, inbred=True) == {(0, 1): SAME_LINE, (2, 3): CLOSE_LINES}


def test_nothing_varies() -> None:
    assert relatives(panel_of(np.zeros((10, 4), np.uint8)), np.zeros(10)) is None


def test_survey_counts_by_individual_and_by_site() -> None:
    panel = panel_of(np.array([[0, 1, 2, 3]] * 5 + [[1, 1, 0, 0]] * 5, np.uint8))
    counted = survey(panel)
    np.testing.assert_allclose(counted.individuals["missing"], [0, 0, 0, 0.5])
    np.testing.assert_allclose(counted.individuals["heterozygous"], [0.5, 1, 0, 0])
    np.testing.assert_allclose(counted.sites["frequency"].iloc[[0, 5]], [0.5, 0.25])
    np.testing.assert_allclose(counted.sites["heterozygous"].iloc[[0, 5]], [1 / 3, 0.5])
    chance = 5 * 2 * 0.25 * 6 / 5 + 5 * 2 * 0.25 * 0.75 * 8 / 7
    assert counted.individuals["inbreeding"][1] == pytest.approx(1 - 10 / chance)
    assert not counted.inbred and not counted.constant.any()
