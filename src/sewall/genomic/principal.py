"""Covariates alone, and covariates with ancestry: what a trait owes to structure before any site is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from sewall.data.panel import Panel
from sewall.genomic.coding import Coding
from sewall.genomic.contract import FixedEffects, Floats, State
from sewall.genomic.kernels import Kernels
from sewall.genomic.score import LinearScore, ScoreModel
from sewall.task import Rows

COMPONENTS = 10


class CovariatesOnly(ScoreModel):
    """Least squares on intercept and covariates."""

    key = "covariates"
    name = "covariates only"

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
        fixed = FixedEffects.of(covariates[rows])
        self.score = LinearScore(fixed, fixed.basis(covariates[rows]).T @ target, Coding.empty())
        return self


def principal_components(kernels: Kernels, number: int = COMPONENTS) -> tuple[Floats, Floats]:
    """Return the leading principal components of the training individuals' standardised genotypes.

    Args:
        kernels: of the training individuals.
        number: of components; fewer come back where the genotypes have fewer directions.

    Returns:
        ``(n, number)`` scores with variance 1, and ``(sites, number)`` loadings: `Coding.score` with them projects
        any individual on the same axes (Price 2006, Nat Genet 38:904).
    """
    if not kernels.coding.varying.any():
        return np.zeros((len(kernels.rows), 0)), np.zeros((len(kernels.panel.sites), 0))
    number = min(number, len(kernels.rows) - 1)
    mean = kernels.standardised.mean(0)
    matrix = kernels.standardised - mean - mean[:, None] + mean.mean()
    start = np.random.default_rng(0).standard_normal(len(matrix))
    values, vectors = eigsh(matrix, number, v0=start)
    kept = values > 1e-6 * max(values.max(), 1e-12)
    vectors = vectors[:, kept][:, ::-1]
    per_site = kernels.columns.site_sums(vectors - vectors.mean(0))
    scale = kernels.coding.scale[:, None].astype(float) ** 2 / kernels.standardised_total
    loadings = per_site * scale / values[kept][::-1] * np.sqrt(len(matrix))
    return vectors * np.sqrt(len(matrix)), loadings


class PrincipalComponents(ScoreModel):
    """Least squares on covariates and ten principal components; new individuals are projected on them."""

    key = "components"
    name = "ancestry components only"
    loadings: Floats

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
        fixed = FixedEffects.of(covariates[rows])
        scores, loadings = principal_components(kernels)
        design = np.column_stack([fixed.basis(covariates[rows]), scores])
        slopes = np.linalg.lstsq(design, target, rcond=None)[0][len(fixed.transform.T) :]
        self.score = LinearScore.beside(fixed, kernels, target, covariates, loadings @ slopes)
        self.loadings = loadings
        return self

    def scores(self, panel: Panel, rows: Rows) -> Floats:
        """Return ``(rows, components)`` of any individuals, projected on the axes of the training individuals."""
        return self.score.coding.score(panel, rows, self.loadings)

    def state(self) -> State:
        """Return the fitted numbers."""
        return super().state() | {"loadings": self.loadings}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = super().from_state(state)
        model.loadings = state["loadings"]
        return model
