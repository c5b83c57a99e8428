"""Similarity of individuals by their genotypes: the kernels of all models that are fitted to the same individuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from sewall.data.panel import Calls, Panel, X
from sewall.genomic.coding import BLOCK, Coding
from sewall.genomic.columns import Columns
from sewall.genomic.contract import Floats
from sewall.genomic.linkage import Linkage
from sewall.genomic.tridiagonal import Tridiagonal
from sewall.task import Rows

if TYPE_CHECKING:
    from sewall.genomic.association import Associations

MOST_KEPT = 2**28  # bytes of reduced kernels
FEWEST_HETEROZYGOTES = 0.05  # of the calls; below, there is no dominance to see (inbred lines)


class Kernels:
    """The kernels among the training individuals, each computed when first asked for and then kept.

    All are ``(n, n)``. Several models fitted to the same individuals share one object, so that the genotypes are read
    once for the additive kernels and once for dominance.

    Args:
        panel: genotypes.
        rows: training individuals; nothing else is looked at.
    """

    def __init__(self, panel: Panel, rows: Rows) -> None:
        self.panel, self.rows = panel, rows
        self._reduced: dict[tuple[str, bytes], Tridiagonal] = {}
        self.tested: tuple[bytes, Associations] | None = None  # of single sites with the last trait

    @classmethod
    def shared(cls, panel: Panel, rows: Rows, kernels: Kernels | None) -> Kernels:
        """Return *kernels* after a check that they are of the same individuals, or new ones where there are none."""
        if kernels is None:
            return cls(panel, rows)
        if kernels.panel is not panel or not np.array_equal(kernels.rows, rows):
            raise ValueError("the kernels are of another panel or of other individuals than the model is fitted to")
        return kernels

    @cached_property
    def coding(self) -> Coding:
        """Frequencies and scales."""
        return Coding.learn(self.panel, self.rows)

    @cached_property
    def columns(self) -> Columns:
        """Coded genotypes."""
        return Columns(self.panel, self.rows, self.coding)

    @cached_property
    def _additive(self) -> tuple[Floats, Floats]:
        centred, standardised = (np.zeros((len(self.rows),) * 2) for _ in range(2))
        for sites, z in self.columns.blocks():
            centred += z @ z.T
            scaled = z * self.coding.scale[sites]
            standardised += scaled @ scaled.T
        return centred / self.centred_total, standardised / self.standardised_total

    def reduced(self, name: str, kernel: Callable[[], Floats], basis: Floats) -> Tridiagonal:
        """Return a kernel in the form that is cheap to fit, kept for other traits of the same individuals.

        Args:
            name: of the kernel.
            kernel: computes it, where it has not been reduced yet.
            basis: ``(n, q)`` orthonormal fixed effects.
        """
        key = name, basis.tobytes()
        if key in self._reduced:
            return self._reduced[key]
        found = Tridiagonal.of(kernel(), basis)
        if sum(each.nbytes for each in self._reduced.values()) + found.nbytes <= MOST_KEPT:
            self._reduced[key] = found
        return found

    def all_reduced(self, kernels: Mapping[str, Floats], basis: Floats) -> list[Tridiagonal]:
        """Return several kernels as `reduced` does, in their order."""
        return [self.reduced(name, partial(np.asarray, kernel), basis) for name, kernel in kernels.items()]

    @property
    def centred_total(self) -> float:
        """Expected variance summed over the sites (the sum of 2pq in diploids): the divisor of `centred`."""
        return max(float(self.coding.variance.sum(dtype=float)), 1e-12)

    @property
    def standardised_total(self) -> int:
        """Number of sites that vary: the divisor of `standardised`."""
        return max(int(self.coding.varying.sum()), 1)

    @property
    def centred(self) -> Floats:
        """ZZ' over the sum of 2pq (VanRaden 2008, J Dairy Sci 91:4414, method 1)."""
        return self._additive[0]

    @property
    def standardised(self) -> Floats:
        """ZZ' of columns with standard deviation 1, over their number (after Yang 2010, Nat Genet 42:565)."""
        return self._additive[1]

    @cached_property
    def dominance(self) -> Floats | None:
        """Dominance codes over the sum of (2pq)² (Vitezica 2013, Genetics 195:1223); None in inbred lines."""
        if self.coding.heterozygous < FEWEST_HETEROZYGOTES:
            return None
        total = np.zeros((len(self.rows),) * 2)
        for start in range(0, len(self.panel.sites), BLOCK):
            codes = self.coding.dominance(self.panel, self.rows, slice(start, start + BLOCK))
            total += codes @ codes.T
        return total / self.coding.dominance_variance

    @cached_property
    def x_linked(self) -> Floats | None:
        """`centred` of the X sites alone; None where none of them varies."""
        sites = np.flatnonzero((self.panel.sites.inheritance == X) & self.coding.varying)
        if not len(sites):
            return None
        z = self.columns.centred(sites)
        return np.asarray(z @ z.T, float) / float(self.coding.variance[sites].sum(dtype=float))

    @cached_property
    def linkage(self) -> Linkage:
        """Correlation of neighbouring sites."""
        return Linkage.of(self.columns)

    @cached_property
    def packed(self) -> Calls:
        """Calls of the training individuals alone, as models keep them."""
        return repacked(self.panel.calls, self.rows)

    @cached_property
    def distances(self) -> Floats:
        """Squared distances of standardised genotypes, per site."""
        own = np.diag(self.standardised)
        return np.maximum(own[:, None] + own - 2 * self.standardised, 0)

    @cached_property
    def median_distance(self) -> float:
        """Median of `distances` between different individuals."""
        return max(float(np.median(self.distances[np.triu_indices(len(self.rows), 1)])), 1e-12)


def repacked(calls: Calls, rows: Rows) -> Calls:
    """Return the calls of some individuals, packed anew block by block."""
    starts = range(0, len(calls.data), BLOCK)
    blocks = (calls.of(rows, slice(start, start + BLOCK)) for start in starts)
    data = [Calls.pack(codes, calls.bits, calls.steps).data for codes in blocks]
    return replace(calls, data=np.concatenate(data), samples=len(rows))
