"""Sequences as the models of this job read them: one example is one sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall.data.sequences import Sequences
from sewall.dna.composition import composition
from sewall.dna.likeness import Kind, likeness
from sewall.task import Examples, Rows

MOST_COMPARED = 12_000  # sequences of which all likenesses are kept: half a gigabyte


@dataclass(frozen=True)
class Strands:
    """The data behind the examples of this job.

    Attributes:
        sequences: all of them.
    """

    sequences: Sequences
    kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.sequences)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was computed once behind; another process computes what it needs."""
        return {"sequences": self.sequences, "kept": {}}

    def load(self, rows: Rows) -> list[Any]:
        """Return the codes of *rows*, ``(letters,)`` uint8 each."""
        return [self.sequences.codes_of(row) for row in rows]

    @cached_property
    def composition(self) -> pd.DataFrame:
        """What every sequence is made of (see `sewall.dna.composition`)."""
        return composition(self.sequences, np.arange(len(self)))

    def likeness(self, kind: Kind, some: Rows, others: Rows) -> NDArray[np.float32]:
        """Return ``(some, others)`` likenesses; all are found at once where that is not too much."""
        if len(self) > MOST_COMPARED:
            first, second = self.sequences.take(some), self.sequences.take(others)
            return likeness(kind, first) if np.array_equal(some, others) else likeness(kind, first, second)
        if kind not in self.kept:
            for other in [key for key in self.kept if isinstance(key, type(kind))]:
                del self.kept[other]
            self.kept[kind] = likeness(kind, self.sequences)
        found: NDArray[np.float32] = self.kept[kind][np.ix_(some, others)]
        return found

    def features(self, name: str, make: Any) -> Any:
        """Return what *make* gives for all sequences, made once."""
        if name not in self.kept:
            self.kept[name] = make(self.sequences)
        return self.kept[name]


def examples_of(
    sequences: Sequences,
    known: NDArray[np.float64] | None = None,
    groups: NDArray[Any] | None = None,
    keys: pd.DataFrame | None = None,
) -> Examples:
    """Return sequences as examples; where they are of unequal length, networks read like ones together."""
    keys = pd.DataFrame({"sequence_id": sequences.ids}) if keys is None else keys
    unequal = len(np.unique(sequences.lengths)) > 1
    return Examples(keys, Strands(sequences), known, groups, sequences.lengths if unequal else None)


def strands_of(examples: Examples) -> Strands:
    """Return the sequences behind examples of this job."""
    assert isinstance(examples.source, Strands)
    return examples.source
