"""Folds of examples that are too few to set some aside: every one is held out once, whole groups together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.errors import SewallError
from sewall.task import Examples, Rows, Task

Unit = tuple[int, ...]
Numbers = NDArray[np.int64]

FEWEST = 3
MOST_LEFT_OUT = 10  # groups that are each a fold; every pair of them is left out once, so fits grow with the square


@dataclass(frozen=True)
class Folds:
    """Which fold each example belongs to.

    Attributes:
        of: ``(examples,)`` number of the fold; -1 where the example is not used.
        number: of folds.
    """

    of: Numbers
    number: int

    def rows(self, *folds: int) -> Rows:
        """Return the examples of some folds."""
        return np.flatnonzero(np.isin(self.of, folds))

    def without(self, unit: Unit) -> Rows:
        """Return the examples of all other folds."""
        return np.flatnonzero((self.of >= 0) & ~np.isin(self.of, unit))

    def among(self, known: NDArray[np.bool_]) -> Folds:
        """Return the same folds with only the *known* of the ``(examples,)`` used."""
        return replace(self, of=np.where(known, self.of, -1))

    @classmethod
    def joint(cls, several: Sequence[Folds]) -> Folds:
        """Return the folds of everybody who is used in any of *several*, all drawn from one division."""
        return replace(several[0], of=np.max([folds.of for folds in several], axis=0))

    @property
    def single(self) -> list[Unit]:
        """The fits without one fold."""
        return [(k,) for k in range(self.number)]

    @property
    def paired(self) -> list[Unit]:
        """The fits without two folds."""
        return list(combinations(range(self.number), 2))


def divide(task: Task, examples: Examples, number: int, seed: int) -> Folds:
    """Divide the usable, labelled examples into folds of about equal size, whole groups together.

    Classes are spread evenly over the folds as far as groups allow.

    Raises:
        SewallError: fewer groups than folds, or fewer than three folds.
    """
    rows, first = _known(task, examples)
    groups = rows if examples.groups is None else np.asarray(examples.groups)[rows]
    _, example, member, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    if number < FEWEST or len(sizes) < number:
        what = "individuals" if examples.groups is None else "groups"
        raise SewallError(f"{number} folds of {len(sizes)} {what}: give 3 folds or more, and no more than {what}")
    order = np.random.default_rng(seed).permutation(len(sizes))
    label = first[example[order]] if task.target.classes else np.zeros(len(sizes))
    order = order[np.lexsort((label, -sizes[order]))]  # the largest first, each to the emptiest fold
    fold, filled = np.zeros(len(sizes), np.int64), np.zeros(number)
    for group in order:
        fold[group] = filled.argmin()
        filled[fold[group]] += sizes[group]
    of = np.full(len(examples), -1)
    of[rows] = fold[member]
    return Folds(of, number)


def leave_out(task: Task, examples: Examples, groups: NDArray[Any]) -> tuple[Folds, list[str]]:
    """Make each of the ``(examples,)`` *groups* a fold: every population is predicted from the others.

    Returns:
        The folds, and the names of the groups in their order.

    Raises:
        SewallError: fewer than three groups, or too many.
    """
    rows, _ = _known(task, examples)
    names, fold = np.unique(np.asarray(groups)[rows].astype(str), return_inverse=True)
    if not FEWEST <= len(names) <= MOST_LEFT_OUT:
        raise SewallError(
            f"{len(names)} groups to leave out one after the other: {FEWEST} to {MOST_LEFT_OUT} are possible; merge "
            "some, or keep groups together in fewer folds (--groups)"
        )
    of = np.full(len(examples), -1)
    of[rows] = fold
    return Folds(of, len(names)), [str(name) for name in names]


def _known(task: Task, examples: Examples) -> tuple[Rows, NDArray[np.float64]]:
    """Return the usable examples of which some target is known, and their first target."""
    assert examples.target is not None
    targets = examples.target.reshape(len(examples), -1)
    rows = np.flatnonzero(task.usable(examples) & np.isfinite(targets).any(axis=1))
    return rows, targets[rows, 0]
