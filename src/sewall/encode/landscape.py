"""The alignment as a landscape: what its columns share around each of many places along a window.

Selection leaves its trace along the chromosome: how far pairs of columns stay alike around a site (which tells how long
ago they had their last common ancestor there), how many different haplotypes there are and how common the commonest
few, and how many variants of which frequency. All of it is counted, relative to the theta of the sample, so that the
numbers of columns and of sites may differ; columns have no order and no ancestral state is needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.data.alignment import MISSING, Alignment
from sewall.encode.copying import differences, spread_part
from sewall.encode.pairs import even_sites, minor_allele_calls, minor_counts

MOST_COLUMNS = 32  # compared in pairs; of a larger sample, so many spread over the sorted columns
TRACT_EDGES = np.concatenate([[0.0], np.geomspace(0.3, 200, 12), [np.inf]])  # bp times theta
FREQUENCY_EDGES = np.array([0.0, 0.0751, 0.1501, 0.2503, 0.3704, 0.51])
BLOCKS = (8, 16, 32, 64)  # sites without singletons in a haplotype
COMMONEST = 3  # haplotypes whose shares are told

TRACTS, CLASSES = len(TRACT_EDGES) - 1, len(FREQUENCY_EDGES) - 1
NAMES = (
    *(f"tracts_{k}" for k in range(TRACTS)),
    *(f"runs_{k}" for k in range(TRACTS)),
    *(
        f"{name}_{block}"
        for block in BLOCKS
        for name in (*(f"haplotype_{k + 1}" for k in range(COMMONEST)), "h12", "haplotypes", "span")
    ),
    "sites", "pi", *(f"sites_{k}" for k in range(CLASSES)), "accessible",
)  # fmt: skip

Floats = NDArray[np.float64]


def landscape(alignment: Alignment, theta: float, places: int) -> NDArray[np.float32]:
    """Return ``(NAMES, places)``, at the middles of so many equal parts of the window.

    Args:
        alignment: the window.
        theta: 4 Ne mu per bp of the whole sample, the unit of length and of density.
        places: how many.
    """
    middles = (np.arange(places) + 0.5) * alignment.length / places
    near = [of(alignment, middles, theta) for of in (_shared, _homozygous, _haplotypes)]
    return np.concatenate([*near, _density(alignment, places, theta)]).astype(np.float32)


def _shared(alignment: Alignment, middles: Floats, theta: float) -> Floats:
    """Return ``(TRACTS, places)`` shares of pairs of columns by the length of the tract in which they do not differ."""
    part = spread_part(alignment, MOST_COLUMNS)
    return _tracts(differences(part), part, middles, theta)


def _homozygous(alignment: Alignment, middles: Floats, theta: float) -> Floats:
    """Return ``(TRACTS, places)`` shares of individuals by the length of their run of homozygosity; 0 where phased."""
    if alignment.phased:
        return np.zeros((TRACTS, len(middles)))
    mixed = (alignment.calls > 0) & (alignment.calls < alignment.copies)
    return _tracts(np.ascontiguousarray(mixed.T), alignment, middles, theta)


def _tracts(marks: NDArray[np.bool_], alignment: Alignment, middles: Floats, theta: float) -> Floats:
    """Return ``(TRACTS, places)`` shares of the rows of *marks* by the distance between the marks around a place."""
    if len(marks) == 0:
        return np.zeros((TRACTS, len(middles)))
    positions = np.concatenate([[0], alignment.positions, [alignment.length]]).astype(np.int64)
    at = np.searchsorted(alignment.positions, middles)  # sites to the left of each place
    length = _around(marks, positions, at) * theta
    kind = np.searchsorted(TRACT_EDGES, length, side="right") - 1
    cells = kind + TRACTS * np.arange(len(middles))
    return np.bincount(cells.ravel(), minlength=TRACTS * len(middles)).reshape(-1, TRACTS).T / len(marks)


@compiled
def _around(marks: NDArray[np.bool_], positions: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``(rows, places)`` bp between the marks on both sides of a place; the ends of a window are marks."""
    rows, sites = marks.shape
    length = np.empty((rows, len(at)), np.int64)
    for row in range(rows):
        before, after = 0, 0
        for place in range(len(at)):
            while after <= at[place]:  # site k stands at place k + 1 of the positions
                before, after = after, after + 1
                while after <= sites and not marks[row, after - 1]:
                    after += 1
            length[row, place] = positions[after] - positions[before]
    return length


def _haplotypes(alignment: Alignment, middles: Floats, theta: float) -> Floats:
    """Return the haplotypes of blocks of sites around each place: shares of the commonest, H12, their number, the span.

    H12 is that of Garud et al. (2015, PLoS Genetics 11:e1005004).
    """
    minor, _ = minor_counts(alignment)
    common = minor >= 2
    calls, positions = minor_allele_calls(alignment)[common], alignment.positions[common].astype(np.int64)
    unknown = np.where(even_sites(alignment)[common], 3, 0)[:, None]
    calls = np.where(calls == MISSING, unknown, calls)
    sites, columns = calls.shape
    weights = np.random.default_rng(0).integers(1, 2**63, len(calls), dtype=np.uint64)
    sums = np.zeros((sites + 1, columns), np.uint64)
    np.cumsum(weights[:, None] * calls.astype(np.uint64), axis=0, dtype=np.uint64, out=sums[1:])
    middle = np.searchsorted(positions, middles)
    rows = []
    for block in BLOCKS:
        start = np.clip(middle - block // 2, 0, max(sites - block, 0))
        stop = np.minimum(start + block, sites)
        # A block's code is a random weighted sum of its calls (modulo 2^64): equal for equal haplotypes, and only then.
        shares = _sorted_shares(np.subtract(sums[stop], sums[start]))
        ends = np.concatenate([positions, [alignment.length]]) if sites else np.array([alignment.length])
        span = np.log1p((ends[np.maximum(stop - 1, 0)] - ends[start]) * theta)
        top = shares[:, :COMMONEST]
        h12 = (shares**2).sum(axis=1) + 2 * shares[:, 0] * (shares[:, 1] if columns > 1 else 0)
        rows += [*top.T, h12, (shares > 0).mean(axis=1), span]
    return np.array(rows)


def _sorted_shares(codes: NDArray[np.uint64]) -> Floats:
    """Return ``(places, columns)`` shares of the haplotypes at each place, the commonest first, then zeros."""
    places, columns = codes.shape
    codes = np.sort(codes, axis=1)
    fresh = np.ones((places, columns), bool)
    fresh[:, 1:] = codes[:, 1:] != codes[:, :-1]
    number = np.cumsum(fresh, axis=1) - 1 + columns * np.arange(places)[:, None]
    counts = np.bincount(number.ravel(), minlength=places * columns).reshape(places, columns)
    return -np.sort(-counts, axis=1) / columns


def _density(alignment: Alignment, places: int, theta: float) -> Floats:
    """Return, by part of the window, variants and their frequencies relative to theta, and its accessible share."""
    minor, copies = minor_counts(alignment)
    part = np.minimum(alignment.positions.astype(np.int64) * places // alignment.length, places - 1)
    edges = np.arange(places + 1) * alignment.length / places
    low, high = (alignment.accessible[:, k].astype(float) for k in (0, 1))
    below = np.clip(edges[:, None] - low, 0, high - low).sum(axis=1)
    accessible = np.diff(below)
    scale = np.maximum(theta * accessible, 1e-9)
    frequency = minor / np.maximum(copies, 1)
    pi = 2 * frequency * (1 - frequency) * copies / np.maximum(copies - 1, 1)
    kind = np.clip(np.searchsorted(FREQUENCY_EDGES, frequency, side="right") - 1, 0, CLASSES - 1)
    by_class = np.bincount(part * CLASSES + kind, minlength=places * CLASSES).reshape(places, CLASSES).T
    share = accessible / (alignment.length / places)
    rows = np.vstack([by_class.sum(axis=0), np.bincount(part, pi, minlength=places), by_class])
    return np.vstack([np.where(share > 0, np.log1p(rows / scale), 0), share])
