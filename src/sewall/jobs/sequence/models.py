"""The simple models of this job, from knowing nothing to likeness in gapped k-mers: the ladder below the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from sewall.data.sequences import Sequences
from sewall.dna import counts
from sewall.dna.composition import composition
from sewall.dna.likeness import Kind, likeness
from sewall.dna.ridge import KernelRidge
from sewall.jobs.sequence.source import strands_of
from sewall.odds import log_odds, log_shares
from sewall.task import Examples, Rows, Target

Floats = NDArray[np.float64]

BASE = "prior"
LONGEST = 6  # letters of the longest k-mers that are counted
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # inverse penalties of logistic regression
ENOUGH = 2_000  # sequences on which a penalty is chosen
MOST = 8_000  # training sequences that a likeness is learnt from: its cost grows with the square
SHARPNESS = 1.0  # of likeness: exp(sharpness × (cosine - 1))


def values_of(target: Target, examples: Examples, rows: Rows) -> Floats:
    """Return what regressions learn: ``(rows, 1)`` quantities, or flags of the classes, of two only the second."""
    assert examples.target is not None
    known = examples.target[rows]
    if not target.classes:
        return np.asarray(target.forward(known)[:, None], float)
    first = 1 if len(target.classes) == 2 else 0
    return (known[:, None] == np.arange(first, len(target.classes))).astype(float)


@dataclass(frozen=True)
class Prior:
    """The mean of a quantity, or the shares of the classes: what is known without the sequence."""

    target: Target
    level: Floats = field(default_factory=lambda: np.zeros(1))

    key = BASE
    name = "prior: no sequence"

    def fit(self, examples: Examples, rows: Rows) -> Prior:
        """Fit to labelled *rows*."""
        assert examples.target is not None
        known = examples.target[rows]
        if self.target.classes:
            return replace(self, level=log_shares(known.astype(np.int64), len(self.target.classes)))
        return replace(self, level=np.array([self.target.forward(known).mean()]))

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return the same answer for all *rows*, on the learning scale."""
        return np.tile(self.level, (len(rows), 1)) if self.target.classes else np.full(len(rows), self.level[0])

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return max(len(self.level) - 1, 1)

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return {"level": self.level}

    def with_state(self, state: Mapping[str, Any]) -> Prior:
        """Return the fitted model whose `state` was *state*."""
        return replace(self, level=np.asarray(state["level"]))


@dataclass(frozen=True)
class Reader:
    """Numbers that are read off sequences, by name.

    Attributes:
        key, name: of the model that regresses on them.
        strands: 2 where both strands are one.
        scaled: whether columns are brought to one standard deviation.
    """

    key: str
    name: str
    strands: int = 2
    scaled: bool = False

    def read(self, sequences: Sequences) -> csr_matrix:
        """Return ``(sequences, columns)``."""
        if self.key == "composition":
            table = composition(sequences, np.arange(len(sequences))).drop(columns="lower")
            return csr_matrix(table.assign(length=np.log(table["length"])).to_numpy(float))
        if self.key == "positions":
            return csr_matrix(counts.placed(sequences))
        found = counts.all_counts(sequences, LONGEST, self.strands)
        found.data = np.log1p(found.data)
        return found


@dataclass(frozen=True)
class Regression:
    """Logistic regression of classes, or ridge regression of a quantity, on numbers read off sequences.

    Attributes:
        target: gives the learning scale.
        reader: what is read.
        centre, scale: ``(columns,)``, where columns are scaled.
        effects: ``(1 + columns, classes)`` on the log odds, or ``(1 + columns, 1)``; the intercepts first.
    """

    target: Target
    reader: Reader
    centre: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.ones(0))
    effects: Floats = field(default_factory=lambda: np.zeros((1, 1)))

    @property
    def key(self) -> str:
        """Short name, the same in every run."""
        return self.reader.key

    @property
    def name(self) -> str:
        """Name in front of people."""
        return self.reader.name

    def fit(self, examples: Examples, rows: Rows) -> Regression:
        """Fit to labelled *rows*; the penalty is chosen among them."""
        assert examples.target is not None
        numbers = self._numbers(examples)[rows]
        centre, scale = np.zeros(numbers.shape[1]), np.ones(numbers.shape[1])
        if self.reader.scaled:
            dense = numbers.toarray()
            centre, spread = dense.mean(axis=0), dense.std(axis=0)
            scale = np.where(spread > 1e-9, spread, np.inf)
            numbers = csr_matrix((dense - centre) / scale)
        if self.target.classes:
            labels = examples.target[rows].astype(np.int64)
            effects = _odds_of(numbers, labels, len(self.target.classes))
        else:
            effects = _line(numbers, values_of(self.target, examples, rows))
        return replace(self, centre=centre, scale=scale, effects=effects)

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)``, or ``(rows, classes)`` log probabilities."""
        numbers = self._numbers(examples)[rows]
        if self.reader.scaled:
            numbers = csr_matrix((numbers.toarray() - self.centre) / self.scale)
        found = self.effects[0] + numbers @ self.effects[1:]
        return np.asarray(log_softmax(found, axis=1) if self.target.classes else found[:, 0])

    def _numbers(self, examples: Examples) -> csr_matrix:
        found: csr_matrix = strands_of(examples).features(f"{self.key}/{self.reader.strands}", self.reader.read)
        return found

    @property
    def parameters(self) -> int:
        """Number of fitted parameters."""
        return len(self.effects) * max(len(self.target.classes) - 1, 1)

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        return {"centre": self.centre, "scale": self.scale, "effects": self.effects}

    def with_state(self, state: Mapping[str, Any]) -> Regression:
        """Return the fitted model whose `state` was *state*."""
        centre, scale, effects = (np.asarray(state[name]) for name in ("centre", "scale", "effects"))
        return replace(self, centre=centre, scale=scale, effects=effects)


def _odds_of(numbers: csr_matrix, labels: NDArray[np.int64], classes: int) -> Floats:
    """Return effects on the log odds, with the penalty whose answers to a part that is kept out are likeliest."""
    few = np.random.default_rng(len(labels)).permutation(len(labels))[:ENOUGH]
    held, own = few[: len(few) // 4], few[len(few) // 4 :]
    losses = []
    for strength in STRENGTHS:
        effects = log_odds(numbers[own], labels[own], classes, strength)
        scores = log_softmax(effects[0] + numbers[held] @ effects[1:], axis=1)
        losses.append(-float(scores[np.arange(len(held)), labels[held]].mean()))
    return log_odds(numbers, labels, classes, STRENGTHS[int(np.argmin(losses))])


def _line(numbers: csr_matrix, values: Floats) -> Floats:
    """Return the effects of ridge regression, found among sequences, of which there are fewer than columns."""
    few = np.sort(np.random.default_rng(len(values)).permutation(len(values))[:MOST])
    numbers, centre = numbers[few], np.asarray(numbers[few].mean(axis=0)).ravel()
    dense = numbers.toarray() - centre
    size = float(np.einsum("nf,nf->", dense, dense)) / len(dense)
    found = KernelRidge.fit((dense @ dense.T / size).astype(np.float32), values[few])
    effects = dense.T @ found.weights / size
    return np.vstack([found.centre - centre @ effects, effects])


@dataclass(frozen=True)
class Likeness:
    """Kernel ridge regression on the likeness of sequences; of classes its scores are turned into log odds.

    The scores behind the log odds are those of sequences left out with their kin: of others they would be too sure.

    Attributes:
        target: gives the learning scale.
        kind: of likeness.
        key, name: of the model.
        known: the training sequences.
        centre, weights: of the regression, see `KernelRidge`.
        effects: ``(1 + columns, classes)`` from scores to log odds.
        fitted: the examples and the rows that it was fitted to, while it is at hand.
    """

    target: Target
    kind: Kind
    key: str
    name: str
    known: Sequences | None = None
    centre: Floats = field(default_factory=lambda: np.zeros(1))
    weights: Floats = field(default_factory=lambda: np.zeros((0, 1)))
    effects: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    fitted: tuple[Any, Rows] | None = field(default=None, compare=False, repr=False)

    def fit(self, examples: Examples, rows: Rows) -> Likeness:
        """Fit to labelled *rows*, or to 8,000 of them."""
        assert examples.target is not None
        source = strands_of(examples)
        few = np.sort(np.random.default_rng(len(rows)).permutation(rows)[:MOST])
        groups = None if examples.groups is None else np.asarray(examples.groups)[few]
        kernel = _sharpened(source.likeness(self.kind, few, few))
        found = KernelRidge.fit(kernel, values_of(self.target, examples, few), groups)
        effects = np.zeros((1, 0))
        if self.target.classes:
            effects = log_odds(found.left_out, examples.target[few].astype(np.int64), len(self.target.classes))
        return replace(
            self, known=source.sequences.take(few), centre=found.centre, weights=found.weights, effects=effects,
            fitted=(source, few),
        )  # fmt: skip

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)``, or ``(rows, classes)`` log probabilities."""
        scores = self.centre + _sharpened(self._likeness(examples, rows)) @ self.weights
        if not self.target.classes:
            return np.asarray(scores[:, 0], float)
        return np.asarray(log_softmax(self.effects[0] + scores @ self.effects[1:], axis=1))

    def _likeness(self, examples: Examples, rows: Rows) -> NDArray[np.float32]:
        source = strands_of(examples)
        if self.fitted is not None and self.fitted[0] is source:
            return source.likeness(self.kind, rows, self.fitted[1])
        assert self.known is not None
        return likeness(self.kind, source.sequences.take(rows), self.known)

    @property
    def parameters(self) -> int:
        """Number of numbers that it holds: fitted ones, and the letters of the training sequences."""
        letters = 0 if self.known is None else len(self.known.codes)
        return int(self.weights.size + self.centre.size + self.effects.size) + letters

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers, and the training sequences without their names."""
        assert self.known is not None
        numbers = {"centre": self.centre, "weights": self.weights, "effects": self.effects}
        return numbers | {"codes": self.known.codes, "starts": self.known.starts}

    def with_state(self, state: Mapping[str, Any]) -> Likeness:
        """Return the fitted model whose `state` was *state*."""
        codes, starts = np.asarray(state["codes"], np.uint8), np.asarray(state["starts"], np.int64)
        number = len(starts) - 1
        known = Sequences(tuple(map(str, range(number))), codes, starts, np.zeros(number))
        centre, weights, effects = (np.asarray(state[name]) for name in ("centre", "weights", "effects"))
        return replace(self, known=known, centre=centre, weights=weights, effects=effects, fitted=None)


def _sharpened(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.exp(SHARPNESS * (cosines - 1)))
