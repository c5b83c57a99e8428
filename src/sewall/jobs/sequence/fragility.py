"""How steady answers are: what small changes that should not matter do to them.

A call that one of them turns is fragile, and so is an estimate that one of them moves by more than half the width of
its interval. Case and, where strands are one, the strand must change nothing at all; that is looked at beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from sewall import crossrun
from sewall.bundle import Bundle
from sewall.data.sequences import Floats, Sequences, joined
from sewall.dna.small_changes import CHANGES, LOWER_CASE, OTHER_STRAND, Change
from sewall.jobs.sequence.source import examples_of
from sewall.jobs.sequence.task import SequenceTask
from sewall.run import Predictions
from sewall.stacking import STACK
from sewall.task import Rows, Target
from sewall.trust.diagnose import share

MOST = 2_000  # sequences that are asked unless all are wanted
OF_A_TEST = 300
CHECKED = 100  # sequences whose case and strand are changed, too
AT_ONCE = 4_000  # changed sequences
SAME = 1e-5  # of log odds, or of an estimate: what the rounding of numbers may change
YES, NO, NOT_ASKED = "yes", "no", ""
COLUMN = "fragile"


@dataclass(frozen=True)
class Fragility:
    """What small changes did.

    Attributes:
        rows: the sequences that were asked about, and could be answered.
        fragile: ``(rows,)`` whether a small change turns the call, or moves the estimate by more than half the width of
            its interval.
        changes: by kind of change ``key``, ``name``, ``n``; ``median`` and ``high`` (95th percentile) of the change of
            the log odds of the called class, or of the estimate in half widths of its interval; ``flipped``, the share
            that is turned or moved so far, with its 95 % interval.
        exact: of changes that must do nothing: ``key``, ``name``, ``n`` and ``most``, the largest change in the same
            units.
    """

    rows: Rows
    fragile: NDArray[np.bool_]
    changes: list[dict[str, Any]]
    exact: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``evaluation.json`` holds of it."""
        return {
            "n": len(self.rows), "fragile": share(self.fragile).to_dict() if len(self.rows) else {},
            "changes": self.changes, "exact": self.exact, "same": SAME,
        }  # fmt: skip

    def column(self, number: int) -> NDArray[np.object_]:
        """Return ``(number,)`` yes or no, and an empty text where nothing was asked."""
        found = np.full(number, NOT_ASKED, object)
        found[self.rows] = np.where(self.fragile, YES, NO)
        return found


def fragility(
    task: SequenceTask, bundle: Bundle, sequences: Sequences, predicted: Predictions, rows: Rows, seed: int
) -> Fragility:
    """Ask a bundle again about sequences that were changed a little.

    Args:
        task, bundle: that predicted.
        sequences: all of them.
        predicted: their predictions, from `crossrun.predict`.
        rows: sequences to ask about; those without an answer are left out.
        seed: of the changes.
    """
    answers = predicted.answers[STACK]
    known = np.isfinite(answers if answers.ndim == 1 else answers.sum(axis=1))
    scale = _Calls(answers) if task.target.classes else _Estimates(task.target, answers, predicted)
    rows = np.asarray(rows, np.intp)[known[rows]]
    if not len(rows):
        return Fragility(rows, np.zeros(0, bool), [], [])
    free = [change for change in CHANGES if not (change.moves and task.form.anchored)]
    must = [LOWER_CASE, *([OTHER_STRAND] if task.form.strands == 2 else [])]
    asked = [(change, rows) for change in free] + [(change, rows[:CHECKED]) for change in must]
    forms = [change.of(sequences, some, seed) for change, some in asked]
    told = np.split(_answers(task, bundle, forms), np.cumsum([len(form) for form in forms])[:-1])
    changes, exact, fragile = [], [], np.zeros(len(rows), bool)
    for (change, some), own in zip(asked, told, strict=True):
        moved = scale.moved(own, some)
        if change in must:
            exact.append(_said(change, some) | {"most": float(moved.max(initial=0))})
            continue
        turned = scale.turned(own, some)
        fragile |= turned
        changes.append(_said(change, some) | _spread(moved, turned))
    return Fragility(rows, fragile, changes, exact)


def drawn(number: int, seed: int, most: int = OF_A_TEST) -> Rows:
    """Return some of so many rows, drawn evenly, in order; all where there are no more than *most*."""
    return np.sort(np.random.default_rng(seed).permutation(number)[:most])


def _said(change: Change, rows: Rows) -> dict[str, Any]:
    return {"key": change.key, "name": change.name, "n": len(rows)}


def _spread(moved: Floats, turned: NDArray[np.bool_]) -> dict[str, Any]:
    median, high = np.quantile(moved, [0.5, 0.95])
    return {"median": float(median), "high": float(high), "flipped": share(turned).to_dict()}


def _answers(task: SequenceTask, bundle: Bundle, forms: Sequence[Sequences]) -> Floats:
    """Return the answers of the stack on the learning scale, to all forms one after the other."""
    lean, every, told = _weighty(bundle, task.base), joined(forms), list[Floats]()
    for first in range(0, len(every), AT_ONCE):
        part = every.take(np.arange(first, min(first + AT_ONCE, len(every))))
        told.append(crossrun.answers(lean, task, examples_of(part), np.arange(len(part)))[STACK])
    return np.concatenate(told)


def _weighty(bundle: Bundle, base: str) -> Bundle:
    """Return the bundle without the simple models to which its stack gives no weight."""
    weights = {key: weight for key, weight in bundle.about["stack"]["weights"].items() if weight}
    models = [model for model in bundle.simple_models if model.key == base or model.key in weights]
    about = bundle.about | {"stack": bundle.about["stack"] | {"weights": weights}}
    return replace(bundle, about=about, simple_models=models)


class _Calls:
    """Changes of classes, from ``(sequences, classes)`` probabilities."""

    def __init__(self, probabilities: Floats) -> None:
        self.called = probabilities.argmax(axis=1)
        self.odds = _log_odds(np.log(np.maximum(probabilities, 1e-300)), self.called)

    def moved(self, scores: Floats, rows: Rows) -> Floats:
        """Return ``(rows,)`` changes of the log odds of the called class, for new ``(rows, classes)`` scores."""
        return np.abs(_log_odds(scores, self.called[rows]) - self.odds[rows])

    def turned(self, scores: Floats, rows: Rows) -> NDArray[np.bool_]:
        """Return ``(rows,)`` whether another class is called."""
        return np.asarray(scores.argmax(axis=1) != self.called[rows])


def _log_odds(scores: Floats, called: NDArray[np.intp]) -> Floats:
    """Return ``(rows,)`` log odds of one class each, from log probabilities."""
    own = np.arange(scores.shape[1]) == called[:, None]
    return np.asarray(scores[own] - logsumexp(np.where(own, -np.inf, scores), axis=1))


class _Estimates:
    """Changes of a quantity, in half widths of its intervals."""

    def __init__(self, target: Target, estimates: Floats, predicted: Predictions) -> None:
        lower, upper = (predicted.table[end].to_numpy(float) for end in ("lower", "upper"))
        self.target, self.estimates, self.half = target, estimates, np.maximum((upper - lower) / 2, 1e-300)

    def moved(self, values: Floats, rows: Rows) -> Floats:
        """Return ``(rows,)`` changes, for new ``(rows,)`` answers on the learning scale."""
        return np.abs(self.target.backward(values) - self.estimates[rows]) / self.half[rows]

    def turned(self, values: Floats, rows: Rows) -> NDArray[np.bool_]:
        """Return ``(rows,)`` whether the estimate moves by more than half the width of its interval."""
        return self.moved(values, rows) > 1
