"""Variance components by restricted maximum likelihood (REML; Patterson & Thompson 1971, Biometrika 58:545).

The model is ``y = Q b + sum of g_k + e`` with ``g_k ~ N(0, v_k K_k)`` and ``e ~ N(0, v_e I)``; Q holds the orthonormal
fixed effects. One kernel is solved by one eigendecomposition, which makes every penalty cheap (Kang 2008, Genetics
178:1709); several by their gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.optimize import minimize, minimize_scalar

from sewall.genomic.contract import Floats, State, without

HERITABILITIES = np.r_[0.0, np.linspace(0.01, 0.99, 50), 0.999]
LOWEST, HIGHEST = -9.0, 7.0  # log of a variance over the residual variance
NO_GAIN = 0.02  # of the log likelihood; a component that brings less is left out


@dataclass(frozen=True)
class Components:
    """A fitted mixed model.

    Attributes:
        variances: ``(kernels,)`` variances v_k.
        residual: v_e.
        effects: ``(q,)`` generalised least squares estimates b.
        dual: ``(n,)`` values a such that g of an individual is the sum of ``v_k k_k · a``.
        likelihood: restricted log likelihood up to a constant; comparable between kernels for the same trait.
        heritability: share of the genetic part in the variance that the fixed effects leave.
    """

    variances: Floats
    residual: float
    effects: Floats
    dual: Floats
    likelihood: float
    heritability: float


def one_kernel(kernel: Floats, basis: Floats, target: Floats) -> Components:
    """Fit a model with one kernel.

    Args:
        kernel: ``(n, n)``, positive semi-definite.
        basis: ``(n, q)`` orthonormal fixed effects.
        target: ``(n,)`` trait.
    """
    values, vectors = contrasts(kernel, basis)
    rotated = vectors.T @ target
    share = _best_share(values, rotated)
    spread = share * values + 1 - share
    total = float((rotated**2 / spread).mean())
    dual = vectors @ (rotated / spread) / max(total, np.finfo(float).tiny)
    found = np.array([share * total])
    return _components([kernel], basis, target, found, (1 - share) * total, dual, _likelihood(share, values, rotated))


def contrasts(kernel: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Return ``(n - q,)`` eigenvalues and ``(n, n - q)`` eigenvectors of the kernel orthogonal to the fixed effects."""
    projected = without(basis, without(basis, kernel).T)
    # the fixed effects are moved to eigenvalue -1 and below all others, so that they can be told from a null space
    values, vectors = np.linalg.eigh(projected - basis @ basis.T)
    fixed = basis.shape[1]
    return np.maximum(values[fixed:], 0), vectors[:, fixed:]


def _likelihood(share: float, values: Floats, rotated: Floats) -> float:
    spread = share * values + 1 - share
    total = max(float((rotated**2 / spread).mean()), np.finfo(float).tiny)
    return float(-0.5 * (len(values) * np.log(total) + np.log(spread).sum()))


def _best_share(values: Floats, rotated: Floats) -> float:
    grid = [_likelihood(share, values, rotated) for share in HERITABILITIES]
    best = int(np.argmax(grid))
    if best == 0:
        return 0.0
    ends = HERITABILITIES[best - 1], HERITABILITIES[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(lambda share: -_likelihood(share, values, rotated), bounds=ends, method="bounded")
    return float(found.x) if -found.fun > grid[best] else float(HERITABILITIES[best])


def several_kernels(kernels: Sequence[Floats], basis: Floats, target: Floats) -> Components:
    """Fit a model with several kernels; one that brings nothing gets variance 0.

    Args:
        kernels: each ``(n, n)``, positive semi-definite.
        basis: ``(n, q)`` orthonormal fixed effects.
        target: ``(n,)`` trait.
    """
    if len(kernels) == 1:
        return one_kernel(kernels[0], basis, target)
    start = np.full(len(kernels), np.log(1 / len(kernels)))
    bounds = [(LOWEST, HIGHEST)] * len(kernels)
    found = minimize(_loss, start, (kernels, basis, target), jac=True, method="L-BFGS-B", bounds=bounds)
    for index in range(len(kernels)):
        rest = [kernel for k, kernel in enumerate(kernels) if k != index]
        fewer = several_kernels(rest, basis, target)
        if fewer.likelihood > -found.fun - NO_GAIN:
            return _with_empty(fewer, index)
    ratios = np.exp(found.x)
    projection, _ = _projection(ratios, kernels, basis)
    total = float(target @ projection @ target) / (len(target) - basis.shape[1])
    dual = projection @ target / total
    return _components(kernels, basis, target, ratios * total, total, dual, -float(found.fun))


def _with_empty(fewer: Components, index: int) -> Components:
    variances = np.insert(fewer.variances, index, 0.0)
    return Components(
        variances, fewer.residual, fewer.effects, fewer.dual, fewer.likelihood, fewer.heritability
    )  # fmt: skip


def _projection(ratios: Floats, kernels: Sequence[Floats], basis: Floats) -> tuple[Floats, float]:
    """Return the matrix P of REML for residual variance 1, and the log determinants of the likelihood."""
    inverse, determinant = _inverse(ratios, kernels)
    weighted = inverse @ basis
    information = basis.T @ weighted
    projection = inverse - weighted @ np.linalg.solve(information, weighted.T)
    return projection, determinant + float(np.linalg.slogdet(information)[1])


def _inverse(ratios: Floats, kernels: Sequence[Floats]) -> tuple[Floats, float]:
    covariance = np.eye(len(kernels[0]))
    for ratio, kernel in zip(ratios, kernels, strict=True):
        covariance += ratio * kernel
    factor = linalg.cholesky(covariance, lower=True)
    lower, _ = linalg.lapack.dpotri(factor, lower=1)
    return np.tril(lower) + np.tril(lower, -1).T, 2 * float(np.log(np.diag(factor)).sum())


def _loss(logs: Floats, kernels: Sequence[Floats], basis: Floats, target: Floats) -> tuple[float, Floats]:
    """Return minus the restricted log likelihood and its gradient by the logs of v_k / v_e; v_e is profiled out."""
    ratios = np.exp(logs)
    projection, determinants = _projection(ratios, kernels, basis)
    dual = projection @ target
    freedom = len(target) - basis.shape[1]
    total = max(float(target @ dual) / freedom, np.finfo(float).tiny)
    trace = np.array([np.vdot(projection, kernel) for kernel in kernels])
    explained = np.array([dual @ kernel @ dual for kernel in kernels])
    return 0.5 * (freedom * np.log(total) + determinants), 0.5 * ratios * (trace - explained / total)


def _components(
    kernels: Sequence[Floats],
    basis: Floats,
    target: Floats,
    variances: Floats,
    residual: float,
    dual: Floats,
    likelihood: float,
) -> Components:
    covariance = residual * dual
    genetic = 0.0
    for variance, kernel in zip(variances, kernels, strict=True):
        covariance = covariance + variance * (kernel @ dual)
        within = np.trace(kernel) - np.einsum("iq,ij,jq->", basis, kernel, basis, optimize=True)
        genetic += variance * float(within) / (len(target) - basis.shape[1])
    heritability = float(genetic / max(genetic + residual, np.finfo(float).tiny))
    return Components(variances, residual, basis.T @ (target - covariance), dual, likelihood, heritability)


@dataclass(frozen=True)
class ErrorVariance:
    """Variance of the error of predictions from one kernel (Henderson 1975, Biometrics 31:423).

    Attributes:
        inverse: ``(n, n)`` inverse of the covariance of the trait among the training individuals.
        weighted: ``(n, q)`` the inverse times the fixed effects.
        effects: ``(q, q)`` covariance of the estimated fixed effects.
        genetic, residual: variances v and v_e.
    """

    inverse: Floats
    weighted: Floats
    effects: Floats
    genetic: float
    residual: float

    @classmethod
    def of(cls, kernel: Floats, basis: Floats, fitted: Components) -> ErrorVariance:
        """Prepare the variances of a model fitted with *kernel* and *basis*."""
        residual = max(fitted.residual, np.finfo(float).tiny)
        inverse = _inverse(fitted.variances / residual, [kernel])[0] / residual
        weighted = inverse @ basis
        effects = np.asarray(np.linalg.inv(basis.T @ weighted), float)
        return cls(inverse, weighted, effects, float(fitted.variances[0]), residual)

    def genetic_error(self, cross: Floats, own: Floats) -> Floats:
        """Return ``(rows,)`` error variance of g with the fixed effects known.

        Args:
            cross: ``(rows, n)`` kernel with the training individuals.
            own: ``(rows,)`` kernel with themselves.
        """
        covariance = self.genetic * cross
        explained = np.einsum("ij,ij->i", covariance @ self.inverse, covariance)
        return np.maximum(self.genetic * own - explained, 0)

    def total(self, cross: Floats, own: Floats, basis: Floats) -> Floats:
        """Return ``(rows,)`` variance of trait minus prediction; *basis* is ``(rows, q)`` fixed effects."""
        unexplained = basis - self.genetic * cross @ self.weighted
        fixed = np.einsum("iq,qr,ir->i", unexplained, self.effects, unexplained)
        return np.asarray(self.genetic_error(cross, own) + fixed + self.residual)

    def state(self) -> State:
        """Return the matrices, the large one in single precision."""
        return {
            "error_inverse": self.inverse.astype(np.float32), "error_weighted": self.weighted,
            "error_effects": self.effects, "error_variances": np.array([self.genetic, self.residual]),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> ErrorVariance:
        """Return the variances whose `state` is part of *state*."""
        genetic, residual = (float(value) for value in state["error_variances"])
        return cls(
            state["error_inverse"].astype(float), state["error_weighted"], state["error_effects"], genetic, residual
        )
