"""Association of single sites with the trait, in all of the training individuals and without each inner fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sewall.genomic.contract import FixedEffects, Floats, without
from sewall.genomic.kernels import Kernels
from sewall.task import Rows

CUTOFFS = (5e-8, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.5, 1.0)  # of the p value, the strictest first
SMALLEST_SQUARE = 1e-4  # of a standardised column after the covariates; below, they explain the site


@dataclass(frozen=True)
class Part:
    """Some of the training individuals: those that one inner fold leaves, or all.

    Attributes:
        inside, outside: indices into the training individuals.
        fixed: columns of the covariates, learnt inside.
        inner, outer: ``(inside, q)`` and ``(outside, q)`` values of these columns.
        target, unseen: ``(inside,)`` and ``(outside,)`` trait.
        residual: ``(inside,)`` trait without the covariates.
    """

    inside: Rows
    outside: Rows
    fixed: FixedEffects
    inner: Floats
    outer: Floats
    target: Floats
    unseen: Floats
    residual: Floats

    @classmethod
    def of(cls, inside: Rows, outside: Rows, target: Floats, covariates: Floats) -> Part:
        """Fit the covariates ``(n, k)`` of all training individuals to the ``(n,)`` trait of those *inside*."""
        fixed = FixedEffects.of(covariates[inside])
        inner, own = fixed.basis(covariates[inside]), target[inside]
        outer = fixed.basis(covariates[outside])
        return cls(inside, outside, fixed, inner, outer, own, target[outside], without(inner, own))


def parts(folds: Rows, target: Floats, covariates: Floats) -> list[Part]:
    """Return one part for each inner fold left out, and at the end all individuals.

    Args:
        folds: ``(n,)`` inner fold of each training individual.
        target: ``(n,)`` trait.
        covariates: ``(n, k)``.
    """
    everyone = np.arange(len(folds))
    outside = [everyone[folds == fold] for fold in range(1 + folds.max())] + [everyone[:0]]
    return [Part.of(np.setdiff1d(everyone, out), out, target, covariates) for out in outside]


@dataclass(frozen=True)
class Associations:
    """Regression of the trait on each site alone, beside the covariates.

    Attributes:
        slope: ``(sites, parts)`` effect of a standard deviation of the site; 0 where it does not vary.
        p_value: ``(sites, parts)`` of a two-sided t test; 1 where the site does not vary.
    """

    slope: Floats
    p_value: Floats

    @classmethod
    def of(cls, kernels: Kernels, divided: list[Part]) -> Associations:
        """Test every site in every part, in one pass over the genotypes; what was tested last is known."""
        key = b"".join(part.outside.tobytes() + part.residual.tobytes() for part in divided)
        if kernels.tested is None or kernels.tested[0] != key:
            kernels.tested = key, cls._of(kernels, divided)
        return kernels.tested[1]

    @classmethod
    def _of(cls, kernels: Kernels, divided: list[Part]) -> Associations:
        slope = np.zeros((len(kernels.panel.sites), len(divided)))
        p_value = np.ones_like(slope)
        for sites, z in kernels.columns.blocks():
            columns = z * kernels.coding.scale[sites]
            for index, part in enumerate(divided):
                slope[sites, index], p_value[sites, index] = _test(columns[part.inside], part)
        return cls(slope, p_value)


def _test(columns: np.ndarray, part: Part) -> tuple[Floats, Floats]:
    """Return slopes and p values of ``(inside, sites)`` columns."""
    square = np.einsum("ij,ij->j", columns, columns) - ((part.inner.T @ columns) ** 2).sum(0)
    tested = square > SMALLEST_SQUARE * len(columns)
    square[~tested] = 1
    product = (part.residual @ columns) * tested
    freedom = len(columns) - part.inner.shape[1] - 1
    left = np.maximum(part.residual @ part.residual - product**2 / square, np.finfo(float).tiny)
    statistic = np.abs(product) / np.sqrt(square * left / freedom)
    return product / square, 2 * stats.t.sf(statistic, freedom)
