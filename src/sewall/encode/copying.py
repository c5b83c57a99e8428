"""Stretches that columns share: where pairs of them stop being alike, and how often a mosaic must change its source.

Pairs of chromosomes see recombination through time: two copies that parted t generations ago differ once per 1/(2 mu t)
bp and stay joined for 1/(2 r t) bp, so the pattern of their differences tells r/mu whatever the history of the
population (Li & Durbin 2011, Nature 475:493). Mosaics see many copies at once (Li & Stephens 2003, Genetics 165:2213).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def differences(alignment: Alignment, calls: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return ``(sites, columns, columns)``: where two columns share no allele."""
    only_alternate = (calls == alignment.copies) & (calls != MISSING)
    only_reference = calls == 0
    opposite = only_alternate[:, :, None] & only_reference[:, None, :]
    return opposite | opposite.transpose(0, 2, 1)


def gaps_between_columns(alignment: Alignment) -> Gaps:
    """Return the bp between successive differences of every pair of columns, and ``(gaps,)`` the pair each belongs to.

    For genotypes a difference is a pair of opposite homozygotes.
    """
    part = _part(alignment)
    differ = differences(part, part.calls)
    i, j = np.triu_indices(differ.shape[1], 1)
    return _gaps(differ[:, i, j].T, part.positions)


def gaps_within_columns(alignment: Alignment) -> Gaps:
    """Return the bp between successive heterozygous sites of every individual: phase-free pairs of chromosomes."""
    het = (alignment.calls > 0) & (alignment.calls < alignment.copies)
    return _gaps(het.T, alignment.positions)


def _gaps(marks: NDArray[np.bool_], positions: NDArray[np.int32]) -> Gaps:
    owner, site = np.nonzero(marks)
    same = owner[1:] == owner[:-1]
    gaps = np.diff(positions[site].astype(np.int64))[same]
    return gaps, owner[1:][same]


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
    part = _part(alignment)
    columns = len(part.copies)
    if part.sites < 2 or columns < 2:
        return Mosaic(np.zeros(0, np.int64), np.zeros(0, np.int64), columns)
    reach = _furthest_reach(differences(part, part.calls))
    starts, ends = _stretches(reach)
    positions = part.positions.astype(np.int64)
    return Mosaic(positions[ends] - positions[starts], positions[ends], columns)


def _part(alignment: Alignment) -> Alignment:
    calls, even = minor_allele_calls(alignment), even_sites(alignment)
    chosen = spread_columns(np.concatenate([calls[~even], calls[even]]))  # sites that have a rarer allele decide
    return Alignment(alignment.positions, alignment.calls[:, chosen], alignment.copies[chosen], alignment.length)


def _furthest_reach(differ: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ``(sites, columns)`` the first site at or after each that the best source of each column cannot match."""
    sites, columns, _ = differ.shape
    kind = np.int16 if sites < np.iinfo(np.int16).max else np.int32
    marks = np.where(differ, np.arange(sites, dtype=kind)[:, None, None], kind(sites))
    following = np.minimum.accumulate(marks[::-1], axis=0)[::-1]
    following[:, np.arange(columns), np.arange(columns)] = -1  # nobody copies from itself
    return following.max(axis=2).astype(np.int64)


def _stretches(reach: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sites, columns = reach.shape
    at, active = np.zeros(columns, np.int64), np.arange(columns)
    starts, ends = [], []
    while len(active):
        stop = np.maximum(reach[at[active], active], at[active] + 1)
        inside = stop < sites
        active, stop = active[inside], stop[inside]
        starts.append(at[active])
        ends.append(stop)
        at[active] = stop
    return np.concatenate(starts), np.concatenate(ends)
