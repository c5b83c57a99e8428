"""Traits whose truth is known, and the individuals that are made for them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sewall.data.panel import AUTOSOME, HAPLOID, NO_LETTER, OddCalls, Panel, Sites, X, Y
from sewall.data.panels.harmonise import frequencies
from sewall.data.panels.reading import open_panel
from sewall.errors import SewallError
from sewall.simulate import cohorts
from sewall.simulate.cohorts import Genome, coalescent, mosaics, with_third_alleles
from sewall.simulate.traits import ARCHITECTURES, FARTHEST, NEAREST, RAREST, SimulatedTrait, simulate

PEOPLE = 600
MALE = np.arange(PEOPLE) % 2 == 0
AUTOSOMAL = sorted(set(ARCHITECTURES) - {"x-linked", "multi-allelic", "null"})


@pytest.fixture(scope="module")
def panel() -> Panel:
    return coalescent(PEOPLE, 1, Genome(chromosomes=3, length=400_000))


@pytest.fixture(scope="module")
def sexed(panel: Panel) -> Panel:
    """The panel with an X, on which males have one copy, two sites of Y and one of the mitochondrion."""
    rng = np.random.default_rng(2)
    kinds = np.repeat(np.array([X, Y, HAPLOID], np.int8), [60, 2, 1])
    codes = rng.binomial(2, rng.uniform(0.1, 0.5, (len(kinds), 1)), (len(kinds), PEOPLE))
    one = (kinds[:, None] != X) | MALE
    codes = np.where(one, 2 * (codes > 0), codes)
    codes = np.where((kinds == Y)[:, None] & ~MALE, 3, codes)
    number = len(kinds)
    chrom = np.array(["1", "X", "Y", "MT"])[kinds]
    letters = np.tile(np.array(["A", "G"]), (number, 1))
    more = Sites(chrom, np.arange(number, dtype=np.int32), np.array(["x"] * number), letters, kinds)
    sites = Sites(*(np.concatenate([getattr(panel.sites, key), getattr(more, key)]) for key in vars(more)))
    copies = np.array([[2] * PEOPLE, np.where(MALE, 1, 2), MALE, [1] * PEOPLE], np.int8)
    every = np.concatenate([panel.calls.codes(slice(None)), codes.astype(np.uint8)])
    return Panel.from_codes(every, sites, panel.sample_ids, copies)


@pytest.fixture(scope="module")
def inbred(panel: Panel) -> Panel:
    codes = panel.calls.codes(slice(None))
    return Panel.from_codes(np.where(codes == 1, 2, codes).astype(np.uint8), panel.sites, panel.sample_ids)


def dosage(panel: Panel, sites: np.ndarray) -> np.ndarray:
    return panel.dosages(np.arange(len(panel)), sites).astype(float)


def of(trait: SimulatedTrait, component: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    part = trait.causal[trait.causal["component"] == component]
    return part["site"].to_numpy(), part["partner"].to_numpy(), part["effect"].to_numpy()


def r(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def told(value: np.ndarray, *columns: np.ndarray) -> float:
    """Share of the variance of *value* that a regression on columns reproduces."""
    design = np.column_stack([np.ones(len(value)), *columns])
    rest = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
    return float(1 - rest.var() / value.var())


@pytest.mark.parametrize("architecture", AUTOSOMAL)
@pytest.mark.parametrize(("heritability", "share"), [(0.5, 0.5), (0.8, 0.2), (1.0, 1.0)])
def test_every_component_has_its_share(panel: Panel, architecture: str, heritability: float, share: float) -> None:
    trait = simulate(panel, architecture, heritability, 1, share=share)
    wanted = {"additive": 1.0} if architecture in ("additive", "sparse") else {"additive": 1 - share}
    if len(trait.components) > len(wanted) or (share == 1.0 and architecture not in ("additive", "sparse")):
        wanted[architecture.split("-")[0]] = share
    assert trait.shares == pytest.approx({name: each for name, each in wanted.items() if each > 0})
    assert trait.genetic.var() == pytest.approx(heritability)
    assert trait.heritability == pytest.approx(heritability, abs=0.05)
    assert trait.value.mean() == pytest.approx(0, abs=0.1)
    parts = list(trait.components.values())
    if len(parts) > 1:
        assert abs(r(*parts)) < 1e-9
    if heritability < 1:
        assert all(abs(r(part, trait.value - trait.genetic)) < 0.12 for part in parts)


@pytest.mark.parametrize("architecture", [*AUTOSOMAL, "null"])
def test_the_same_seed_gives_the_same_trait_in_blocks_of_any_size(panel: Panel, architecture: str) -> None:
    one, other = (simulate(panel, architecture, 0.5, 7, block=block) for block in (3, 1000))
    np.testing.assert_allclose(one.value, other.value, atol=1e-9)
    assert one.causal["site"].tolist() == other.causal["site"].tolist()
    assert one.causal["partner"].tolist() == other.causal["partner"].tolist()
    assert abs(r(simulate(panel, architecture, 0.5, 8).value, one.value)) < 0.3


def test_effects_are_those_of_copies(panel: Panel) -> None:
    trait = simulate(panel, "sparse", 0.6, 3, causal=12)
    sites, _, effects = of(trait, "additive")
    assert len(sites) == len(set(sites.tolist())) == 12
    made = dosage(panel, sites) @ effects
    np.testing.assert_allclose(trait.genetic, made - made.mean(), atol=1e-5)
    share = frequencies(panel, sites)
    assert np.minimum(share, 1 - share).min() >= RAREST


def test_all_sites_have_effects_where_a_trait_is_infinitesimal(panel: Panel) -> None:
    assert len(simulate(panel, "additive").causal_sites) == len(panel.sites)


def test_missing_calls_have_no_effect(panel: Panel) -> None:
    codes = panel.calls.codes(slice(None)).copy()
    codes[:, 0] = 3
    trait = simulate(replace(panel, calls=type(panel.calls).pack(codes)), "additive", 1.0)
    assert trait.value[0] == pytest.approx(0, abs=0.1)
    assert np.isfinite(trait.value).all()


def test_dominance_lies_apart_from_dosage_and_points_one_way(panel: Panel) -> None:
    trait = simulate(panel, "dominance", 0.5, 4, share=0.5, causal=30)
    sites, _, effects = of(trait, "dominance")
    assert (effects > 0).all()
    assert of(trait, "additive")[0].tolist() == sites.tolist()
    found = dosage(panel, sites)
    mixed = (found == 1).astype(float)
    made = mixed @ effects
    for k in range(len(sites)):
        made -= effects[k] * np.polyval(np.polyfit(found[:, k], mixed[:, k], 1), found[:, k])
    assert r(made, trait.components["dominance"]) > 0.98
    assert abs(r(trait.components["dominance"], trait.components["additive"])) < 1e-9
    alone = simulate(panel, "dominance", 1.0, 5, share=1.0, causal=1)
    site = of(alone, "dominance")[0]
    assert told(alone.value, dosage(panel, site)[:, 0]) < 1e-9
    assert told(alone.value, dosage(panel, site)[:, 0], dosage(panel, site)[:, 0] == 1) == pytest.approx(1)


def test_partners_within_a_window_are_3_to_11_sites_apart(panel: Panel) -> None:
    site, partner, _ = of(simulate(panel, "epistasis-within", seed=2, causal=80), "epistasis")
    assert (panel.sites.chrom[site] == panel.sites.chrom[partner]).all()
    assert (partner - site >= NEAREST).all() and (partner - site <= FARTHEST).all()
    assert len(set(partner - site)) > 5


def test_partners_lie_within_so_many_bp(panel: Panel) -> None:
    site, partner, _ = of(simulate(panel, "epistasis-within", seed=2, causal=40, within=20_000), "epistasis")
    gap = panel.sites.position[partner] - panel.sites.position[site]
    assert (panel.sites.chrom[site] == panel.sites.chrom[partner]).all()
    assert (gap > 0).all() and (gap <= 20_000).all()
    assert gap.max() > 10_000


def test_distant_partners_are_on_two_chromosomes_or_far_apart_on_one(panel: Panel) -> None:
    site, partner, _ = of(simulate(panel, "epistasis-between", seed=2, causal=80), "epistasis")
    assert (panel.sites.chrom[site] != panel.sites.chrom[partner]).all()
    assert {("1", "2"), ("1", "3"), ("2", "3")} <= set(
        zip(panel.sites.chrom[site].tolist(), panel.sites.chrom[partner].tolist(), strict=True)
    )
    only = panel.take_sites(panel.sites.chrom == "2")
    site, partner, _ = of(simulate(only, "epistasis-between", seed=2, causal=30), "epistasis")
    assert (partner - site >= len(only.sites) // 4).all()


@pytest.mark.parametrize("architecture", ["epistasis-within", "epistasis-between"])
def test_a_product_is_freed_of_the_effects_of_its_sites(panel: Panel, architecture: str) -> None:
    trait = simulate(panel, architecture, 1.0, 3, share=1.0, causal=1)
    (site,), (partner,), (effect,) = of(trait, "epistasis")
    one, other = dosage(panel, np.array([site, partner])).T
    main = [one, other, one == 1, other == 1]
    product = (one - one.mean()) * (other - other.mean())
    assert told(trait.value, *main) < 1e-9
    assert told(trait.value, *main, product) == pytest.approx(1)
    slope = np.linalg.lstsq(np.column_stack([np.ones(PEOPLE), *main, product]), trait.value, rcond=None)[0][-1]
    assert slope == pytest.approx(effect, rel=1e-4)


def test_x_is_counted_by_copies_and_differs_between_the_sexes(sexed: Panel) -> None:
    on_x = np.flatnonzero(sexed.sites.inheritance == X)
    for compensation, ratio in ((False, 0.5), (True, 2.0)):
        trait = simulate(sexed, "x-linked", 0.5, 5, share=0.4, compensation=compensation)
        assert trait.shares == pytest.approx({"additive": 0.6, "x": 0.2, "x_by_sex": 0.2})
        sites, _, effects = of(trait, "x")
        assert sites.tolist() == on_x.tolist()
        copies = dosage(sexed, sites) * np.where(MALE & compensation, 2, 1)[:, None]
        for sex in (MALE, ~MALE):
            assert r((copies @ effects)[sex], trait.components["x"][sex]) > 0.999
            assert trait.components["x"][sex].mean() == pytest.approx(0, abs=0.005)
        assert trait.components["x"][MALE].var() / trait.components["x"][~MALE].var() == pytest.approx(ratio, rel=0.4)
        sites, _, effects = of(trait, "x_by_sex")
        by_sex = copies @ effects
        assert r(by_sex[~MALE], trait.components["x_by_sex"][~MALE]) > 0.95
        assert r(by_sex[MALE], trait.components["x_by_sex"][MALE]) < -0.95
        assert set(sexed.sites.inheritance[of(trait, "additive")[0]]) == {AUTOSOME}


def test_other_traits_leave_x_alone(sexed: Panel) -> None:
    assert set(sexed.sites.inheritance[simulate(sexed, "additive").causal_sites]) == {AUTOSOME}


def test_third_alleles_have_opposite_effects(panel: Panel) -> None:
    three = with_third_alleles(panel, 0.3, 1)
    trait = simulate(three, "multi-allelic", 0.5, 2, share=1.0, causal=20)
    sites, _, effects = of(trait, "multi-allelic")
    rows = np.arange(PEOPLE)
    both, alt = dosage(panel, sites), three.dosages(rows, sites).astype(float)
    made = (alt - (both - alt)) @ effects
    np.testing.assert_allclose(trait.genetic, made - made.mean(), atol=1e-4)
    assert told(trait.value, *both.T) < 0.3  # what is left where the two alleles are taken for one


def test_nothing_predicts_a_null_trait(panel: Panel) -> None:
    values = [simulate(panel, "null", seed=seed) for seed in range(30)]
    site = dosage(panel, np.arange(0, len(panel.sites), 25))
    p = [stats.pearsonr(column, trait.value).pvalue for trait in values for column in site.T]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.015)
    assert all(trait.heritability == 0 and not len(trait.causal) and not trait.shares for trait in values)
    assert np.mean([trait.value.var() for trait in values]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("architecture", "given", "says"),
    [
        ("polygenic", {}, "architecture polygenic is not known; give one of additive, sparse"),
        ("additive", {"heritability": 1.5}, "heritability 1.5 is out of range"),
        ("additive", {"heritability": 0.0}, "heritability 0 is out of range"),
        ("dominance", {"share": -0.1}, "share -0.1 is out of range"),
        ("sparse", {"causal": 10**6}, "1000000 causal sites are needed, and"),
        ("dominance", {"causal": 10**6}, "dominance at 1000000 sites"),
        ("epistasis-within", {"causal": 10**6}, "epistasis of 1000000 pairs: only"),
        ("x-linked", {}, "there are no sites on X"),
        ("multi-allelic", {}, "no autosomal site has three alleles; --third-alleles"),
    ],
)
def test_what_a_panel_cannot_have_is_refused(panel: Panel, architecture: str, given: dict[str, Any], says: str) -> None:
    with pytest.raises(SewallError, match=says.replace("(", r"\(")):
        simulate(panel, architecture, **given)


def test_inbred_lines_have_no_dominance(inbred: Panel) -> None:
    with pytest.raises(SewallError, match=r"0 of \d+ have enough heterozygotes, as in inbred lines"):
        simulate(inbred, "dominance")
    assert simulate(inbred, "epistasis-between", causal=20).heritability > 0.4


def test_x_needs_both_sexes(sexed: Panel) -> None:
    copies = np.array([[2], [1], [1], [1]], np.int8).repeat(PEOPLE, axis=1)
    with pytest.raises(SewallError, match="everybody has 1 X"):
        simulate(replace(sexed, copies=copies), "x-linked")


def linkage(panel: Panel, lag: int) -> np.ndarray:
    found = dosage(panel, np.flatnonzero(panel.sites.inheritance == AUTOSOME))
    found = (found - found.mean(0)) / found.std(0)
    one = panel.sites.chrom[: found.shape[1]]
    return (found[:, :-lag] * found[:, lag:]).mean(0)[one[:-lag] == one[lag:]]


@pytest.mark.parametrize("block", [7, 300])
def test_mosaics_keep_frequencies_heterozygotes_and_linkage(panel: Panel, block: int) -> None:
    made = mosaics(panel, 1500, 3, block=block)
    assert (len(made), len(set(made.sample_ids))) == (1500, 1500)
    every = np.arange(len(panel.sites))
    np.testing.assert_allclose(frequencies(made, every), frequencies(panel, every), atol=0.05)
    mixed = [(each.calls.codes(slice(None)) == 1).mean() for each in (made, panel)]
    assert mixed[0] == pytest.approx(mixed[1], rel=0.05)
    for lag in (1, 3, 11):
        known, found = linkage(panel, lag), linkage(made, lag)
        assert r(known, found) > 0.95
        assert (found**2).mean() == pytest.approx((known**2).mean(), rel=0.15)


def test_mosaics_are_the_same_in_blocks_of_any_size_and_no_copies(panel: Panel) -> None:
    one, other = mosaics(panel, 50, 3, block=7), mosaics(panel, 50, 3)
    np.testing.assert_array_equal(one.calls.data, other.calls.data)
    assert (mosaics(panel, 50, 4).calls.data != one.calls.data).any()
    originals = {row.tobytes() for row in panel.calls.codes(slice(None)).T}
    assert not any(row.tobytes() in originals for row in one.calls.codes(slice(None)).T)


def test_mosaics_have_the_chromosomes_of_their_sex(sexed: Panel) -> None:
    made = mosaics(sexed, 400, 1)
    kinds, codes = made.sites.inheritance, made.calls.codes(slice(None))
    male = made.copies[X] == 1
    assert male.mean() == pytest.approx(0.5, abs=0.1)
    assert set(np.unique(codes[kinds == X][:, male])) == {0, 2}
    assert 1 in codes[kinds == X][:, ~male]
    assert (codes[kinds == Y][:, ~male] == 3).all() and (codes[kinds == Y][:, male] != 3).all()
    assert set(np.unique(codes[kinds == HAPLOID])) == {0, 2}
    on_x = np.flatnonzero(kinds == X)
    np.testing.assert_allclose(frequencies(made, on_x), frequencies(sexed, on_x), atol=0.1)
    on_y = sexed.calls.codes(slice(None))[kinds == Y][:, MALE].T  # copied whole: no new combination
    assert {row.tobytes() for row in codes[kinds == Y][:, male].T} <= {row.tobytes() for row in on_y}


def test_mosaics_of_what_they_cannot_copy_are_counted_or_refused(panel: Panel) -> None:
    three = with_third_alleles(panel, 0.1, 1)
    made = mosaics(three, 20, 1)
    assert made.counts[cohorts.THREE_ALLELES] == len(panel.sites) - len(made.sites) == len(np.unique(three.odd.site))
    for wrong in (replace(panel, copies=2 * panel.copies), panel):
        with pytest.raises(SewallError, match="mosaics"):
            mosaics(wrong, 0 if wrong is panel else 5, 1)


def test_missing_calls_stay_missing_in_mosaics(panel: Panel) -> None:
    codes = panel.calls.codes(slice(None)).copy()
    codes[np.random.default_rng(1).random(codes.shape) < 0.04] = 3
    made = mosaics(replace(panel, calls=type(panel.calls).pack(codes)), 300, 1)
    assert (made.calls.codes(slice(None)) == 3).mean() == pytest.approx(1 - 0.96**2, abs=0.01)


def test_half_of_alt_becomes_a_third_allele(panel: Panel) -> None:
    made = with_third_alleles(panel, 0.2, 3)
    sites = np.unique(made.odd.site)
    assert len(sites) == pytest.approx(0.2 * len(panel.sites), rel=0.02)
    np.testing.assert_allclose(frequencies(made, sites).sum() / frequencies(panel, sites).sum(), 0.5, atol=0.03)
    ref, alt = panel.sites.letters[made.odd.site].T
    each = np.arange(len(made.odd))
    assert (made.odd.code.sum(axis=1) == 2).all()
    third = 2 - made.odd.code[each, ref] - made.odd.code[each, alt]
    assert (third >= 1).all()
    assert (made.odd.code[each, alt] == made.calls.codes(slice(None))[made.odd.site, made.odd.sample]).all()
    assert (np.diff(made.odd.site * len(made) + made.odd.sample) > 0).all()
    untouched = np.setdiff1d(np.arange(len(panel.sites)), sites)
    np.testing.assert_array_equal(made.calls.data[untouched], panel.calls.data[untouched])


def test_third_alleles_need_letters(panel: Panel) -> None:
    blank = replace(panel.sites, alleles=np.full((len(panel.sites), 2), ""))
    assert (blank.letters == NO_LETTER).all()
    with pytest.raises(SewallError, match="sites with letters"):
        with_third_alleles(replace(panel, sites=blank), 0.2, 1)


def test_alleles_that_are_not_letters_count_as_third_ones(panel: Panel) -> None:
    """An insertion beside two letters: its effect is the opposite of ALT's."""
    code = np.zeros((1, 5), np.float32)
    code[0, [int(panel.sites.letters[9, 0]), 4]] = 1
    one = replace(panel, odd=OddCalls(np.array([9]), np.array([5]), code))
    trait = simulate(one, "multi-allelic", 1.0, 1, share=1.0)
    alt = dosage(one, np.array([9]))[:, 0]
    alt[5] -= 1
    assert abs(r(trait.value, alt)) == pytest.approx(1)


def test_the_coalescent_gives_the_same_people_again(panel: Panel) -> None:
    again = coalescent(PEOPLE, 1, Genome(chromosomes=3, length=400_000))
    np.testing.assert_array_equal(again.calls.data, panel.calls.data)
    assert [name for name, _ in panel.sites.chromosomes()] == ["1", "2", "3"]
    assert (panel.sites.letters[:, 0] != panel.sites.letters[:, 1]).all()


@pytest.mark.skipif("SEWALL_DATA" not in os.environ, reason="SEWALL_DATA is not set")
def test_mosaics_of_mice_keep_their_linkage(tmp_path: Path) -> None:
    mice = open_panel(Path(os.environ["SEWALL_DATA"], "mouse_hs1940", "mouse_hs1940.bed"), tmp_path)
    mice = mice.take_sites(np.isin(mice.sites.chrom, ["1", "2"]))
    mice = mice.take_sites(frequencies(mice, np.arange(len(mice.sites))) > 0.02)
    made = mosaics(mice, 1000, 1)
    for lag in (1, 11):
        known, found = linkage(mice, lag), linkage(made, lag)
        assert r(known, found) > 0.98
        assert (found**2).mean() == pytest.approx((known**2).mean(), abs=0.03)
