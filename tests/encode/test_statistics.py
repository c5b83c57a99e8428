from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import msprime
import numpy as np
import pandas as pd
import pytest

from sewall.data.alignment import MISSING, Alignment
from sewall.encode.pairs import allele_counts, minor_allele_calls, recombination_intervals, site_pairs
from sewall.encode.statistics import (
    LABELS,
    NAMES,
    harmonic,
    statistics,
    statistics_table,
    tajimas_d,
    unevenness,
    watterson_theta,
)
from sewall.simulate.coalescent import haplotypes

Make = Callable[..., Alignment]


def test_minor_alleles_are_counted_among_the_called(alignment: Make) -> None:
    window = alignment([[2, 2, 1, MISSING], [0, 1, 0, 0]], copies=2)
    assert [part.tolist() for part in allele_counts(window)] == [[5, 1], [6, 8]]
    assert minor_allele_calls(window).tolist() == [[0, 0, 1, MISSING], [0, 1, 0, 0]]


def test_watterson_by_hand(alignment: Make) -> None:
    # 3 sites in 4 chromosomes over 1,000 bp: 3 / (1 + 1/2 + 1/3) / 1000.
    window = alignment([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]])
    assert watterson_theta(window) == pytest.approx(3 / (11 / 6) / 1_000)
    # Without singletons, 1 site, and only counts of 2 of 4 could be seen: 1 / (1/2).
    assert watterson_theta(window, least=2) == pytest.approx(1 / 0.5 / 1_000)
    assert harmonic(6, 2) == pytest.approx(1 / 2 + 1 / 3 + 1 / 4)


def test_watterson_takes_each_site_by_its_called_copies(alignment: Make) -> None:
    window = alignment([[1, 0, 0, 0], [1, 0, MISSING, MISSING]])
    assert watterson_theta(window) == pytest.approx((6 / 11 + 1) / 1_000)


def test_watterson_of_nothing_is_zero(alignment: Make) -> None:
    assert watterson_theta(Alignment(np.zeros(0, np.int32), np.zeros((0, 4), np.int8), np.ones(4, np.int8), 9)) == 0.0


def test_tajimas_d_by_hand() -> None:
    # n = 4: a1 = 11/6, a2 = 49/36. 12 singletons: pi = 12 * 2 * 1/4 * 3/4 * 4/3 = 6.
    a1, a2 = 11 / 6, 49 / 36
    e1 = (5 / 9 - 6 / 11) / a1
    e2 = (2 * 23 / 108 - 6 / (a1 * 4) + a2 / a1**2) / (a1**2 + a2)
    assert tajimas_d(6.0, 12, 4) == pytest.approx((6 - 12 / a1) / (e1 * 12 + e2 * 12 * 11) ** 0.5)


@pytest.mark.parametrize("chromosomes", [5, 12, 40])
def test_diversity_agrees_with_tskit(chromosomes: int) -> None:
    trees = msprime.sim_ancestry(
        [msprime.SampleSet(chromosomes, ploidy=1)], sequence_length=50_000, population_size=1e4,
        recombination_rate=1e-8, random_seed=chromosomes,
    )  # fmt: skip
    trees = msprime.sim_mutations(trees, 2e-8, random_seed=3, model=msprime.BinaryMutationModel())
    trees = trees.delete_sites([v.site.id for v in trees.variants() if len(set(v.genotypes.tolist())) == 1])
    ours = statistics(haplotypes(trees, 50_000), theta=8e-4)
    assert ours["pi"] * 8e-4 == pytest.approx(float(trees.diversity()), rel=1e-9)
    assert ours["tajimas_d"] == pytest.approx(float(trees.Tajimas_D()), rel=1e-9)
    expected = float(trees.segregating_sites()) / harmonic(chromosomes)
    assert ours["theta_w"] * 8e-4 == pytest.approx(expected, rel=1e-9)


def ten_sites(alignment: Make, *rows: list[int]) -> Alignment:
    """The rows, filled up to ten sites with singletons of the first column, which no linkage statistic looks at."""
    filler = [[1] + [0] * (len(rows[0]) - 1)] * (10 - len(rows))
    return alignment([*rows, *filler])


def test_zns_is_the_mean_r2_of_sites_that_are_no_singletons(alignment: Make) -> None:
    a, b, c = [1, 1, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0, 0]
    values = statistics(ten_sites(alignment, a, b, c), theta=0.01)
    # a and b are equal: r2 = 1. a with c: p = 1/4 both, 1 of 8 has both: D = 1/8 - 1/16, r2 = D2 / (3/16)2 = 1/9.
    assert values["zns"] == pytest.approx((1 + 1 / 9 + 1 / 9) / 3)
    # Of nine neighbouring pairs a-b and the six among seven equal singletons are in full linkage.
    assert values["identical_neighbours"] == pytest.approx(7 / 9)
    assert values["common"] == pytest.approx(0.3)


def test_correlation_is_that_of_numpy(random_alignment: Make) -> None:
    window = random_alignment(1, 9, 30)  # an odd number: no site has two equally common alleles
    pairs = site_pairs(window)
    expected = np.corrcoef(minor_allele_calls(window))
    assert len(pairs.first) == 30 * 29 // 2
    np.testing.assert_allclose(pairs.correlation, expected[pairs.first, pairs.second], atol=1e-12)


def test_correlation_leaves_missing_calls_out_pair_by_pair(random_alignment: Make) -> None:
    window = random_alignment(2, 31, 25, 0.2)
    table = pd.DataFrame(minor_allele_calls(window).T.astype(float)).replace(MISSING, np.nan)
    pairs = site_pairs(window)
    expected = table.corr().to_numpy()[pairs.first, pairs.second]
    even = 2 * allele_counts(window)[0] == allele_counts(window)[1]
    there = ~(even[pairs.first] | even[pairs.second]) & ~np.isnan(expected)
    assert there.mean() > 0.8
    np.testing.assert_allclose(pairs.correlation[there], expected[there], atol=1e-12)


@pytest.mark.parametrize("sites", [20, 700, 1500])
def test_all_pairs_of_neighbours_are_seen_and_the_ends_too(random_alignment: Make, sites: int) -> None:
    pairs = site_pairs(random_alignment(3, 8, sites))
    assert (pairs.first < pairs.second).all()
    assert (pairs.distance > 0).all()
    seen = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    boundaries = {599, 1199}  # neighbours in different stretches
    assert {(k, k + 1) for k in range(sites - 1) if k not in boundaries} <= seen
    assert (0, sites - 1) in seen
    assert len(pairs.first) < 5 * 600 * sites


def test_four_gametes_by_hand(alignment: Make) -> None:
    window = alignment([[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]])
    seen = dict(zip([(0, 1), (0, 2), (1, 2)], site_pairs(window).four_gametes.tolist(), strict=True))
    assert seen == {(0, 1): True, (0, 2): False, (1, 2): False}


def test_a_missing_call_is_no_gamete(alignment: Make) -> None:
    assert site_pairs(alignment([[0, 0, 1, 1, 1], [0, 1, 0, 0, MISSING]])).four_gametes.tolist() == [False]
    assert site_pairs(alignment([[0, 0, 1, 1, 1], [0, 1, 0, 0, 1]])).four_gametes.tolist() == [True]


def test_gametes_of_genotypes_count_only_where_phase_cannot_matter(alignment: Make) -> None:
    # Double heterozygotes may be either 00/11 or 01/10, so they prove nothing.
    assert site_pairs(alignment([[1, 1, 0, 2], [1, 1, 0, 2]], copies=2)).four_gametes.tolist() == [False]
    # 0 het: gametes 00, 01; 2 het: gametes 10, 11.
    assert site_pairs(alignment([[0, 2], [1, 1]], copies=2)).four_gametes.tolist() == [True]


def test_gametes_of_genotypes_are_a_subset_of_those_of_haplotypes(random_alignment: Make) -> None:
    from sewall.simulate.nuisances import unphase

    window = random_alignment(4, 20, 60)
    genotypes = unphase(window, np.full(10, 2, np.int8))
    phased, unphased = site_pairs(window).four_gametes, site_pairs(genotypes).four_gametes
    assert not (unphased & ~phased).any()
    assert unphased.sum() > 0.3 * phased.sum()


def minimum_crossovers(window: Alignment) -> int:
    """Hudson & Kaplan (1985) word for word: drop intervals that hold others, then those that overlap the one before."""
    rows = window.calls
    found = [(i, j) for i, j in combinations(range(len(rows)), 2) if len({*zip(rows[i], rows[j], strict=True)}) == 4]
    found = [(i, j) for i, j in found if not any((k, m) != (i, j) and i <= k and m <= j for k, m in found)]
    count, reached = 0, 0
    for i, j in sorted(found):
        if i >= reached:
            count, reached = count + 1, j
    return count


@pytest.mark.parametrize("seed", range(8))
def test_rm_agrees_with_the_definition(random_alignment: Make, seed: int) -> None:
    window = random_alignment(seed, 6, 40)
    intervals = recombination_intervals(site_pairs(window))
    assert len(intervals) == minimum_crossovers(window)
    assert len(intervals) > 0
    assert statistics(window, 0.01)["rm"] == pytest.approx(len(intervals) / 40)
    assert (intervals[1:, 0] >= intervals[:-1, 1]).all()


def test_rm_of_a_tree_is_zero(alignment: Make) -> None:
    window = ten_sites(alignment, [1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [1, 1, 1, 1, 0])
    values = statistics(window, 0.01)
    assert (values["rm"], values["rm_density"], values["rm_unevenness"]) == (0.0, 0.0, 1.0)


def test_haplotype_statistics_by_hand(alignment: Make) -> None:
    # 10 equal sites of 10 chromosomes: haplotypes A x 6, B x 4 in every block of 5 and of 10; none longer.
    values = statistics(alignment([[1] * 4 + [0] * 6] * 10), theta=0.01)
    for block in (5, 10):
        assert values[f"haplotypes_{block}"] == pytest.approx(2 / 10)
        assert values[f"h1_{block}"] == pytest.approx(0.6)
        assert values[f"h12_{block}"] == pytest.approx((0.6 + 0.4) ** 2)
    assert values["h12_20"] == 0.0


def test_h12_with_more_than_two_haplotypes(alignment: Make) -> None:
    # Five sites: columns AAAAA BBB C D; the other five repeat them. H12 = (.5 + .3)^2 + .1^2 + .1^2.
    b, cd = [0] * 5 + [1] * 3 + [0] * 2, [0] * 8 + [1, 1]
    d = [0] * 7 + [1, 0, 1]  # parts one of the Bs from the others, and C from D
    values = statistics(alignment([b, cd, b, cd, b, cd, b, cd, b, cd]), theta=0.01)
    assert values["h12_10"] == pytest.approx((0.5 + 0.3) ** 2 + 0.2**2)
    assert values["haplotypes_10"] == pytest.approx(0.3)
    values = statistics(alignment([b, cd, b, cd, b, cd, b, cd, b, d]), theta=0.01)
    assert values["haplotypes_10"] == pytest.approx(0.5)
    assert values["h1_10"] == pytest.approx(0.5)
    assert values["h12_10"] == pytest.approx((0.5 + 0.2) ** 2 + 3 * 0.1**2)


def test_spectrum_shares_by_hand(alignment: Make) -> None:
    rows = [[1] * k + [0] * (20 - k) for k in (1, 1, 1, 1, 1, 2, 5, 10, 15, 19)]
    values = statistics(alignment(rows), theta=0.01)
    shares = {name: values[name] for name in NAMES if name.startswith("sfs_") and values[name]}
    # 19 of 20 is a singleton, 15 of 20 is 5 of 20; 10 of 20 goes to the last class.
    assert shares == pytest.approx({"sfs_1": 0.6, "sfs_2": 0.1, "sfs_5": 0.2, "sfs_9": 0.1})


def test_too_few_sites_give_nothing(random_alignment: Make) -> None:
    few, enough = (statistics(random_alignment(5, 10, sites), 0.01) for sites in (9, 10))
    assert all(np.isnan(value) for value in few.values())
    assert all(np.isfinite(value) for value in enough.values())


def test_every_statistic_has_a_label_and_a_place_in_the_table(random_alignment: Make) -> None:
    table = statistics_table([random_alignment(6, 10, 30), random_alignment(7, 6, 3)], 0.01)
    assert tuple(table.columns) == NAMES == tuple(LABELS)
    assert len(set(LABELS.values())) == len(LABELS)
    assert table.notna().all(axis=1).tolist() == [True, False]


def test_singletons_alone_are_enough(alignment: Make) -> None:
    values = statistics(alignment([np.eye(12, dtype=int)[k].tolist() for k in range(12)]), 0.01)
    assert values["common"] == 0.0
    assert all(np.isfinite(value) for value in values.values())


def test_unevenness() -> None:
    assert unevenness(np.array([5.0, 5.0, 5.0]), 100) == pytest.approx(2.7)  # counts 3, 0 x 9: var .81, mean .3
    assert unevenness(np.zeros(0), 100) == 1.0


def test_linkage_falls_with_recombination() -> None:
    def mean(rate: float, name: str) -> float:
        from sewall.simulate.coalescent import WindowSpec, simulate_window
        from sewall.simulate.history import History

        spec = WindowSpec(12, 30_000, 2e-8, rate, History((1e4,)))
        windows = [simulate_window(spec, np.random.SeedSequence([9, k])) for k in range(15)]
        return float(statistics_table([w for w in windows if w.sites >= 10], 8e-4)[name].mean())

    assert mean(1e-9, "zns") > mean(2e-8, "zns") + 0.05
    assert mean(1e-9, "rm") < mean(2e-8, "rm") - 0.05
