"""Negatives for those who have none: shuffled positives, or stretches of the genome that look like them.

What the negatives are decides what a model learns. Shuffles keep the counts of neighbouring letters, so that GC content
tells nothing, but any trace of a real genome does. Stretches of the genome are real, but only as different from the
positives as the matching leaves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.genome import Genome
from sewall.data.sequences import Sequences
from sewall.dna.windows import cut
from sewall.errors import SewallError
from sewall.task import Rows

SHUFFLED, GENOMIC = "dinucleotide shuffles of the positives", "stretches of the genome matched to the positives"
UNSHUFFLED = "have none: no other order of their letters keeps all pairs"
NO_MATCH = "have none: no free stretch has their GC content, length and share of repeats"
ELSEWHERE = "have theirs on another contig"

GC_BIN, REPEAT_BIN = 0.02, 0.05
MOST_STARTS = 1_000_000  # of each contig and length that are looked at
_ROUNDING = 1e-9

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Negatives:
    """Made negatives.

    Attributes:
        kind: what they are, in words.
        sequences: of the negatives; shuffles bear the names of their positives, stretches those of their places.
        of: ``(negatives,)`` row of the positive that each was made for; a shuffle belongs to its positive's group.
        windows: where each lies (``chrom start end strand``), None for shuffles.
        counts: positives without a negative, or with one that is not like them in all, by reason.
    """

    kind: str
    sequences: Sequences
    of: Rows
    windows: pd.DataFrame | None
    counts: dict[str, int]

    @property
    def keys(self) -> pd.DataFrame:
        """What negatives go by: ``sequence_id``, and where they lie if they lie anywhere."""
        names = pd.DataFrame({"sequence_id": self.sequences.ids})
        return names if self.windows is None else names.join(self.windows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of them, in sentences."""
        said = f"negatives are {self.kind}"
        return (said, *(f"{number} positives {reason}" for reason, number in self.counts.items()))


def shuffled_negatives(positives: Sequences, seed: int) -> Negatives:
    """Return every positive with its letters in another order that keeps all pairs of neighbours.

    Raises:
        SewallError: none can be shuffled.
    """
    from sewall.motifs.shuffling import dinucleotide_shuffles

    found = dinucleotide_shuffles(positives, 1, seed)
    rows = np.setdiff1d(np.arange(len(positives)), found.fixed)
    if not len(rows):
        raise SewallError(f"none of the {len(positives)} positives can be shuffled; give negatives (--negatives)")
    kept = positives.take(rows)
    sequences = replace(kept, codes=np.concatenate([found.copies[row][0] for row in rows]))
    counts = {UNSHUFFLED: len(found.fixed)} if len(found.fixed) else {}
    return Negatives(SHUFFLED, sequences, rows, None, counts)


def matched_negatives(
    genome: Genome, positives: pd.DataFrame, seed: int, avoid: pd.DataFrame | None = None
) -> Negatives:
    """Return for every positive a stretch of the genome like it, away from all positives and from each other.

    Alike are the length, the GC content (bins of 2 %), the share of lower case, which marks repeats (bins of 5 %), the
    strand and, where there is room, the contig. Stretches hold no unknown letters and come from the contigs of the
    positives alone, so that a contig that is kept for testing stays so.

    Args:
        genome: to draw from.
        positives: windows, one row each: ``chrom start end strand``.
        seed: of the draw.
        avoid: further stretches that no negative may touch, ``chrom start end``.

    Raises:
        SewallError: not one can be matched.
    """
    taken = positives if avoid is None else pd.concat([positives, avoid])
    contigs = list(dict.fromkeys(positives["chrom"]))
    busy = {name: rows[["start", "end"]].to_numpy(np.int64) for name, rows in taken.groupby("chrom", sort=False)}
    wanted = _likeness(genome, positives)
    start, chrom = np.full(len(positives), -1), np.array(positives["chrom"], object)
    for everywhere in (False, True):
        for number, name in enumerate(contigs):
            left = np.flatnonzero((start < 0) & (everywhere | (positives["chrom"] == name).to_numpy()))
            if len(left):
                rng = np.random.default_rng([seed, everywhere, number])
                for row, place in _drawn(genome, name, wanted[left], busy[name], rng):
                    start[left[row]], chrom[left[row]] = place, name
                    busy[name] = np.vstack([busy[name], [place, place + wanted[left[row], 0]]])
    return _found(genome, positives, start, chrom)


def _found(genome: Genome, positives: pd.DataFrame, start: Numbers, chrom: NDArray) -> Negatives:
    rows = np.flatnonzero(start >= 0)
    if not len(rows):
        raise SewallError(
            f"{genome.path}: holds no stretch that looks like any of the {len(positives)} positives; take shuffles for "
            "negatives"
        )
    length = (positives["end"] - positives["start"]).to_numpy()[rows]
    columns = {"chrom": chrom[rows], "start": start[rows], "end": start[rows] + length}
    windows = pd.DataFrame(columns).assign(strand=positives["strand"].to_numpy()[rows])
    moved = int((chrom[rows] != positives["chrom"].to_numpy()[rows]).sum())
    counts = {NO_MATCH: len(positives) - len(rows), ELSEWHERE: moved}
    return Negatives(GENOMIC, cut(genome, windows), rows, windows, {why: n for why, n in counts.items() if n})


class _Composition:
    """Running counts of what a contig is made of."""

    def __init__(self, genome: Genome, contig: str) -> None:
        raw = np.frombuffer(genome.sequence(contig, 0, genome.lengths[contig]).encode(), np.uint8)
        upper = raw & 0xDF
        self.gc = _running(np.isin(upper, np.frombuffer(b"GCS", np.uint8)))
        self.lower = _running(raw != upper)
        self.unknown = _running(~np.isin(upper, np.frombuffer(b"ACGTU", np.uint8)))

    def likeness(self, start: Numbers, length: Numbers | int) -> Numbers:
        """Return ``(stretches, 3)`` length, bin of GC content and bin of lower case."""
        end = start + length
        known = np.maximum(length - (self.unknown[end] - self.unknown[start]), 1)
        gc, lower = (self.gc[end] - self.gc[start]) / known, (self.lower[end] - self.lower[start]) / length
        bins = (np.floor(gc / GC_BIN + _ROUNDING), np.floor(lower / REPEAT_BIN + _ROUNDING))
        return np.column_stack([np.broadcast_to(length, start.shape), *bins]).astype(np.int64)


def _running(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(flags, dtype=np.int32)]).astype(np.int32)


def _likeness(genome: Genome, windows: pd.DataFrame) -> Numbers:
    found = np.zeros((len(windows), 3), np.int64)
    chrom, start = windows["chrom"].to_numpy(), windows["start"].to_numpy(np.int64)
    length = windows["end"].to_numpy(np.int64) - start
    for name in dict.fromkeys(chrom):
        own = np.flatnonzero(chrom == name)
        found[own] = _Composition(genome, name).likeness(start[own], length[own])
    return found


def _drawn(
    genome: Genome, contig: str, wanted: Numbers, busy: Numbers, rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Yield rows of *wanted* and the start of a free stretch of the contig for each, as far as there are any."""
    size, made_of = genome.lengths[contig], _Composition(genome, contig)
    free = np.ones(size, bool)
    for first, last in busy:
        free[first:last] = False
    for length in np.unique(wanted[:, 0]):
        places = size - int(length) + 1
        if places < 1:
            continue
        start = rng.permutation(places) if places <= MOST_STARTS else rng.integers(places, size=MOST_STARTS)
        blocked = _running(~free) + made_of.unknown
        start = start[blocked[start + length] == blocked[start]]
        bins = made_of.likeness(start, int(length))[:, 1:]
        for row, place in _fitted(wanted, int(length), start, bins, free):
            free[place : place + length] = False
            yield row, place


def _fitted(
    wanted: Numbers, length: int, start: Numbers, bins: Numbers, free: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of a wanted row and a place of its bins that is still free, the places in the order drawn."""
    rows = np.flatnonzero(wanted[:, 0] == length)
    for kind in np.unique(wanted[rows, 1:], axis=0):
        asking = iter(rows[(wanted[rows, 1:] == kind).all(axis=1)])
        row = next(asking, None)
        for place in start[(bins == kind).all(axis=1)]:
            if row is None:
                break
            if free[place : place + length].all():
                yield int(row), int(place)
                row = next(asking, None)
