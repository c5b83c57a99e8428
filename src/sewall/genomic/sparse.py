"""LASSO and elastic net along a path of penalties, by passes over blocks of sites.

A stretch of the path is solved by coordinate descent (scikit-learn) on a working set of sites, then all sites are
checked in one pass, and those whose optimality condition fails are let in (Qian 2020, PLoS Genet 16:e1009141). All
inner folds walk the path together, so that they share the passes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import reduce
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from sewall.data.panel import Panel
from sewall.genomic.association import Part, parts
from sewall.genomic.contract import Floats, State, inner_folds, without
from sewall.genomic.kernels import Kernels
from sewall.genomic.score import LinearScore, ScoreModel
from sewall.task import Rows

PENALTIES, SMALLEST = 60, 0.03  # of the path, and its end as a share of the penalty under which no site enters
STRETCH = 3  # penalties that are solved between two passes
PATIENCE = 8  # penalties without a better inner error after which the path ends
ENTERING = 300  # sites let in at once; where structure correlates all sites, most of those above the bound never enter
SLACK = 1.02  # by which a site kept out may miss the optimality condition
MAX_ITERATIONS, TOLERANCE = 2000, 1e-4


class Lasso(ScoreModel):
    """LASSO, or an elastic net, on standardised sites; covariates are not penalised.

    Minimises ``|y - Qb - Xw|² / 2n + penalty (mixing |w|₁ + (1 - mixing) |w|² / 2)``; the penalty has the least squared
    error in the inner folds.

    Args:
        mixing: 1 for LASSO (Tibshirani 1996), less for an elastic net (Zou & Hastie 2005).
        seed: of the inner folds, where none are given.

    Attributes:
        penalty: the penalty chosen, in units of the trait.
    """

    key = "lasso"
    name = "LASSO"

    def __init__(self, mixing: float = 1.0, seed: int = 0) -> None:
        self.mixing, self.seed = mixing, seed
        self.penalty = 0.0

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
        divided = parts(inner_folds(len(rows), folds, self.seed), target, covariates[rows])
        path = _Path(kernels, divided, self.mixing).walk()
        best = int(np.argmin(path.errors))
        self.penalty = float(path.penalties[best])
        sites, coefficients = path.solutions[best]
        additive = np.zeros(len(panel.sites))
        additive[sites] = coefficients * kernels.coding.scale[sites]
        self.score = LinearScore.beside(divided[-1].fixed, kernels, target, covariates, additive)
        return self

    @property
    def sites(self) -> int:
        """Number of sites that were kept."""
        return int((self.weights != 0).sum())

    def state(self) -> State:
        """Return the fitted numbers."""
        return super().state() | {"penalty": np.array([self.penalty])}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = super().from_state(state)
        model.penalty = float(state["penalty"][0])
        return model


class _Path:
    """The path of penalties, walked by all parts together; the last part is all individuals.

    Attributes:
        penalties: from the one under which no site enters, downwards.
        errors: squared error outside the inner folds, for each penalty solved so far.
        solutions: for each of them the sites with a coefficient, and these, in all individuals.
    """

    def __init__(self, kernels: Kernels, divided: list[Part], mixing: float) -> None:
        self.kernels, self.divided, self.mixing = kernels, divided, mixing
        self.individuals, self.sites = len(kernels.rows), len(kernels.panel.sites)
        self.errors: list[float] = []
        self.solutions: list[tuple[Rows, Floats]] = []
        self._coefficients = np.zeros((len(divided), self.sites))
        self._slopes = self._gradients([part.residual[:, None] for part in divided])[..., 0]
        first = float(np.abs(self._slopes[-1]).max(initial=0)) / mixing
        self.penalties = max(first, np.finfo(float).tiny) * np.geomspace(1, SMALLEST, PENALTIES)

    def walk(self) -> _Path:
        """Solve stretch by stretch until the error outside the inner folds has stopped falling."""
        for start in range(0, PENALTIES, STRETCH):
            self._solve(self.penalties[start : start + STRETCH])
            if len(self.errors) > PATIENCE + int(np.argmin(self.errors)):
                break
        return self

    def _solve(self, penalties: Floats) -> None:
        """Solve one stretch, letting in more sites until the optimality conditions hold at all of them."""
        allowed = _strongest(np.abs(self._slopes), self.mixing * penalties[-1])
        allowed |= self._coefficients != 0
        while True:
            sites = np.flatnonzero(allowed.any(0))
            stretch = _Stretch(self.kernels, self.divided, sites, self.mixing)
            found = stretch.solve(allowed[:, sites], self._coefficients[:, sites], penalties)
            slopes = self._gradients(stretch.residuals(found))
            excess = (np.abs(slopes) / (SLACK * self.mixing * penalties)).max(-1) * ~allowed
            if excess.max(initial=0) <= 1:
                break
            allowed |= _strongest(excess, 1.0)
        self._slopes = slopes[..., -1]
        self._coefficients[:] = 0
        self._coefficients[:, sites] = found[..., -1]
        self.errors += list(stretch.errors(found))
        self.solutions += [(sites, found[-1, :, k]) for k in range(len(penalties))]

    def _gradients(self, residuals: list[Floats]) -> Floats:
        """Return ``(parts, sites, k)`` mean products of the sites with ``(inside, k)`` residuals, in one pass."""
        scale, width = self.kernels.coding.scale, residuals[0].shape[1]
        spread = np.zeros((self.individuals, len(residuals), width), np.float32)
        for index, (part, residual) in enumerate(zip(self.divided, residuals, strict=True)):
            spread[part.inside, index] = residual / len(residual)
        products = np.zeros((self.sites, len(residuals) * width), np.float32)
        for block, z in self.kernels.columns.blocks():
            products[block] = scale[block, None] * (z.T @ spread.reshape(self.individuals, -1))
        return products.reshape(self.sites, len(residuals), width).transpose(1, 0, 2)


def _strongest(size: NDArray, limit: float) -> NDArray[np.bool_]:
    """Return ``(parts, sites)`` flags of the sites above *limit*, in each part the largest alone if they are many."""
    enough = max(size.shape[1] - ENTERING, 0)
    least = np.partition(size, enough, axis=1)[:, enough] if size.shape[1] else np.zeros(len(size))
    return (size > limit) & (size >= least[:, None])


class _Stretch:
    """Some of the sites in memory, and the cross-products of every part."""

    def __init__(self, kernels: Kernels, divided: list[Part], sites: Rows, mixing: float) -> None:
        self.columns = kernels.columns.standardised(sites)
        self.divided, self.mixing = divided, mixing
        # the folds left out add up to all individuals, so each product is taken once and then subtracted
        self.outside = [self.columns[part.outside].T @ self.columns[part.outside] for part in divided[:-1]]
        self.everyone = reduce(np.add, self.outside)

    def solve(self, allowed: NDArray[np.bool_], start: Floats, penalties: Floats) -> Floats:
        """Return ``(parts, sites, penalties)`` coefficients; *start* is ``(parts, sites)``."""
        found = np.zeros((*start.shape, len(penalties)))
        for index, part in enumerate(self.divided):
            sites = np.flatnonzero(allowed[index])
            if len(sites):
                among = np.ix_(sites, sites)
                products = self.everyone[among]
                if index < len(self.outside):
                    products -= self.outside[index][among]
                found[index, sites] = self._descend(part, sites, products, start[index, sites], penalties)
        return found

    def _descend(self, part: Part, sites: Rows, products: NDArray, start: Floats, penalties: Floats) -> Floats:
        columns = self.columns[np.ix_(part.inside, sites)].astype(float)
        explained = part.inner.T @ columns
        free = np.asfortranarray(columns - part.inner @ explained)
        gram = np.ascontiguousarray(products - explained.T @ explained)
        with warnings.catch_warnings():
            # sites that are almost copies of each other share their weight slowly, which no prediction notices
            warnings.simplefilter("ignore", ConvergenceWarning)
            _, coefficients, _ = enet_path(
                free, part.residual, l1_ratio=self.mixing, alphas=penalties, precompute=gram, Xy=free.T @ part.residual,
                coef_init=start, check_input=False, max_iter=MAX_ITERATIONS, tol=TOLERANCE,
            )  # fmt: skip
        return np.asarray(coefficients)

    def residuals(self, found: Floats) -> list[Floats]:
        """Return for each part the ``(inside, penalties)`` trait without covariates and sites."""
        fitted = [self.columns[part.inside] @ own for part, own in zip(self.divided, found, strict=True)]
        return [
            part.residual[:, None] - without(part.inner, own) for part, own in zip(self.divided, fitted, strict=True)
        ]

    def errors(self, found: Floats) -> Floats:
        """Return ``(penalties,)`` sums of squared errors of individuals predicted by the part that left them out."""
        total = np.zeros(found.shape[-1])
        for part, own in zip(self.divided[:-1], found, strict=False):
            genetic = self.columns @ own
            effects = part.inner.T @ (part.target[:, None] - genetic[part.inside])
            total += ((part.unseen[:, None] - part.outer @ effects - genetic[part.outside]) ** 2).sum(0)
        return total
