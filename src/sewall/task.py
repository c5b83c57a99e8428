"""The contract between a job and the spine: read this file first.

A job (recombination, sweep, trait, sequence) is one class that implements `Task`. Everything else, from training to the
report, knows only what stands here. Data flow one way: a source is read into `Examples`; rows of them become tensors
for the networks and named statistics for the simple models and the support check; predictions come back as a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from sewall.nets.network import Network

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
        name: column name of the target, for instance ``rho_over_theta``.
        unit: unit of the target in words.
        transform: scale on which models learn: ``identity``, ``sqrt`` or ``log``.
        lower, upper: range of the target in training; an answer at its edge is no answer.
        classes: names of the classes, where the target is one; examples then hold its number, and the learning scale
            is that of ``(examples, classes)`` log probabilities.
    """

    name: str
    unit: str
    transform: str
    lower: float
    upper: float
    classes: tuple[str, ...] = ()

    def forward(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map target values to the scale on which models learn.

        >>> Target("r", "per bp", "sqrt", 0, 9).forward(np.array([4.0]))
        array([2.])
        """
        if self.transform == "sqrt":
            return np.sqrt(np.maximum(values, 0.0))
        return np.log(values) if self.transform == "log" else np.asarray(values, float)

    def backward(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values on the learning scale back to the target's unit (the inverse of `forward`), or to probabilities.

        >>> Target("flower", "", "identity", 0, 1, ("blue", "red")).backward(np.log([[0.25, 0.75]]))
        array([[0.25, 0.75]])
        """
        if self.classes:
            return np.asarray(softmax(values, axis=1))
        if self.transform == "sqrt":
            return np.maximum(values, 0.0) ** 2
        return np.exp(values) if self.transform == "log" else np.asarray(values, float)

    def corrected(self, base: NDArray[np.float64], correction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add a correction to answers on the learning scale; probabilities sum to one again.

        >>> Target("flower", "", "identity", 0, 1, ("blue", "red")).corrected(np.log([[0.5, 0.5]]), np.log([[3.0, 1]]))
        array([[-0.28768207, -1.38629436]])
        """
        return np.asarray(log_softmax(base + correction, axis=1)) if self.classes else base + correction


class Source(Protocol):
    """Lazy access to the data behind the rows of `Examples`."""

    def __len__(self) -> int: ...

    def load(self, rows: Rows) -> list[Any]:
        """Return the items of *rows*, in their order."""
        ...


@dataclass(frozen=True)
class Examples:
    """What flows through the spine: keys, the target where it is known, groups, and lazy access to the data.

    Attributes:
        keys: one row per example: ``chrom start end``, ``sample_id`` or ``sequence_id``.
        source: gives the data of any rows.
        target: ``(examples,)`` in the target's unit, the number of the class, or None for data to be predicted;
            ``(examples, traits)``, NaN where not measured, for a network that learns several at once.
        groups: ``(examples,)`` what must not straddle a split, or None where every example is its own group.
        sizes: ``(examples,)`` how much each holds, where that differs so much that networks read alike ones together;
            what is padded to one size is then padded little.
    """

    keys: pd.DataFrame
    source: Source
    target: NDArray[np.float64] | None = None
    groups: NDArray[Any] | None = None
    sizes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def labelled(self, target: NDArray[np.float64]) -> Examples:
        """Return the same examples with the target known."""
        return replace(self, target=target)


def over_all(values: NDArray[np.float64], rows: Rows, length: int) -> NDArray[np.float64]:
    """Return values of some *rows* as values of all examples, NaN elsewhere.

    >>> over_all(np.array([5.0]), np.array([1]), 3)
    array([nan,  5., nan])
    """
    full = np.full((length, *values.shape[1:]), np.nan)
    full[rows] = values
    return full


class SimpleModel(Protocol):
    """A model that a network must beat to be worth its cost. Predicts on the target's learning scale.

    Answers are ``(rows,)`` numbers, or ``(rows, classes)`` log probabilities.
    """

    @property
    def key(self) -> str:
        """Short name, the same in every run."""
        ...

    @property
    def name(self) -> str:
        """Name in front of people."""
        ...

    def fit(self, examples: Examples, rows: Rows) -> SimpleModel:
        """Fit to labelled *rows*, all of them usable, and to nothing else."""
        ...

    def predict(self, examples: Examples, rows: Rows) -> NDArray[np.float64]:
        """Return the answers to *rows* on the learning scale."""
        ...

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Plain arrays and numbers from which `with_state` makes the same model."""
        ...

    def with_state(self, state: Mapping[str, Any]) -> SimpleModel:
        """Return the fitted model whose `state` was *state*; called on an untrained one of the same kind."""
        ...


class Task(Protocol):
    """One question asked of DNA variation.

    A task in classes may also have ``abstains`` (sets can be empty) and ``metric`` (by which models are ranked). One
    whose examples overlap has ``apart(examples, rows)``: ``(rows,)`` those that do not.
    """

    name: str
    target: Target
    labels: Mapping[str, str]  # what each statistic is called in front of people

    def usable(self, examples: Examples) -> NDArray[np.bool_]:
        """Return ``(examples,)``: which hold enough data for an answer."""
        ...

    def tensors(self, examples: Examples, rows: Rows) -> dict[str, Tensor]:
        """Encode one batch for the network."""
        ...

    def network(self, examples: Examples, rows: Rows) -> Network:
        """Return an untrained network for training on *rows*, from tensors to an answer on the learning scale."""
        ...

    def network_like(self, recipe: Mapping[str, Any]) -> Network:
        """Return an untrained network by what `Network.recipe` gave, to be filled with trained weights."""
        ...

    def statistics(self, examples: Examples, rows: Rows) -> pd.DataFrame:
        """Return named numbers that a geneticist knows, one row per example."""
        ...

    def simple_models(self, seed: int) -> list[SimpleModel]:
        """Return the untrained simple models, the simplest first."""
        ...
