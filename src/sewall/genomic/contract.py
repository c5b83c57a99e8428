"""What every genomic predictor does, and the fixed effects that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel
from sewall.errors import SewallError
from sewall.task import Rows

if TYPE_CHECKING:
    from sewall.genomic.kernels import Kernels

Floats = NDArray[np.float64]
State = dict[str, NDArray]

SMALLEST_DIRECTION = 1e-8  # of the largest singular value: below, a covariate is a sum of others
INNER_FOLDS = 3


class GenomicModel(Protocol):
    """A model of a trait: fixed effects of covariates, and what the genotypes add."""

    key: str
    name: str

    def fit(
        self,
        panel: Panel,
        rows: Rows,
        target: Floats,
        covariates: Floats,
        kernels: Kernels | None = None,
        folds: Rows | None = None,
    ) -> Self:
        """Fit to training individuals; frequencies, scales and choices come from them alone.

        Args:
            panel: genotypes.
            rows: training individuals of the panel.
            target: ``(rows,)`` trait, none missing.
            covariates: ``(panel, k)`` of all individuals, without an intercept; never penalised.
            kernels: of the same panel and rows, shared between models so that each pass over the sites is made once.
            folds: ``(rows,)`` inner folds 0, 1, ... by which a penalty or a cutoff is chosen; by default 3 at random.
        """
        ...

    def predict(self, panel: Panel, rows: Rows, covariates: Floats) -> Floats:
        """Return ``(rows,)`` predictions for individuals of a panel with the sites of the training panel."""
        ...

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        ...

    def state(self) -> State:
        """Plain arrays from which `from_state` makes the same model."""
        ...

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        ...


@dataclass(frozen=True)
class FixedEffects:
    """Intercept and covariates as orthonormal columns over the training individuals.

    Covariates that are sums of others, or constant among the training individuals, take no column.

    Attributes:
        centre: ``(k,)`` means of the covariates.
        transform: ``(1 + k, q)`` from intercept and centred covariates to the columns.
    """

    centre: Floats
    transform: Floats

    @classmethod
    def of(cls, covariates: Floats) -> FixedEffects:
        """Learn the columns from the ``(n, k)`` covariates of the training individuals.

        Raises:
            SewallError: if no more individuals than columns are left to learn from.
        """
        centre = covariates.mean(0)
        design = np.column_stack([np.ones(len(covariates)), covariates - centre])
        scale = np.sqrt((design**2).mean(0))
        scale[scale <= SMALLEST_DIRECTION * np.r_[1.0, 1 + np.abs(centre)]] = np.inf
        _, values, right = np.linalg.svd(design / scale, full_matrices=False)
        kept = values > SMALLEST_DIRECTION * values[0]
        if len(design) < kept.sum() + 2:
            raise SewallError(
                f"{len(design)} individuals are too few to fit {kept.sum()} effects of covariates; "
                "leave covariates out or add individuals"
            )
        return cls(centre, right[kept].T / values[kept] / scale[:, None])

    def basis(self, covariates: Floats) -> Floats:
        """Return the ``(n, q)`` columns of any individuals; orthonormal over the training individuals."""
        design = np.column_stack([np.ones(len(covariates)), covariates - self.centre])
        return np.asarray(design @ self.transform)

    def state(self) -> State:
        """Return the learnt numbers."""
        return {"fixed_centre": self.centre, "fixed_transform": self.transform}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> FixedEffects:
        """Return the columns whose `state` is part of *state*."""
        return cls(state["fixed_centre"], state["fixed_transform"])


def without(basis: Floats, values: Floats) -> Floats:
    """Return *values* without what the orthonormal columns of *basis* explain of them."""
    return np.asarray(values - basis @ (basis.T @ values))


def inner_folds(individuals: int, given: Rows | None, seed: int = 0) -> Rows:
    """Return ``(individuals,)`` fold numbers: the *given* ones, or random folds of even size."""
    if given is not None:
        labels, numbers = np.unique(given, return_inverse=True)
        if len(labels) < 2:
            raise ValueError("all individuals are in one inner fold; at least two are needed")
        return numbers
    return np.random.default_rng(seed).permutation(np.arange(individuals) % INNER_FOLDS)
