"""The best weight matrices, and what sequences are made of: the rung of the ladder that a biologist can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from sewall.dna.matrices import Matrices, Scanned
from sewall.dna.matrix_search import MOST, find_matrices
from sewall.jobs.sequence.models import Reader, values_of
from sewall.jobs.sequence.source import strands_of
from sewall.odds import log_odds
from sewall.task import Examples, Rows, Target

Floats = NDArray[np.float64]

KEY = "matrices"
MOST_OF_CLASS = 2  # matrices of each class, where there are more than two
STRENGTH = 1.0  # inverse penalty: numbers are few
PENALTIES = tuple(np.logspace(-2, 4, 13).tolist())  # of ridge regression
_MADE_OF = Reader("composition", "", scaled=True)


@dataclass(frozen=True)
class MatrixModel:
    """Regression on composition and on the best site of each of a few weight matrices, found in the training rows.

    Matrices are searched for what composition does not tell; where there are none, composition alone answers. Of two
    classes or a quantity there are up to five, of more classes up to two for each against the others.

    Attributes:
        target: gives the learning scale.
        strands: 2 where a sequence and its reverse complement are one.
        matrices: what was found.
        centre, scale: ``(columns,)`` of what is read.
        effects: ``(1 + columns, classes)`` on the log odds, or ``(1 + columns, 1)``; the intercepts first, then those
            of composition, of the log odds of each matrix, and of how far they reach its threshold.
    """

    target: Target
    strands: int = 2
    matrices: Matrices = field(default_factory=Matrices.none)
    centre: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.ones(0))
    effects: Floats = field(default_factory=lambda: np.zeros((1, 1)))

    key = KEY
    name = f"composition and weight matrices, up to {MOST}"

    def fit(self, examples: Examples, rows: Rows) -> MatrixModel:
        """Find matrices in labelled *rows*, and fit to all of them."""
        assert examples.target is not None
        made_of, groups = _scaled(self._made_of(examples, rows))[0], rows
        if examples.groups is not None:
            groups = np.unique(np.asarray(examples.groups)[rows], return_inverse=True)[1]
        values, most = values_of(self.target, examples, rows), MOST if len(self.target.classes) <= 2 else MOST_OF_CLASS
        sequences = strands_of(examples).sequences.take(rows)
        found = replace(self, matrices=find_matrices(sequences, values, made_of, groups, self.strands, most))
        numbers, centre, scale = _scaled(found._numbers(examples, rows))
        if self.target.classes:
            labels = examples.target[rows].astype(np.int64)
            effects = log_odds(numbers, labels, len(self.target.classes), STRENGTH)
        else:
            effects = _line(numbers, values[:, 0])
        return replace(found, centre=centre, scale=scale, effects=effects)

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)``, or ``(rows, classes)`` log probabilities."""
        numbers = (self._numbers(examples, rows) - self.centre) / self.scale
        answers = self.effects[0] + numbers @ self.effects[1:]
        return np.asarray(log_softmax(answers, axis=1) if self.target.classes else answers[:, 0])

    def _made_of(self, examples: Examples, rows: Rows) -> Floats:
        found = strands_of(examples).features(f"{_MADE_OF.key}/{_MADE_OF.strands}", _MADE_OF.read)
        return np.asarray(found[rows].toarray())

    def _numbers(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows, columns)``: composition, and what is read off the matrices."""
        scanned = Scanned.of(strands_of(examples).sequences.take(rows))
        return np.hstack([self._made_of(examples, rows), self.matrices.read(scanned, self.strands)])

    @property
    def parameters(self) -> int:
        """Number of fitted parameters: those of the regression, of the places that tell something, and thresholds."""
        places = int(self.matrices.log_odds.any(axis=2).sum())
        return len(self.effects) * max(len(self.target.classes) - 1, 1) + 3 * places + len(self.matrices)

    def state(self) -> Mapping[str, Any]:
        """Return the fitted numbers."""
        found = {own.name: getattr(self.matrices, own.name) for own in fields(Matrices)}
        return found | {"centre": self.centre, "scale": self.scale, "effects": self.effects}

    def with_state(self, state: Mapping[str, Any]) -> MatrixModel:
        """Return the fitted model whose `state` was *state*."""
        matrices = Matrices(*(np.asarray(state[own.name]) for own in fields(Matrices)))
        centre, scale, effects = (np.asarray(state[name]) for name in ("centre", "scale", "effects"))
        return replace(self, matrices=matrices, centre=centre, scale=scale, effects=effects)


def _scaled(numbers: Floats) -> tuple[Floats, Floats, Floats]:
    """Return numbers of mean 0 and standard deviation 1, what was taken off, and by what they were divided."""
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(spread > 1e-9, spread, np.inf)
    return (numbers - centre) / scale, centre, scale


def _line(numbers: Floats, values: Floats) -> Floats:
    """Return the effects of ridge regression, its penalty by leave-one-out."""
    from sklearn.linear_model import RidgeCV

    found = RidgeCV(PENALTIES).fit(numbers, values)
    return np.r_[found.intercept_, found.coef_][:, None]
