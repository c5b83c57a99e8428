"""Windows and what was read off them: the lazy source behind the examples of jobs that look at windows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.task import Examples, Rows


def stacked(encoded: Iterable[dict[str, NDArray]]) -> dict[str, NDArray]:
    """Return the arrays of many windows, one row per window."""
    rows = list(encoded)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


class Alignments(Protocol):
    """Lazy access to alignments, from simulations or from a file of variants."""

    def __len__(self) -> int: ...

    def load(self, rows: Rows) -> list[Alignment]:
        """Return the alignments of *rows*."""
        ...


@dataclass(frozen=True)
class Windows:
    """The data behind the examples: alignments, and what was read off each of them once.

    Attributes:
        alignments: the alignments themselves.
        encoded: arrays as the job encodes a window, one row per window; may be mapped from disk.
    """

    alignments: Alignments
    encoded: dict[str, NDArray]

    def __len__(self) -> int:
        return len(self.alignments)

    def load(self, rows: Rows) -> list[Any]:
        """Return the alignments of *rows*."""
        return self.alignments.load(rows)


def windows_of(examples: Examples) -> Windows:
    """Return the source of examples that are windows."""
    assert isinstance(examples.source, Windows)
    return examples.source
