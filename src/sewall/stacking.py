"""A stack of cross-fitted models, judged as it will be used.

Every example is answered by models that have not seen it, and the weights of the stack that answers a fold come from
answers to the other folds by models that have seen neither: nested cross-validation, for the price of its inner part.
The shipped stack takes its weights from the answers to all folds; its simple models are fitted to everybody, its
networks are those of the folds, averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax

from sewall.crossfit import NETWORK, CrossTask, Fits, Floats
from sewall.folds import Unit
from sewall.task import Rows, Target

STACK, WITHOUT = "stack", "stack-without-network"


@dataclass(frozen=True)
class Stack:
    """The base model's answer and a weighted sum of what the others add to it (Wolpert 1992; Breiman 1996).

    Attributes:
        target: gives the learning scale.
        base: key of the base model.
        weights: by model, none negative.
    """

    target: Target
    base: str
    weights: dict[str, float]

    @classmethod
    def fit(cls, answers: Mapping[str, Floats], truth: Floats, target: Target, base: str) -> Stack:
        """Return the weights of least squared error, or of the greatest likelihood where the target is a class.

        Args:
            answers: by model ``(rows,)`` or ``(rows, classes)`` answers to examples that the models have not seen.
            truth: ``(rows,)`` on the learning scale.
            target: gives that scale.
            base: key of the base model among the answers.
        """
        others = [key for key in answers if key != base]
        added = np.stack([answers[key] - answers[base] for key in others], axis=-1)
        if target.classes:
            weights = _likeliest(answers[base], added, truth.astype(np.intp))
        else:
            weights, _ = nnls(added, truth - answers[base])
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


def _likeliest(base: Floats, added: Floats, truth: Rows) -> Floats:
    """Return weights, none negative, of what models add to log probabilities: the logarithmic opinion pool.

    The likelihood is concave in them, so there is one best answer (Genest & Zidek 1986, Stat Sci 1:114, on such pools).

    Args:
        base: ``(rows, classes)``.
        added: ``(rows, classes, models)``.
        truth: ``(rows,)`` numbers of the classes.
    """
    rows = np.arange(len(truth))
    chosen = added[rows, truth]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = log_softmax(base + added @ weights, axis=1)
        expected = np.einsum("nk,nkm->nm", np.exp(scores), added)
        return -float(scores[rows, truth].mean()), -(chosen - expected).mean(axis=0)

    start = np.full(added.shape[2], 1 / added.shape[2])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start))
    return np.asarray(found.x, float)


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
    weights = []
    for outer in range(folds.number):
        mine = folds.rows(outer)
        held = {key: fits.answers[(outer,)][key][mine] for key in keys}
        held[NETWORK] = _mean_network(task, fits, outer)[mine]
        judged = {unit: _other(unit, outer) for unit in folds.paired if outer in unit}
        answers, known = _unseen(fits, truth, judged, stacked)
        stacks = {kind: _stack(answers, known, without, task) for kind, without in kinds.items()}
        weights.append(stacks[STACK].weights)
        for key, values in (held | {kind: stack.answer(held) for kind, stack in stacks.items()}).items():
            full[key][mine] = values
    rows = np.flatnonzero(folds.of >= 0)
    found = {key: values[rows] for key, values in full.items()}
    final = _stack({key: found[key] for key in stacked}, truth[rows], (), task)
    lesser = {kind: found.pop(kind) for kind in kinds if kind != STACK}
    return Nested(rows, found, lesser, weights, final)


def _mean_network(task: CrossTask, fits: Fits, fold: int) -> Floats:
    """Return the mean answer of all networks that were kept from a fold: as many are shipped."""
    kept_from = [fits.answers[unit][NETWORK] for unit in fits.answers if fold in unit]
    return task.target.corrected(np.mean(kept_from, axis=0), np.zeros(1))


def _other(unit: Unit, fold: int) -> int:
    return unit[0] if unit[1] == fold else unit[1]


def _unseen(fits: Fits, truth: Floats, judged: dict[Unit, int], keys: list[str]) -> tuple[dict[str, Floats], Floats]:
    """Return the answers of some fits, each to the one fold that is named with it, and the truth."""
    parts = [(unit, fits.folds.rows(fold)) for unit, fold in judged.items()]
    answers = {key: np.concatenate([fits.answers[unit][key][rows] for unit, rows in parts]) for key in keys}
    return answers, np.concatenate([truth[rows] for _, rows in parts])


def _stack(answers: Mapping[str, Floats], truth: Floats, without: tuple[str, ...], task: CrossTask) -> Stack:
    return Stack.fit({k: v for k, v in answers.items() if k not in without}, truth, task.target, task.base)
