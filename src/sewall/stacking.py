"""A stack of cross-fitted models, judged as it will be used.

Every example is answered by models that have not seen it, and the weights of the stack that answers a fold come from
answers to the other folds by models that have seen neither: nested cross-validation, for the price of its inner part.
(Jobs with many examples and few models spare the fits without pairs of folds: there the weights come from answers to
the other folds by models that have not seen those.)
The shipped stack takes its weights from the answers to all folds; its simple models are fitted to everybody, its
networks are those of the folds, averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax, softmax

from sewall.borrowing import FAMILY
from sewall.crossfit import NETWORK, CrossTask, Fits, Floats
from sewall.folds import Unit
from sewall.task import Rows, Target

STACK, WITHOUT = "stack", "stack-without-network"


TEMPERATURE = (
    0.1  # of the likelihood that is a prior: models of one data set err alike, so it is worth less than it says
)
FAMILY_WIDTH = 0.2  # standard deviation of a family's weight about its prior
MOST = 5.0  # weight of a model's log odds: where classes are told apart without error, likelihood knows no end
MODEL_WIDTH = 0.1  # and of a model's, about its part of that of its family


@dataclass(frozen=True)
class Stack:
    """The base model's answer and a weighted sum of what the others add to it (Wolpert 1992; Breiman 1996).

    Free weights of many models that say much the same are mostly chance where individuals are few. So models come in
    families: within one, weights follow the likelihood, tempered (pseudo-BMA of Yao et al. 2018, Bayesian Anal 13:917),
    and families are weighed by least squares about a prior found the same way. What comes out is in turn the prior of
    the weights of single models: it counts for less the more examples there are.

    Attributes:
        target: gives the learning scale.
        base: key of the base model.
        weights: by model, none negative.
    """

    target: Target
    base: str
    weights: dict[str, float]

    @classmethod
    def fit(
        cls,
        answers: Mapping[str, Floats],
        truth: Floats,
        target: Target,
        base: str,
        families: Mapping[str, str] | None = None,
    ) -> Stack:
        """Return the weights of the stack.

        Args:
            answers: by model ``(rows,)`` or ``(rows, classes)`` answers to examples that the models have not seen.
            truth: ``(rows,)`` on the learning scale.
            target: gives that scale.
            base: key of the base model among the answers.
            families: by model, the name of its family; a model without one is a family of its own.
        """
        others = [key for key in answers if key != base]
        added = np.stack([answers[key] - answers[base] for key in others], axis=-1)
        blend = (_Classes if target.classes else _Quantity)(np.asarray(answers[base], float), truth)
        member = np.array([(families or {}).get(key, key) for key in others])
        within = np.zeros((len(others), len(np.unique(member))))
        for number, name in enumerate(np.unique(member)):
            own = np.flatnonzero(member == name)
            within[own, number] = _by_likelihood(blend, added[..., own])
        of_families = added @ within
        prior = within @ blend.together(of_families, _by_likelihood(blend, of_families), FAMILY_WIDTH)
        weights = blend.together(added, prior, MODEL_WIDTH)
        return cls(target, base, dict(zip(others, map(float, weights), strict=True)))

    def answer(self, answers: Mapping[str, Floats]) -> Floats:
        """Return the answers of the stack.

        >>> target = Target("height", "cm", "identity", 0, 9)
        >>> Stack(target, "mean", {"a": 0.5}).answer({"mean": np.array([1.0]), "a": np.array([3.0])})
        array([2.])
        """
        base = np.asarray(answers[self.base], float)
        added = sum((w * (answers[key] - base) for key, w in self.weights.items()), np.zeros_like(base))
        return self.target.corrected(base, added)


def _by_likelihood(blend: _Quantity | _Classes, added: Floats) -> Floats:
    """Return ``(models,)`` weights: each model's own best one, times its share of the tempered likelihood."""
    own, likelihood = blend.alone(added)
    return np.asarray(own * softmax(TEMPERATURE * likelihood))


@dataclass(frozen=True)
class _Quantity:
    """Least squares of ``(rows,)`` *truth* on the base answer and what models add, ``(rows, models)``."""

    base: Floats
    truth: Floats

    def alone(self, added: Floats) -> tuple[Floats, Floats]:
        """Return the best weight of each model alone, not negative, and its log likelihood."""
        left = self.truth - self.base
        weight = np.maximum(added.T @ left / np.maximum((added**2).sum(axis=0), 1e-300), 0.0)
        error = ((left[:, None] - weight * added) ** 2).mean(axis=0)
        return weight, -0.5 * len(left) * np.log(np.maximum(error, 1e-300))

    def together(self, added: Floats, prior: Floats, width: float) -> Floats:
        """Return weights, none negative, about their prior; *width* is its standard deviation."""
        left = self.truth - self.base
        free, _ = nnls(added, left)
        pull = np.sqrt(np.mean((left - added @ free) ** 2)) / width
        both = np.vstack([added, pull * np.eye(len(prior))])
        return np.asarray(nnls(both, np.r_[left, pull * prior])[0])


@dataclass(frozen=True)
class _Classes:
    """Likelihood of the classes: the logarithmic opinion pool of ``(rows, classes, models)`` (Genest & Zidek 1986).

    It is concave in the weights, so there is one best answer.
    """

    base: Floats
    truth: Floats

    def alone(self, added: Floats) -> tuple[Floats, Floats]:
        """Return the best weight of each model alone, not negative, and its log likelihood."""
        found = [self._best(added[..., [k]], np.ones(1), 0.0) for k in range(added.shape[2])]
        return np.array([float(weight[0]) for weight, _ in found]), np.array([likelihood for _, likelihood in found])

    def together(self, added: Floats, prior: Floats, width: float) -> Floats:
        """Return weights, none negative, about their prior; *width* is its standard deviation."""
        return self._best(added, prior, 1 / width**2)[0]

    def _best(self, added: Floats, start: Floats, pull: float) -> tuple[Floats, float]:
        rows, label = np.arange(len(self.truth)), self.truth.astype(np.intp)
        chosen = added[rows, label]

        def loss(weights: Floats) -> tuple[float, Floats]:
            scores = log_softmax(self.base + added @ weights, axis=1)
            expected = np.einsum("nk,nkm->nm", np.exp(scores), added)
            away = weights - start
            value = -float(scores[rows, label].sum()) + 0.5 * pull * float(away @ away)
            return value, (expected - chosen).sum(axis=0) + pull * away

        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, MOST)] * len(start))
        return np.asarray(found.x, float), -float(found.fun)


@dataclass(frozen=True)
class Nested:
    """Answers to every example by models and by a stack that have not seen its fold.

    Attributes:
        rows: the examples, all that were used.
        answers: by model, one row for each of *rows*, on the learning scale; `NETWORK` and `STACK` among them.
        lesser: the same by stacks that lack some models: `WITHOUT` the network, and those of `CrossTask.lesser`.
        weights: of the stack, fold by fold.
        final: the stack that is shipped.
    """

    rows: Rows
    answers: dict[str, Floats]
    lesser: dict[str, Floats]
    weights: list[dict[str, float]]
    final: Stack


def nested(task: CrossTask, fits: Fits, truth: Floats, leave: tuple[str, ...] = ()) -> Nested:
    """Answer every example as the nested design has it.

    Args:
        task: the job.
        fits: from `fit_all`.
        truth: ``(examples,)`` on the learning scale.
        leave: keys of models that do not enter the stack.
    """
    folds, keys = fits.folds, [*fits.models, NETWORK]
    stacked = [key for key in keys if key not in leave]
    kinds = {STACK: (), WITHOUT: (NETWORK,), **task.lesser}
    full = {key: np.full_like(fits.answers[(0,)][task.base], np.nan) for key in [*keys, *kinds]}
    families = {**task.families, **dict.fromkeys(fits.borrowed, FAMILY)}
    weights = []
    for outer in range(folds.number):
        mine = folds.rows(outer)
        held = {key: fits.answers[(outer,)][key][mine] for key in keys}
        held[NETWORK] = _mean_network(task, fits, outer)[mine]
        judged = _judges(fits, outer)
        answers, known = _unseen(fits, truth, judged, stacked)
        stacks = {kind: _stack(answers, known, without, task, families) for kind, without in kinds.items()}
        weights.append(stacks[STACK].weights)
        for key, values in (held | {kind: stack.answer(held) for kind, stack in stacks.items()}).items():
            full[key][mine] = values
    rows = np.flatnonzero(folds.of >= 0)
    found = {key: values[rows] for key, values in full.items()}
    final = _stack({key: found[key] for key in stacked}, truth[rows], (), task, families)
    lesser = {kind: found.pop(kind) for kind in kinds if kind != STACK}
    return Nested(rows, found, lesser, weights, final)


def only(found: Nested, key: str) -> Nested:
    """Return the same with one model in place of the stack."""
    final = replace(found.final, weights={} if key == found.final.base else {key: 1.0})
    return replace(found, answers=found.answers | {STACK: found.answers[key]}, final=final)


def _mean_network(task: CrossTask, fits: Fits, fold: int) -> Floats:
    """Return the mean answer of all networks that were kept from a fold: as many are shipped."""
    kept_from = [fits.answers[unit][NETWORK] for unit in fits.answers if fold in unit]
    return task.target.corrected(np.mean(kept_from, axis=0), np.zeros(1))


def _judges(fits: Fits, fold: int) -> dict[Unit, int]:
    """Return the fits that judge models for the stack that answers a fold, each with the other fold that it judges.

    They know nothing of the fold; where no pairs were left out, they know it, and its labels are no part of the fit.
    """
    pairs = [unit for unit in fits.folds.paired if fold in unit and unit in fits.answers]
    if pairs:
        return {unit: unit[0] if unit[1] == fold else unit[1] for unit in pairs}
    return {(other,): other for other in range(fits.folds.number) if other != fold}


def _unseen(fits: Fits, truth: Floats, judged: dict[Unit, int], keys: list[str]) -> tuple[dict[str, Floats], Floats]:
    """Return the answers of some fits, each to the one fold that is named with it, and the truth."""
    parts = [(unit, fits.folds.rows(fold)) for unit, fold in judged.items()]
    answers = {key: np.concatenate([fits.answers[unit][key][rows] for unit, rows in parts]) for key in keys}
    return answers, np.concatenate([truth[rows] for _, rows in parts])


def _stack(
    answers: Mapping[str, Floats], truth: Floats, without: tuple[str, ...], task: CrossTask, families: Mapping[str, str]
) -> Stack:
    kept = {key: values for key, values in answers.items() if key not in without}
    return Stack.fit(kept, truth, task.target, task.base, families)
