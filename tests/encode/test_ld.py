from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bed_reader import open_bed
from numpy.typing import NDArray

from sewall.data.panel import AUTOSOME, Calls, OddCalls, Panel, Sites, X
from sewall.encode.ld import LAGS, LONGEST, SHORTEST, banded_r2, block_starts, ld_windows
from sewall.errors import SewallError


def panel_of(codes: NDArray[np.uint8], chrom: NDArray[np.str_], kind: int = AUTOSOME, step: int = 1_000) -> Panel:
    number = len(codes)
    alleles = np.tile(np.array(["A", "G"]), (number, 1))
    where = np.concatenate([step * np.arange(n) for n in np.unique(chrom, return_counts=True)[1]]).astype(np.int32)
    sites = Sites(chrom, where, np.full(number, ""), alleles, np.full(number, kind, np.int8))
    return Panel.from_codes(codes, sites, [str(k) for k in range(codes.shape[1])])


def mosaic(seed: int, stay: float, sites: int = 400, people: int = 300, chromosomes: int = 3) -> Panel:
    """Copies that go on copying one of 20 founders from site to site with a chance *stay*: r² falls as stay ** 2."""
    rng = np.random.default_rng(seed)
    total = sites * chromosomes
    founders = rng.random((total, 20)) < 0.5
    switch = rng.random((total, 2 * people)) > stay
    switch[::sites] = True
    fresh = rng.integers(20, size=switch.shape)
    last = np.maximum.accumulate(np.where(switch, np.arange(total)[:, None], 0), axis=0)
    chosen = np.take_along_axis(fresh, last, 0)
    copies = np.take_along_axis(founders, chosen, 1)
    codes = (copies[:, ::2].astype(np.uint8) + copies[:, 1::2]).astype(np.uint8)
    return panel_of(codes, np.repeat([str(k) for k in range(chromosomes)], sites))


def naive_lag(panel: Panel, rows: NDArray[np.intp]) -> tuple[int, float]:
    """Lag of 1/e and r² apart, by the correlation matrix as a whole."""
    square = np.corrcoef(panel.dosages(rows, slice(None)).T) ** 2
    chrom = panel.sites.chrom
    apart = square[chrom[:, None] != chrom[None, :]].mean()
    by_lag = []
    for lag in range(1, LAGS + 1):
        same = chrom[:-lag] == chrom[lag:]
        by_lag.append(np.diag(square, lag)[same].mean() - apart)
    return 1 + int(np.flatnonzero(np.array(by_lag) <= by_lag[0] / np.e)[0]), float(apart)


def test_the_banded_matrix_is_the_band_of_the_matrix() -> None:
    panel = mosaic(1, 0.9, sites=130, chromosomes=1)
    rows = np.arange(0, 300, 3)
    band = banded_r2(panel, rows, slice(5, 125), lags=30)
    square = np.corrcoef(panel.dosages(rows, slice(5, 125)).T) ** 2
    for site in range(120):
        assert band[site, : 119 - site] == pytest.approx(square[site, site + 1 : site + 31], abs=1e-5)
        assert np.isnan(band[site, 119 - site :]).all()


@pytest.mark.parametrize("stay", [0.8, 0.95])
def test_the_window_is_twice_the_lag_of_the_whole_matrix(stay: float) -> None:
    panel = mosaic(2, stay)
    rows = np.arange(250)
    found = ld_windows(panel, rows)
    lag, apart = naive_lag(panel, rows)
    assert found.genome.sites == min(max(2 * lag, SHORTEST), LONGEST)
    assert found.apart == pytest.approx(apart, rel=0.1)
    assert [window.chrom for window in found.chromosomes] == ["0", "1", "2"]
    assert found.genome.span == 1_000 * (found.genome.sites - 1)


def test_longer_linkage_longer_windows() -> None:
    lengths = [ld_windows(mosaic(3, stay), np.arange(300)).genome.sites for stay in (0.7, 0.93, 0.98)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[1] < lengths[2]


def test_structure_does_not_make_linkage_endless() -> None:
    rng = np.random.default_rng(4)
    frequency = np.where(np.arange(300) < 150, 0.1, 0.9)  # two populations, no linkage within them
    codes = rng.binomial(2, frequency, (800, 300)).astype(np.uint8)
    found = ld_windows(panel_of(codes, np.repeat(["1", "2"], 400)), np.arange(300))
    assert found.apart > 0.3
    assert found.genome.sites == SHORTEST
    assert np.abs(found.genome.decay[:100]).max() < 0.02


def test_only_the_rows_given_are_read() -> None:
    panel = mosaic(5, 0.9)
    rows = np.arange(150)
    spoiled = panel.calls.codes(slice(None)).copy()
    spoiled[:, 150:] = np.random.default_rng(5).integers(3, size=(len(spoiled), 150))
    other = replace(panel, calls=Calls.pack(spoiled))
    before, after = (ld_windows(p, rows) for p in (panel, other))
    np.testing.assert_array_equal(before.genome.decay, after.genome.decay)


def test_swapping_alleles_and_strands_changes_nothing() -> None:
    panel = with_third_alleles(mosaic(6, 0.9, sites=250, chromosomes=2))
    rng = np.random.default_rng(6)
    swap, strand = rng.random((2, len(panel.sites))) < 0.5
    codes = panel.calls.codes(slice(None))
    alleles = panel.sites.alleles.copy()
    alleles[swap] = alleles[swap, ::-1]
    other = {"A": "T", "G": "C"}
    alleles[strand] = np.vectorize(other.get)(alleles[strand])
    flipped = panel.odd.code.copy()
    flipped[strand[panel.odd.site], :4] = flipped[strand[panel.odd.site], 3::-1]
    turned = Panel(
        panel.sample_ids,
        replace(panel.sites, alleles=alleles),
        Calls.pack(np.where(swap[:, None], 2 - codes, codes)),
        panel.copies,
        replace(panel.odd, code=flipped),
        {},
    )
    before, after = (ld_windows(p, np.arange(300)) for p in (panel, turned))
    np.testing.assert_allclose(before.genome.decay, after.genome.decay, atol=1e-5)
    assert [w.by_decay for w in before.chromosomes] == [w.by_decay for w in after.chromosomes]


def with_third_alleles(panel: Panel) -> Panel:
    """A tenth of the calls carry one or two copies of T."""
    rng = np.random.default_rng(9)
    site, sample = np.nonzero(rng.random((len(panel.sites), len(panel))) < 0.1)
    third = rng.integers(1, 3, len(site))
    code = np.stack([2 - third, 0 * third, 0 * third, third, 0 * third], 1).astype(np.float32)
    codes = panel.calls.codes(slice(None)).copy()
    codes[site, sample] = 0
    return replace(panel, calls=Calls.pack(codes), odd=OddCalls(site, sample, code))


def test_the_two_codes_differ_only_where_there_are_third_alleles() -> None:
    plain = mosaic(7, 0.9)
    rows, region = np.arange(300), slice(0, 300)
    np.testing.assert_array_equal(*(banded_r2(plain, rows, region, code=code) for code in (1, 2)))
    odd = with_third_alleles(plain)
    first, second = (banded_r2(odd, rows, region, lags=20, code=code) for code in (1, 2))
    assert np.nanmax(np.abs(first - second)) > 0.01
    dose = odd.dosages(rows, region)
    values = 2.0 * dose  # the first code: A 0, G 2, T 3
    for site, sample, code in zip(odd.odd.site, odd.odd.sample, odd.odd.code, strict=True):
        if site < 300:
            values[sample, site] = 3 * code[3]
    square = np.corrcoef(values.T) ** 2
    assert first[:280, 4] == pytest.approx(np.diag(square, 5)[:280], abs=1e-4)


def test_both_sexes_count_alike_on_the_x() -> None:
    plain = mosaic(8, 0.9, chromosomes=1)
    homozygous = 2 * (plain.calls.codes(slice(None)) // 2)  # what one copy can be
    copies = np.array([[2] * 300, [1, 2] * 150, [1, 0] * 150, [1] * 300], np.int8)
    sites = replace(plain.sites, inheritance=np.full(400, X, np.int8))
    as_x = Panel.from_codes(homozygous, sites, plain.sample_ids, copies)
    as_autosome = Panel.from_codes(homozygous, plain.sites, plain.sample_ids)
    bands = [banded_r2(p, np.arange(300), slice(0, 400)) for p in (as_x, as_autosome)]
    np.testing.assert_allclose(*bands, atol=1e-5)


def test_blocks_are_found_where_they_are() -> None:
    sizes = [12, 30, 7, 1, 1, 25, 40]
    block = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(10)
    square = np.where(block[:, None] == block[None, :], 0.5, 0.03) + 0.15 * rng.random((len(block), len(block)))
    band = np.full((len(block), 60), np.nan, np.float32)
    for site in range(len(block)):
        row = square[site, site + 1 : site + 61]
        band[site, : len(row)] = row
    assert block_starts(band, 0.1).tolist() == np.r_[0, np.cumsum(sizes)[:-1]].tolist()


def test_blocks_decide_the_window_when_asked() -> None:
    rng = np.random.default_rng(11)
    genotype = rng.integers(3, size=(40, 300)).astype(np.uint8)
    codes = np.repeat(genotype, 20, axis=0)  # blocks of twenty sites that are all alike
    found = ld_windows(panel_of(codes, np.repeat(["1", "2"], 400)), np.arange(300), method="block")
    assert found.genome.sites == 20
    assert found.chromosomes[1].blocks.tolist() == list(range(400, 800, 20))
    assert found.genome.by_block == (20, 20)


def test_sites_that_do_not_vary_are_passed_over() -> None:
    panel = mosaic(12, 0.9, sites=300, chromosomes=2)
    codes = np.repeat(panel.calls.codes(slice(None)), 2, axis=0)
    codes[1::2] = 0
    padded = panel_of(codes, np.repeat(["0", "1"], 600), step=500)
    both = [ld_windows(p, np.arange(300)).genome for p in (panel, padded)]
    assert (both[0].sites, both[0].span) == (both[1].sites, both[1].span)


def test_a_chromosome_of_one_site_gets_the_window_of_the_genome() -> None:
    panel = mosaic(14, 0.9, chromosomes=2)
    chrom = np.append(panel.sites.chrom[:-1], "lonely")
    other = panel_of(panel.calls.codes(slice(None)), chrom)
    found = ld_windows(other, np.arange(300))
    assert found.lengths(other.sites)["lonely"] == found.genome.sites
    assert [*found.lengths(other.sites)] == ["0", "1", "lonely"]


def test_missing_calls_and_one_chromosome() -> None:
    panel = mosaic(13, 0.9, chromosomes=1)
    codes = panel.calls.codes(slice(None)).copy()
    codes[np.random.default_rng(13).random(codes.shape) < 0.1] = 3
    whole, holed = (ld_windows(p, np.arange(300)) for p in (panel, replace(panel, calls=Calls.pack(codes))))
    assert abs(whole.genome.sites - holed.genome.sites) <= 2
    assert whole.apart < 0.05


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(SewallError, match="choose decay or block"):
        ld_windows(mosaic(1, 0.9), np.arange(10), method="blocks")
    with pytest.raises(SewallError, match="give a window length"):
        ld_windows(panel_of(np.zeros((5, 8), np.uint8), np.repeat(["1"], 5)), np.arange(8))


def test_mice(data_folder: Path) -> None:
    stem = data_folder / "mouse_hs1940" / "mouse_hs1940"
    calls = open_bed(stem.with_suffix(".bed"), properties={}).read(dtype="int8")
    table = [line.split("\t") for line in stem.with_suffix(".bim").read_text().splitlines()]
    chrom = np.array([row[0] for row in table])
    sites = Sites(
        chrom,
        np.array([row[3] for row in table], np.int32),
        np.full(len(table), ""),
        np.array([[row[5], row[4]] for row in table]),
        np.zeros(len(table), np.int8),
    )
    panel = Panel.from_codes(calls.T.astype(np.uint8), sites, [str(k) for k in range(len(calls))])
    start = time.perf_counter()
    found = ld_windows(panel, np.arange(1_400))
    assert time.perf_counter() - start < 5
    assert 0.005 < found.apart < 0.01
    assert 20 <= found.genome.sites <= 30
    assert len(found.chromosomes) == 19


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("SEWALL_DATA")
    if folder is None:
        pytest.skip("SEWALL_DATA is not set: no real genotypes")
    return Path(folder)
