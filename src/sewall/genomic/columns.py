"""The coded genotypes of the training individuals, as all models that are fitted to them read them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from sewall.data.panel import Panel
from sewall.genomic.coding import BLOCK, Block, Coding, weighted_sum
from sewall.genomic.contract import Floats
from sewall.task import Rows

MOST_KEPT = 2**27  # bytes of columns that are kept; more are decoded anew at each pass


class Columns:
    """Columns of z (see `sewall.genomic.coding`): kept where they are few, decoded from the packed calls where not.

    Args:
        panel: genotypes.
        rows: training individuals.
        coding: learnt from them.
    """

    def __init__(self, panel: Panel, rows: Rows, coding: Coding) -> None:
        self.panel, self.rows, self.coding = panel, rows, coding

    @cached_property
    def _kept(self) -> Block | None:
        """``(sites, n)``, read-only."""
        if 4 * len(self.panel.sites) * len(self.rows) > MOST_KEPT:
            return None
        kept = np.zeros((len(self.panel.sites), len(self.rows)), np.float32)
        for sites, z in self.coding.blocks(self.panel, self.rows):
            kept[sites] = z.T
        kept.flags.writeable = False
        return kept

    def centred(self, sites: slice | Rows) -> Block:
        """Return ``(n, sites)`` values of z; not to be written to."""
        kept = self._kept
        return self.coding.centred(self.panel, self.rows, sites) if kept is None else kept[sites].T

    def standardised(self, sites: slice | Rows) -> Block:
        """Return ``(n, sites)`` values of z over their standard deviation."""
        return np.asarray(self.centred(sites) * self.coding.scale[sites])

    def blocks(self) -> Iterator[tuple[slice, Block]]:
        """Yield the sites and `centred` values block by block."""
        for start in range(0, len(self.panel.sites), BLOCK):
            sites = slice(start, min(start + BLOCK, len(self.panel.sites)))
            yield sites, self.centred(sites)

    def score(self, weights: Floats) -> Floats:
        """Return ``(n, ...)`` sums of z times the ``(sites, ...)`` weights; sites without a weight are not read."""
        return weighted_sum(lambda _, __, sites: self.centred(sites), self.panel, self.rows, weights)

    def site_sums(self, values: Floats) -> Floats:
        """Return ``(sites, ...)`` sums over the individuals of z times the ``(n, ...)`` values, in one pass."""
        total = np.zeros((len(self.panel.sites), *values.shape[1:]))
        for sites, z in self.blocks():
            total[sites] = z.T @ values
        return total
