"""Which rows of a genotype matrix are usable sites, and why the others are not. Pure functions on arrays.

Genotypes come as VCF Zarr keeps them: ``(rows, samples, ploidy)`` allele indices, -1 where an allele is not called and
-2 where there is no such copy (a haploid call in a diploid matrix).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import MISSING

NO_COPY = -2

OUTSIDE_MASK = "outside the accessible part"
FILTERED = "failed the caller's filters (FILTER column)"
NOT_CALLED = "no call in these samples"
CONSTANT = "does not vary in these samples"
MULTIALLELIC = "more than two alleles"
NOT_SNV = "not a single-nucleotide variant"
DUPLICATE = "another variant at the same position"

Calls = NDArray[np.int8]
Flags = NDArray[np.bool_]


class Sites(NamedTuple):
    """Usable rows of a block.

    Attributes:
        rows: ``(sites,)`` which rows of the block they are.
        calls: ``(sites, columns)`` int8 copies of the alternate allele, `MISSING` where not called.
        dropped: number of other rows by reason.
    """

    rows: NDArray[np.intp]
    calls: Calls
    dropped: dict[str, int]


def columns(genotypes: Calls, ploidy: NDArray[np.int8]) -> Calls:
    """Lay the copies of all samples side by side.

    A call with another number of copies than its sample has is taken as not called (a haploid call of a diploid).

    Args:
        genotypes: ``(rows, samples, max ploidy)``.
        ploidy: ``(samples,)`` copies of each sample; 0 leaves it out.

    Returns:
        ``(rows, ploidy.sum())`` allele indices, sample by sample, `MISSING` where not called.
    """
    if (ploidy == genotypes.shape[2]).all() and genotypes.min(initial=0) > NO_COPY:
        return genotypes.reshape(len(genotypes), -1)
    present = np.arange(genotypes.shape[2]) < ploidy[:, None]
    regular = ((genotypes != NO_COPY) == present).all(axis=2)
    laid = genotypes[:, present]
    if not regular.all():
        laid = np.where(np.repeat(regular, ploidy, axis=1), laid, MISSING)
    return laid.astype(np.int8, copy=False)


def whole_calls(laid: Calls, ploidy: NDArray[np.int8]) -> Calls:
    """Take partly called individuals (``0/.``) as not called: without phase only the sum of their copies counts."""
    starts = np.cumsum(ploidy[ploidy > 0]) - ploidy[ploidy > 0]
    lowest = np.minimum.reduceat(laid, starts, axis=1)
    return np.where(np.repeat(lowest < 0, ploidy[ploidy > 0], axis=1), MISSING, laid).astype(np.int8)


def dosages(calls: Calls, ploidy: NDArray[np.int8]) -> Calls:
    """Sum the copies of each individual.

    >>> dosages(np.array([[0, 1, 1, 1, -1, -1]], np.int8), np.array([2, 2, 2]))
    array([[ 1,  2, -1]], dtype=int8)
    """
    own = ploidy[ploidy > 0]
    sums = np.add.reduceat(calls, np.cumsum(own) - own, axis=1, dtype=np.int16)
    return np.maximum(sums, MISSING).astype(np.int8)


def is_base(alleles: NDArray[np.object_]) -> Flags:
    """Return which alleles are one letter long and not a placeholder (``*`` for a deletion, ``.`` for none)."""
    return np.array([len(allele) == 1 and allele not in "*.<" for allele in alleles], bool)


def usable(laid: Calls, alleles: NDArray[np.object_], kept: Flags) -> Sites:
    """Find the rows that are biallelic single-nucleotide variants among the called copies.

    Alternate alleles that no copy carries are ignored: a site is judged by the alleles seen.

    Args:
        laid: ``(rows, copies)`` allele indices, `MISSING` where not called.
        alleles: ``(rows, alleles)`` text.
        kept: ``(rows,)`` rows not dropped already.
    """
    dropped: dict[str, int] = {}

    def drop(rows: NDArray[np.intp], bad: Flags, reason: str) -> NDArray[np.intp]:
        if bad.any():
            dropped[reason] = int(bad.sum())
        return rows[~bad]

    rows = np.flatnonzero(kept)
    high = laid.max(axis=1, initial=MISSING)
    rows = drop(rows, high[rows] < 0, NOT_CALLED)
    low = np.ascontiguousarray(laid).view(np.uint8).min(axis=1, initial=255)  # a missing call reads as 255
    rows = drop(rows, low[rows] == high[rows], CONSTANT)
    found, top, bottom = laid[rows], high[rows, None], low[rows, None]
    two = ((found == top) | (found == bottom) | (found < 0)).all(axis=1)
    found, top = found[two], top[two]
    rows = drop(rows, ~two, MULTIALLELIC)
    snv = is_base(alleles[rows, low[rows]]) & is_base(alleles[rows, high[rows]])
    rows = drop(rows, ~snv, NOT_SNV)
    found, top = found[snv], top[snv]
    return Sites(rows, np.where(found < 0, MISSING, found == top).astype(np.int8), dropped)


def repeated(positions: NDArray[np.integer]) -> Flags:
    """Return which entries of sorted *positions* occur more than once.

    >>> repeated(np.array([3, 5, 5, 8]))
    array([False,  True,  True, False])
    """
    same = np.zeros(len(positions), bool)
    same[1:] = positions[1:] == positions[:-1]
    same[:-1] |= same[1:].copy()
    return same


def call_ploidy(genotypes: Calls) -> NDArray[np.int64]:
    """Count, for each sample, its called genotypes by number of copies: ``(samples, max ploidy + 1)``."""
    copies = (genotypes != NO_COPY).sum(axis=2, dtype=np.int8)
    copies[genotypes.max(axis=2) < 0] = 0
    return np.stack([(copies == k).sum(axis=0) for k in range(genotypes.shape[2] + 1)], axis=1)


def heterozygous(genotypes: Calls) -> Flags:
    """Return which genotypes hold two different called alleles: ``(rows, samples)``."""
    lowest = np.ascontiguousarray(genotypes).view(np.uint8).min(axis=2).view(np.int8)  # a missing call reads as 255
    highest = genotypes.max(axis=2)
    return (highest >= 0) & (lowest != highest)
