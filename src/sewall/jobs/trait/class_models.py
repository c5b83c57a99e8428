"""The classical genomic predictors of a trait in classes.

Covariates come first, by logistic regression. The genomic models are then fitted to what it leaves of every class, 0 or
1 less its probability, like any quantity, and shift the log odds by what they predict of it: one step of the fit of a
generalised model, with all penalties and kernels of the linear one (as the first level of Mbatchou et al. 2021, Nat
Genet 53:1097). How far each may be trusted is left to the stack, which is fitted by likelihood.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.special import log_softmax

from sewall.genomic.blup import XLinked
from sewall.genomic.catalogue import ALL
from sewall.genomic.contract import GenomicModel
from sewall.genomic.principal import CovariatesOnly
from sewall.jobs.trait.models import Floats, inner_folds, kernels_of, people_of
from sewall.odds import log_odds
from sewall.task import Examples, Rows, SimpleModel, Target


@dataclass(frozen=True)
class ClassOdds:
    """Log probabilities of the classes by the covariates alone: (multinomial) logistic regression.

    Attributes:
        target: names the classes.
        centre, scale: ``(covariates,)`` of the training individuals.
        effects: ``(1 + covariates, classes)``, the intercepts first.
    """

    target: Target
    centre: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.ones(0))
    effects: Floats = field(default_factory=lambda: np.zeros((1, 0)))

    key = CovariatesOnly.key
    name = CovariatesOnly.name

    def fit(self, examples: Examples, rows: Rows) -> ClassOdds:
        """Fit to labelled *rows*."""
        assert examples.target is not None
        labels, values = examples.target[rows].astype(np.int64), people_of(examples).covariates[rows]
        spread = values.std(axis=0)
        scale = np.where(spread > 0, spread, np.inf)
        effects = log_odds((values - values.mean(axis=0)) / scale, labels, len(self.target.classes))
        return replace(self, centre=values.mean(axis=0), scale=scale, effects=effects)

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows, classes)`` log probabilities."""
        values = (people_of(examples).covariates[rows] - self.centre) / self.scale
        return np.asarray(log_softmax(self.effects[0] + values @ self.effects[1:], axis=1))

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return (len(self.target.classes) - 1) * len(self.effects)

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return {"centre": self.centre, "scale": self.scale, "effects": self.effects}

    def with_state(self, state: Mapping[str, Any]) -> ClassOdds:
        """Return the fitted model whose `state` was *state*."""
        centre, scale, effects = (np.asarray(state[name]) for name in ("centre", "scale", "effects"))
        return replace(self, centre=centre, scale=scale, effects=effects)


@dataclass(frozen=True)
class ClassScores:
    """A genomic predictor of each class against the others, as a shift of the log odds that covariates give.

    Attributes:
        odds: what covariates give.
        model: the predictor, untrained.
        scores: fitted ones: of the second class where there are two, of every class where there are more.
        variance: ``(classes,)`` mean variance of the indicator of each class about its probability.
    """

    odds: ClassOdds
    model: GenomicModel
    scores: tuple[GenomicModel, ...] = ()
    variance: Floats = field(default_factory=lambda: np.ones(0))

    @property
    def key(self) -> str:
        """Short name, the same in every run."""
        return self.model.key

    @property
    def name(self) -> str:
        """Name in front of people."""
        return self.model.name

    def fit(self, examples: Examples, rows: Rows) -> ClassScores:
        """Fit to labelled *rows*."""
        people, kernels = people_of(examples), kernels_of(examples, rows)
        assert examples.target is not None
        odds = self.odds.fit(examples, rows)
        chances = np.exp(odds.predict(examples, rows))
        left = (examples.target[rows, None] == np.arange(chances.shape[1])) - chances
        folds = inner_folds(len(rows), None if examples.groups is None else np.asarray(examples.groups)[rows])
        scores = tuple(
            copy.copy(self.model).fit(people.panel, rows, left[:, k], people.covariates, kernels, folds)
            for k in _judged(chances.shape[1])
        )
        variance = np.maximum((chances * (1 - chances)).mean(axis=0), 1e-6)
        return replace(self, odds=odds, scores=scores, variance=variance)

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows, classes)`` log probabilities."""
        people = people_of(examples)
        base = self.odds.predict(examples, rows)
        left = np.column_stack([score.predict(people.panel, rows, people.covariates) for score in self.scores])
        left = np.column_stack([-left, left]) if len(self.variance) == 2 else left
        classes = len(self.variance)
        return np.asarray(log_softmax(base + (classes - 1) / classes * left / self.variance, axis=1))

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return self.odds.parameters + sum(score.parameters for score in self.scores)

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        fitted = {f"{k}/{name}": value for k, score in enumerate(self.scores) for name, value in score.state().items()}
        return {"variance": self.variance} | {f"odds/{n}": value for n, value in self.odds.state().items()} | fitted

    def with_state(self, state: Mapping[str, Any]) -> ClassScores:
        """Return the fitted model whose `state` was *state*."""
        classes = len(np.asarray(state["variance"]))
        scores = tuple(type(self.model).from_state(_part(state, f"{k}/")) for k in range(len(_judged(classes))))
        odds = self.odds.with_state(_part(state, "odds/"))
        return replace(self, odds=odds, scores=scores, variance=np.asarray(state["variance"]))


def _judged(classes: int) -> range:
    """Return the classes that have a score of their own."""
    return range(1, 2) if classes == 2 else range(classes)


def _part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def classical_of_classes(target: Target, x_linked: bool) -> list[SimpleModel]:
    """Return the untrained predictors of classes that stand beside the network, the simplest first."""
    odds = ClassOdds(target)
    kinds = [kind for kind in ALL if kind is not CovariatesOnly and (x_linked or kind is not XLinked)]
    return [odds, *(ClassScores(odds, kind()) for kind in kinds)]
