"""Who is related to whom, by the genotypes, a tile of pairs at a time.

Among outbred individuals kinship is estimated by heterozygous calls that are shared and homozygous ones that are
opposite (KING-robust, Manichaikul 2010, Bioinformatics 26:2867), which asks for no frequencies and holds up under
structure. Inbred lines have no heterozygous calls; of them it is the coancestry: one less the share of opposite calls
over the share expected of strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sewall.data.panel import AUTOSOME, BLOCK, Floats, Panel
from sewall.task import Rows

SAME, FIRST, SECOND = "the same, or twins", "first degree", "second degree"
DEGREES = {SAME: 0.354, FIRST: 0.177, SECOND: 0.0884}
"""Least kinship by relation: halfway, on a log scale, to the next (Manichaikul 2010, table 1)."""
SAME_LINE, CLOSE_LINES = "the same line", "close lines"
LINES = {SAME_LINE: 0.95, CLOSE_LINES: 0.75}
"""Least coancestry by relation; a line and its backcross have three quarters."""

CHANCE = 2.4  # four standard errors of the kinship of strangers, times the root of the number of linked stretches
MOST_SITES = 10_000
COMMON = 0.05  # minor-allele frequency of the sites that are read, where there are enough of them
MOST_PAIRS = 200_000
_TILE = 512
_DIPLOID = 2


@dataclass(frozen=True)
class Relatives:
    """Pairs of relatives.

    Attributes:
        pairs: the closest first: ``first``, ``second`` (indices), ``kinship``, ``same`` (share of equal calls),
            ``relation``.
        total: number of such pairs; more than those kept in a large population of relatives.
        family: ``(individuals,)`` number of the family that first-degree relatives make together; -1 of none.
        sites: number of sites that were read.
        inbred: whether kinship is the coancestry of inbred lines.
        levels: least kinship by relation, the closest first; only those that these genomes can tell.
    """

    pairs: pd.DataFrame
    total: int
    family: NDArray[np.intp]
    sites: int
    inbred: bool
    levels: dict[str, float]


def relatives(
    panel: Panel, frequency: NDArray[np.floating], inbred: bool = False, stretches: float = np.inf
) -> Relatives | None:
    """Return pairs of second-degree relatives and closer ones, or of close inbred lines.

    Strangers share some stretches by chance, the more unevenly the fewer there are: relations whose kinship such chance
    would reach are not told.

    Args:
        panel: genotypes.
        frequency: ``(sites,)`` of ALT, NaN where nobody is called.
        inbred: whether the individuals are inbred lines.
        stretches: of linked sites, about the number of independent sites.

    Returns:
        None where no autosome of diploids varies, or too little of the genome to tell any relation.
    """
    sites = informative_sites(panel, frequency)
    if not len(sites) or (panel.copies[AUTOSOME] != _DIPLOID).any():
        return None
    least = CHANCE / np.sqrt(stretches)
    levels = {name: low for name, low in (LINES if inbred else DEGREES).items() if low >= least}
    if not levels:
        return None
    expected = float(np.mean(2 * frequency[sites] * (1 - frequency[sites])))
    found: list[pd.DataFrame] = []
    links: list[NDArray[np.intp]] = []
    total = 0
    for first, second in _tiles(len(panel)):
        kinship, same = _kinship(_Tile.read(panel, first, sites), _Tile.read(panel, second, sites), inbred, expected)
        kept = (kinship >= min(levels.values())) & (first[:, None] < second[None, :])
        a, b = np.nonzero(kept)
        total += len(a)
        values = {"first": first[a], "second": second[b], "kinship": kinship[kept], "same": same[kept]}
        close = kinship[kept] >= (LINES[CLOSE_LINES] if inbred else DEGREES[FIRST])
        links.append(np.stack([first[a], second[b]])[:, close])
        found = [_closest([*found, pd.DataFrame(values)])]
    pairs = found[0].reset_index(drop=True)
    bounds, names = list(levels.values()), np.array(list(levels))
    pairs["relation"] = names[[next(k for k, low in enumerate(bounds) if value >= low) for value in pairs["kinship"]]]
    return Relatives(pairs, total, _families(len(panel), np.concatenate(links, axis=1)), len(sites), inbred, levels)


def informative_sites(panel: Panel, frequency: NDArray[np.floating]) -> Rows:
    """Return at most ten thousand autosomal sites that vary, evenly spaced, common ones where there are enough."""
    minor = np.minimum(frequency, 1 - frequency)
    autosomal = panel.sites.inheritance == AUTOSOME
    common = np.flatnonzero(autosomal & (minor >= COMMON))
    sites = common if len(common) >= MOST_SITES // 10 else np.flatnonzero(autosomal & (minor > 0))
    return sites[np.unique(np.linspace(0, len(sites) - 1, min(len(sites), MOST_SITES)).astype(int))]


def _tiles(people: int) -> list[tuple[Rows, Rows]]:
    parts = [np.arange(start, min(start + _TILE, people)) for start in range(0, people, _TILE)]
    return [(first, second) for k, first in enumerate(parts) for second in parts[k:]]


@dataclass(frozen=True)
class _Tile:
    """Calls of some individuals, ``(individuals, sites)``: which are called, which are heterozygous, and -1 or 1 for
    the two homozygous ones."""

    called: Floats
    mixed: Floats
    side: Floats

    @classmethod
    def read(cls, panel: Panel, rows: Rows, sites: Rows) -> _Tile:
        side = np.zeros((len(rows), len(sites)), np.float32)
        called, mixed = np.zeros_like(side), np.zeros_like(side)
        for start in range(0, len(sites), BLOCK):
            part = slice(start, start + BLOCK)
            share = panel.shares(rows, sites[part])
            called[:, part] = ~np.isnan(share)
            mixed[:, part] = np.abs(share - 0.5) < 0.25
            side[:, part] = (share >= 0.75).astype(np.float32) - (share <= 0.25)
        return cls(called, mixed, side)


def _kinship(a: _Tile, b: _Tile, inbred: bool, expected: float) -> tuple[Floats, Floats]:
    """Return ``(first, second)`` kinship and the share of equal calls, over the sites at which both are called."""
    sides, mixed = a.side @ b.side.T, a.mixed @ b.mixed.T
    if a.called.all() and b.called.all():
        both: Floats = np.full_like(sides, a.called.shape[1])
        of_a, of_b = np.broadcast_to(a.mixed.sum(1)[:, None], sides.shape), np.broadcast_to(b.mixed.sum(1), sides.shape)
    else:
        both, of_a, of_b = a.called @ b.called.T, a.mixed @ b.called.T, a.called @ b.mixed.T
    homozygous = both - of_a - of_b + mixed
    opposite, alike = (homozygous - sides) / 2, (homozygous + sides) / 2
    known = np.maximum(both, 1)
    same = np.asarray((alike + mixed) / known, np.float32)
    if inbred:
        return np.asarray(1 - opposite / known / max(expected, 1e-9), np.float32), same
    fewer = np.minimum(of_a, of_b)
    safe = np.maximum(fewer, 1)
    kinship = (mixed - 2 * opposite) / (2 * safe) + 0.5 - (of_a + of_b) / (4 * safe)
    return np.where(fewer > 0, kinship, np.float32(-1)).astype(np.float32), same


def _closest(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts).sort_values("kinship", ascending=False, kind="stable").head(MOST_PAIRS)


def _families(people: int, links: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the groups that links hold together, the largest first; -1 for those without any."""
    graph = coo_array((np.ones(links.shape[1]), (links[0], links[1])), (people, people))
    _, member = connected_components(graph, directed=False)
    sizes = np.bincount(member)
    rank = np.empty(len(sizes), np.intp)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.where(sizes[member] > 1, rank[member], -1)
