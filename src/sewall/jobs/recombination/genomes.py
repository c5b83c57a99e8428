"""The genome that each simulated window is cut from: a history, what is uneven and wrong, and the window's rate."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sewall.jobs.recombination.rates import weight_at
from sewall.simulate.defects import MOST, NAMES, AnyDefects, Defects
from sewall.simulate.ghosts import ALONE, ExchangeLevels
from sewall.simulate.histories import Histories
from sewall.simulate.history import History, HistorySource, PopulationHistory

JITTER, UNSURE = 0.15, 0.3  # between windows: of sizes (log10; linked selection, for one), and of defects (a share)
ELSEWHERE = 0.2  # share of windows that follow none of the genomes
LOWEST_SHARE = 200.0  # rates of no kind reach down to the upper end over this
# Human maps are as uneven within 100 kb as 2.6 makes them, see the tests.
ANY_DEFECTS = AnyDefects(replace(MOST, unevenness=3.0))
MOST_LEVELS = np.array(list(asdict(ANY_DEFECTS.most).values()))

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Genome:
    """What one window is simulated with.

    Attributes:
        history: of the population.
        defects: what is uneven in the genome and wrong in the calls.
        ratio: rho / theta.
        exchange: with a ghost, where the history is of one population; see `sewall.simulate.ghosts.exchange_at`.
    """

    history: PopulationHistory
    defects: Defects
    ratio: float
    exchange: ExchangeLevels = ALONE


class GenomeSource(Protocol):
    """Where simulations take genomes from."""

    def draw(self, rng: np.random.Generator) -> Genome:
        """Draw the genome of one window."""
        ...


@dataclass(frozen=True)
class AnyGenome:
    """Prior of the first look: histories as they come, any defects, rates log-uniform over all that are known.

    Attributes:
        histories: what to draw the history of each window from.
        lower, upper: ends of rho / theta.
        ghosts: whether the population may have exchanged migrants with a ghost.
    """

    histories: HistorySource
    lower: float
    upper: float
    ghosts: bool = False

    def draw(self, rng: np.random.Generator) -> Genome:
        """Draw the genome of one window."""
        ratio = float(np.exp(rng.uniform(np.log(self.lower), np.log(self.upper))))
        exchange = rng.random(3) if self.ghosts else ALONE
        return Genome(self.histories.draw(rng), ANY_DEFECTS.draw(rng), ratio, exchange)


@dataclass(frozen=True)
class Genomes:
    """Genomes that explain a file, equally likely, and now and then any other.

    Real windows differ from each other by more than chance and one rate each: selection, errors and mutation are not
    the same everywhere. So one window of five follows none of these genomes: its history is of the *source*, its
    defects are any, and its rate is uniform up to *upper*, so that high rates are not pulled down, or log-uniform
    below it, so that low ones get their share.

    Attributes:
        histories: `Histories` of each; None where all simulations draw from the *source*.
        defects: ``(genomes, defects)`` levels.
        middle, spread: ``(genomes,)`` mean and standard deviation of the square root of rho / theta over the windows.
        upper: no window's rate is above it.
        source: histories of windows that follow none of these.
        weights: ``(bins,)`` how much of each rate the file has more than all that would be (see
            `sewall.jobs.recombination.rates`); None takes rates as they come.
        exchanges: ``(genomes, 3)`` with a ghost, see `sewall.simulate.ghosts.exchange_at`; None where *histories* is.
    """

    histories: Histories | None
    defects: Floats
    middle: Floats
    spread: Floats
    upper: float
    source: HistorySource
    weights: Floats | None = None
    exchanges: Floats | None = None

    def draw(self, rng: np.random.Generator) -> Genome:
        """Draw the genome of one window."""
        while True:
            drawn = self._draw(rng)
            if self.weights is None:
                return drawn
            if rng.random() < weight_at(np.sqrt(drawn.ratio), self.weights, np.sqrt(self.upper)):
                return drawn

    def _draw(self, rng: np.random.Generator) -> Genome:
        if rng.random() < ELSEWHERE:
            exchange = ALONE if self.exchanges is None else rng.random(3)
            return Genome(self.source.draw(rng), ANY_DEFECTS.draw(rng), self._any_ratio(rng), exchange)
        k = int(rng.integers(len(self.middle)))
        levels = self.defects[k] * rng.uniform(1 - UNSURE, 1 + UNSURE, len(NAMES))
        defects = Defects(*np.minimum(levels, MOST_LEVELS).tolist())
        exchange = ALONE if self.exchanges is None else self.exchanges[k]
        return Genome(self._history(k, rng), defects, self._ratio(k, rng), exchange)

    def _history(self, k: int, rng: np.random.Generator) -> PopulationHistory:
        if self.histories is None:
            return self.source.draw(rng)
        sizes = self.histories.sizes[k] * 10 ** rng.normal(0, JITTER, self.histories.sizes.shape[1])
        return History(tuple(sizes), tuple(self.histories.times[k]))

    def _ratio(self, k: int, rng: np.random.Generator) -> float:
        for _ in range(20):
            root = self.middle[k] + self.spread[k] * rng.standard_normal()
            if 0 < root < np.sqrt(self.upper):
                return float(root**2)
        return self._any_ratio(rng)

    def _any_ratio(self, rng: np.random.Generator) -> float:
        if rng.random() < 0.5:
            return float(rng.uniform(0, self.upper))
        return float(self.upper * LOWEST_SHARE ** -rng.random())

    def mean_defects(self) -> dict[str, float]:
        """Return the mean level of each defect."""
        return dict(zip(NAMES, np.round(self.defects.mean(axis=0), 6).tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        """Return the genomes as plain numbers and lists, for JSON."""
        found = {name: np.round(getattr(self, name), 6).tolist() for name in ("defects", "middle", "spread")}
        if self.histories is not None:
            found |= {"sizes": self.histories.sizes.tolist(), "times": self.histories.times.tolist()}
        for name in ("weights", "exchanges"):
            if (values := getattr(self, name)) is not None:
                found[name] = np.round(values, 6).tolist()
        return found | {"upper": self.upper}

    @classmethod
    def from_state(cls, state: dict[str, Any], source: HistorySource) -> Genomes:
        """Return the genomes that `state` described."""
        histories = Histories(np.array(state["sizes"]), np.array(state["times"])) if "sizes" in state else None
        defects, middle, spread = (np.array(state[name]) for name in ("defects", "middle", "spread"))
        weights, exchanges = (np.array(state[name]) if name in state else None for name in ("weights", "exchanges"))
        return cls(histories, defects, middle, spread, state["upper"], source, weights, exchanges)
