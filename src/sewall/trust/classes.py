"""Calibrated class probabilities, at the shares of training or at stated ones, and sets that hold the true label."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from sewall.errors import SewallError
from sewall.trust.calibrate import Floats, conformal_quantile

Labels = NDArray[np.int64]

FEWEST_IN_CLASS = 100
SUM_TO_ONE = 1e-6  # how far off the sum of stated shares may be


@dataclass(frozen=True)
class Temperature:
    """Temperature scaling: softmax(z / T), one T for all classes (Guo et al. 2017, ICML 34).

    Give 1,000 calibration examples or more.
    """

    temperature: float

    @classmethod
    def fit(cls, scores: Floats, labels: Labels) -> Temperature:
        """Choose T by likelihood.

        Args:
            scores: ``(examples, classes)`` before the softmax.
            labels: ``(examples,)`` index of the true class.

        Raises:
            SewallError: scores that are not finite.
        """
        if not np.isfinite(scores).all():
            raise SewallError("class scores must be finite; leave out the examples without an answer")
        rows = np.arange(len(labels))

        def loss(log_temperature: float) -> float:
            return -float(log_softmax(scores / math.exp(log_temperature), axis=1)[rows, labels].mean())

        best = minimize_scalar(loss, bounds=(math.log(0.02), math.log(50.0)), method="bounded")
        return cls(math.exp(best.x))

    def apply(self, scores: Floats) -> Floats:
        """Return ``(examples, classes)`` probabilities.

        >>> Temperature(2.0).apply(np.array([[0.0, 0.0]]))
        array([[0.5, 0.5]])
        """
        return np.asarray(softmax(np.asarray(scores) / self.temperature, axis=1))

    def logs(self, scores: Floats) -> Floats:
        """Return the same as log probabilities, finite however sure they are."""
        return np.asarray(log_softmax(np.asarray(scores) / self.temperature, axis=1))

    def state(self) -> dict[str, Any]:
        """Return the number from which `from_state` makes the same scaling."""
        return {"temperature": self.temperature}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Temperature:
        """Return the scaling whose `state` was *state*."""
        return cls(float(state["temperature"]))


@dataclass(frozen=True)
class ConformalSets:
    """Adaptive prediction sets, randomised (Romano, Sesia and Candès 2020, NeurIPS 33).

    Classes are added by falling probability until the calibrated mass is reached. The called class is always in the
    set; where it is right more often than the level asks, so is the set.

    Attributes:
        level: share of the true labels that the sets shall hold.
        mass: calibrated mass; where they were calibrated class by class, that of each class.
    """

    level: float
    mass: float | tuple[float, ...]

    @classmethod
    def fit(cls, probabilities: Floats, labels: Labels, level: float, seed: int) -> ConformalSets:
        """Fit to ``(examples, classes)`` *probabilities* and ``(examples,)`` true *labels*.

        Raises:
            SewallError: too few examples for the level, or probabilities that are not finite.
        """
        mass = _mass_before(probabilities, seed)[np.arange(len(labels)), labels]
        return cls(level, conformal_quantile(mass, level))

    @classmethod
    def fit_by_class(cls, probabilities: Floats, labels: Labels, level: float, seed: int) -> ConformalSets:
        """Fit so that the level holds within every class (Vovk 2012, PMLR 25:475); arguments as for `fit`.

        A class with fewer than 100 examples takes the mass of all together.
        """
        mass = _mass_before(probabilities, seed)[np.arange(len(labels)), labels]
        classes = range(probabilities.shape[1])
        own = [mass[labels == k] if (labels == k).sum() >= FEWEST_IN_CLASS else mass for k in classes]
        return cls(level, tuple(conformal_quantile(part, level) for part in own))

    def apply(self, probabilities: Floats, seed: int, names: Sequence[str] | None = None) -> NDArray[np.bool_]:
        """Return ``(examples, classes)`` whether each class is in the example's set.

        With *names*, an example's chance hangs on its own name, so that its set is the same in any company.
        """
        members = np.asarray(_mass_before(probabilities, seed, names) <= np.asarray(self.mass))
        members[np.arange(len(members)), np.argmax(probabilities, axis=1)] = True
        return members

    def state(self) -> dict[str, Any]:
        """Return the numbers from which `from_state` makes the same sets."""
        return {"level": self.level, "mass": self.mass}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ConformalSets:
        """Return the sets whose `state` was *state*."""
        mass = state["mass"]
        return cls(float(state["level"]), tuple(map(float, mass)) if np.ndim(mass) else float(mass))


@dataclass(frozen=True)
class LeastAmbiguousSets:
    """Prediction sets of the smallest size, class by class (Sadinle, Lei and Wasserman 2019, JASA 114:223).

    A class is in the set where its probability is not below that of the least probable true members that the level
    leaves. Where classes are told apart more often than the level asks, the doubtful examples get an empty set: they
    resemble no class.

    Attributes:
        level: share of the true labels that the sets shall hold, within every class.
        least: ``(classes,)`` smallest probability of a class that is in a set.
    """

    level: float
    least: tuple[float, ...]

    @classmethod
    def fit(cls, probabilities: Floats, labels: Labels, level: float) -> LeastAmbiguousSets:
        """Fit to ``(examples, classes)`` *probabilities* and ``(examples,)`` true *labels*.

        A class with fewer than 100 examples takes the threshold of all together.

        Raises:
            SewallError: too few examples for the level, or probabilities that are not finite.
        """
        lacking = 1 - probabilities[np.arange(len(labels)), labels]
        classes = range(probabilities.shape[1])
        own = [lacking[labels == k] if (labels == k).sum() >= FEWEST_IN_CLASS else lacking for k in classes]
        return cls(level, tuple(1 - conformal_quantile(part, level) for part in own))

    def apply(self, probabilities: Floats) -> NDArray[np.bool_]:
        """Return ``(examples, classes)`` whether each class is in the example's set.

        >>> LeastAmbiguousSets(0.9, (0.6, 0.7)).apply(np.array([[0.8, 0.2], [0.5, 0.5]])).tolist()
        [[True, False], [False, False]]
        """
        return np.asarray(probabilities >= np.asarray(self.least) - 1e-12)


def stated_shares(priors: Mapping[str, float], classes: Sequence[str]) -> Floats:
    """Return ``(classes,)`` how common each class is said to be.

    Raises:
        SewallError: a class that is unknown or left out, a share that is not above zero, or shares whose sum is not 1.

    >>> stated_shares({"sweep": 0.05, "neutral": 0.95}, ("neutral", "sweep"))
    array([0.95, 0.05])
    """
    known = ", ".join(classes)
    for name, share in priors.items():
        if name not in classes:
            raise SewallError(f"prior of {name!r}: there is no such class; the classes are {known}")
        if not share > 0:
            raise SewallError(f"prior {name}={share:g}: give a share above 0, 1e-6 for what hardly ever happens")
    if absent := [name for name in classes if name not in priors]:
        raise SewallError(f"no prior is given for {', '.join(absent)}; give one for each of {known}")
    shares = np.array([priors[name] for name in classes], float)
    if not abs(shares.sum() - 1) <= SUM_TO_ONE:
        raise SewallError(f"the priors sum to {shares.sum():.8g}; give shares of all that sum to 1")
    return shares


def with_priors(logs: Floats, shares: Floats, stated: Floats) -> Floats:
    """Return probabilities as they are where classes are as common as is stated, and not as in training.

    What data tell of a class does not depend on how common it is; so the odds are multiplied by how much more common
    each class is than it was in training (Saerens, Latinne and Decaestecker 2002, Neural Comput 14:21). Give calibrated
    probabilities.

    Args:
        logs: ``(examples, classes)`` log probabilities.
        shares: ``(classes,)`` of the training examples, above zero.
        stated: ``(classes,)`` see `stated_shares`.

    Returns:
        ``(examples, classes)`` log probabilities.

    >>> np.exp(with_priors(np.log([[0.2, 0.8]]), np.array([0.5, 0.5]), np.array([0.8, 0.2])))
    array([[0.5, 0.5]])
    """
    return np.asarray(log_softmax(logs + np.log(stated) - np.log(shares), axis=1))


def _mass_before(probabilities: Floats, seed: int, names: Sequence[str] | None = None) -> Floats:
    """Mass of the classes before each class and of a random share of its own, ``(examples, classes)``."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    falling = np.take_along_axis(probabilities, order, axis=1)
    if names is None:
        share = np.random.default_rng(seed).random((len(probabilities), 1))
    else:
        share = np.array([[random.Random(f"{seed} {name}").random()] for name in names])
    mass = np.empty_like(falling)
    np.put_along_axis(mass, order, np.cumsum(falling, axis=1) - (1 - share) * falling, axis=1)
    return mass
