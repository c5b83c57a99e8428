"""What the windows of a file share: a history, what is uneven and wrong, and how the rates are spread; drawn together.

A level of rates, a history and gene conversion can each make linkage look alike, so none is estimated alone. Candidates
are moved by sequential Monte Carlo (Del Moral, Doucet & Jasra 2006, J R Stat Soc B 68:411) from the prior to what
explains the file, as `sewall.simulate.synthetic.SyntheticLikelihood` tells, and simulations draw from what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sewall.simulate.defects import ABSENT, MOST, NAMES, AnyDefects, Defects
from sewall.simulate.fit_history import HistoryPool
from sewall.simulate.histories import Histories
from sewall.simulate.history import History, HistorySource, PopulationHistory
from sewall.simulate.synthetic import SyntheticLikelihood

PARTICLES, FIRST_DRAWS, MOVES = 2_000, 20_000, 12
LEFT = 0.5  # share of the particles that each step of the temperature leaves effective
EPOCHS, LOG_SIZES, LOG_TIMES = (2, 4), (2.7, 5.3), (2.0, 4.3)  # as `random_history` draws them
SPREAD = (0.05, 1.0)  # of the square root of rho / theta over the windows, relative to its mean
LOWEST = 0.02  # rho / theta
STEPS = {"sizes": 0.4, "times": 0.3, "levels": 0.3, "middle": 0.3, "spread": 0.15}
MOVED = 0.7  # chance that a kind of number is moved
ACCEPTED = 0.25  # share of moves that is aimed at
JITTER, UNSURE = 0.03, 0.3  # of drawn histories (log10 sizes), and of drawn defects (a share)
LOWEST_SHARE = 200.0  # rates of no kind reach down to the upper end over this

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Genome:
    """What one window is simulated with.

    Attributes:
        history: of the population.
        defects: what is uneven in the genome and wrong in the calls.
        ratio: rho / theta.
    """

    history: PopulationHistory
    defects: Defects
    ratio: float


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
    """

    histories: HistorySource
    lower: float
    upper: float

    def draw(self, rng: np.random.Generator) -> Genome:
        """Draw the genome of one window."""
        ratio = float(np.exp(rng.uniform(np.log(self.lower), np.log(self.upper))))
        return Genome(self.histories.draw(rng), AnyDefects().draw(rng), ratio)


@dataclass(frozen=True)
class Genomes:
    """Genomes that explain a file, equally likely.

    Four windows of five follow the rates of one of them; of the others, half are uniform up to *upper*, so that high
    rates are not pulled down, and half log-uniform below it, so that low rates get their share.

    Attributes:
        histories: `Histories` of each; None where all simulations draw from the *source*.
        defects: ``(genomes, defects)`` levels.
        middle, spread: ``(genomes,)`` mean and standard deviation of the square root of rho / theta over the windows.
        upper: no window's rate is above it.
        source: histories of windows that follow none of these.
        elsewhere: share of windows whose history is of the source.
    """

    histories: Histories | None
    defects: Floats
    middle: Floats
    spread: Floats
    upper: float
    source: HistorySource
    elsewhere: float = 0.1

    def draw(self, rng: np.random.Generator) -> Genome:
        """Draw the genome of one window."""
        k = int(rng.integers(len(self.middle)))
        levels = self.defects[k] * rng.uniform(1 - UNSURE, 1 + UNSURE, len(NAMES))
        defects = Defects(*np.minimum(levels, _most()).tolist())
        return Genome(self._history(k, rng), defects, self._ratio(k, rng))

    def _history(self, k: int, rng: np.random.Generator) -> PopulationHistory:
        if self.histories is None or rng.random() < self.elsewhere:
            return self.source.draw(rng)
        sizes = self.histories.sizes[k] * 10 ** rng.normal(0, JITTER, self.histories.sizes.shape[1])
        return History(tuple(sizes), tuple(self.histories.times[k]))

    def _ratio(self, k: int, rng: np.random.Generator) -> float:
        kind = rng.random()
        if kind < 0.1:
            return float(rng.uniform(0, self.upper))
        if kind < 0.2:
            return float(self.upper * LOWEST_SHARE ** -rng.random())
        for _ in range(20):
            root = self.middle[k] + self.spread[k] * rng.standard_normal()
            if 0 < root < np.sqrt(self.upper):
                return float(root**2)
        return float(rng.uniform(0, self.upper))

    def state(self) -> dict[str, Any]:
        """Return the genomes as plain numbers and lists, for JSON."""
        found = {name: np.round(getattr(self, name), 6).tolist() for name in ("defects", "middle", "spread")}
        if self.histories is not None:
            found |= {"sizes": self.histories.sizes.tolist(), "times": self.histories.times.tolist()}
        return found | {"upper": self.upper, "elsewhere": self.elsewhere}

    @classmethod
    def from_state(cls, state: dict[str, Any], source: HistorySource) -> Genomes:
        """Return the genomes that `state` described."""
        histories = Histories(np.array(state["sizes"]), np.array(state["times"])) if "sizes" in state else None
        defects, middle, spread = (np.array(state[name]) for name in ("defects", "middle", "spread"))
        return cls(histories, defects, middle, spread, state["upper"], source, state["elsewhere"])


@dataclass
class Particles:
    """Candidates, as numbers that can be moved.

    Attributes:
        epochs: ``(particles,)`` of the history.
        sizes, times: ``(particles, most epochs)`` and one less, log10; those beyond the epochs mean nothing.
        levels: ``(particles, defects)`` in 0 to 1; a defect is absent up to `ABSENT`, and at its most at 1.
        middle: ``(particles,)`` mean of the square root of rho / theta.
        spread: ``(particles,)`` its standard deviation over the mean.
    """

    epochs: NDArray[np.int64]
    sizes: Floats
    times: Floats
    levels: Floats
    middle: Floats
    spread: Floats

    @classmethod
    def draw(cls, number: int, middle: tuple[float, float], rng: np.random.Generator) -> Particles:
        """Draw from the prior."""
        most = EPOCHS[1]
        return cls(
            rng.integers(EPOCHS[0], most + 1, number), rng.uniform(*LOG_SIZES, (number, most)),
            rng.uniform(*LOG_TIMES, (number, most - 1)), rng.random((number, len(NAMES))),
            rng.uniform(*middle, number), rng.uniform(*SPREAD, number),
        )  # fmt: skip

    def __getitem__(self, rows: NDArray[np.intp]) -> Particles:
        return Particles(*(values[rows] for values in vars(self).values()))

    def where(self, taken: NDArray[np.bool_], others: Particles) -> Particles:
        """Return these, with others where *taken*."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Particles(*(np.where(taken.reshape(-1, *[1] * (a.ndim - 1)), b, a) for a, b in pairs))

    def moved(self, scale: float, middle: tuple[float, float], rng: np.random.Generator) -> Particles:
        """Return a random walk's next step, symmetric; ends of the prior reflect."""
        number = len(self.epochs)

        def step(values: Floats, name: str, ends: tuple[float, float], size: float = 1.0) -> Floats:
            shape = (number, *[1] * (values.ndim - 1))
            far = np.where(rng.random(shape) < MOVED, scale * size * np.exp(0.7 * rng.standard_normal(shape)), 0)
            return _reflected(values + STEPS[name] * far * rng.standard_normal(values.shape), *ends)

        return replace(
            self, sizes=step(self.sizes, "sizes", LOG_SIZES), times=step(self.times, "times", LOG_TIMES),
            levels=step(self.levels, "levels", (0.0, 1.0)), spread=step(self.spread, "spread", SPREAD),
            middle=step(self.middle, "middle", middle, 2 * float(self.middle.std())),
        )  # fmt: skip

    def histories(self) -> Histories:
        """Return the histories, all with the most epochs: the oldest of those that have fewer is divided."""
        most = self.sizes.shape[1]
        own = np.minimum(np.arange(most), self.epochs[:, None] - 1)
        absent = np.arange(most - 1) >= self.epochs[:, None] - 1
        times = np.sort(np.where(absent, np.inf, 10**self.times), axis=1)
        beyond = 10.0 ** LOG_TIMES[1] * 2.0 ** (1 + np.arange(most - 1))
        return Histories(10 ** np.take_along_axis(self.sizes, own, 1), np.where(np.isinf(times), beyond, times))

    def defects(self) -> Floats:
        """Return ``(particles, defects)`` their levels."""
        return np.asarray(np.maximum(0, (self.levels - ABSENT) / (1 - ABSENT)) * _most())


@dataclass(frozen=True)
class Explained:
    """How well particles explain a file: log likelihoods of its spectrum and of its windows."""

    spectrum: Floats
    windows: Floats

    def __getitem__(self, rows: NDArray[np.intp]) -> Explained:
        return Explained(self.spectrum[rows], self.windows[rows])

    def where(self, taken: NDArray[np.bool_], others: Explained) -> Explained:
        """Return these, with others where *taken*."""
        return Explained(np.where(taken, others.spectrum, self.spectrum), np.where(taken, others.windows, self.windows))


@dataclass(frozen=True)
class Posterior:
    """What is known of the genome of a file.

    Attributes:
        windows: likelihood of what its windows show.
        pool: histories weighed by its spectrum, whose likelihood counts too; None where simulations have their history
            from elsewhere, and it is not asked which.
        n, least: chromosomes in the sample, and the smallest minor-allele count that the data show.
        highest: largest rho / theta.
    """

    windows: SyntheticLikelihood
    pool: HistoryPool | None
    n: int
    least: int
    highest: float

    def sample(self, rng: np.random.Generator, most: float) -> Particles:
        """Return particles that explain the file, the likelihood of its windows raised to the power *most*."""
        ends = (np.sqrt(LOWEST), np.sqrt(self.highest))
        particles = Particles.draw(FIRST_DRAWS, ends, rng)
        explained = self._explained(particles)
        kept = rng.choice(FIRST_DRAWS, PARTICLES, p=softmax(explained.spectrum))
        particles, explained, power, scale = particles[kept], explained[kept], 0.0, 0.5
        while power < most:
            following = _next_power(explained.windows, power, most)
            kept = rng.choice(PARTICLES, PARTICLES, p=softmax((following - power) * explained.windows))
            particles, explained, power = particles[kept], explained[kept], following
            accepted = []
            for _ in range(MOVES):
                others = particles.moved(scale, ends, rng)
                told = self._explained(others)
                gain = told.spectrum - explained.spectrum + power * (told.windows - explained.windows)
                taken = np.log(rng.random(PARTICLES)) < gain
                particles, explained = particles.where(taken, others), explained.where(taken, told)
                accepted.append(taken.mean())
            scale = float(np.clip(scale * np.exp(2 * (np.mean(accepted) - ACCEPTED)), 0.05, 2.0))
        return particles

    def _explained(self, particles: Particles) -> Explained:
        histories = particles.histories()
        drift = histories.drift(self.n, self.least)
        if self.pool is None:
            drift, spectrum = np.zeros_like(drift), np.zeros(len(drift))
        else:
            spectrum = self.pool.log_likelihood(histories)
        parameters = np.column_stack([particles.middle, particles.defects(), drift])
        return Explained(spectrum, self.windows.log(parameters, particles.middle * particles.spread))


def _next_power(fit: Floats, power: float, most: float) -> float:
    """Return the next power of the likelihood: at which half of the particles stay effective."""

    def left(following: float) -> float:
        return float(1 / np.square(softmax((following - power) * fit)).sum())

    if left(most) >= LEFT * len(fit):
        return most
    low, high = power, most
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle) >= LEFT * len(fit) else (low, middle)
    return low


def _reflected(values: Floats, low: float, high: float) -> Floats:
    width = high - low
    within = np.mod(values - low, 2 * width)
    return np.asarray(low + np.where(within > width, 2 * width - within, within))


def _most() -> Floats:
    return np.array([getattr(MOST, name) for name in NAMES])
