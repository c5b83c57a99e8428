"""From the raw answers of an ensemble to calibrated ones: one small class for quantities, one for classes.

Raw answers are on the learning scale: ``(rows, levels)`` quantiles, or ``(rows, classes)`` log probabilities. A bundle
keeps those to its calibration part and to its test part, with the truth, so that any level can be calibrated from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

from sewall.bundle import Arrays, Bundle
from sewall.claims import MOST_SHOWN, class_columns, held_by_intervals, held_by_sets, reliable
from sewall.errors import SewallError
from sewall.task import Target, Task
from sewall.trust import diagnose
from sewall.trust.calibrate import ConformalIntervals
from sewall.trust.classes import Temperature, stated_shares, with_priors
from sewall.trust.held_out import Sets

Floats = NDArray[np.float64]
Priors = Mapping[str, float]

FIFTHS = 5
FIFTH_NAMES = ("lowest fifth of predictions", "second fifth", "middle fifth", "fourth fifth", "highest fifth")
TIES = 0  # seed by which conformal sets are randomised, in calibration and for every answer


class Calibrator(ABC):
    """Makes calibrated answers of raw ones, and says how well they hold.

    Args:
        bundle: with raw answers to examples that it did not know.
        task: its job.
        priors: shares of the classes by name, where they are not those of training.
    """

    def __init__(self, bundle: Bundle, task: Task, priors: Priors | None = None) -> None:
        self.task, self.target = task, task.target
        self.answer, self.truth = bundle.calibration["answer"], bundle.calibration["truth"]

    @property
    @abstractmethod
    def metric(self) -> str:
        """By which models are ranked."""

    @staticmethod
    @abstractmethod
    def together(members: Sequence[Floats]) -> Floats:
        """Return the raw answer of an ensemble from those of its networks."""

    @staticmethod
    @abstractmethod
    def position(answer: Floats) -> Floats:
        """Return ``(rows,)`` by what the support check compares like with like."""

    @staticmethod
    def remembered(target: Target, truth: Floats) -> Arrays:
        """Return what else a bundle must know of its ``(rows,)`` training truths."""
        return {}

    @abstractmethod
    def estimate(self, answer: Floats) -> Floats:
        """Return ``(rows,)`` values in the target's unit, or ``(rows, classes)`` probabilities, for raw answers."""

    @abstractmethod
    def simple(self, answer: Floats) -> Floats:
        """Return the same for answers of a simple model on the learning scale."""

    @abstractmethod
    def claimed(self, answer: Floats, keys: pd.DataFrame, level: float) -> NDArray[Any]:
        """Return ``(rows, 2)`` ends of intervals, or ``(rows, classes)`` members of sets."""

    @staticmethod
    @abstractmethod
    def columns(target: Target, estimate: Floats, claimed: NDArray[Any], simple: Floats) -> dict[str, Any]:
        """Return the columns of a table of predictions."""

    @abstractmethod
    def calibration(self, answer: Floats, truth: Floats, level: float, seed: int) -> dict[str, Any]:
        """Return how often claims hold, from raw answers and ``(rows,)`` truths on the learning scale."""

    @abstractmethod
    def beside(self, estimate: Floats, truth: Floats) -> dict[str, Any]:
        """Return what ``evaluation.json`` holds of this kind of target alone; truth in the target's unit."""


class QuantityCalibrator(Calibrator):
    """Conformalised quantile intervals, by fifth of the predictions."""

    def __init__(self, bundle: Bundle, task: Task, priors: Priors | None = None) -> None:
        super().__init__(bundle, task)
        if priors:
            raise SewallError(f"{task.target.name} is a quantity and has no classes; leave the priors out")
        self.levels = np.array(bundle.networks[0].levels)
        self.edges = np.quantile(self._middle(self.answer), np.linspace(0, 1, FIFTHS + 1)[1:-1])

    @property
    def metric(self) -> str:
        """The share of the variance that is explained."""
        return "r2"

    @staticmethod
    def together(members: Sequence[Floats]) -> Floats:
        """Return the mean of each quantile."""
        return np.asarray(np.mean(members, axis=0))

    @staticmethod
    def position(answer: Floats) -> Floats:
        """Return the mean of the quantiles."""
        return np.asarray(answer.mean(axis=1))

    def estimate(self, answer: Floats) -> Floats:
        """Return the mean of the predictive distribution."""
        return np.asarray(self.simple(answer).mean(axis=1))

    def simple(self, answer: Floats) -> Floats:
        """Return values inside the range of training."""
        return np.clip(self.target.backward(answer), self.target.lower, self.target.upper)

    def claimed(self, answer: Floats, keys: pd.DataFrame, level: float) -> Floats:
        """Return both ends in the target's unit, inside its trained range."""
        known = self._raw(self.answer, level)
        conformal = ConformalIntervals.fit(*known, self.truth, level, self.fifth(self.answer))
        ends = conformal.apply(*self._raw(answer, level), self.fifth(answer))
        return np.column_stack([self.simple(end) for end in ends])

    def fifth(self, answer: Floats) -> NDArray[np.int64]:
        """Return ``(rows,)`` which fifth of the calibration predictions each row falls in, from 0."""
        return np.searchsorted(self.edges, self._middle(answer)).astype(np.int64)

    @staticmethod
    def columns(target: Target, estimate: Floats, claimed: NDArray[Any], simple: Floats) -> dict[str, Any]:
        """Return ``estimate lower upper simple``."""
        values = {"estimate": estimate, "lower": claimed[:, 0], "upper": claimed[:, 1], "simple": simple}
        return {name: np.asarray(column, float) for name, column in values.items()}

    def calibration(self, answer: Floats, truth: Floats, level: float, seed: int) -> dict[str, Any]:
        """Return coverage, width and interval score, overall and by fifth of the predictions."""

        def ends(at: float) -> tuple[Floats, Floats]:
            lower, upper = self.claimed(answer, pd.DataFrame(), at).T
            return lower, upper

        fifth = self.fifth(answer)
        groups = {FIFTH_NAMES[k]: rows for k in range(FIFTHS) if (rows := fifth == k).any()}
        transforms = diagnose.pit_from_quantiles(answer, self.levels, truth, seed)
        held = held_by_intervals(ends, self.target.backward(truth), groups, level)
        return held | {"pit": diagnose.uniformity(transforms).counts}

    def beside(self, estimate: Floats, truth: Floats) -> dict[str, Any]:
        """Return some truths with their estimates."""
        shown = np.linspace(0, len(truth) - 1, min(len(truth), MOST_SHOWN)).astype(int)
        return {"scatter": np.column_stack([truth, estimate])[shown].tolist()}

    def _middle(self, answer: Floats) -> Floats:
        return np.array([np.interp(0.5, self.levels, row) for row in answer])

    def _raw(self, answer: Floats, level: float) -> tuple[Floats, Floats]:
        ends = (1 - level) / 2, (1 + level) / 2
        lower, upper = (np.array([np.interp(end, self.levels, row) for row in answer]) for end in ends)
        return lower, upper


class ClassCalibrator(Calibrator):
    """Probabilities by temperature scaling, at the shares of training or at stated ones, and conformal sets.

    Sets are calibrated class by class on the probabilities *before* priors: how many of a class they miss does not
    depend on how common the class is, so they hold at any shares (label shift), in every class that has 100 calibration
    examples. With priors the called class may be one that its set does not hold.

    A task may say by ``abstains`` that sets can be empty, and by ``metric`` how models are ranked (else by AUROC of two
    classes, by accuracy of more).
    """

    def __init__(self, bundle: Bundle, task: Task, priors: Priors | None = None) -> None:
        super().__init__(bundle, task)
        # Sets are calibrated on the examples that the temperature was fitted to: it is one number learnt from hundreds
        # of them, keeps the order of an example's classes, and moves coverage by far less than its own chance. What
        # coverage is in truth, the test part tells.
        self.temperature = Temperature.fit(self.answer, self.truth.astype(np.int64))
        self.shares = bundle.calibration["shares"]
        self.stated = self.shares if priors is None else stated_shares(priors, self.target.classes)

    @property
    def metric(self) -> str:
        """The task's own, else AUROC or accuracy."""
        return str(getattr(self.task, "metric", "auroc" if len(self.target.classes) == 2 else "accuracy"))

    @staticmethod
    def together(members: Sequence[Floats]) -> Floats:
        """Return the log of the mean probability."""
        logs = [log_softmax(np.asarray(scores, float), axis=1) for scores in members]
        return np.asarray(logsumexp(logs, axis=0) - np.log(len(members)))

    @staticmethod
    def position(answer: Floats) -> Floats:
        """Return the number of the called class."""
        return answer.argmax(axis=1).astype(float)

    @staticmethod
    def remembered(target: Target, truth: Floats) -> Arrays:
        """Return the ``shares`` of the classes.

        Raises:
            SewallError: a class without an example.
        """
        counts = np.bincount(truth.astype(np.int64), minlength=len(target.classes))
        if absent := [name for name, count in zip(target.classes, counts, strict=True) if count == 0]:
            raise SewallError(
                f"none of the {len(truth):,} training examples is {' or '.join(absent)}; make more examples"
            )
        return {"shares": counts / counts.sum()}

    def estimate(self, answer: Floats) -> Floats:
        """Return calibrated probabilities at the stated shares."""
        return self.simple(self.temperature.logs(answer))

    def simple(self, answer: Floats) -> Floats:
        """Return probabilities at the stated shares; those of simple models are taken as they are."""
        return self.target.backward(with_priors(answer, self.shares, self.stated))

    def claimed(self, answer: Floats, keys: pd.DataFrame, level: float) -> NDArray[np.bool_]:
        """Return which classes each set holds; chance hangs on an example's keys, so company does not matter."""
        known = {"answer": self.temperature.logs(self.answer), "truth": self.truth}
        names = [" ".join(map(str, row)) for row in keys.itertuples(index=False)]
        sets = Sets.fit(known, level, TIES, getattr(self.task, "abstains", False))
        return sets.around(self.temperature.logs(answer), names)

    @staticmethod
    def columns(target: Target, estimate: Floats, claimed: NDArray[Any], simple: Floats) -> dict[str, Any]:
        """Return ``label``, the probabilities, ``set`` and ``simple``."""
        return class_columns(target.classes, estimate, claimed, {"simple": simple})

    def calibration(self, answer: Floats, truth: Floats, level: float, seed: int) -> dict[str, Any]:
        """Return coverage and size of the sets, overall, by true class and by level."""
        numbered = pd.DataFrame({"row": range(len(answer))})
        labels = truth.astype(np.int64)
        return held_by_sets(lambda at: self.claimed(answer, numbered, at), labels, self.target.classes, level)

    def beside(self, estimate: Floats, truth: Floats) -> dict[str, Any]:
        """Return whether probabilities hold, and how many of each class (rows) were called what (columns)."""
        from sklearn.metrics import confusion_matrix

        labels, numbers = truth.astype(np.int64), range(len(self.target.classes))
        counts = confusion_matrix(labels, estimate.argmax(axis=1), labels=numbers)
        return {**reliable(estimate, labels), "confusion": counts.tolist()}


def kind_of(target: Target) -> type[Calibrator]:
    """Return what calibrates answers to a target."""
    return ClassCalibrator if target.classes else QuantityCalibrator
