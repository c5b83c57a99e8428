"""A fitted linear score: what every model that is a sum over sites comes down to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sewall.data.panel import Panel
from sewall.genomic.coding import Coding, weighted_sum, x_sign
from sewall.genomic.contract import FixedEffects, Floats, State
from sewall.genomic.kernels import Kernels
from sewall.task import Rows


def no_weights() -> Floats:
    """Return the weights of a part that plays no role."""
    return np.zeros(0)


@dataclass(frozen=True)
class LinearScore:
    """Fixed effects plus weights of sites.

    Attributes:
        fixed: columns of the covariates.
        effects: ``(q,)`` their effects.
        coding: of the sites.
        additive: ``(sites,)`` weight of z, the centred copies of ALT; empty where sites play no part.
        dominance: ``(sites,)`` weight of the dominance code, or empty.
        by_sex: ``(sites,)`` weight of z times 1 with two copies of X and -1 with one, or empty.
    """

    fixed: FixedEffects
    effects: Floats
    coding: Coding
    additive: Floats = field(default_factory=no_weights)
    dominance: Floats = field(default_factory=no_weights)
    by_sex: Floats = field(default_factory=no_weights)

    @classmethod
    def beside(
        cls, fixed: FixedEffects, kernels: Kernels, target: Floats, covariates: Floats, additive: Floats
    ) -> LinearScore:
        """Return a score of known weights whose fixed effects are fitted by least squares beside it."""
        basis = fixed.basis(covariates[kernels.rows])
        genetic = kernels.columns.score(additive)
        return cls(fixed, basis.T @ (target - genetic), kernels.coding, additive)

    def predict(self, panel: Panel, rows: Rows, covariates: Floats) -> Floats:
        """Return ``(rows,)`` predictions."""
        return np.asarray(self.fixed.basis(covariates[rows]) @ self.effects + self.genetic(panel, rows))

    def genetic(self, panel: Panel, rows: Rows) -> Floats:
        """Return the ``(rows,)`` part that the sites contribute, from those alone that have a weight."""
        additive = self.coding.score(panel, rows, self.additive)
        dominance = weighted_sum(self.coding.dominance, panel, rows, self.dominance)
        if not len(self.by_sex):
            return additive + dominance
        return additive + dominance + x_sign(panel, rows) * self.coding.score(panel, rows, self.by_sex)

    @property
    def parameters(self) -> int:
        """Number of effects and of weights that are not 0."""
        return len(self.effects) + sum(int((part != 0).sum()) for part in (self.additive, self.dominance, self.by_sex))

    def state(self) -> State:
        """Return the fitted numbers."""
        weights = {"additive": self.additive, "dominance": self.dominance, "by_sex": self.by_sex}
        return {"effects": self.effects} | weights | self.fixed.state() | self.coding.state()

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> LinearScore:
        """Return the score whose `state` is part of *state*."""
        weights = (state[name] for name in ("additive", "dominance", "by_sex"))
        return cls(FixedEffects.from_state(state), state["effects"], Coding.from_state(state), *weights)


class ScoreModel:
    """What the models share whose prediction is a `LinearScore`; they differ in how they fit it."""

    key: str
    name: str
    score: LinearScore

    def predict(self, panel: Panel, rows: Rows, covariates: Floats) -> Floats:
        """Return ``(rows,)`` predictions for individuals of a panel with the sites of the training panel."""
        return self.score.predict(panel, rows, covariates)

    @property
    def weights(self) -> Floats:
        """Additive weights ``(sites,)`` per copy of ALT, in units of the trait."""
        return self.score.additive

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return self.score.parameters

    def state(self) -> State:
        """Return the fitted numbers."""
        return self.score.state()

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray]) -> Self:
        """Return the fitted model whose `state` was *state*."""
        model = cls()
        model.score = LinearScore.from_state(state)
        return model
