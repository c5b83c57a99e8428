"""Which sites say the same: correlation of neighbours along each chromosome, and one site for each group of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sewall.genomic.columns import Columns
from sewall.genomic.contract import Floats
from sewall.task import Rows

REACH = 100  # sites on each side; a window in sites is short in base pairs where sites are dense
STEP = 512
LEVELS = 255


@dataclass(frozen=True)
class Linkage:
    """Squared correlation of each site with its neighbours among the training individuals.

    Attributes:
        squared: ``(sites, 2 reach + 1)`` uint8, r² in steps of 1/255, of sites ``j - reach`` to ``j + reach``; 0 beyond
            the ends of the chromosome and for the site with itself.
        reach: sites on each side.
    """

    squared: NDArray[np.uint8]
    reach: int

    @classmethod
    def of(cls, columns: Columns, reach: int = REACH) -> Linkage:
        """Compute the band chromosome by chromosome; missing calls count as the mean."""
        sites = columns.panel.sites
        squared = np.zeros((len(sites), 2 * reach + 1), np.uint8)
        for _, chromosome in sites.chromosomes():
            for start in range(chromosome.start, chromosome.stop, STEP):
                stop = min(start + STEP, chromosome.stop)
                around = slice(max(start - reach, chromosome.start), min(stop + reach, chromosome.stop))
                near = columns.standardised(around)
                near /= np.maximum(np.sqrt(np.einsum("ij,ij->j", near, near)), 1e-6)
                middle = slice(start - around.start, stop - around.start)
                squared[start:stop] = _band(near[:, middle].T @ near, middle.start, reach)
        return cls(squared, reach)

    def value(self) -> Floats:
        """Return ``(sites,)`` sums of r² with all neighbours: how much a site stands for, whatever the trait."""
        return np.asarray(self.squared.sum(1, dtype=np.int64) / LEVELS)

    def clump(self, order: Rows, limit: float) -> NDArray[np.bool_]:
        """Return ``(sites,)`` flags of those left when each, in *order*, removes neighbours with r² above *limit*."""
        sites, reach = len(self.squared), self.reach
        near = self.squared > limit * LEVELS
        free, kept = np.ones(sites + 2 * reach, bool), np.zeros(sites, bool)
        for site in order:
            if free[site + reach]:
                kept[site] = True
                free[site : site + 2 * reach + 1] &= ~near[site]
        return kept


def _band(correlation: NDArray[np.float32], offset: int, reach: int) -> NDArray[np.uint8]:
    """Return ``(rows, 2 reach + 1)`` steps of r² around the diagonal that starts in column *offset*."""
    rows, columns = correlation.shape
    place = np.arange(rows)[:, None] + offset + np.arange(-reach, reach + 1)
    inside = (place >= 0) & (place < columns)
    found = np.take_along_axis(correlation, np.clip(place, 0, columns - 1), 1) ** 2 * inside
    found[:, reach] = 0
    return np.rint(np.minimum(found, 1) * LEVELS).astype(np.uint8)
