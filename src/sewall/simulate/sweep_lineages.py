"""Ancestors of a sample along the trajectory of a selected allele: the coalescent of two backgrounds.

Backwards in time each chromosome that holds ancestral material either carries the selected allele or does not. Two can
only share a parent within their background; recombination between the site and the material moves it to a background at
random (Hudson & Kaplan 1988, Genetics 120:831; Braverman et al. 1995, Genetics 140:783). Lineages are followed to the
origin of the allele, however common it was when selection began (Kern & Schrider 2016, Bioinformatics 32:3839).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sewall.compiling import compiled
from sewall.simulate.sweep_sizes import Counts, Floats

ROOM = 1024  # rows at first; more are made when needed

_CROSSOVER, _AMONG_CARRIERS, _AMONG_OTHERS, _ORIGIN = range(4)
_ROWS, _LINEAGES, _EDGES, _NODES = range(4)


class _Ancestry(NamedTuple):
    """The chromosomes that hold ancestral material at some time, and the genealogies so far.

    Attributes:
        material: its segments, those of one chromosome together from left to right: left, right, node, samples below.
        lineages: of each chromosome, the first row of its material and the one behind its last.
        carries: whether each carries the allele.
        reach: of each, the stretch of the genetic map in which a crossover parts the material from itself or the site.
        edges: left, right, parent, child.
        times: of the nodes.
        filled: how many rows, lineages, edges and nodes there are; the arrays have room for more.
    """

    material: Counts
    lineages: Counts
    carries: NDArray[np.bool_]
    reach: Floats
    edges: Counts
    times: Floats
    filled: Counts


@compiled
def trace_back(
    rng: np.random.Generator,
    copies: Counts,
    chromosomes: Counts,
    carriers: int,
    sample: int,
    site: int,
    places: Floats,
    crossovers: Floats,
) -> tuple[Floats, Counts]:
    """Follow a sample to the origin of the allele.

    Args:
        rng: draws all events.
        copies, chromosomes: by generations ago (see `sewall.simulate.sweep_course.Trajectory`).
        carriers: how many of the sample carry the allele: the first ones.
        sample: chromosomes in the sample, which are the first nodes.
        site: position of the allele in bp.
        places, crossovers: genetic map: expected crossovers left of some places, from 0 to the length of the stretch.

    Returns:
        Times of the nodes in generations ago; and edges, ``(edges, 4)`` left, right, parent, child. The last nodes are
        the chromosomes, one generation before the origin, whose material not all of the sample has inherited.
    """
    state = _sample(sample, carriers, places)
    time = 0.0
    for k in range(sample):
        _measure(state, k, site, places, crossovers)
    while state.filled[_LINEAGES] > 0:
        k = state.filled[_LINEAGES]
        state = _with_room(state)
        crossing = (state.reach[:k, 1] - state.reach[:k, 0]).sum()
        time, kind = _next_event(rng, copies, chromosomes, time, crossing, state.carries[:k].sum(), k)
        if kind == _ORIGIN:
            break
        if kind == _CROSSOVER:
            i, point = _somewhere(rng.random() * crossing, state.reach[:k])
            partner = rng.random() * chromosomes[int(time) + 1] < copies[int(time) + 1]
            _cross_over(state, i, _place(point, places, crossovers), site, partner)
            j = i
        else:
            i, j = _two_of(rng, state.carries[:k], kind == _AMONG_CARRIERS)
            _coalesce(state, i, j, time, sample)
        for changed in (i, j, state.filled[_LINEAGES] - 1):
            if 0 <= changed < state.filled[_LINEAGES]:
                _measure(state, changed, site, places, crossovers)
    state = _one_founder(state, len(copies) - 2, sample)
    return _with_roots(state, len(copies) - 1.0)


@compiled
def _sample(sample: int, carriers: int, places: Floats) -> _Ancestry:
    rows = ROOM + sample
    material, lineages = np.zeros((rows, 4), np.int64), np.zeros((rows, 2), np.int64)
    for k in range(sample):
        _write(material, k, 0, int(places[-1]), k, 1)
        lineages[k, 0], lineages[k, 1] = k, k + 1
    carries, filled = np.arange(rows) < carriers, np.full(4, sample)
    filled[_EDGES] = 0
    edges = np.zeros((rows, 4), np.int64)
    return _Ancestry(material, lineages, carries, np.zeros((rows, 2)), edges, np.zeros(rows), filled)


@compiled
def _write(rows: Counts, k: int, left: int, right: int, node: int, other: int) -> None:
    rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3] = left, right, node, other


@compiled
def _with_room(state: _Ancestry) -> _Ancestry:
    """Return the same with room for one event, which writes at most twice the material of two lineages."""
    rows, lineages, edges, nodes = state.filled
    needed = 4 * (state.lineages[:lineages, 1] - state.lineages[:lineages, 0]).max()
    return _Ancestry(
        _grown(state.material, rows + needed),
        _grown(state.lineages, lineages + 1),
        _grown(state.carries, lineages + 1),
        _grown(state.reach, lineages + 1),
        _grown(state.edges, edges + needed),
        _grown(state.times, nodes + 1),
        state.filled,
    )


@compiled
def _grown(array: NDArray, least: int) -> NDArray:
    while len(array) < least:
        array = np.concatenate((array, array))
    return array


@compiled
def _next_event(
    rng: np.random.Generator,
    copies: Counts,
    chromosomes: Counts,
    time: float,
    crossing: float,
    carrying: int,
    lineages: int,
) -> tuple[float, int]:
    """Return when something next happens to the lineages, and what. Rates are constant within a generation."""
    patience = rng.standard_exponential()
    pairs, other_pairs = carrying * (carrying - 1) / 2, (lineages - carrying) * (lineages - carrying - 1) / 2
    for parents in range(int(time) + 1, len(copies) - 1):
        meeting = pairs / max(copies[parents], 1)
        rate = crossing + meeting + other_pairs / max(chromosomes[parents] - copies[parents], 1)
        if patience < rate * (parents - time):
            which = rng.random() * rate
            time += patience / rate
            if which < crossing:
                return time, _CROSSOVER
            return time, _AMONG_CARRIERS if which < crossing + meeting else _AMONG_OTHERS
        patience -= rate * (parents - time)
        time = float(parents)
    return time, _ORIGIN


@compiled
def _measure(state: _Ancestry, i: int, site: int, places: Floats, crossovers: Floats) -> None:
    first, last = state.lineages[i]
    state.reach[i, 0] = _on_map(min(state.material[first, 0], site), places, crossovers)
    state.reach[i, 1] = _on_map(max(state.material[last - 1, 1] - 1, site), places, crossovers)


@compiled
def _on_map(x: float, along: Floats, given: Floats) -> float:
    """Return the value at *x* of a line through some points, on both axes in order."""
    k = min(max(int(np.searchsorted(along, x)), 1), len(along) - 1)
    share = (x - along[k - 1]) / max(along[k] - along[k - 1], 1e-300)
    return given[k - 1] + share * (given[k] - given[k - 1])


@compiled
def _place(point: float, places: Floats, crossovers: Floats) -> int:
    """Return the first bp right of a crossover at a point of the map."""
    return int(np.ceil(_on_map(point, crossovers, places)))


@compiled
def _somewhere(point: float, reach: Floats) -> tuple[int, float]:
    """Return the lineage, and the point of the map, at a point of all stretches laid end to end."""
    last = 0
    for i in range(len(reach)):
        width = reach[i, 1] - reach[i, 0]
        if point < width:
            return i, reach[i, 0] + point
        if width > 0:
            last = i
        point -= width
    return last, reach[last, 1]  # beyond the end by rounding


@compiled
def _cross_over(state: _Ancestry, i: int, cut: int, site: int, partner: bool) -> None:
    """Move what the cut parts from the site to another chromosome; *partner* says whether it carries the allele."""
    left, right = _parted(state, state.lineages[i, 0], state.lineages[i, 1], cut)
    stays, moves = (left, right) if site < cut else (right, left)
    if stays[0] == stays[1]:
        state.carries[i] = partner
    elif moves[0] < moves[1]:
        k = state.filled[_LINEAGES]
        state.lineages[i, 0], state.lineages[i, 1] = stays
        state.lineages[k, 0], state.lineages[k, 1] = moves
        state.carries[k] = partner
        state.filled[_LINEAGES] += 1


@compiled
def _parted(state: _Ancestry, first: int, last: int, cut: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the rows left and right of a cut; a segment across it is made two."""
    k = first
    while k < last and state.material[k, 1] <= cut:
        k += 1
    if k == last or state.material[k, 0] >= cut:
        return (first, k), (k, last)
    new = state.filled[_ROWS]
    for row in range(k, last):
        left, right, node, below = state.material[row]
        _write(state.material, new + row - k, max(left, cut), right, node, below)
    state.material[k, 1] = cut
    state.filled[_ROWS] += last - k
    return (first, k + 1), (new, new + last - k)


@compiled
def _two_of(rng: np.random.Generator, carries: NDArray[np.bool_], wanted: bool) -> tuple[int, int]:
    """Return two lineages of one background, the lower number first."""
    i = j = _one_of(rng, carries, wanted)
    while j == i:
        j = _one_of(rng, carries, wanted)
    return min(i, j), max(i, j)


@compiled
def _one_of(rng: np.random.Generator, carries: NDArray[np.bool_], wanted: bool) -> int:
    while True:
        i = int(rng.random() * len(carries))
        if carries[i] == wanted:
            return i


@compiled
def _coalesce(state: _Ancestry, i: int, j: int, time: float, sample: int) -> None:
    """Put the material of lineage *j* on the chromosome of *i*, below it in number; what all share is left out."""
    first = state.filled[_ROWS]
    state.times[state.filled[_NODES]] = time
    _merge(state, state.lineages[i], state.lineages[j], sample)
    state.filled[_NODES] += 1
    state.lineages[i, 0], state.lineages[i, 1] = first, state.filled[_ROWS]
    _remove(state, j)
    if first == state.filled[_ROWS]:
        _remove(state, i)


@compiled
def _remove(state: _Ancestry, i: int) -> None:
    state.filled[_LINEAGES] -= 1
    last = state.filled[_LINEAGES]
    state.lineages[i], state.carries[i] = state.lineages[last], state.carries[last]
    state.reach[i] = state.reach[last]


@compiled
def _merge(state: _Ancestry, ours: Counts, theirs: Counts, sample: int) -> None:
    """Write the material of two chromosomes as that of one, and edges to the newest node where both have some."""
    material, edges = state.material, state.edges
    first, node = state.filled[_ROWS], state.filled[_NODES]
    a, b = ours[0], theirs[0]
    left = min(material[a, 0], material[b, 0])
    while a < ours[1] or b < theirs[1]:
        in_a = a < ours[1] and material[a, 0] <= left
        in_b = b < theirs[1] and material[b, 0] <= left
        right = min(_next_end(material, a, ours[1], in_a), _next_end(material, b, theirs[1], in_b))
        if in_a and in_b:
            made = state.filled[_EDGES]
            _write(edges, made, left, right, node, material[a, 2])
            _write(edges, made + 1, left, right, node, material[b, 2])
            state.filled[_EDGES] += 2
            _keep(state, first, left, right, node, material[a, 3] + material[b, 3], sample)
        elif in_a or in_b:
            alone = a if in_a else b
            _keep(state, first, left, right, material[alone, 2], material[alone, 3], sample)
        left = right
        a += in_a and material[a, 1] == right
        b += in_b and material[b, 1] == right


@compiled
def _next_end(material: Counts, row: int, last: int, inside: bool) -> int:
    """Return where a chromosome next goes from holding material to not holding it, or back."""
    if row == last:
        return np.iinfo(np.int64).max
    return material[row, 1] if inside else material[row, 0]


@compiled
def _keep(state: _Ancestry, first: int, left: int, right: int, node: int, below: int, sample: int) -> None:
    """Write a segment behind the others of its chromosome, which begin at row *first*, or make the last one longer."""
    row = state.filled[_ROWS]
    last = state.material[row - 1]
    if row > first and last[1] == left and last[2] == node and last[3] == below:
        last[1] = right
    elif below < sample:
        _write(state.material, row, left, right, node, below)
        state.filled[_ROWS] += 1


@compiled
def _one_founder(state: _Ancestry, origin: int, sample: int) -> _Ancestry:
    """All that carry the allele descend from the chromosome on which it arose."""
    meetings = state.carries[: state.filled[_LINEAGES]].sum() - 1
    for step in range(meetings):
        state = _with_room(state)
        i, j = np.flatnonzero(state.carries[: state.filled[_LINEAGES]])[:2]
        _coalesce(state, i, j, origin + (step + 1) / (meetings + 1), sample)
    return state


@compiled
def _with_roots(state: _Ancestry, time: float) -> tuple[Floats, Counts]:
    """Return times and edges with one more node for each chromosome that is left."""
    lineages, edges, nodes = state.filled[1:]
    spans = state.lineages[:lineages]
    left = np.zeros(((spans[:, 1] - spans[:, 0]).sum(), 4), np.int64)
    row = 0
    for k in range(lineages):
        for segment in state.material[spans[k, 0] : spans[k, 1]]:
            _write(left, row, segment[0], segment[1], nodes + k, segment[2])
            row += 1
    times = np.concatenate((state.times[:nodes], np.full(lineages, time)))
    return times, np.concatenate((state.edges[:edges], left))
