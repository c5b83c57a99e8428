"""Gradient boosting on reading frames: a rung of the ladder where sequences are long, and their strand is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.dna.coding import coding_numbers, plain_numbers
from sewall.dna.codon_use import CodonUse
from sewall.dna.reading_frames import Transcripts
from sewall.jobs.sequence.source import strands_of
from sewall.simple import ClassBoosting, GradientBoosting
from sewall.task import Examples, Rows, Target

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PARTS = 3  # of the training transcripts: each is described by the codon use of the others


@dataclass(frozen=True)
class ReadingFrames:
    """Numbers of reading frames and the use of codons in them, by gradient boosting.

    How codons are used is learnt from contrasts: between two classes, between each of several and all others, or
    between the upper and the lower third of a quantity. The side with the longer frames is taken for the coding one.

    Attributes:
        target: gives the learning scale.
        seed: of the parts, and of the boosting.
        uses: one for each contrast.
        boosting: the fitted trees.
    """

    target: Target
    seed: int
    uses: tuple[CodonUse, ...] = ()
    boosting: ClassBoosting | GradientBoosting | None = None

    key = "coding"
    name = "reading frame and codon use"

    def fit(self, examples: Examples, rows: Rows) -> ReadingFrames:
        """Fit to labelled *rows*; codon use is learnt in other groups than those that the trees learn from."""
        assert examples.target is not None
        transcripts, known = _transcripts(examples, rows), examples.target[rows]
        contrasts = [_coding_first(transcripts, *sides) for sides in _contrasts(self.target, known)]
        part = self._parts(examples, rows)
        uses = [_learnt(transcripts, contrasts, part != k) for k in range(PARTS)]
        numbers = pd.concat([_numbers(transcripts, uses[k])[part == k] for k in range(PARTS)]).sort_index()
        boosting = self._untrained()
        if isinstance(boosting, ClassBoosting):
            boosting.fit(numbers, known.astype(np.int64))
        else:
            boosting.fit(numbers, self.target.forward(known))
        return replace(self, uses=_learnt(transcripts, contrasts, part >= 0), boosting=boosting)

    def _parts(self, examples: Examples, rows: Rows) -> NDArray[np.int64]:
        """Return ``(rows,)`` numbers of parts, whole groups together."""
        groups = rows if examples.groups is None else np.asarray(examples.groups)[rows]
        names, member = np.unique(groups, return_inverse=True)
        return np.asarray((np.random.default_rng(self.seed).permutation(len(names)) % PARTS)[member])

    def _untrained(self) -> ClassBoosting | GradientBoosting:
        classes = len(self.target.classes)
        return ClassBoosting(classes, self.seed) if classes else GradientBoosting(self.seed)

    def predict(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)``, or ``(rows, classes)`` log probabilities."""
        assert self.boosting is not None
        return self.boosting.predict(_numbers(_transcripts(examples, rows), self.uses))

    @property
    def parameters(self) -> int:
        """Number of splits, leaf values and log odds of codons."""
        trees = 0 if self.boosting is None else self.boosting.parameters
        return trees + sum(getattr(use, name).size for use in self.uses for name in use.names())

    def state(self) -> Mapping[str, Any]:
        """Return the trees, and the log odds of codons, ``(contrasts, ...)`` each."""
        assert self.boosting is not None
        learnt = {name: np.stack([getattr(use, name) for use in self.uses]) for name in CodonUse.names()}
        return {**self.boosting.state(), **learnt}

    def with_state(self, state: Mapping[str, Any]) -> ReadingFrames:
        """Return the fitted model whose `state` was *state*."""
        learnt = zip(*(np.asarray(state[name]) for name in CodonUse.names()), strict=True)
        uses = tuple(CodonUse(*values) for values in learnt)
        return replace(self, uses=uses, boosting=self._untrained().from_state(state))


def _transcripts(examples: Examples, rows: Rows) -> Transcripts:
    return Transcripts.of(strands_of(examples).sequences.take(rows))


def _contrasts(target: Target, known: Floats) -> list[tuple[Flags, Flags]]:
    """Return what is set against what."""
    if not target.classes:
        low, high = np.quantile(known, [1 / 3, 2 / 3])
        return [(known >= high, known <= low)]
    first = 1 if len(target.classes) == 2 else 0
    return [(known == number, known != number) for number in range(first, len(target.classes))]


def _coding_first(transcripts: Transcripts, one: Flags, other: Flags) -> tuple[Flags, Flags]:
    size = np.diff(transcripts.longest, axis=1)[:, 0]
    longer = [float(np.median(size[flags])) if flags.any() else 0.0 for flags in (one, other)]
    return (one, other) if longer[0] >= longer[1] else (other, one)


def _learnt(transcripts: Transcripts, contrasts: Sequence[tuple[Flags, Flags]], among: Flags) -> tuple[CodonUse, ...]:
    return tuple(CodonUse.fit(transcripts, coding & among, others & among) for coding, others in contrasts)


def _numbers(transcripts: Transcripts, uses: Sequence[CodonUse]) -> pd.DataFrame:
    scored = [coding_numbers(transcripts, use).add_suffix(f" {k}") for k, use in enumerate(uses)]
    return pd.concat([plain_numbers(transcripts), *scored], axis=1)
