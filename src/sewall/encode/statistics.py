"""The classical statistics of an alignment: what simple models read and the support check names.

Everything is folded (no ancestral state needed), invariant to the order of the columns and defined for haplotypes and
genotypes, for any number of them, and with calls missing. Distances and densities are measured in units of the
sample's theta, so that the numbers mean the same in every species.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.data.alignment import MISSING, Alignment
from sewall.encode.pairs import (
    SitePairs,
    even_sites,
    minor_allele_calls,
    minor_counts,
    recombination_intervals,
    site_pairs,
)

DISTANCE_EDGES = np.geomspace(0.25, 60, 9)  # expected differences between two chromosomes over the distance
BLOCKS = (5, 10, 20, 40)  # sites per haplotype block
SPECTRUM_BINS = 10
FEWEST_SITES = 10  # below, nothing can be said of linkage

LABELS = {
    "theta_w": "segregating sites (theta W / theta)",
    "pi": "diversity (pi / theta)",
    "tajimas_d": "Tajima's D",
    **{f"sfs_{k}": f"share of sites, minor allele {5 * k}–{5 * k + 5} %" for k in range(SPECTRUM_BINS)},
    "zns": "mean r² of all pairs (ZnS)",
    "rm": "minimum recombinations per site (Rm / S)",
    "rm_density": "minimum recombinations per unit of theta",
    "rm_unevenness": "unevenness of the minimum recombinations along the window",
    "identical_neighbours": "neighbouring sites in full linkage (Wall's B)",
    "common": "sites that are not singletons",
    **{f"r2_{k}": f"mean r², distance class {k + 1}" for k in range(10)},
    **{f"four_gametes_{k}": f"pairs with four gametes, distance class {k + 1}" for k in range(10)},
    **{f"haplotypes_{b}": f"haplotype number in blocks of {b} sites" for b in BLOCKS},
    **{f"h1_{b}": f"commonest haplotype (H1), {b} sites" for b in BLOCKS},
    **{f"h12_{b}": f"two commonest haplotypes (H12), {b} sites" for b in BLOCKS},
    "missing": "missing calls",
    "information": "length in units of theta (log)",
}
NAMES = tuple(LABELS)


@lru_cache(maxsize=256)
def harmonic(chromosomes: int, least: int = 1) -> float:
    """Return Watterson's constant, the sum of 1/i, over minor-allele counts of at least *least*.

    >>> round(harmonic(4), 3)
    1.833
    """
    counts = np.arange(least, chromosomes - least + 1)
    return float((1 / counts).sum())


def watterson_theta(alignment: Alignment, least: int = 1) -> float:
    """Return theta per accessible bp (Watterson 1975), from sites whose minor allele has at least *least* copies."""
    minor, copies = minor_counts(alignment)
    if len(minor) == 0 or alignment.accessible_bp == 0:
        return 0.0
    weights = [1 / max(harmonic(int(c), least), 1e-9) for c in copies[minor >= least]]
    return float(np.sum(weights)) / alignment.accessible_bp


def statistics(alignment: Alignment, theta: float, least: int = 1, pairs: SitePairs | None = None) -> dict[str, float]:
    """Return the named statistics of one alignment; all are NaN where it has fewer than 10 sites.

    Args:
        alignment: the window.
        theta: 4 Ne mu per bp of the whole sample, the unit of distance and density.
        least: smallest minor-allele count that was kept.
        pairs: the window's pairs of sites, if they are known already.
    """
    if alignment.sites < FEWEST_SITES:
        return dict.fromkeys(NAMES, np.nan)
    pairs = site_pairs(alignment) if pairs is None else pairs
    minor, copies = minor_counts(alignment)
    common = minor >= 2
    values = _diversity(alignment, minor, copies, theta, least)
    values |= _linkage(pairs, common, theta)
    values |= _crossovers(alignment, pairs, theta)
    values |= _haplotypes(_filled(alignment)[common])
    values["missing"] = float((alignment.calls == MISSING).mean())
    values["information"] = float(np.log(theta * alignment.accessible_bp))
    return {name: values[name] for name in NAMES}


def statistics_table(alignments: list[Alignment], theta: float, least: int = 1) -> pd.DataFrame:
    """Return one row of `statistics` per alignment."""
    return pd.DataFrame([statistics(a, theta, least) for a in alignments], columns=list(NAMES))


def _diversity(
    alignment: Alignment, minor: NDArray[np.int64], copies: NDArray[np.int64], theta: float, least: int
) -> dict[str, float]:
    scale = theta * alignment.accessible_bp
    frequency = minor / copies
    pi = float((2 * frequency * (1 - frequency) * copies / (copies - 1)).sum())
    bins = np.minimum((frequency * 2 * SPECTRUM_BINS).astype(int), SPECTRUM_BINS - 1)
    shares = np.bincount(bins, minlength=SPECTRUM_BINS) / len(minor)
    values = {f"sfs_{k}": float(shares[k]) for k in range(SPECTRUM_BINS)}
    values |= {"theta_w": watterson_theta(alignment, least) / theta, "pi": pi / scale}
    values |= {
        "tajimas_d": tajimas_d(pi, len(minor), round(float(copies.mean()))),
        "common": float((minor >= 2).mean()),
    }
    return values


def tajimas_d(pi: float, sites: int, chromosomes: int) -> float:
    """Return Tajima's D (Tajima 1989, Genetics 123:585); 0 below 4 chromosomes, where it always is.

    Args:
        pi: mean number of differences between two chromosomes (not per bp).
        sites: number of segregating sites.
        chromosomes: number of chromosomes.
    """
    if chromosomes < 4:
        return 0.0
    n, counts = chromosomes, np.arange(1, chromosomes)
    a1, a2 = (1 / counts).sum(), (1 / counts**2).sum()
    e1 = ((n + 1) / (3 * (n - 1)) - 1 / a1) / a1
    e2 = (2 * (n * n + n + 3) / (9 * n * (n - 1)) - (n + 2) / (a1 * n) + a2 / a1**2) / (a1**2 + a2)
    return float((pi - sites / a1) / np.sqrt(e1 * sites + e2 * sites * (sites - 1)))


def _crossovers(alignment: Alignment, pairs: SitePairs, theta: float) -> dict[str, float]:
    intervals = recombination_intervals(pairs)
    middle = alignment.positions[intervals].mean(axis=1) if len(intervals) else np.zeros(0)
    return {
        "rm": len(intervals) / alignment.sites,
        "rm_density": len(intervals) / (theta * alignment.accessible_bp),
        "rm_unevenness": unevenness(middle, alignment.length),
    }


def unevenness(positions: NDArray, length: int, parts: int = 10) -> float:
    """Return the variance over the mean of the numbers of events in equal parts of a window: 1 if they are random.

    >>> unevenness(np.arange(0, 100), 100)
    0.0
    """
    counts = np.bincount((positions * parts // length).astype(int), minlength=parts)
    return float(counts.var() / counts.mean()) if counts.any() else 1.0


def _linkage(pairs: SitePairs, common: NDArray[np.bool_], theta: float) -> dict[str, float]:
    count, r2, seen = _by_distance(
        pairs.first,
        pairs.second,
        np.asarray(pairs.distance * theta, np.float64),
        pairs.correlation,
        pairs.four_gametes,
        common,
    )
    values = {f"r2_{k}": float(r2[k] / max(count[k], 1)) for k in range(10)}
    values |= {f"four_gametes_{k}": float(seen[k] / max(count[k], 1)) for k in range(10)}
    values["zns"] = float(r2.sum() / max(count.sum(), 1))
    alike = pairs.correlation[pairs.second == pairs.first + 1] ** 2 > 0.999
    values["identical_neighbours"] = float(alike.mean()) if len(alike) else 0.0
    return values


@compiled
def _by_distance(
    first: NDArray[np.intp], second: NDArray[np.intp], distance: NDArray[np.float64], correlation: NDArray[np.float64],
    four_gametes: NDArray[np.bool_], common: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return, by class of distance, the pairs of common sites, the sum of their r², and those with four gametes."""
    count, r2, seen = np.zeros(10), np.zeros(10), np.zeros(10)
    for k in range(len(first)):
        if common[first[k]] and common[second[k]]:
            kind = 0
            while kind < len(DISTANCE_EDGES) and distance[k] > DISTANCE_EDGES[kind]:
                kind += 1
            count[kind] += 1
            r2[kind] += correlation[k] ** 2
            seen[kind] += four_gametes[k]
    return count, r2, seen


def _filled(alignment: Alignment) -> NDArray[np.int8]:
    """Return calls counted in the rarer allele, missing ones read as the commoner, or as a third where none is."""
    unknown = np.where(even_sites(alignment), np.int8(3), np.int8(0))[:, None]
    return np.where(alignment.calls == MISSING, unknown, minor_allele_calls(alignment))


def _haplotypes(calls: NDArray[np.int8]) -> dict[str, float]:
    """Mean haplotype number per column, H1 and H12 (Garud 2015, PLoS Genetics 11:e1005004) over blocks of sites."""
    weights = np.random.default_rng(0).integers(1, 2**63, len(calls), dtype=np.uint64)
    products = weights[:, None] * calls.astype(np.uint64)
    sums = np.cumsum(np.vstack([np.zeros((1, calls.shape[1]), np.uint64), products]), axis=0, dtype=np.uint64)
    values: dict[str, float] = {}
    for block in BLOCKS:
        starts = np.arange(0, max(len(calls) - block + 1, 0), max(block // 2, 1))
        # A block's code is a random weighted sum of its calls (modulo 2^64): equal for equal haplotypes, and only then.
        number, h1, h12 = _haplotype_shares(sums[starts + block] - sums[starts]) if len(starts) else (0.0, 0.0, 0.0)
        values |= {f"haplotypes_{block}": number, f"h1_{block}": h1, f"h12_{block}": h12}
    return values


def _haplotype_shares(codes: NDArray[np.uint64]) -> tuple[float, float, float]:
    """Return means over ``(blocks, columns)`` codes of: distinct ones per column, H1, H12."""
    blocks, columns = codes.shape
    codes = np.sort(codes, axis=1)
    first = np.ones((blocks, columns), bool)
    first[:, 1:] = codes[:, 1:] != codes[:, :-1]
    row, column = np.nonzero(first)
    end = np.append(column[1:], columns)
    size = (np.where(np.append(row[1:], -1) == row, end, columns) - column) / columns
    order = np.lexsort((-size, row))
    size, begin = size[order], np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    largest, several = size[begin], np.append(begin[1:], len(size)) > begin + 1
    second = np.where(several, size[np.minimum(begin + 1, len(size) - 1)], 0.0)
    h12 = np.add.reduceat(size**2, begin) + 2 * largest * second
    return float(len(size) / blocks / columns), float(largest.mean()), float(h12.mean())
