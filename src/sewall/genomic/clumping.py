"""Clumping and thresholding: the polygenic score of marginal effects (Purcell 2009, Nature 460:748)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel
from sewall.genomic.association import CUTOFFS, Associations, Part, parts
from sewall.genomic.contract import Floats, State, inner_folds
from sewall.genomic.kernels import Kernels
from sewall.genomic.score import LinearScore, ScoreModel
from sewall.task import Rows

Rank = Literal["p", "value"]

LIMITS = (0.1, 0.3, 0.5)  # of r² between a site that is kept and its neighbours


class Clumping(ScoreModel):
    """Score of the marginal effects of sites that represent their neighbours and pass a cutoff of the p value.

    Sites are taken from the best on, each removing neighbours with which it is correlated. The limit of r² and the
    cutoff are those whose scores correlate best with the trait outside the inner folds; the slope of the trait on these
    scores scales the final one, since within the training data a score of chosen sites promises too much.

    Args:
        rank: the best site has the smallest p value (``p``), or stands for most neighbours, whatever the trait
            (``value``).
        seed: of the inner folds, where none are given.

    Attributes:
        limit, cutoff: the limit of r² and the cutoff chosen.
        slope: by which marginal effects are multiplied; 0 where no score predicted.
    """

    key = "clumping"
    name = "clumping and thresholding"

    def __init__(self, rank: Rank = "p", seed: int = 0) -> None:
        self.rank, self.seed = rank, seed
        self.limit = self.cutoff = self.slope = 0.0

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
        found = Associations.of(kernels, divided)
        outcomes = [self._outside(kernels, part, found, index) for index, part in enumerate(divided[:-1])]
        squares, products = np.sum(outcomes, axis=0)
        gain = np.maximum(products, 0) / np.sqrt(np.maximum(squares, np.finfo(float).tiny))
        best = int(np.argmax(gain))
        self.limit, self.cutoff = LIMITS[best // len(CUTOFFS)], CUTOFFS[best % len(CUTOFFS)]
        self.slope = float(products[best] / squares[best]) if gain[best] > 0 else 0.0
        weights = self._weights(kernels, found, len(divided) - 1, (self.limit,))[:, best % len(CUTOFFS)]
        self.score = LinearScore.beside(divided[-1].fixed, kernels, target, covariates, self.slope * weights)
        return self

    def _outside(self, kernels: Kernels, part: Part, found: Associations, index: int) -> tuple[Floats, Floats]:
        """Return ``(settings,)`` squares of the scores outside a part, and their products with the trait there."""
        weights = self._weights(kernels, found, index, LIMITS)
        scores = kernels.columns.score(weights)
        outside = scores[part.outside] - part.outer @ (part.inner.T @ scores[part.inside])
        residual = part.unseen - part.outer @ (part.inner.T @ part.target)
        return (outside**2).sum(0), residual @ outside

    def _weights(self, kernels: Kernels, found: Associations, index: int, limits: tuple[float, ...]) -> Floats:
        """Return ``(sites, settings)`` marginal effects in a part, for each limit the cutoffs one after the other."""
        p_value, effect = found.p_value[:, index], found.slope[:, index] * kernels.coding.scale
        rank = p_value if self.rank == "p" else -kernels.linkage.value()
        order = np.argsort(rank, kind="stable")
        order = order[kernels.coding.varying[order]]
        kept = np.column_stack([kernels.linkage.clump(order, limit) for limit in limits])
        passed = p_value[:, None] <= np.array(CUTOFFS)
        return np.asarray((effect[:, None, None] * kept[:, :, None] * passed[:, None, :]).reshape(len(effect), -1))

    def state(self) -> State:
        """Return the fitted numbers."""
        return super().state() | {"clumping": np.array([self.limit, self.cutoff, self.slope])}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = super().from_state(state)
        model.limit, model.cutoff, model.slope = (float(value) for value in state["clumping"])
        return model
