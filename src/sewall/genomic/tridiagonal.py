"""One kernel reduced once, so that every penalty and every trait of the same individuals costs next to nothing.

Orthogonally to the fixed effects a kernel is ``Q T Q'`` with T tridiagonal and Q orthogonal. To find them takes a
fraction of an eigendecomposition, and they serve the same (Kang 2008, Genetics 178:1709): a system in
``h T + (1 - h) I`` is solved in n steps, and its determinant follows from the eigenvalues of T.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal, lapack
from scipy.optimize import minimize_scalar

from sewall.genomic.contract import Floats, without

HERITABILITIES = np.r_[0.0, np.linspace(0.01, 0.99, 50), 0.999]


@dataclass(frozen=True)
class Tridiagonal:
    """A kernel, orthogonally to the fixed effects.

    Attributes:
        basis: ``(n, q)`` orthonormal fixed effects.
        values: ``(n - q,)`` eigenvalues.
        diagonal, beside: ``(n,)`` and ``(n - 1,)`` of T.
        reflectors, factors: Q, as LAPACK keeps it.
    """

    basis: Floats
    values: Floats
    diagonal: Floats
    beside: Floats
    reflectors: Floats
    factors: Floats

    @classmethod
    def of(cls, kernel: Floats, basis: Floats) -> Tridiagonal:
        """Reduce an ``(n, n)`` positive semi-definite kernel beside ``(n, q)`` orthonormal fixed effects."""
        projected = np.ascontiguousarray(without(basis, without(basis, kernel).T), float).T  # as LAPACK has it
        work = int(lapack.dsytrd_lwork(len(kernel), lower=1)[0])
        packed, diagonal, beside, factors, _ = lapack.dsytrd(projected, lower=1, lwork=work, overwrite_a=1)
        values = eigvalsh_tridiagonal(diagonal, beside, lapack_driver="sterf")
        left = np.sort(np.maximum(values, 0))[basis.shape[1] :]  # the fixed effects have eigenvalue 0
        return cls(basis, left, diagonal, beside, np.asfortranarray(packed[1:, :-1]), factors)

    @property
    def nbytes(self) -> int:
        """Memory that is taken."""
        return self.reflectors.nbytes

    def rotated(self, target: Floats) -> Floats:
        """Return ``(n,)`` Q' times the target without the fixed effects."""
        return self._turned(without(self.basis, target), "T")

    def back(self, rotated: Floats) -> Floats:
        """Return ``(n,)`` Q times a rotated vector; orthogonal to the fixed effects."""
        return without(self.basis, self._turned(rotated, "N"))

    def _turned(self, vector: Floats, way: str) -> Floats:
        turned = np.array(vector, float)
        if len(turned) > 1:
            part = turned[1:, None]
            work = int(lapack.dormqr("L", way, self.reflectors, self.factors, part, -1)[1][0])
            turned[1:] = lapack.dormqr("L", way, self.reflectors, self.factors, part, work)[0][:, 0]
        return turned

    def solved(self, share: float, rotated: Floats) -> Floats:
        """Return ``(n,)`` solution of ``(share T + (1 - share) I) x = rotated``; *share* is less than 1."""
        found: NDArray[np.float64] = lapack.dptsv(share * self.diagonal + 1 - share, share * self.beside, rotated)[2]
        return found

    def total(self, share: float, rotated: Floats) -> float:
        """Return the variance of the trait if *share* of it is that of the kernel."""
        return float(rotated @ self.solved(share, rotated)) / len(self.values)

    def likelihood(self, share: float, rotated: Floats) -> float:
        """Return the restricted log likelihood of a share, up to a constant."""
        total = max(self.total(share, rotated), np.finfo(float).tiny)
        return float(-0.5 * (len(self.values) * np.log(total) + np.log(share * self.values + 1 - share).sum()))

    def likeliest_share(self, rotated: Floats) -> tuple[float, float]:
        """Return the likeliest share, and its log likelihood; ``(n,)`` *rotated* is the trait."""
        return likeliest_share(lambda share: self.likelihood(share, rotated))


def likeliest_share(likelihood: Callable[[float], float]) -> tuple[float, float]:
    """Return the share of a kernel in the variance of the trait that is likeliest, and its log likelihood."""
    grid = [likelihood(float(share)) for share in HERITABILITIES]
    best = int(np.argmax(grid))
    if best == 0:
        return 0.0, grid[0]
    ends = HERITABILITIES[best - 1], HERITABILITIES[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(lambda share: -likelihood(share), bounds=ends, method="bounded")
    return max((float(found.x), -float(found.fun)), (float(HERITABILITIES[best]), grid[best]), key=lambda pair: pair[1])
