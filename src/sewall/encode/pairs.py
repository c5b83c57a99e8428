"""Pairs of sites: how an alignment's linkage falls with distance.

Exactly invariant to the order of the columns and to which allele is called the alternate one: all sums are of small
whole numbers, so that not even rounding can tell two orders apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.data.alignment import MISSING, Alignment

ALL_PAIRS_UP_TO = 600  # sites; longer windows are read in stretches of so many, and once thinned to so many

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class SitePairs:
    """Pairs of sites, ``first`` before ``second``: all arrays have shape ``(pairs,)``.

    Attributes:
        first, second: indices of the two sites.
        distance: bp between them.
        correlation: correlation of the copies of the two rarer alleles over the columns called at both sites; its
            absolute value where both alleles of a site are equally common, so that none is the rarer.
        four_gametes: whether all four combinations of alleles must exist, so that a crossover (or a repeated mutation)
            lies between the sites (Hudson & Kaplan 1985, Genetics 111:147); for genotypes, where no phase is needed.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    distance: NDArray[np.int64]
    correlation: Floats
    four_gametes: NDArray[np.bool_]


def allele_counts(alignment: Alignment) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``(sites,)`` copies of the alternate allele and ``(sites,)`` copies called."""
    called = alignment.calls != MISSING
    copies = called @ alignment.copies.astype(np.int64)
    return np.where(called, alignment.calls, 0).sum(axis=1, dtype=np.int64), copies


def minor_counts(alignment: Alignment) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``(sites,)`` copies of the rarer allele and ``(sites,)`` copies called."""
    alternate, copies = allele_counts(alignment)
    return np.minimum(alternate, copies - alternate), copies


def minor_allele_calls(alignment: Alignment) -> NDArray[np.int8]:
    """Return ``(sites, columns)`` calls counted in the rarer allele, `MISSING` where not called."""
    alternate, copies = allele_counts(alignment)
    flip = (2 * alternate > copies)[:, None] & (alignment.calls != MISSING)
    return np.where(flip, alignment.copies[None, :] - alignment.calls, alignment.calls).astype(np.int8)


def even_sites(alignment: Alignment) -> NDArray[np.bool_]:
    """Return ``(sites,)`` where both alleles are equally common, so that neither is the rarer one."""
    alternate, copies = allele_counts(alignment)
    return 2 * alternate == copies


def site_pairs(alignment: Alignment) -> SitePairs:
    """Return the pairs of sites of *alignment* with their linkage.

    All pairs up to 600 sites. Beyond, all pairs within stretches of 600 sites, and all pairs of 600 sites spread over
    the window, so that both short and long distances are seen and the work grows linearly.
    """
    calls = minor_allele_calls(alignment)
    parts = [_pairs_among(alignment, calls, rows) for rows in _stretches(alignment.sites)]
    columns = zip(*parts, strict=True)
    first, second, correlation, four_gametes = (np.concatenate(column) for column in columns)
    distance = _placed(first, second, correlation, even_sites(alignment), alignment.positions)
    return SitePairs(first, second, distance, correlation, four_gametes)


@compiled
def _placed(
    first: NDArray[np.intp], second: NDArray[np.intp], correlation: Floats, even: NDArray[np.bool_],
    positions: NDArray[np.int32],
) -> NDArray[np.int64]:  # fmt: skip
    """Return the bp between the sites; correlations of sites without a rarer allele lose their sign, in place."""
    distance = np.empty(len(first), np.int64)
    for k in range(len(first)):
        i, j = first[k], second[k]
        distance[k] = np.int64(positions[j]) - positions[i]
        if even[i] or even[j]:
            correlation[k] = abs(correlation[k])
    return distance


def _stretches(sites: int) -> Iterator[NDArray[np.intp]]:
    for start in range(0, max(sites, 1), ALL_PAIRS_UP_TO):
        yield np.arange(start, min(start + ALL_PAIRS_UP_TO, sites))
    if sites > ALL_PAIRS_UP_TO:
        yield np.linspace(0, sites - 1, ALL_PAIRS_UP_TO).astype(np.intp)


def _pairs_among(alignment: Alignment, calls: NDArray[np.int8], rows: NDArray[np.intp]) -> tuple[NDArray, ...]:
    i, j = np.triu_indices(len(rows), 1)
    calls = calls[rows]
    if alignment.phased and not (calls == MISSING).any():
        own = calls.astype(np.float32)
        return rows[i], rows[j], *_of_haplotypes(own @ own.T, calls.shape[1])

    def summed(left: Matrix, right: Matrix) -> Floats:
        return _above(left @ right.T)

    correlation = _correlation(calls, summed, (i, j))
    four_gametes = _four_gametes(calls, alignment.copies, summed, alignment.phased)
    return rows[i], rows[j], correlation, four_gametes


@compiled
def _above(matrix: Matrix) -> Floats:
    """Return what stands above the diagonal, row by row."""
    n, k = len(matrix), 0
    found = np.empty(n * (n - 1) // 2, np.float64)
    for i in range(n):
        for j in range(i + 1, n):
            found[k] = matrix[i, j]
            k += 1
    return found


@compiled
def _of_haplotypes(together: Matrix, n: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return correlation and four gametes of haplotypes without gaps, from how many carry both rarer alleles."""
    sites, k = len(together), 0
    correlation = np.empty(sites * (sites - 1) // 2, np.float64)
    four_gametes = np.empty(len(correlation), np.bool_)
    for i in range(sites):
        x = np.float64(together[i, i])
        for j in range(i + 1, sites):
            y, both = np.float64(together[j, j]), np.float64(together[i, j])
            variance = (n * x - x * x) * (n * y - y * y)
            correlation[k] = (n * both - x * y) / np.sqrt(max(variance, 1.0))
            four_gametes[k] = (both > 0) & (both < x) & (both < y) & (x + y - both < n)
            k += 1
    return correlation, four_gametes


PairSum = Callable[[Matrix, Matrix], Floats]


def _correlation(calls: NDArray[np.int8], summed: PairSum, pairs: tuple[NDArray, NDArray]) -> Floats:
    called = (calls != MISSING).astype(np.float32)
    counts = np.where(calls == MISSING, 0, calls).astype(np.float32)
    if called.all():
        n: Floats | float = float(calls.shape[1])
        total, squares = counts.sum(1).astype(np.float64), (counts**2).sum(1).astype(np.float64)
        x, y, xx, yy = total[pairs[0]], total[pairs[1]], squares[pairs[0]], squares[pairs[1]]
    else:
        n = summed(called, called)
        x, y = summed(counts, called), summed(called, counts)
        xx, yy = summed(counts**2, called), summed(called, counts**2)
    variance = (n * xx - x * x) * (n * yy - y * y)
    return (n * summed(counts, counts) - x * y) / np.sqrt(np.maximum(variance, 1.0))


def _four_gametes(
    calls: NDArray[np.int8], copies: NDArray[np.int8], summed: PairSum, phased: bool
) -> NDArray[np.bool_]:
    called = calls != MISSING
    only_minor, some_minor = (called & (calls == copies)).astype(np.float32), (calls > 0).astype(np.float32)
    only_major, some_major = (calls == 0).astype(np.float32), (called & (calls < copies)).astype(np.float32)

    def seen(only_first: Matrix, some_first: Matrix, only_second: Matrix, some_second: Matrix) -> NDArray[np.bool_]:
        there = summed(only_first, some_second) > 0
        return there if phased else there | (summed(some_first, only_second) > 0)

    minor, major = (only_minor, some_minor), (only_major, some_major)
    return seen(*minor, *minor) & seen(*minor, *major) & seen(*major, *minor) & seen(*major, *major)


def recombination_intervals(pairs: SitePairs) -> NDArray[np.intp]:
    """Return ``(Rm, 2)`` sites between which crossovers must lie: the disjoint intervals of Hudson & Kaplan (1985).

    Their number Rm is the least number of crossovers that the pairs with four gametes ask for.
    """
    first, second = pairs.first[pairs.four_gametes], pairs.second[pairs.four_gametes]
    if len(first) == 0:
        return np.zeros((0, 2), np.intp)
    closest = np.full(second.max() + 1, -1)
    np.maximum.at(closest, second, first)  # for each right end, the shortest interval decides
    found, reached = [], 0
    for end, start in enumerate(closest.tolist()):
        if start >= reached:
            found.append((start, end))
            reached = end
    return np.array(found, np.intp).reshape(-1, 2)
