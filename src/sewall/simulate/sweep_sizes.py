"""Sizes, generation by generation, of the populations from which a sampled one descends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sewall.simulate.demography_files import GivenHistory
from sewall.simulate.history import History, PopulationHistory

if TYPE_CHECKING:
    import demes

OLDEST = 1_000_000  # generations; further back a population keeps its size
FEWEST = 2  # chromosomes: one individual

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A population, before it began the one that gave it most of its ancestry, and so on.

    Attributes:
        chromosomes: ``(generations,)`` twice the diploid individuals, by generations ago; the last holds further back.
        names: of these populations, the sampled one first; None where there is only one, nameless.
        since: ``(populations,)`` generations ago at which each takes over.
    """

    chromosomes: Counts
    names: tuple[str | None, ...] = (None,)
    since: tuple[float, ...] = (0.0,)

    def population(self, generation: float) -> str | None:
        """Return the name of the population that many generations ago."""
        return self.names[int(np.searchsorted(self.since, generation, side="right")) - 1]


def line_of_descent(history: PopulationHistory) -> Line:
    """Return the sizes of a population and of those from which it descends; migrants are left out of account.

    Raises:
        TypeError: for a history of an unknown kind.

    >>> line_of_descent(History((10.0, 5.0), (2.0,))).chromosomes
    array([20, 20, 10])
    """
    if isinstance(history, GivenHistory):
        if history.history is None:
            return _line_in_graph(history)
        history = history.history
    if not isinstance(history, History):
        raise TypeError(f"the sizes of a {type(history).__name__} are not known")
    changes = np.minimum(np.ceil(history.times), OLDEST).astype(np.intp)
    lengths = np.diff(np.concatenate([[0], changes, [(changes[-1] if len(changes) else 0) + 1]]))
    return Line(_chromosomes(np.repeat(np.array(history.sizes), lengths)))


def _line_in_graph(history: GivenHistory) -> Line:
    graph, name = history.graph, history.population
    assert graph is not None and name is not None
    names, since, sizes = [name], [0.0], [_deme_sizes(graph[name])]
    while graph[names[-1]].ancestors and graph[names[-1]].start_time < OLDEST:
        deme = graph[names[-1]]
        since.append(deme.start_time)
        names.append(deme.ancestors[int(np.argmax(deme.proportions))])
        sizes.append(_deme_sizes(graph[names[-1]], deme.start_time))
    return Line(_chromosomes(np.concatenate(sizes)), tuple(names), tuple(since))


def _deme_sizes(deme: demes.Deme, since: float = 0.0) -> Floats:
    """Return the size of a deme in the generations from *since* ago to its beginning."""
    parts: list[Floats] = [np.zeros(0)]
    for epoch in reversed(deme.epochs):
        first, last = np.ceil(max(since, epoch.end_time)), np.ceil(min(epoch.start_time, OLDEST))
        if np.isinf(epoch.start_time):
            parts.append(np.array([epoch.start_size]))  # holds ever before
        elif last > first:
            age = (epoch.start_time - np.arange(first, last)) / (epoch.start_time - epoch.end_time)
            change = epoch.end_size / epoch.start_size
            parts.append(np.asarray(epoch.start_size * change**age))
    return np.concatenate(parts)


def _chromosomes(sizes: Floats) -> Counts:
    return np.maximum(np.rint(2 * sizes), FEWEST).astype(np.int64)
