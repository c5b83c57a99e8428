"""Which genomes explain a file: candidates that share a history, defects and a spread of rates, moved until they do.

A level of rates, a history and gene conversion can each make linkage look alike, so none is estimated alone. Candidates
are moved by sequential Monte Carlo (Del Moral, Doucet & Jasra 2006, J R Stat Soc B 68:411) from the prior to what
explains the frequency spectrum of the file and what its windows show (`sewall.simulate.synthetic`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sewall.jobs.recombination.genomes import MOST_LEVELS
from sewall.simulate.defects import NAMES, presence
from sewall.simulate.fit_history import EPOCHS, HistoryPool
from sewall.simulate.ghosts import ALONE, exchange_numbers
from sewall.simulate.histories import Histories
from sewall.simulate.history import LOG_SIZES, LOG_TIMES
from sewall.simulate.synthetic import SyntheticLikelihood

PARTICLES, FIRST_DRAWS, MOVES = 2_000, 20_000, 12
LEFT = 0.5  # share of the particles that each step of the temperature leaves effective
SPREAD = (0.05, 1.0)  # of the square root of rho / theta over the windows, relative to its mean
LOWEST = 0.02  # rho / theta
# Sites that the exact spectrum counts for, at most: it holds for one population alone. Its statistics count as any do.
SITES = 50.0
STEPS = {"sizes": 0.4, "times": 0.3, "levels": 0.3, "middle": 0.3, "spread": 0.15, "exchange": 0.3}
MOVED = 0.7  # chance that a kind of number is moved
ACCEPTED = 0.25  # share of moves that is aimed at
UNEVENNESS = NAMES.index("unevenness")

Floats = NDArray[np.float64]


@dataclass
class Particles:
    """Candidates, as numbers that can be moved.

    Attributes:
        epochs: ``(particles,)`` of the history.
        sizes, times: ``(particles, most epochs)`` and one less, log10; those beyond the epochs mean nothing.
        levels: ``(particles, defects)`` in 0 to 1; a defect is absent up to `sewall.simulate.defects.ABSENT`, and at
            its most at 1. It grows with the square in between: where the data do not tell, little is likelier than
            much. Unevenness is there always, and any is as likely: no genome is known to recombine evenly.
        middle: ``(particles,)`` mean of the square root of rho / theta.
        spread: ``(particles,)`` its standard deviation over the mean.
        exchange: ``(particles, 3)`` levels in 0 to 1, see `sewall.simulate.ghosts.exchange_at`.
    """

    epochs: NDArray[np.int64]
    sizes: Floats
    times: Floats
    levels: Floats
    middle: Floats
    spread: Floats
    exchange: Floats

    @classmethod
    def draw(cls, number: int, middle: tuple[float, float], rng: np.random.Generator) -> Particles:
        """Draw from the prior."""
        most = EPOCHS[1]
        return cls(
            rng.integers(EPOCHS[0], most + 1, number), rng.uniform(*LOG_SIZES, (number, most)),
            rng.uniform(*LOG_TIMES, (number, most - 1)), rng.random((number, len(NAMES))),
            rng.uniform(*middle, number), rng.uniform(*SPREAD, number), rng.random((number, len(ALONE))),
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
            exchange=step(self.exchange, "exchange", (0.0, 1.0)),
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
        shares = presence(self.levels) ** 2
        shares[:, UNEVENNESS] = self.levels[:, UNEVENNESS]
        return np.asarray(shares * MOST_LEVELS)


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
        drift, exchange = histories.drift(self.n, self.least), exchange_numbers(particles.exchange)
        if self.pool is None:
            drift, exchange, spectrum = np.zeros_like(drift), np.zeros_like(exchange), np.zeros(len(drift))
        else:
            spectrum = min(1.0, SITES / self.pool.sites) * self.pool.log_likelihood(histories)
        parameters = np.column_stack([particles.middle, particles.defects(), drift, exchange])
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
