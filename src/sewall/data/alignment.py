"""What the population-genetic jobs read: the variable sites of one stretch of genome in a sample."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MISSING = -1


@dataclass(frozen=True, eq=False)
class Alignment:
    """The biallelic variable sites of one window.

    A column is a chromosome copy where the phase is known (``copies`` is all ones) and an individual where it is
    not (``copies`` holds each individual's ploidy). Columns are exchangeable: nothing may depend on their order.

    Attributes:
        positions: ``(sites,)`` int32, strictly increasing offsets in bp from the start of the window.
        calls: ``(sites, columns)`` int8, copies of the alternate allele in each column, ``MISSING`` where not called.
        copies: ``(columns,)`` int8, chromosome copies per column.
        length: length of the window in bp.
        accessible: ``(intervals, 2)`` int32, half-open offsets of the stretches where variants could be called;
            the whole window where no mask is given.
    """

    positions: NDArray[np.int32]
    calls: NDArray[np.int8]
    copies: NDArray[np.int8]
    length: int
    accessible: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 2), np.int32))

    def __post_init__(self) -> None:
        if self.calls.shape != (len(self.positions), len(self.copies)):
            raise ValueError(f"calls {self.calls.shape} != ({len(self.positions)} sites, {len(self.copies)} columns)")
        if len(self.accessible) == 0 and self.length > 0:
            object.__setattr__(self, "accessible", np.array([[0, self.length]], np.int32))

    @property
    def sites(self) -> int:
        """Number of variable sites."""
        return len(self.positions)

    @property
    def chromosomes(self) -> int:
        """Number of chromosome copies in the sample."""
        return int(self.copies.sum())

    @property
    def phased(self) -> bool:
        """Whether each column is one chromosome copy."""
        return bool((self.copies == 1).all())

    @property
    def accessible_bp(self) -> int:
        """Base pairs where variants could be called."""
        return int((self.accessible[:, 1] - self.accessible[:, 0]).sum())

    def part(self, start: int, stop: int) -> Alignment:
        """Return what lies from *start* to *stop*, half-open, with its share of the mask.

        >>> whole = Alignment(np.array([3, 8], np.int32), np.array([[0, 1], [1, 0]], np.int8), np.ones(2, np.int8), 10)
        >>> whole.part(5, 10).positions
        array([3], dtype=int32)
        """
        first, last = np.searchsorted(self.positions, (start, stop))
        kept = np.clip(self.accessible, start, stop) - start
        kept = kept[kept[:, 1] > kept[:, 0]].astype(np.int32)
        if not len(kept):  # nothing could be called; no interval at all would mean that everything could
            kept, last = np.array([[0, 0]], np.int32), first
        positions = (self.positions[first:last] - start).astype(np.int32)
        return Alignment(positions, self.calls[first:last], self.copies, stop - start, kept)
