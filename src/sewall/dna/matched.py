"""One number taken out: classes made alike in it, or a quantity freed of its line.

What a score is worth beyond GC content is seen in sequences of which all classes have the same GC content. A quantity
has no classes to match; there, what a straight line in the number tells is taken away from both sides, which makes of a
correlation a partial one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sewall.data.sequences import Floats
from sewall.task import Rows

MOST_BINS, IN_A_BIN = 40, 20  # as many bins as leave twenty sequences in each
_ROUNDING = 1e-12


def bins(columns: Sequence[Floats]) -> NDArray[np.intp]:
    """Return ``(sequences,)`` bins of a number, of equally many sequences each; flags of letters are bins themselves.

    Args:
        columns: the number, ``(sequences,)``; or several flags of which at most one is set, as for the first base.

    >>> bins([np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])]).tolist()
    [0, 1, 2]
    """
    if len(columns) > 1:
        return np.asarray(sum((k + 1) * flag for k, flag in enumerate(columns)), np.intp)
    values = columns[0]
    number = int(np.clip(len(values) // IN_A_BIN, 1, MOST_BINS))
    edges = np.unique(np.quantile(values, np.arange(1, number) / number))
    return np.searchsorted(edges, values, side="right")


def matched_rows(columns: Sequence[Floats], classes: NDArray[np.integer], seed: int) -> Rows:
    """Return rows of which every class has equally many in each bin of a number, as many as there are.

    Args:
        columns: as for `bins`.
        classes: ``(sequences,)`` numbers of the classes.
        seed: of the choice among those of a class that are too many.

    >>> gc, bound = np.repeat([0.4, 0.4, 0.6, 0.6], [30, 10, 10, 30]), np.repeat([0, 1, 0, 1], [30, 10, 10, 30])
    >>> rows = matched_rows([gc], bound, seed=1)
    >>> [int(((gc == 0.4) & (bound == name))[rows].sum()) for name in (0, 1)]
    [10, 10]
    """
    own, names = bins(columns), int(classes.max(initial=0)) + 1
    cells = own * names + classes
    counts = np.bincount(cells, minlength=(int(own.max(initial=0)) + 1) * names)
    kept = counts.reshape(-1, names).min(axis=1)
    order = np.random.default_rng(seed).permutation(len(classes))
    order = order[np.argsort(cells[order], kind="stable")]
    place = np.arange(len(order)) - (np.cumsum(counts) - counts)[cells[order]]
    return np.sort(order[place < kept[own[order]]])


def left_over(values: Floats, columns: Sequence[Floats]) -> Floats:
    """Return what a straight line in the number, fitted by least squares, leaves of ``(sequences,)`` values.

    >>> left_over(np.array([1.0, 3.0, 5.0]), [np.array([0.0, 1.0, 2.0])]).round(9).tolist()
    [0.0, 0.0, 0.0]
    """
    line = np.column_stack([np.ones(len(values)), *columns])
    left = values - line @ np.linalg.lstsq(line, values, rcond=None)[0]
    return np.where(np.abs(left) > _ROUNDING * np.abs(values).max(initial=0), left, 0.0)  # of a constant, nothing
