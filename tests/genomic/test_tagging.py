"""The control for tagging: additive causes that are not typed may not pass for interactions, dominance must."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sewall.data.panel import Panel
from sewall.genomic.gain import Alike, Answers, divided
from sewall.genomic.kernels import Kernels
from sewall.genomic.tagging import TaggingNull, _Architecture, tagging_null

INDIVIDUALS = 240
ROWS = np.arange(INDIVIDUALS)
NONE = np.zeros((INDIVIDUALS, 0))


@pytest.fixture(scope="module")
def panel(another_panel: Callable[..., Panel]) -> Panel:
    whole = another_panel(11, missing=0.01, individuals=INDIVIDUALS)
    return whole.take_sites(np.arange(240))  # autosomes


def dominant(panel: Panel, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    codes = Kernels(panel, ROWS).coding.dominance(panel, ROWS, np.arange(0, 240, 12))
    genetic = (codes / codes.std(0)) @ rng.uniform(0.5, 1.5, 20)
    return np.asarray(genetic / genetic.std() + 0.7 * rng.standard_normal(INDIVIDUALS))


def additive_untyped(panel: Panel, seed: int) -> tuple[np.ndarray, Panel]:
    rng = np.random.default_rng(seed)
    causal = rng.choice(240, 30, replace=False)
    z = Kernels(panel, ROWS).columns.standardised(causal)
    genetic = z @ rng.standard_normal(30)
    kept = np.setdiff1d(np.arange(240), causal)
    return genetic / genetic.std() + 0.7 * rng.standard_normal(INDIVIDUALS), panel.take_sites(kept)


def test_dominance_is_called_non_additive(panel: Panel) -> None:
    found = tagging_null(panel, ROWS, dominant(panel, 1), NONE, repeats=20, seed=1)
    assert found.verdict == "non-additive"
    assert found.observed > found.upper
    assert found.p == pytest.approx(1 / 21)
    assert found.exchanged < 0.05
    assert found.correlations["dominance"] - found.correlations["gblup"] == pytest.approx(found.observed)
    assert "not all additive" in found.words()


def test_untyped_additive_causes_are_not(panel: Panel) -> None:
    verdicts = []
    for seed in range(2):
        trait, rest = additive_untyped(panel, seed)
        found = tagging_null(rest, ROWS, trait, NONE, repeats=20, seed=seed)
        verdicts.append(found.verdict)
        assert found.p > 1 / 21
    assert "non-additive" not in verdicts


def test_everything_comes_from_the_seed(panel: Panel) -> None:
    trait, rest = additive_untyped(panel, 1)
    one, other, another = (tagging_null(rest, ROWS[:90], trait[:90], NONE, repeats=20, seed=seed) for seed in (1, 1, 2))
    assert one.to_dict() == other.to_dict()
    assert not np.array_equal(one.null, another.null)


def test_sites_are_taken_out_of_the_kernels_exactly(panel: Panel) -> None:
    kernels, gone = Kernels(panel, ROWS), np.array([3, 100, 101, 239])
    left = Alike.of(kernels).without(kernels, gone)
    expected = Alike.of(Kernels(panel.take_sites(np.setdiff1d(np.arange(240), gone)), ROWS))
    assert_allclose(left.totals, expected.totals, rtol=1e-5)
    for name in ("centred", "standardised", "dominance"):
        one, other = getattr(left, name), getattr(expected, name)
        assert_allclose(one, other, atol=1e-4 * np.abs(other).max())


def test_simulated_traits_are_as_heritable_and_their_causes_are_gone(panel: Panel) -> None:
    trait, _ = additive_untyped(panel, 4)
    kernels = Kernels(panel, ROWS)
    architecture = _Architecture.of(kernels, Alike.of(kernels), trait, NONE)
    rng = np.random.default_rng(0)
    squared = np.corrcoef(kernels.columns.standardised(slice(None)).T) ** 2
    for _ in range(10):
        simulated, gone = architecture.trait(rng)
        assert simulated.var() == pytest.approx(1, abs=0.4)
        kept = np.setdiff1d(np.arange(240), gone)
        near = np.abs(np.subtract.outer(kept, gone)) <= kernels.linkage.reach
        same = panel.sites.chrom[kept][:, None] == panel.sites.chrom[gone]
        # a copy may itself have a copy that is not one of the cause, so nearly all is asked for
        assert (squared[np.ix_(kept, gone)] * near * same).max(0).mean() < 0.95
        assert len(gone) >= len(np.unique(architecture.wanted))


def test_groups_stay_together() -> None:
    labels = np.repeat(np.arange(40), 7)
    folds = divided(labels, np.random.default_rng(1))
    assert all(len(np.unique(folds[labels == label])) == 1 for label in range(40))
    assert np.ptp(np.bincount(folds)) <= 7


def test_models_that_say_the_same_exchange_their_answers_for_nothing() -> None:
    rng = np.random.default_rng(1)
    left, labels = rng.standard_normal(300), np.arange(300)
    folds = divided(labels, rng)
    blup = left + rng.standard_normal(300)
    same = Answers(left, {"gblup": blup, "gaussian": left + rng.standard_normal(300)}, folds)
    better = Answers(left, {"gblup": blup, "gaussian": left + 0.3 * rng.standard_normal(300)}, folds)
    assert same.exchanged(labels, rng) > 0.05
    assert better.exchanged(labels, rng) == pytest.approx(0.001)


def test_too_few_simulated_traits_are_refused(panel: Panel) -> None:
    with pytest.raises(ValueError, match="20 or more"):
        tagging_null(panel, ROWS, np.zeros(INDIVIDUALS), NONE, repeats=5)


@pytest.mark.parametrize(
    ("observed", "exchanged", "verdict"),
    [(-0.01, 0.6, "no gain"), (0.01, 0.01, "tagging"), (0.05, 0.2, "tagging"), (0.05, 0.01, "non-additive")],
)
def test_only_a_gain_beyond_tagging_and_chance_is_a_claim(observed: float, exchanged: float, verdict: str) -> None:
    null = np.linspace(-0.02, 0.02, 20)
    found = TaggingNull(observed, null, 0.02, 0.5, exchanged, {}, 0.5, 10, 12.0)
    assert found.verdict == verdict


def test_a_large_panel_is_sampled(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sewall.genomic.tagging.MOST", 100)
    trait, rest = additive_untyped(panel, 1)
    groups = ROWS // 4
    found = tagging_null(rest, ROWS, trait, NONE, groups, repeats=20, seed=3)
    assert np.isfinite(found.null).all()
    assert found.heritability < 1
