"""Stretches that columns share: where pairs of them stop being alike, and how often a mosaic must change its source.

Pairs of chromosomes see recombination through time: two copies that parted t generations ago differ once per 1/(2 mu t)
bp and stay joined for 1/(2 r t) bp, so the pattern of their differences tells r/mu whatever the history of the
population (Li & Durbin 2011, Nature 475:493). Mosaics see many copies at once (Li & Stephens 2003, Genetics 165:2213).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.data.alignment import MISSING, Alignment
from sewall.encode.pairs import even_sites, minor_allele_calls

MOST_COLUMNS = 64  # compared with each other; of a larger sample, so many spread over the sorted columns

Gaps = tuple[NDArray[np.int64], NDArray[np.intp]]


def spread_columns(calls: NDArray[np.int8], most: int = MOST_COLUMNS) -> NDArray[np.intp]:
    """Return indices of at most *most* columns, chosen by content so that the order of the columns does not matter."""
    columns = calls.shape[1]
    if columns <= most or len(calls) == 0:
        return np.arange(min(columns, most))
    ranked = np.lexsort(calls[::-1])
    return ranked[np.linspace(0, columns - 1, most).round().astype(np.intp)]


def only_one_allele(alignment: Alignment) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, ``(columns, sites)`` each, which calls hold nothing but the alternate allele, and but the reference.

    Two columns differ at a site where one holds only the one allele and the other only the other.
    """
    alternate = (alignment.calls == alignment.copies) & (alignment.calls != MISSING)
    return np.ascontiguousarray(alternate.T), np.ascontiguousarray((alignment.calls == 0).T)


def differences(alignment: Alignment) -> NDArray[np.bool_]:
    """Return ``(pairs, sites)``: where two columns share no allele, for columns 0 and 1, 0 and 2, and so on."""
    return _differences(*only_one_allele(alignment))


@compiled
def _differences(alternate: NDArray[np.bool_], reference: NDArray[np.bool_]) -> NDArray[np.bool_]:
    columns, sites = alternate.shape
    differ, pair = np.empty((columns * (columns - 1) // 2, sites), np.bool_), 0
    for i in range(columns):
        for j in range(i + 1, columns):
            differ[pair] = alternate[i] & reference[j] | reference[i] & alternate[j]
            pair += 1
    return differ


def gaps_between_columns(alignment: Alignment) -> Gaps:
    """Return the bp between successive differences of every pair of columns, and ``(gaps,)`` the pair each belongs to.

    For genotypes a difference is a pair of opposite homozygotes.
    """
    part = spread_part(alignment)
    return _gaps(differences(part), part.positions)


def gaps_within_columns(alignment: Alignment) -> Gaps:
    """Return the bp between successive heterozygous sites of every individual: phase-free pairs of chromosomes."""
    het = (alignment.calls > 0) & (alignment.calls < alignment.copies)
    return _gaps(np.ascontiguousarray(het.T), alignment.positions)


@compiled
def _gaps(marks: NDArray[np.bool_], positions: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    number = 0
    for row in marks:
        number += max(int(row.sum()) - 1, 0)
    length, owner, found = np.empty(number, np.int64), np.empty(number, np.int64), 0
    for row in range(len(marks)):
        last = -1
        for site in np.flatnonzero(marks[row]):
            if last >= 0:
                length[found], owner[found] = np.int64(positions[site]) - positions[last], row
                found += 1
            last = int(site)
    return length, owner


@dataclass(frozen=True)
class Mosaic:
    """The stretches from which the columns of an alignment can be pieced together.

    Attributes:
        lengths: ``(stretches,)`` bp.
        ends: ``(stretches,)`` offsets in bp at which a column must change its source.
        columns: number of columns.
    """

    lengths: NDArray[np.int64]
    ends: NDArray[np.int64]
    columns: int


def mosaic(alignment: Alignment) -> Mosaic:
    """Return the stretches from which each column can be pieced together.

    Every column is written as the mosaic of the fewest stretches of the other columns that share an allele with it
    everywhere: from each point, the source that lasts longest (which is optimal). The last stretch, cut off by the end
    of the window, is not counted.
    """
    part = spread_part(alignment)
    columns = len(part.copies)
    if part.sites < 2 or columns < 2:
        return Mosaic(np.zeros(0, np.int64), np.zeros(0, np.int64), columns)
    starts, ends = _stretches(*only_one_allele(part))
    positions = part.positions.astype(np.int64)
    return Mosaic(positions[ends] - positions[starts], positions[ends], columns)


def spread_part(alignment: Alignment, most: int = MOST_COLUMNS) -> Alignment:
    """Return the alignment of at most *most* of its columns, spread by content (see `spread_columns`)."""
    calls, even = minor_allele_calls(alignment), even_sites(alignment)
    chosen = spread_columns(np.concatenate([calls[~even], calls[even]]), most)  # sites with a rarer allele decide
    return Alignment(alignment.positions, alignment.calls[:, chosen], alignment.copies[chosen], alignment.length)


@compiled
def _stretches(
    alternate: NDArray[np.bool_], reference: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and last site of every stretch: a column is copied from whatever source still matches."""
    columns, sites = alternate.shape
    starts, ends = np.empty(columns * sites, np.int64), np.empty(columns * sites, np.int64)
    sources, found = np.empty(columns, np.int64), 0
    for column in range(columns):
        begin = 0
        while begin < sites:
            left = 0
            for other in range(columns):  # nobody copies from itself
                if other != column:
                    sources[left] = other
                    left += 1
            site = begin
            while site < sites:
                kept = 0
                for k in range(left):
                    other = sources[k]
                    one = alternate[column, site] & reference[other, site]
                    if not (one | (reference[column, site] & alternate[other, site])):
                        sources[kept] = other
                        kept += 1
                if kept == 0:
                    break
                left, site = kept, site + 1
            stop = max(site, begin + 1)  # an allele of its own is a stretch of its own
            if stop < sites:
                starts[found], ends[found] = begin, stop
                found += 1
            begin = stop
    return starts[:found].copy(), ends[:found].copy()
