"""Seqlets on top of each other: which of them are one motif, and how they are aligned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.encode.dna import numbers, one_hot
from sewall.motifs.attributions import Attributed
from sewall.motifs.motif import Motif, informative

Floats = NDArray[np.float64]

SEEN = 35  # places of a seqlet and its surroundings
AROUND = 5  # letters on either side of a seqlet that are looked at as well
SHIFT = 12  # places by which a seqlet may be moved
PLACES = SEEN + 2 * SHIFT
ALIKE = 0.65  # aligned correlation from which a seqlet belongs to a pile
SAME = 0.8  # aligned correlation from which two motifs are one
SHORTEST_OVERLAP = 4  # places
FEWEST_MERGED = 5  # seqlets of a pile that is looked at further


@dataclass(frozen=True)
class Site:
    """One seqlet in a pile: its sequence, the letter at the pile's first place, and 1, or -1 on the other strand."""

    row: int
    first: int
    step: int

    def at(self, place: int) -> int:
        """Return the position in the sequence of a place of the pile."""
        return self.first + self.step * place

    def moved(self, by: int) -> Site:
        """Return the site in a pile whose place *by* is the first place of this one."""
        return Site(self.row, self.at(-by), self.step)

    def turned(self, last: int) -> Site:
        """Return the site in a pile that runs the other way, and whose place *last* is the first place of this one."""
        return Site(self.row, self.at(last), -self.step)


@dataclass(frozen=True)
class Pile:
    """Aligned seqlets.

    Attributes:
        sites: where they are.
        counts: ``(PLACES, 4)`` letters at each place.
        background: ``(4,)`` share of each base in the sequences.
    """

    sites: list[Site]
    counts: Floats
    background: Floats

    @cached_property
    def shown(self) -> slice:
        """The places that tell something."""
        return informative(self.counts, self.background)

    @cached_property
    def motif(self) -> Motif:
        """What the places that tell something show."""
        counts = self.counts[self.shown]
        return Motif("", counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), len(self.sites))


@dataclass
class _Growing:
    """A pile that seqlets are still added to: what their letters add at each place, and where they are."""

    total: Floats  # (4, PLACES)
    sites: list[Site] = field(default_factory=list)

    def add(self, site: Site, window: Floats, shift: int) -> None:
        self.sites.append(site)
        self.total[:, shift : shift + SEEN] += window


def piled(attributed: Attributed, seqlets: pd.DataFrame, both_strands: bool) -> list[Pile]:
    """Put each seqlet, the strongest first, on the pile that it resembles most, or on a new one.

    Args:
        attributed: the attributions.
        seqlets: ``row start end``.
        both_strands: whether seqlets may be turned.
    """
    growing: list[_Growing] = []
    for row, first, window in _windows(attributed, seqlets):
        score, pile, shift, turned = _best(growing, window, both_strands)
        if score < ALIKE:
            pile, shift, turned = len(growing), SHIFT, False
            growing.append(_Growing(np.zeros((4, PLACES))))
        site = Site(row, first + SEEN - 1 + shift, -1) if turned else Site(row, first - shift, 1)
        growing[pile].add(site, window[::-1, ::-1] if turned else window, shift)
    sequences = attributed.sequences
    return [counted(own.sites, sequences) for own in growing if len(own.sites) >= FEWEST_MERGED]


def _windows(attributed: Attributed, seqlets: pd.DataFrame) -> Iterator[tuple[int, int, Floats]]:
    """Return of each seqlet its sequence, where its window begins, and ``(4, SEEN)``, of norm one: what letters add."""
    for row, start, end in seqlets[["row", "start", "end"]].to_numpy(int).tolist():
        track = attributed.means[row]
        letters = one_hot(attributed.sequences.codes_of(row))
        first = (start + end) // 2 - SEEN // 2
        window = np.zeros((4, SEEN))
        low = max(start - AROUND, first, 0)
        high = min(end + AROUND, first + SEEN, len(track))
        window[:, low - first : high - first] = letters[:, low:high] * track[low:high]
        yield row, first, window / max(float(np.linalg.norm(window)), 1e-12)


def _best(growing: list[_Growing], window: Floats, both_strands: bool) -> tuple[float, int, int, bool]:
    """Return the highest aligned correlation, and the pile, the shift and the strand of it."""
    if not growing:
        return -1.0, 0, 0, False
    totals = np.stack([own.total for own in growing])
    totals /= np.maximum(np.linalg.norm(totals, axis=(1, 2), keepdims=True), 1e-12)
    seen = np.lib.stride_tricks.sliding_window_view(totals, SEEN, axis=2)
    ways = [window, window[::-1, ::-1]] if both_strands else [window]
    scores = np.stack([np.einsum("pbsw,bw->ps", seen, way, optimize=True) for way in ways], axis=-1)
    pile, shift, way = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores.max()), int(pile), int(shift), bool(way)


def counted(sites: list[Site], sequences: Sequences) -> Pile:
    """Return the pile of some sites, each counted once, with the letters at its places."""
    sites = list(dict.fromkeys(sites))
    counts = np.zeros((PLACES, 4))
    for site in sites:
        codes = numbers(sequences.codes_of(site.row))
        where = site.at(0) + site.step * np.arange(PLACES)
        inside = np.flatnonzero((where >= 0) & (where < len(codes)))
        base = codes[where[inside]]
        known = base >= 0
        counts[inside[known], base[known] if site.step > 0 else 3 - base[known]] += 1
    shares = np.bincount(numbers(sequences.codes).clip(0), minlength=4) + 1.0
    return Pile(sites, counts, shares / shares.sum())


def merged(piles: list[Pile], sequences: Sequences, both_strands: bool) -> list[Pile]:
    """Join piles whose letters show the same motif, until no two do; parts of one motif come together here."""
    kept: list[Pile] = []
    waiting = sorted((pile for pile in piles if len(pile.motif)), key=lambda pile: -len(pile.sites))
    while waiting:
        pile = waiting.pop(0)
        joined = next((k for k, own in enumerate(kept) if _joined(own, pile, both_strands)), None)
        if joined is None:
            kept.append(pile)
            continue
        sites = _joined(kept[joined], pile, both_strands)
        both = counted([*kept.pop(joined).sites, *(sites or [])], sequences)
        waiting.insert(0, _without_overlaps(both, sequences))
    return [pile for pile in kept if len(pile.motif)]


def _joined(large: Pile, small: Pile, both_strands: bool) -> list[Site] | None:
    """Return the sites of the smaller pile as sites of the larger, or None where the two are not one motif."""
    found = aligned(large.motif.frequencies, small.motif.frequencies, both_strands)
    if found is None or found[0] < SAME:
        return None
    _, shift, turned = found
    begins = large.shown.start + shift  # place in the larger pile where the shown part of the smaller one begins
    if turned:
        return [site.turned(begins + small.shown.stop - 1) for site in small.sites]
    return [site.moved(begins - small.shown.start) for site in small.sites]


def _without_overlaps(pile: Pile, sequences: Sequences) -> Pile:
    """Return a pile with each place of a sequence once, whichever strand it was read on."""
    taken, sites = set(), []
    middle = pile.shown.start + pile.shown.stop - 1
    for site in pile.sites:
        key = site.row, 2 * site.first + site.step * middle
        if key not in taken:
            taken.add(key)
            sites.append(site)
    return counted(sites, sequences)


def aligned(one: Floats, other: Floats, both_strands: bool) -> tuple[float, int, bool] | None:
    """Return the highest correlation of two ``(places, 4)`` motifs laid over each other, the shift and the strand.

    Bases are counted from a quarter on, so that places that tell nothing count for nothing. What the shorter motif
    shows beside the longer one counts against it, and four places must lie on each other.

    >>> shorter = np.eye(4)[[0, 1, 2, 3]]
    >>> score, shift, turned = aligned(np.eye(4)[[3, 0, 1, 2, 3]], shorter, both_strands=False)
    >>> round(score, 6), shift, turned
    (1.0, 1, False)
    """
    whole = float(np.linalg.norm(min(one, other, key=len) - 0.25))
    best: tuple[float, int, bool] | None = None
    for turned in (False, True)[: 1 + both_strands]:
        laid = other[::-1, ::-1] if turned else other
        for shift in range(-len(other) + 1, len(one)):
            low, high = max(shift, 0), min(shift + len(other), len(one))
            if high - low < SHORTEST_OVERLAP:
                continue
            here, there = one[low:high] - 0.25, laid[low - shift : high - shift] - 0.25
            longer = float(np.linalg.norm(there if len(one) < len(other) else here))
            score = float((here * there).sum() / max(whole * longer, 1e-12))
            if best is None or score > best[0] + 1e-9:
                best = score, shift, turned
    return best
