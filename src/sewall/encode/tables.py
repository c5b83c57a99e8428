"""The alignment as a network reads it: counts of small events, whatever the number of samples and of variants.

An alignment is a set of events: pairs of sites (how common, how linked, how far apart), pairs of columns that stop
being alike (after how many bp, and after how many more), and stretches from which a column can be copied. Each event
is put into a class of fixed meaning and the classes are counted. The network learns a value for every class (its
potential) and adds them up: a learned composite likelihood over the alignment. Nothing is padded or cut, columns have
no order, and the numbers of columns and of sites may differ from window to window.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.data.alignment import Alignment
from sewall.encode.copying import Gaps, gaps_between_columns, gaps_within_columns, mosaic
from sewall.encode.pairs import SitePairs, minor_counts
from sewall.encode.statistics import unevenness

# Edges lie where no small sample's frequency or correlation can fall on them.
FREQUENCY_EDGES = np.array([0.0, 0.0751, 0.1501, 0.2503, 0.3704, 0.51])
CORRELATION_EDGES = np.array([-1.01, -0.3517, -0.1513, -0.0211, 0.1513, 0.3517, 0.6013, 0.8507, 0.9967, 1.01])
DISTANCE_EDGES = np.concatenate([[0.0], np.geomspace(0.1, 100, 14), [np.inf]])
GAP_EDGES = np.concatenate([[0.0], np.geomspace(0.03, 30, 13), [np.inf]])
COPY_EDGES = np.concatenate([[0.0], np.geomspace(0.1, 60, 13), [np.inf]])
GAP_LAGS = (1, 2, 4)
ENDS_IN = 20  # equal parts of the window in which the ends of copied stretches are counted
COPY_LEVELS = (2, 3, 4, 6)  # smallest count of the rarer allele among the sites that a copy must match

DISTANCES, GAPS, COPIES = len(DISTANCE_EDGES) - 1, len(GAP_EDGES) - 1, len(COPY_EDGES) - 1
CLASSES = len(FREQUENCY_EDGES) - 1
COMBINATIONS = tuple(combinations_with_replacement(range(CLASSES), 2))
LINKAGES = len(CORRELATION_EDGES) - 1
PAIR_CELLS = len(COMBINATIONS) * LINKAGES * 2

_COMBINATION = np.zeros((CLASSES, CLASSES), np.int64)
for _index, (_low, _high) in enumerate(COMBINATIONS):
    _COMBINATION[_low, _high] = _COMBINATION[_high, _low] = _index

Counts = NDArray[np.uint16]


def pair_table(alignment: Alignment, pairs: SitePairs, theta: float) -> Counts:
    """Return ``(15 distances, 270 classes)`` counts of pairs of sites.

    A class is the two frequency classes, the class of the correlation and whether all four gametes are there.
    """
    minor, copies = minor_counts(alignment)
    frequency = _classes(minor / copies, FREQUENCY_EDGES)
    scaled = (pairs.distance * theta).astype(np.float64)
    cells = _cells(
        frequency[pairs.first], frequency[pairs.second], pairs.correlation, scaled, pairs.four_gametes,
        _COMBINATION,
    )  # fmt: skip
    return _counted(cells, (DISTANCES, PAIR_CELLS))


@compiled
def _cells(
    first: NDArray[np.int64], second: NDArray[np.int64], correlation: NDArray[np.float64],
    distance: NDArray[np.float64], four_gametes: NDArray[np.bool_], combination: NDArray[np.int64],
) -> NDArray[np.int64]:  # fmt: skip
    """Return ``(pairs,)`` which cell of the table each pair counts in."""
    cells = np.empty(len(first), np.int64)
    for k in range(len(first)):
        cell = _class(distance[k], DISTANCE_EDGES) * len(COMBINATIONS) + combination[first[k], second[k]]
        cells[k] = (cell * LINKAGES + _class(correlation[k], CORRELATION_EDGES)) * 2 + four_gametes[k]
    return cells


@compiled
def _class(value: float, edges: NDArray[np.float64]) -> int:
    found = 0
    while found < len(edges) - 2 and value >= edges[found + 1]:
        found += 1
    return found


def gap_table(gaps: Gaps, theta: float) -> Counts:
    """Return ``(3 lags, 14, 14)`` counts of a gap's class and the class of the gap 1, 2 and 4 further on."""
    length, owner = gaps
    kind = _classes(length * theta, GAP_EDGES)
    return np.minimum(_successions(kind, owner), np.iinfo(np.uint16).max).astype(np.uint16)


@compiled
def _successions(kind: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.zeros((len(GAP_LAGS), GAPS, GAPS), np.int64)
    for k in range(len(kind)):
        for number in range(len(GAP_LAGS)):
            before = k - GAP_LAGS[number]
            if before >= 0 and owner[before] == owner[k]:
                counts[number, kind[before], kind[k]] += 1
    return counts


def copying_table(alignment: Alignment, theta: float) -> NDArray[np.float32]:
    """Return ``(4 levels, 2 + 14)``: stretches per column, how unevenly they end, and how many by length."""
    minor, _ = minor_counts(alignment)
    rows = []
    for level in COPY_LEVELS:
        keep = minor >= level
        part = Alignment(alignment.positions[keep], alignment.calls[keep], alignment.copies, alignment.length)
        pieces = mosaic(part)
        shares = np.bincount(_classes(pieces.lengths * theta, COPY_EDGES), minlength=COPIES) / pieces.columns
        clumped = np.log(unevenness(pieces.ends, alignment.length, ENDS_IN) + 0.1)
        rows.append(np.concatenate([[shares.sum(), clumped], shares]))
    return np.array(rows, np.float32)


def tables(alignment: Alignment, pairs: SitePairs, theta: float) -> dict[str, NDArray]:
    """Return all tables of one alignment; *theta* (4 Ne mu per bp of the whole sample) is the unit of length."""
    return {
        "pairs": pair_table(alignment, pairs, theta),
        "between": gap_table(gaps_between_columns(alignment), theta),
        "within": gap_table(gaps_within_columns(alignment), theta),
        "copying": copying_table(alignment, theta),
    }


def pair_descriptors() -> NDArray[np.float32]:
    """Return ``(15, 270, 7)``: what each class of pairs stands for, in numbers of order one."""
    frequency = _centres(FREQUENCY_EDGES)
    linkage = np.clip(_centres(CORRELATION_EDGES), -1, 1)
    rows = [
        [
            4 * frequency[a] - 1,
            4 * frequency[b] - 1,
            8 * frequency[a] * frequency[b] - 0.5,
            r,
            2 * r * r - 1,
            gametes,
            d,
        ]
        for d in np.linspace(-1, 1, DISTANCES)
        for a, b in COMBINATIONS
        for r in linkage
        for gametes in (0.0, 1.0)
    ]
    return np.array(rows, np.float32).reshape(DISTANCES, PAIR_CELLS, 7)


def gap_descriptors() -> NDArray[np.float32]:
    """Return ``(3, 196, 4)``: what each class of successive gaps stands for, in numbers of order one."""
    scale = np.linspace(-1, 1, GAPS)
    rows = [[lag, a, b, a - b] for lag in np.linspace(-1, 1, len(GAP_LAGS)) for a in scale for b in scale]
    return np.array(rows, np.float32).reshape(len(GAP_LAGS), GAPS * GAPS, 4)


def _classes(values: NDArray, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)


def _centres(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return (edges[1:] + edges[:-1]) / 2


def _counted(cells: NDArray[np.int64], shape: tuple[int, int]) -> Counts:
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    return np.minimum(counts, np.iinfo(np.uint16).max).astype(np.uint16)
