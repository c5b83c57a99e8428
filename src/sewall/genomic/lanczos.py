"""GBLUP without its kernel, for more individuals than an ``(n, n)`` matrix can hold.

The kernel is only multiplied with, in passes over the sites. Lanczos' recurrence from the trait gives its quadratic
form under every penalty and the solution under the likeliest; the same from random vectors gives the determinant
(Ubaru 2017, SIAM J Matrix Anal Appl 38:1075). All recurrences share their passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal

from sewall.genomic.columns import Columns
from sewall.genomic.contract import Floats, without
from sewall.genomic.reml import Components
from sewall.genomic.tridiagonal import likeliest_share

PROBES, SEED = 16, 1  # random vectors, always the same
CHECK, MOST_STEPS = 10, 200  # passes between two looks at the error, and at most
NOTHING = 1e-10
PRECISE = 1e-5  # of the solution


@dataclass(frozen=True)
class Product:
    """A kernel as the cross-product of scaled columns, never held.

    Attributes:
        columns: coded genotypes of the training individuals.
        scaling: ``(sites,)`` by which they are multiplied.
        basis: ``(n, q)`` orthonormal fixed effects.
    """

    columns: Columns
    scaling: Floats
    basis: Floats

    def times(self, vectors: Floats) -> tuple[Floats, float]:
        """Return the kernel times ``(n, k)`` vectors, and the sum of its diagonal, in one pass."""
        found, trace, single = np.zeros_like(vectors), 0.0, vectors.astype(np.float32)
        for sites, z in self.columns.blocks():
            scaled = z * self.scaling[sites].astype(np.float32)
            found += scaled @ (scaled.T @ single)
            trace += float(np.einsum("ij,ij->", scaled, scaled, dtype=float))
        return found, trace

    def inside(self, vectors: Floats) -> Floats:
        """Return the same for vectors orthogonal to the fixed effects, without what these explain."""
        return without(self.basis, self.times(vectors)[0])


class Recurrence:
    """Lanczos' recurrences of several vectors at once; the first is kept orthogonal to all before it.

    Args:
        product: the kernel.
        start: ``(n, 1 + probes)``, orthogonal to the fixed effects: the trait, and random vectors.
    """

    def __init__(self, product: Product, start: Floats) -> None:
        self.product, self.norm = product, np.linalg.norm(start, axis=0)
        self._now = start / np.maximum(self.norm, np.finfo(float).tiny)
        self._before = np.zeros_like(start)
        self.kept = [self._now[:, 0]]
        self.diagonal: list[Floats] = []
        self.beside: list[Floats] = []

    def go(self, steps: int) -> None:
        """Make some more steps."""
        for _ in range(steps):
            after = self.product.inside(self._now)
            if self.beside:
                after -= self.beside[-1] * self._before
            self.diagonal.append(np.einsum("ij,ij->j", self._now, after))
            after -= self.diagonal[-1] * self._now
            kept = np.column_stack(self.kept)
            for _ in range(2):
                after[:, 0] -= kept @ (kept.T @ after[:, 0])
            length = np.linalg.norm(after, axis=0)
            ended = length <= NOTHING * (np.abs(self.diagonal[0]) + 1)  # there are no other directions
            self.beside.append(np.where(ended, 0, length))
            self._before, self._now = self._now, np.where(ended, 0, after / np.where(ended, 1, length))
            self.kept.append(self._now[:, 0])

    def spectrum(self, vector: int) -> tuple[Floats, Floats]:
        """Return eigenvalues that the steps of one recurrence have found, and how much of the vector lies in each."""
        diagonal, beside = np.array(self.diagonal)[:, vector], np.array(self.beside)[:-1, vector]
        values, vectors = eigh_tridiagonal(diagonal, beside)
        return np.maximum(values, 0), vectors[0] ** 2

    def solution(self, share: float) -> tuple[Floats, float]:
        """Return ``(n,)`` solution of ``(share K + (1 - share) I) x = trait``, and its relative error."""
        diagonal, beside = np.array(self.diagonal)[:, 0], np.array(self.beside)[:, 0]
        values, vectors = eigh_tridiagonal(diagonal, beside[:-1])
        weights = vectors @ (vectors[0] / (share * np.maximum(values, 0) + 1 - share))
        found = np.column_stack(self.kept[:-1]) @ weights * self.norm[0]
        return found, share * float(beside[-1] * abs(weights[-1]))

    def likelihood(self, share: float) -> float:
        """Return the restricted log likelihood of a share, up to a constant."""
        values, weights = self.spectrum(0)
        freedom = len(self._now) - self.product.basis.shape[1]
        total = self.norm[0] ** 2 * float((weights / (share * values + 1 - share)).sum()) / freedom
        logs = 0.0
        for probe in range(1, len(self.norm)):
            values, weights = self.spectrum(probe)
            logs += float(weights @ np.log(share * values + 1 - share)) / (len(self.norm) - 1)
        return -0.5 * freedom * (np.log(max(total, np.finfo(float).tiny)) + logs)


def without_kernel(columns: Columns, scaling: Floats, basis: Floats, target: Floats) -> Components:
    """Fit a model with one kernel in passes over the sites; memory grows with the number of individuals alone.

    Args:
        columns: coded genotypes of the training individuals.
        scaling: ``(sites,)`` by which they are multiplied; the kernel is the cross-product of the result.
        basis: ``(n, q)`` orthonormal fixed effects.
        target: ``(n,)`` trait.
    """
    product = Product(columns, scaling, basis)
    probes = np.random.default_rng(SEED).choice([-1.0, 1.0], (len(target), PROBES))
    walk = Recurrence(product, without(basis, np.column_stack([target, probes])))
    most, share, likelihood = min(MOST_STEPS, len(target) - basis.shape[1]), 0.0, 0.0
    while len(walk.diagonal) < most:
        walk.go(min(CHECK, most - len(walk.diagonal)))
        share, likelihood = likeliest_share(walk.likelihood)
        if walk.solution(share)[1] < PRECISE:
            break
    solved, _ = walk.solution(share)
    freedom = len(target) - basis.shape[1]
    total = max(float(without(basis, target) @ solved) / freedom, np.finfo(float).tiny)
    dual = without(basis, solved) / total
    products, trace = product.times(np.column_stack([dual, basis]))
    genetic, residual = share * total, (1 - share) * total
    inside = genetic * (trace - float(np.vdot(basis, products[:, 1:]))) / freedom
    effects = basis.T @ (target - genetic * products[:, 0] - residual * dual)
    return Components(np.array([genetic]), residual, effects, dual, likelihood, inside / (inside + residual))
