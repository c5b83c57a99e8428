"""Best linear unbiased prediction: additive, with dominance, and with effects of X that depend on sex.

All are fitted through kernels and predict through weights of sites (Henderson 1975; VanRaden 2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel, X
from sewall.genomic.coding import BLOCK, Coding, x_sign
from sewall.genomic.contract import FixedEffects, Floats, State
from sewall.genomic.kernels import Kernels
from sewall.genomic.lanczos import without_kernel
from sewall.genomic.reference import Likeness, Reference
from sewall.genomic.reml import Components, ErrorVariance, one_kernel, several_kernels
from sewall.genomic.score import LinearScore, ScoreModel, no_weights
from sewall.task import Rows

Columns = Literal["centred", "standardised"]

MOST_DUAL = 20_000  # training individuals; of more, no kernel is held
MOST_REMEMBERED = 5_000  # of these, to judge how sure predictions are


class GBLUP(ScoreModel):
    """Genomic BLUP, which is ridge regression on all sites with the penalty chosen by REML.

    Args:
        columns: ``centred`` lets a site weigh by its variance, ``standardised`` all alike; None takes the one under
            which the training data have the higher restricted likelihood.
        errors: keep the training genotypes, packed, so that `spread` and `reliability` can be asked for.

    Attributes:
        heritability: share of the sites in the variance that the covariates leave.
        columns: the columns that were taken.
    """

    key = "gblup"
    name = "GBLUP"

    def __init__(self, columns: Columns | None = None, errors: bool = True) -> None:
        self.wanted, self.errors = columns, errors
        self.columns: Columns = columns or "centred"
        self.heritability = 0.0
        self._reference: Reference | None = None
        self._error_variance: ErrorVariance | None = None
        self._seen: tuple[Panel, Rows, Likeness] | None = None  # who was judged last

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
        basis = fixed.basis(covariates[rows])
        fitted = self._fit_columns(kernels, basis, target)
        self.heritability = fitted.heritability
        scaling = _scaling(kernels, self.columns)
        sums = kernels.columns.site_sums(fitted.variances[0] * fitted.dual)
        self.score = LinearScore(fixed, fitted.effects, kernels.coding, sums * scaling**2)
        if self.errors:
            self._remember(kernels, scaling, basis, fitted)
        return self

    def _fit_columns(self, kernels: Kernels, basis: Floats, target: Floats) -> Components:
        choices: tuple[Columns, ...] = (self.wanted,) if self.wanted else ("centred", "standardised")
        fit = _through_kernel if len(kernels.rows) <= MOST_DUAL else _through_sites
        fits = {columns: fit(kernels, columns, basis, target) for columns in choices}
        self.columns = max(choices, key=lambda columns: fits[columns].likelihood)
        return fits[self.columns]

    def _remember(self, kernels: Kernels, scaling: Floats, basis: Floats, fitted: Components) -> None:
        """Keep the training genotypes; of very many individuals some, from whom errors look larger than they are."""
        self._seen = None
        if len(kernels.rows) <= MOST_DUAL:
            self._reference = Reference.of(kernels, scaling)
            self._error_variance = ErrorVariance.of(lambda: _additive(kernels, self.columns), basis, fitted)
            return
        some = np.sort(np.random.default_rng(0).choice(len(kernels.rows), MOST_REMEMBERED, replace=False))
        self._reference = kept = Reference.of(kernels, scaling, some)
        panel, rows = kernels.panel, kernels.rows[some]
        self._error_variance = ErrorVariance.of(lambda: kept.products(panel, rows)[0], basis[some], fitted)

    def spread(self, panel: Panel, rows: Rows, covariates: Floats) -> Floats:
        """Return ``(rows,)`` standard deviations of trait minus prediction, uncertainty of fixed effects included."""
        return self._likeness(panel, rows).spread(self.score.fixed.basis(covariates[rows]))

    def reliability(self, panel: Panel, rows: Rows) -> Floats:
        """Return ``(rows,)`` shares of the genetic variance that the prediction knows: 0 for a stranger, 1 at most."""
        return self._likeness(panel, rows).reliability()

    def _likeness(self, panel: Panel, rows: Rows) -> Likeness:
        reference, errors = self._reference, self._error_variance
        if reference is None or errors is None:
            raise ValueError("this GBLUP was fitted without its errors; fit it with errors=True")
        if self._seen is None or self._seen[0] is not panel or not np.array_equal(self._seen[1], rows):
            self._seen = panel, rows, Likeness.of(lambda some: reference.products(panel, some), rows, errors)
        return self._seen[2]

    @property
    def reference(self) -> Reference | None:
        """Genotypes of the training individuals; None where errors were not wanted."""
        return self._reference

    def state(self) -> State:
        """Return the fitted numbers, and the packed training genotypes if errors are wanted."""
        state = super().state() | {"heritability": np.array([self.heritability]), "columns": np.array([self._code])}
        if self._reference is not None and self._error_variance is not None:
            state |= self._reference.state() | self._error_variance.state()
        return state

    @property
    def _code(self) -> int:
        return int(self.columns == "standardised")

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = super().from_state(state)
        model.columns = "standardised" if state["columns"][0] else "centred"
        model.heritability = float(state["heritability"][0])
        if "reference_calls" in state:
            model._reference, model._error_variance = Reference.from_state(state), ErrorVariance.from_state(state)
        return model


def _through_kernel(kernels: Kernels, columns: Columns, basis: Floats, target: Floats) -> Components:
    reduced = kernels.reduced(columns, lambda: _additive(kernels, columns), basis)
    return one_kernel(_additive(kernels, columns), basis, target, reduced)


def _through_sites(kernels: Kernels, columns: Columns, basis: Floats, target: Floats) -> Components:
    return without_kernel(kernels.columns, _scaling(kernels, columns), basis, target)


def _additive(kernels: Kernels, columns: Columns) -> Floats:
    return kernels.standardised if columns == "standardised" else kernels.centred


def _scaling(kernels: Kernels, columns: Columns) -> Floats:
    """Return ``(sites,)`` by which the columns are multiplied so that the kernel is their cross-product."""
    if columns == "standardised":
        return kernels.coding.scale.astype(float) / np.sqrt(kernels.standardised_total)
    return np.full(len(kernels.coding.scale), 1 / np.sqrt(kernels.centred_total))


class AdditiveDominance(ScoreModel):
    """BLUP with an additive and a dominance kernel, their variances by REML (Vitezica 2013, Genetics 195:1223).

    Attributes:
        variances: additive, dominance and residual; dominance is 0 in inbred lines, which have no heterozygotes.
    """

    key = "dominance"
    name = "additive + dominance"

    def __init__(self) -> None:
        self.variances = np.zeros(3)

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
        dominance = kernels.dominance
        pair = {"centred": kernels.centred} | ({} if dominance is None else {"dominance": dominance})
        basis = fixed.basis(covariates[rows])
        fitted = several_kernels(list(pair.values()), basis, target, kernels.all_reduced(pair, basis))
        additive = kernels.columns.site_sums(fitted.dual) * fitted.variances[0] / kernels.centred_total
        by_heterozygosity, variance = no_weights(), 0.0
        if dominance is not None and fitted.variances[1] > 0:
            variance = float(fitted.variances[1])
            scaled = fitted.dual * variance / kernels.coding.dominance_variance
            by_heterozygosity = _dominance_sums(kernels, scaled)
        self.variances = np.array([fitted.variances[0], variance, fitted.residual])
        self.score = LinearScore(fixed, fitted.effects, kernels.coding, additive, by_heterozygosity)
        return self

    def state(self) -> State:
        """Return the fitted numbers."""
        return super().state() | {"variances": self.variances}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = super().from_state(state)
        model.variances = state["variances"]
        return model


def _dominance_sums(kernels: Kernels, values: Floats) -> Floats:
    total = np.zeros(len(kernels.panel.sites))
    for start in range(0, len(total), BLOCK):
        sites = slice(start, start + BLOCK)
        total[sites] = kernels.coding.dominance(kernels.panel, kernels.rows, sites).T @ values
    return total


class XLinked(ScoreModel):
    """GBLUP with kernels of X and of X times sex beside that of all sites; plain GBLUP where X tells nothing more.

    Sex is read from the copies of X, so an effect of X may differ in size, or even in sign, between the sexes.
    """

    key = "x_linked"
    name = "GBLUP + X + X by sex"

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
        fixed, sign = FixedEffects.of(covariates[rows]), x_sign(panel, rows)
        basis, parts = fixed.basis(covariates[rows]), {"centred": kernels.centred}
        if kernels.x_linked is not None:
            parts["x"] = kernels.x_linked
            if sign.min() < sign.max():
                parts["x by sex"] = kernels.x_linked * np.outer(sign, sign)
        fitted = several_kernels(list(parts.values()), basis, target, kernels.all_reduced(parts, basis))
        variances = np.r_[fitted.variances, np.zeros(3 - len(parts))]
        of_x = _x_divisor(panel, kernels.coding)
        sums = kernels.columns.site_sums(np.column_stack([fitted.dual, fitted.dual * sign]))
        additive = sums[:, 0] * (variances[0] / kernels.centred_total + variances[1] * of_x)
        by_sex = sums[:, 1] * variances[2] * of_x if variances[2] > 0 else no_weights()
        self.score = LinearScore(fixed, fitted.effects, kernels.coding, additive, by_sex=by_sex)
        return self


def _x_divisor(panel: Panel, coding: Coding) -> Floats:
    """Return ``(sites,)`` one over the variance of the X sites that vary, and 0 at all other sites."""
    sites = (panel.sites.inheritance == X) & coding.varying
    return np.asarray(sites / max(float(coding.variance[sites].sum(dtype=float)), 1e-12))
