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
from scipy.optimize import nnls

from sewall.crossfit import NETWORK, CrossTask, Fits, Floats, Unit
from sewall.task import Rows

STACK, WITHOUT = "stack", "stack-without-network"


@dataclass(frozen=True)
class Stack:
    """The base model's answer and a weighted sum of what the others add to it (Wolpert 1992; Breiman 1996).

    Attributes:
        base: key of the base model.
        weights: by model, none negative.
    """

    base: str
    weights: dict[str, float]

    @classmethod
    def fit(cls, answers: Mapping[str, Floats], truth: Floats, base: str) -> Stack:
        """Return the weights of least squared error.

        Args:
            answers: by model ``(rows,)`` answers to examples that the models have not seen.
            truth: ``(rows,)``.
            base: key of the base model among them.
        """
        others = [key for key in answers if key != base]
        added = np.column_stack([answers[key] - answers[base] for key in others])
        weights, _ = nnls(added, truth - answers[base])
        return cls(base, dict(zip(others, map(float, weights), strict=True)))

    def answer(self, answers: Mapping[str, Floats]) -> Floats:
        """Return ``(rows,)`` answers of the stack.

        >>> Stack("mean", {"a": 0.5}).answer({"mean": np.array([1.0]), "a": np.array([3.0])})
        array([2.])
        """
        base = np.asarray(answers[self.base], float)
        return base + sum((w * (answers[key] - base) for key, w in self.weights.items()), np.zeros_like(base))


@dataclass(frozen=True)
class Nested:
    """Answers to every example by models and by a stack that have not seen its fold.

    Attributes:
        rows: the examples, all that were used.
        answers: by model ``(rows,)`` on the learning scale; `NETWORK`, `STACK` and `WITHOUT`, the stack that has no
            network, among them.
        weights: of the stack, fold by fold.
        final: the stack that is shipped.
    """

    rows: Rows
    answers: dict[str, Floats]
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
    rows = np.flatnonzero(folds.of >= 0)
    full = {key: np.full(len(truth), np.nan) for key in [*keys, STACK, WITHOUT]}
    weights = []
    for outer in range(folds.number):
        mine = folds.rows(outer)
        held = {key: fits.answers[(outer,)][key][mine] for key in keys}
        pairs = [unit for unit in folds.paired if outer in unit]
        held[NETWORK] = np.mean([fits.answers[unit][NETWORK][mine] for unit in pairs], axis=0)
        judged = {unit: _other(unit, outer) for unit in pairs}
        stack = _stack(fits, truth, judged, stacked, task.base)
        simple = _stack(fits, truth, judged, [key for key in stacked if key != NETWORK], task.base)
        weights.append(stack.weights)
        for key, values in (held | {STACK: stack.answer(held), WITHOUT: simple.answer(held)}).items():
            full[key][mine] = values
    final = _stack(fits, truth, {unit: unit[0] for unit in folds.single}, stacked, task.base)
    return Nested(rows, {key: values[rows] for key, values in full.items()}, weights, final)


def _other(unit: Unit, fold: int) -> int:
    return unit[0] if unit[1] == fold else unit[1]


def _stack(fits: Fits, truth: Floats, judged: dict[Unit, int], keys: list[str], base: str) -> Stack:
    """Fit a stack to the answers of some fits, each on the one fold that is named with it."""
    parts = [(unit, fits.folds.rows(fold)) for unit, fold in judged.items()]
    answers = {key: np.concatenate([fits.answers[unit][key][rows] for unit, rows in parts]) for key in keys}
    return Stack.fit(answers, np.concatenate([truth[rows] for _, rows in parts]), base)
