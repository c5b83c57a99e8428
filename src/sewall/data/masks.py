"""Accessibility masks: where along the genome variants could be called at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.regions import Region, check_contigs, read_bed

Intervals = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mask:
    """Intervals that are all accessible, or all inaccessible; which of the two is always stated, never guessed.

    Attributes:
        intervals: for each contig ``(k, 2)`` half-open intervals, sorted and merged.
        meaning: True where the intervals are the accessible part.
        source: the file, for messages.
    """

    intervals: dict[str, Intervals]
    meaning: bool
    source: str = "mask"

    @classmethod
    def from_bed(cls, path: str | Path, accessible: bool) -> Mask:
        """Read a BED file of *accessible* (True) or inaccessible (False) intervals; they may overlap in any order."""
        by_contig: dict[str, list[tuple[int, int]]] = {}
        for region in read_bed(path):
            by_contig.setdefault(region.chrom, []).append((region.start, region.end))
        return cls({name: _merge(np.array(pairs)) for name, pairs in by_contig.items()}, accessible, str(path))

    def accessible(self, region: Region) -> NDArray[np.int32]:
        """Return the accessible stretches of *region*.

        Returns:
            ``(k, 2)`` int32 half-open offsets in bp from the region's start. Where nothing is accessible it is the
            one empty interval ``[[0, 0]]``, because an `Alignment` takes no interval at all to mean no mask.
        """
        own = self.intervals.get(region.chrom, np.zeros((0, 2), np.int64))
        own = own[(own[:, 1] > region.start) & (own[:, 0] < region.end)].clip(region.start, region.end) - region.start
        if not self.meaning:
            edges = np.concatenate([[0], own.ravel(), [region.length]])
            own = edges.reshape(-1, 2)
            own = own[own[:, 1] > own[:, 0]]
        return own.astype(np.int32) if len(own) else np.zeros((1, 2), np.int32)

    def check_contigs(self, names: Sequence[str]) -> None:
        """Refuse a mask whose contigs are named otherwise than those of the variants (``chr2`` and ``2``)."""
        check_contigs(self.source, self.intervals, names, every=False)


def covered(offsets: NDArray[np.integer], intervals: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which *offsets* lie in the sorted, disjoint half-open *intervals* ``(k, 2)``.

    >>> covered(np.array([0, 5, 9]), np.array([[0, 1], [4, 9]]))
    array([ True,  True, False])
    """
    index = np.searchsorted(intervals[:, 0], offsets, side="right") - 1
    return (index >= 0) & (offsets < intervals[np.maximum(index, 0), 1])


def _merge(pairs: Intervals) -> Intervals:
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    reach = np.maximum.accumulate(pairs[:, 1])
    first = np.concatenate([[True], pairs[1:, 0] > reach[:-1]])
    last = np.concatenate([first[1:], [True]])
    return np.stack([pairs[first, 0], reach[last]], axis=1)
