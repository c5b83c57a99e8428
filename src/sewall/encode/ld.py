"""How far linkage reaches: the length of the windows that a network reads, from the training individuals alone.

The correlation r of two sites is that of their letter codes, one number per individual and site (Karavani 2018). At
sites with two alleles |r| is that of the shares of ALT whatever the code, so that codes matter only where calls hold
third or uncertain letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Floats, Panel, Sites
from sewall.encode.alleles import CODE1, CODE2, NO_CALL, OTHER, Individuals, channels
from sewall.errors import SewallError
from sewall.task import Rows

LAGS = 200
SHORTEST, LONGEST = 10, 100
MOST_ROWS = 1_000  # individuals from which linkage is estimated; more change the third digit
APART_SITES = 1_000  # sites among which pairs without linkage are drawn
ROUNDS = 3  # of the alternation between blocks and their levels
CODES = (CODE1, CODE2)


@dataclass(frozen=True)
class LDWindow:
    """The length of linkage on one chromosome, or over the genome.

    Attributes:
        chrom: its name; ``genome`` for all together.
        sites: length of the window in sites.
        span: median distance between the ends of so many sites, in bp (in sites where positions are ranks).
        decay: ``(200,)`` mean r² of sites 1 ... 200 sites apart, less the mean r² of sites without linkage; NaN where
            the chromosome is shorter.
        by_decay: length by each of the two letter codes, from the decay.
        by_block: length by each of the two letter codes: the median block.
        blocks: first site (index in the panel) of each block, by the first code; empty for the genome.
    """

    chrom: str
    sites: int
    span: int
    decay: NDArray[np.float64]
    by_decay: tuple[int, int]
    by_block: tuple[int, int]
    blocks: NDArray[np.intp]


@dataclass(frozen=True)
class Linkage:
    """Windows of all chromosomes, of the genome as a whole, and the mean r² of sites without linkage."""

    genome: LDWindow
    chromosomes: list[LDWindow]
    apart: float

    def lengths(self, sites: Sites) -> dict[str, int]:
        """Return the window of every chromosome of *sites*; the genome's where a chromosome has too few sites."""
        found = {window.chrom: window.sites for window in self.chromosomes}
        return {name: found.get(name, self.genome.sites) for name, _ in sites.chromosomes()}


def ld_windows(panel: Panel, rows: Rows, method: str = "decay", seed: int = 0) -> Linkage:
    """Find the length of linkage.

    Args:
        panel: genotypes.
        rows: training individuals; a random thousand of them is read where there are more.
        method: ``decay`` (twice the lag at which the excess of r² falls to 1/e, between 10 and 100 sites) or
            ``block`` (the median block of a segmentation of the r² matrix); decides `LDWindow.sites`.
        seed: of the individuals and pairs that are drawn.
    """
    if method not in ("decay", "block"):
        raise SewallError(f"linkage window by {method!r}: choose decay or block")
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(rows, MOST_ROWS, replace=False)) if len(rows) > MOST_ROWS else np.asarray(rows)
    apart = _apart(panel, rows, rng)
    scans = [
        _scan(panel, rows, name, where, apart)
        for name, where in panel.sites.chromosomes()
        if where.stop - where.start > 1
    ]
    scans = [scan for scan in scans if len(scan.polymorphic) > 1]
    if not scans:
        raise SewallError("no chromosome has two sites that vary among the training individuals: give a window length")
    windows = [_window(panel, [scan], scan.chrom, method) for scan in scans]
    return Linkage(_window(panel, scans, "genome", method), windows, apart)


def banded_r2(panel: Panel, rows: Rows, sites: slice, lags: int = LAGS, code: int = 1) -> Floats:
    """Return ``(sites, lags)`` r² of each site with those 1 ... *lags* sites on; NaN past the end and where r is not.

    Args:
        panel, rows: genotypes and training individuals.
        sites: a region of one chromosome.
        lags: width of the band.
        code: 1 or 2, the letter code.
    """
    return _banded(_standardised(panel, rows, np.arange(len(panel.sites))[sites], CODES[code - 1]), lags)


def _standardised(panel: Panel, rows: Rows, sites: Rows, letters: Floats) -> Floats:
    """``(sites, rows)`` mean letter code of the copies, each site of length 1, or NaN where it does not vary.

    The mean over copies and not their sum, since on a sex chromosome the sum tells the sexes apart.
    """
    reader = Individuals(panel)
    codes = reader.codes(rows, sites).T
    copies = panel.copies[panel.sites.inheritance[sites]][:, rows]
    values = codes.astype(np.float32)
    values[(codes == NO_CALL) | (copies == 0)] = np.nan
    values /= np.float32(panel.calls.steps)
    _lettered(reader, rows, sites, letters, values)
    return _unit(values)


def _lettered(reader: Individuals, rows: Rows, sites: Rows, letters: Floats, values: Floats) -> None:
    """Put letter codes in place of shares at the sites with odd calls; elsewhere r² is the same."""
    panel = reader.panel
    odd = np.flatnonzero(np.isin(sites, panel.odd.site))
    if len(odd) == 0:
        return
    worth = np.r_[letters, 0, 0].astype(np.float32)  # `OTHER` and `NO_CHANNEL` are worth nothing
    assert len(worth) == OTHER + 2
    ref, alt = worth[channels(panel.sites.take(sites[odd])).T]
    values[odd] = ref[:, None] + (alt - ref)[:, None] * values[odd]
    place = np.full(len(panel.sites), -1)
    place[sites] = np.arange(len(sites))
    batch = reader.batch(rows)
    here = place[batch["odd_site"]] >= 0
    code = batch["odd_code"][here]
    mass = np.maximum(code.sum(1), 1e-9)
    values[place[batch["odd_site"][here]], batch["odd_row"][here]] = code @ worth[:5] / mass


def _unit(values: Floats) -> Floats:
    called = ~np.isnan(values)
    mean = np.nansum(values, 1) / np.maximum(called.sum(1), 1)
    centred = np.where(called, values - mean[:, None], np.float32(0))
    length = np.sqrt((centred**2).sum(1))
    length[length < 1e-4] = np.nan
    return (centred / length[:, None]).astype(np.float32)


def _banded(unit: Floats, lags: int = LAGS) -> Floats:
    band = np.full((len(unit), lags), np.nan, np.float32)
    for start in range(0, len(unit), lags):
        left = unit[start : start + lags]
        square = (left @ unit[start : start + 2 * lags].T) ** 2
        padded = np.full((len(left), 2 * lags), np.nan, np.float32)
        padded[:, : square.shape[1]] = square
        lag = 1 + np.arange(len(left))[:, None] + np.arange(lags)[None, :]
        inside = np.minimum(lag, 2 * lags - 1)
        band[start : start + lags] = np.where(lag < 2 * lags, np.take_along_axis(padded, inside, 1), np.nan)
    return band


def _apart(panel: Panel, rows: Rows, rng: np.random.Generator) -> float:
    """Mean r² of sites on different chromosomes; of sites far from each other where there is but one."""
    number = np.unique(panel.sites.chrom, return_inverse=True)[1]
    sites = np.sort(rng.choice(len(number), min(len(number), APART_SITES), replace=False))
    unit = _standardised(panel, rows, sites, CODE1)
    which = ~np.isnan(unit[:, 0])
    sites, square = sites[which], (unit[which] @ unit[which].T) ** 2
    pairs = number[sites][:, None] != number[sites][None, :]
    if not pairs.any():
        pairs = np.abs(sites[:, None] - sites[None, :]) > LAGS
    return float(square[pairs].mean()) if pairs.any() else 1 / max(len(rows) - 1, 1)


@dataclass(frozen=True)
class _Scan:
    """One chromosome: sums of r² by lag, and blocks, under each letter code, over the sites that vary."""

    chrom: str
    polymorphic: NDArray[np.intp]
    apart: float
    sums: list[NDArray[np.float64]]
    pairs: NDArray[np.int64]
    blocks: list[NDArray[np.intp]]


def _scan(panel: Panel, rows: Rows, chrom: str, where: slice, apart: float) -> _Scan:
    sites = np.arange(where.start, where.stop)
    odd = bool(np.isin(panel.odd.site, sites).any())
    bands: list[Floats] = []
    varying: NDArray[np.intp] = sites
    for letters in CODES if odd else CODES[:1]:  # without odd calls the two codes have the same r²
        unit = _standardised(panel, rows, varying, letters)
        kept = ~np.isnan(unit[:, 0])
        if not bands:
            varying, unit = varying[kept], unit[kept]
        bands.append(_banded(np.nan_to_num(unit)))
    bands = bands if odd else bands * 2
    blocks = [block_starts(band, apart) for band in (bands if odd else bands[:1])]
    sums = [np.asarray(np.nansum(band, axis=0, dtype=np.float64)) for band in bands]
    pairs = np.maximum(len(varying) - 1 - np.arange(LAGS), 0)
    return _Scan(chrom, varying, apart, sums, pairs, blocks if odd else blocks * 2)


def _window(panel: Panel, scans: Sequence[_Scan], chrom: str, method: str) -> LDWindow:
    decays = [_decay(scans, code) for code in (0, 1)]
    by_decay = (_length(decays[0]), _length(decays[1]))
    by_block = (_median_block(scans, 0), _median_block(scans, 1))
    sites = by_decay[0] if method == "decay" else by_block[0]
    blocks = scans[0].polymorphic[scans[0].blocks[0]] if len(scans) == 1 else np.zeros(0, np.intp)
    return LDWindow(chrom, sites, _span(panel, scans, sites), decays[0], by_decay, by_block, blocks)


def _decay(scans: Sequence[_Scan], code: int) -> NDArray[np.float64]:
    total = np.sum([scan.sums[code] for scan in scans], axis=0)
    pairs = np.sum([scan.pairs for scan in scans], axis=0)
    return np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan) - scans[0].apart


def _length(decay: NDArray[np.float64]) -> int:
    """Twice the lag at which the excess falls to 1/e of that of neighbours, from 10 to 100 sites."""
    low = np.flatnonzero(decay <= decay[0] / np.e)  # a decay without any excess at all is low from the first
    lag = 1 if decay[0] <= 0 else 1 + int(low[0]) if len(low) else LONGEST
    return int(np.clip(2 * lag, SHORTEST, LONGEST))


def _median_block(scans: Sequence[_Scan], code: int) -> int:
    sizes = np.concatenate([np.diff([*scan.blocks[code], len(scan.polymorphic)]) for scan in scans])
    weighted = np.repeat(np.sort(sizes), np.sort(sizes))  # the block in which a site finds itself: singles weigh little
    return int(np.clip(np.median(weighted), SHORTEST, LONGEST))


def _span(panel: Panel, scans: Sequence[_Scan], sites: int) -> int:
    reach = [
        position[min(sites, len(position)) - 1 :] - position[: max(len(position) - sites + 1, 1)]
        for position in (panel.sites.position[scan.polymorphic].astype(np.int64) for scan in scans)
    ]
    return int(np.median(np.concatenate(reach)))


def block_starts(band: Floats, apart: float) -> NDArray[np.intp]:
    """Return the first sites of the blocks into which a banded r² matrix falls.

    The matrix is taken as one level inside blocks and another outside; the best segmentation by least squares is found
    by dynamic programming (Lévy-Leduc et al. 2014, Bioinformatics 30:i386), in turn with the level inside blocks.

    Args:
        band: ``(sites, lags)`` as from `banded_r2`; no block is longer than the band.
        apart: r² of sites without linkage, the level outside.
    """
    known = np.nan_to_num(band)
    inside = float(np.nanmean(known[:-1, 0])) if len(band) > 1 else 1.0
    starts = np.zeros(1, np.intp)
    for _ in range(ROUNDS):
        starts = _segment(known, (inside + apart) / 2)
        size = np.diff([*starts, len(band)])
        room = np.repeat(starts + size, size) - np.arange(len(band)) - 1  # sites of the same block further on
        within = np.arange(band.shape[1])[None, :] < room[:, None]
        inside = float(known[within].mean()) if within.any() else inside
    return starts


def _segment(band: Floats, threshold: float) -> NDArray[np.intp]:
    sites, lags = band.shape
    best = np.zeros(sites + 1)
    origin = np.zeros(sites + 1, np.intp)
    gain = np.zeros(0)  # of blocks from each possible start to the site before
    for end in range(1, sites + 1):
        last = end - 1
        first = max(end - lags, 0)
        steps = np.arange(last - first, 0, -1)
        links = band[np.arange(first, last), steps - 1] - threshold  # of the last site with each before it
        grown = np.cumsum(links[::-1])[::-1]
        gain = np.r_[gain[len(gain) - len(grown) :] + grown, 0.0]
        totals = best[first:end] + gain
        origin[end] = first + int(np.argmax(totals))
        best[end] = totals[origin[end] - first]
    starts, end = [], sites
    while end > 0:
        end = int(origin[end])
        starts.append(end)
    return np.array(starts[::-1], np.intp)
