"""Windows of a genome as the models of this job read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.encode.pairs import site_pairs
from sewall.encode.statistics import NAMES, statistics
from sewall.encode.tables import tables
from sewall.task import Rows

ENCODED = ("pairs", "between", "within", "copying", "statistics")


def encode(alignment: Alignment, theta: float, least: int) -> dict[str, NDArray]:
    """Return the arrays that networks and simple models read of one window.

    Args:
        alignment: the window.
        theta: 4 Ne mu per bp of the whole sample, the unit of length.
        least: smallest minor-allele count that was kept.
    """
    pairs = site_pairs(alignment)
    named = statistics(alignment, theta, least, pairs)
    return tables(alignment, pairs, theta) | {"statistics": np.array([named[name] for name in NAMES], np.float32)}


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
    """The data behind the examples of this job: alignments, and what was read off each of them once.

    Attributes:
        alignments: the alignments themselves.
        encoded: arrays of `encode`, one row per window; may be mapped from disk.
    """

    alignments: Alignments
    encoded: dict[str, NDArray]

    def __len__(self) -> int:
        return len(self.alignments)

    def load(self, rows: Rows) -> list[Any]:
        """Return the alignments of *rows*."""
        return self.alignments.load(rows)
