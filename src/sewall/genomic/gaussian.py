"""Prediction by likeness of whole genotypes: a Gaussian kernel, which holds interactions of all orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel
from sewall.genomic.contract import FixedEffects, Floats, State
from sewall.genomic.kernels import Kernels
from sewall.genomic.reference import Likeness, Reference, in_parts
from sewall.genomic.reml import ErrorVariance, one_kernel
from sewall.genomic.tridiagonal import Tridiagonal
from sewall.task import Rows

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # over the median squared distance


class GaussianKernel:
    """Reproducing kernel Hilbert space regression (Gianola 2006, Genetics 173:1761; de los Campos 2010).

    The kernel is ``exp(-D² / (theta median D²))`` with D the distance of standardised genotypes; theta and the penalty
    are chosen by restricted likelihood. The training genotypes are kept, packed.

    Args:
        errors: keep what `spread` and `reliability` need, which is an ``(n, n)`` matrix.

    Attributes:
        bandwidth: theta.
        heritability: share of the kernel in the variance that the covariates leave.
    """

    key = "gaussian"
    name = "Gaussian kernel (RKHS)"

    fixed: FixedEffects
    _reference: Reference

    def __init__(self, errors: bool = False) -> None:
        self.errors = errors
        self.bandwidth, self.heritability, self._length = 1.0, 0.0, 1.0
        self._own = self._effects = self._dual = np.zeros(0)
        self._error_variance: ErrorVariance | None = None

    def fit(
        self,
        panel: Panel,
        rows: Rows,
        target: Floats,
        covariates: Floats,
        kernels: Kernels | None = None,
        folds: Rows | None = None,
    ) -> Self:
        """Fit to the training individuals; see `GenomicModel.fit`."""
        kernels = Kernels.shared(panel, rows, kernels)
        self.fixed = FixedEffects.of(covariates[rows])
        basis = self.fixed.basis(covariates[rows])
        reduced = {theta: _reduced(kernels, theta, basis) for theta in BANDWIDTHS}
        self.bandwidth = max(
            BANDWIDTHS, key=lambda theta: reduced[theta].likeliest_share(reduced[theta].rotated(target))[1]
        )
        kernel = _gaussian(kernels, self.bandwidth)
        fitted = one_kernel(kernel, basis, target, reduced[self.bandwidth])
        self.heritability, self._length = fitted.heritability, self.bandwidth * kernels.median_distance
        self._effects, self._dual = fitted.effects, fitted.variances[0] * fitted.dual
        scaling = kernels.coding.scale.astype(float) / np.sqrt(kernels.standardised_total)
        self._own = np.diag(kernels.standardised).copy()
        self._reference = Reference.of(kernels, scaling)
        if self.errors:
            self._error_variance = ErrorVariance.of(lambda: kernel, basis, fitted)
        return self

    def predict(self, panel: Panel, rows: Rows, covariates: Floats) -> Floats:
        """Return ``(rows,)`` predictions for individuals of a panel with the sites of the training panel."""
        genetic = [self._cross(panel, some)[0] @ self._dual for some in in_parts(rows)]
        return np.asarray(self.fixed.basis(covariates[rows]) @ self._effects + np.concatenate(genetic))

    def spread(self, panel: Panel, rows: Rows, covariates: Floats) -> Floats:
        """Return ``(rows,)`` standard deviations of trait minus prediction, uncertainty of fixed effects included."""
        return self._likeness(panel, rows).spread(self.fixed.basis(covariates[rows]))

    def reliability(self, panel: Panel, rows: Rows) -> Floats:
        """Return ``(rows,)`` shares of the genetic variance that the prediction knows: 0 for a stranger, 1 at most."""
        return self._likeness(panel, rows).reliability()

    def _likeness(self, panel: Panel, rows: Rows) -> Likeness:
        if self._error_variance is None:
            raise ValueError("this Gaussian kernel was fitted without its errors; fit it with errors=True")
        return Likeness.of(lambda some: self._cross(panel, some), rows, self._error_variance)

    def _cross(self, panel: Panel, rows: Rows) -> tuple[Floats, Floats]:
        products, own = self._reference.products(panel, rows)
        distances = np.maximum(own[:, None] + self._own - 2 * products, 0)
        return np.exp(-distances / self._length), np.ones(len(rows))

    @property
    def parameters(self) -> int:
        """Number of fixed effects and of weights of training individuals."""
        return len(self._effects) + len(self._dual)

    def state(self) -> State:
        """Return the fitted numbers and the packed training genotypes."""
        numbers = np.array([self.bandwidth, self.heritability, self._length])
        arrays = {"numbers": numbers, "effects": self._effects, "dual": self._dual, "own": self._own}
        errors = self._error_variance.state() if self._error_variance is not None else {}
        return arrays | self.fixed.state() | self._reference.state() | errors

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = cls()
        model.bandwidth, model.heritability, model._length = (float(value) for value in state["numbers"])
        model._effects, model._dual, model._own = state["effects"], state["dual"], state["own"]
        model.fixed, model._reference = FixedEffects.from_state(state), Reference.from_state(state)
        if "error_inverse" in state:
            model._error_variance = ErrorVariance.from_state(state)
        return model


def _gaussian(kernels: Kernels, theta: float) -> Floats:
    return np.exp(-kernels.distances / (theta * kernels.median_distance))


def _reduced(kernels: Kernels, theta: float, basis: Floats) -> Tridiagonal:
    return kernels.reduced(f"gaussian {theta}", lambda: _gaussian(kernels, theta), basis)
