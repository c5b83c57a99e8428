"""Variance components by restricted maximum likelihood (REML; Patterson & Thompson 1971, Biometrika 58:545).

The model is ``y = Q b + sum of g_k + e`` with ``g_k ~ N(0, v_k K_k)`` and ``e ~ N(0, v_e I)``; Q holds the orthonormal
fixed effects. One kernel is reduced once, which makes every penalty cheap (see `sewall.genomic.tridiagonal`); several
are solved by Newton's method with the average information (Gilmour 1995, Biometrics 51:1440).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from sewall.genomic.contract import Floats, State, without
from sewall.genomic.tridiagonal import Tridiagonal

LOWEST, HIGHEST = -9.0, 7.0  # log of a variance over the residual variance
MOST_STEPS, LONGEST, SHORTEST = 50, 2.0, 1e-4  # of Newton's method, on the scale of logs
NEAR = 1e-6  # to the maximum of the log likelihood
NOTHING = 1e-20  # of the square of a trait: below, the fixed effects explain all of it
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


def one_kernel(kernel: Floats, basis: Floats, target: Floats, reduced: Tridiagonal | None = None) -> Components:
    """Fit a model with one kernel.

    Args:
        kernel: ``(n, n)``, positive semi-definite.
        basis: ``(n, q)`` orthonormal fixed effects.
        target: ``(n,)`` trait.
        reduced: the same kernel beside the same fixed effects, where it is known from another trait.
    """
    reduced = reduced or Tridiagonal.of(kernel, basis)
    rotated = reduced.rotated(target)
    share, likelihood = reduced.likeliest_share(rotated)
    total = reduced.total(share, rotated)
    dual = reduced.back(reduced.solved(share, rotated)) / max(total, np.finfo(float).tiny)
    return _components([kernel], basis, target, np.array([share * total]), (1 - share) * total, dual, likelihood)


def several_kernels(
    kernels: Sequence[Floats], basis: Floats, target: Floats, reduced: Sequence[Tridiagonal] = ()
) -> Components:
    """Fit a model with several kernels; one that brings nothing gets variance 0.

    Args:
        kernels: each ``(n, n)``, positive semi-definite.
        basis: ``(n, q)`` orthonormal fixed effects.
        target: ``(n,)`` trait.
        reduced: each of the kernels beside the same fixed effects, where they are known.
    """
    if len(kernels) == 1:
        return one_kernel(kernels[0], basis, target, reduced[0] if reduced else None)
    reduced = reduced or [Tridiagonal.of(kernel, basis) for kernel in kernels]
    left = without(basis, target)
    if left @ left <= NOTHING * (target @ target):
        alone = one_kernel(kernels[0], basis, target, reduced[0])
        return replace(alone, variances=np.zeros(len(kernels)))
    ratios, likelihood = _likeliest(kernels, basis, target)
    for index in range(len(kernels)):
        others = [k for k in range(len(kernels)) if k != index]
        fewer = several_kernels([kernels[k] for k in others], basis, target, [reduced[k] for k in others])
        if fewer.likelihood > likelihood - NO_GAIN:
            return replace(fewer, variances=np.insert(fewer.variances, index, 0.0))
    projection, _ = _projection(ratios, kernels, basis)
    total = float(target @ projection @ target) / (len(target) - basis.shape[1])
    dual = projection @ target / total
    return _components(kernels, basis, target, ratios * total, total, dual, likelihood)


def _likeliest(kernels: Sequence[Floats], basis: Floats, target: Floats) -> tuple[Floats, float]:
    """Return the ratios of the variances to the residual one, and the restricted log likelihood; Newton's method."""
    logs = np.full(len(kernels), np.log(1 / len(kernels)))
    here = _slopes(logs, kernels, basis, target)
    for _ in range(MOST_STEPS):
        free = ~((logs <= LOWEST) & (here.gradient < 0)) & ~((logs >= HIGHEST) & (here.gradient > 0))
        step = np.zeros_like(logs)
        step[free] = np.linalg.lstsq(here.information[np.ix_(free, free)], here.gradient[free], rcond=None)[0]
        if here.gradient @ step < 2 * NEAR:
            break
        step *= min(1, LONGEST / np.abs(step).max())
        there = _slopes(np.clip(logs + step, LOWEST, HIGHEST), kernels, basis, target)
        while there.likelihood < here.likelihood and np.abs(step).max() > SHORTEST:
            step /= 3
            there = _slopes(np.clip(logs + step, LOWEST, HIGHEST), kernels, basis, target)
        if there.likelihood < here.likelihood:
            break
        logs, here = np.clip(logs + step, LOWEST, HIGHEST), there
    return np.exp(logs), here.likelihood


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


@dataclass(frozen=True)
class _Slopes:
    """The restricted log likelihood, its gradient and average information by the logs of v_k / v_e."""

    likelihood: float
    gradient: Floats
    information: Floats


def _slopes(logs: Floats, kernels: Sequence[Floats], basis: Floats, target: Floats) -> _Slopes:
    """Return how the likelihood changes at *logs*; v_e is profiled out."""
    ratios = np.exp(logs)
    projection, determinants = _projection(ratios, kernels, basis)
    dual = projection @ target
    freedom = len(target) - basis.shape[1]
    total = max(float(target @ dual) / freedom, np.finfo(float).tiny)
    trace = np.array([np.vdot(projection, kernel) for kernel in kernels])
    working = np.column_stack([kernel @ dual for kernel in kernels])
    explained = working.T @ dual / total
    information = working.T @ projection @ working / total - np.outer(explained, explained) / freedom
    likelihood = -0.5 * (freedom * np.log(total) + determinants)
    return _Slopes(likelihood, 0.5 * ratios * (explained - trace), 0.5 * information * np.outer(ratios, ratios))


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
class Solved:
    """The covariance of the trait among the training individuals, solved.

    Attributes:
        inverse: ``(n, n)``.
        weighted: ``(n, q)`` the inverse times the fixed effects.
        effects: ``(q, q)`` covariance of the estimated fixed effects.
    """

    inverse: Floats
    weighted: Floats
    effects: Floats

    @classmethod
    def of(cls, kernel: Floats, basis: Floats, genetic: float, residual: float) -> Solved:
        """Solve for the fixed effects *basis* and for variances of the kernel and of the rest."""
        inverse = _inverse(np.array([genetic / residual]), [kernel])[0] / residual
        weighted = inverse @ basis
        return cls(inverse, weighted, np.asarray(np.linalg.inv(basis.T @ weighted), float))


class ErrorVariance:
    """Variance of the error of predictions from one kernel (Henderson 1975, Biometrics 31:423).

    Args:
        genetic, residual: variances v and v_e.
        solve: called when first needed, since most fits are never asked how sure they are.
    """

    def __init__(self, genetic: float, residual: float, solve: Callable[[], Solved]) -> None:
        self.genetic, self.residual, self._solve = genetic, residual, solve

    @classmethod
    def of(cls, kernel: Callable[[], Floats], basis: Floats, fitted: Components) -> ErrorVariance:
        """Prepare the variances of a model fitted with *basis* and with the kernel that *kernel* gives."""
        genetic, residual = float(fitted.variances[0]), max(fitted.residual, np.finfo(float).tiny)
        return cls(genetic, residual, lambda: Solved.of(kernel(), basis, genetic, residual))

    def __getstate__(self) -> dict[str, Any]:
        """Send what is solved to another process, and no kernel."""
        return {"genetic": self.genetic, "residual": self.residual, "solved": self.solved}

    @cached_property
    def solved(self) -> Solved:
        """What all predictions share."""
        return self._solve()

    def genetic_error(self, cross: Floats, own: Floats) -> Floats:
        """Return ``(rows,)`` error variance of g with the fixed effects known.

        Args:
            cross: ``(rows, n)`` kernel with the training individuals.
            own: ``(rows,)`` kernel with themselves.
        """
        covariance = self.genetic * cross
        explained = np.einsum("ij,ij->i", covariance @ self.solved.inverse, covariance)
        return np.maximum(self.genetic * own - explained, 0)

    def through(self, cross: Floats) -> Floats:
        """Return ``(rows, q)`` what the training individuals' fixed effects weigh in predictions."""
        return np.asarray(self.genetic * cross @ self.solved.weighted)

    def total(self, unknown: Floats, through: Floats, basis: Floats) -> Floats:
        """Return ``(rows,)`` variance of trait minus prediction.

        Args:
            unknown: ``(rows,)`` from `genetic_error`.
            through: ``(rows, q)`` from `through`.
            basis: ``(rows, q)`` fixed effects.
        """
        left = basis - through
        return np.asarray(unknown + np.einsum("iq,qr,ir->i", left, self.solved.effects, left) + self.residual)

    def state(self) -> State:
        """Return the matrices, the large one in single precision."""
        return {
            "error_inverse": self.solved.inverse.astype(np.float32), "error_weighted": self.solved.weighted,
            "error_effects": self.solved.effects, "error_variances": np.array([self.genetic, self.residual]),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> ErrorVariance:
        """Return the variances whose `state` is part of *state*."""
        genetic, residual = (float(value) for value in state["error_variances"])
        weighted, effects = state["error_weighted"], state["error_effects"]
        solved = Solved(state["error_inverse"].astype(float), weighted, effects)
        return cls(genetic, residual, lambda: solved)
