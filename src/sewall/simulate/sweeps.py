"""Labelled windows with a selective sweep, beside one, and without any.

One simulation is a long stretch with a sweep in its middle. The window around the sweep is an example of it; windows at
some distance are examples of being linked to one. They share their genealogies, so the examples of one simulation
belong on one side of a split.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.errors import SewallError
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.history import HistorySource
from sewall.simulate.local_rates import along, local_rates
from sewall.simulate.sweep_ancestry import simulate_sweep
from sewall.simulate.sweep_course import Sweep

NEUTRAL, HARD, SOFT, PARTIAL = "neutral", "hard", "soft", "partial"
LINKED = {HARD: "linked-hard", SOFT: "linked-soft", PARTIAL: "linked-partial"}
COMPLETE = (NEUTRAL, HARD, SOFT, LINKED[HARD], LINKED[SOFT])
CLASSES = (*COMPLETE, PARTIAL, LINKED[PARTIAL])


@dataclass(frozen=True)
class Range:
    """Values between two ends: evenly spread, or evenly on a log scale. Equal ends are one value.

    Raises:
        SewallError: for ends in the wrong order, or a log scale from zero.
    """

    lower: float
    upper: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.lower <= self.upper < inf) or (self.log and self.lower == 0):
            least = "above 0" if self.log else "0 or more"
            raise SewallError(f"range {self.lower:g} to {self.upper:g}: give ends in order, the lower one {least}")

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        if self.log:
            return float(np.exp(rng.uniform(np.log(self.lower), np.log(self.upper))))
        return float(rng.uniform(self.lower, self.upper))


@dataclass(frozen=True)
class SweepPrior:
    """What is simulated. N is the constant size that leads one to expect as many variants as the history does.

    Attributes:
        chromosomes: in the sample.
        histories: what the history of each simulation is drawn from.
        mutation_rate, recombination_rate: per bp per generation.
        unevenness: standard deviation of the log of the local recombination rate (see `local_rates`).
        sub_windows: in a window, an odd number; a stretch with a sweep has twice as many less one.
        sub_length: of a sub-window in bp; the site of a sweep lies anywhere in the central one of its window.
        strength: 2 N s, where s is the advantage of homozygotes, or, unless *strength_scaled*, s itself.
        dominance: share of it that heterozygotes have.
        age: time since fixation, in units of 2 N generations or, unless *age_scaled*, in generations.
        start_frequency: of the variant when it began to be favoured, of soft sweeps.
        end_frequency: that the new mutation of a partial sweep has reached today.
        linked: windows beside a sweep that one simulation gives, at as many distances.
        partial: whether partial sweeps, and windows beside them, are simulated too.
        known: ``(2 sub_windows - 1,)`` log rates of recombination along the stretch, relative to *recombination_rate*,
            where a map says so: its middle is the window in question.
        known_error: standard deviation of the log of what a true rate is over the known one, by sub-window.

    Raises:
        SewallError: for an even number of sub-windows, more linked windows than distances, or frequencies not below 1.
    """

    chromosomes: int
    histories: HistorySource
    mutation_rate: Range
    recombination_rate: Range
    unevenness: float = 0.0
    sub_windows: int = 11
    sub_length: int = 100_000
    strength: Range = field(default_factory=lambda: Range(250.0, 2500.0))
    strength_scaled: bool = True
    dominance: float = 0.5
    age: Range = field(default_factory=lambda: Range(0.0, 0.1))
    age_scaled: bool = True
    start_frequency: Range = field(default_factory=lambda: Range(5e-4, 0.1))
    end_frequency: Range = field(default_factory=lambda: Range(0.3, 0.95))
    linked: int = 2
    partial: bool = False
    known: NDArray[np.float64] | None = None
    known_error: float = 0.3

    def __post_init__(self) -> None:
        if self.sub_windows < 1 or self.sub_windows % 2 == 0:
            raise SewallError(f"{self.sub_windows} sub-windows have no central one; give an odd number")
        if not 0 <= self.linked < self.sub_windows:
            raise SewallError(f"{self.linked} linked windows of {self.sub_windows} sub-windows; give fewer than these")
        for frequencies in (self.start_frequency, self.end_frequency):
            if frequencies.upper >= 1 or frequencies.lower == 0:
                raise SewallError(f"sweep frequencies up to {frequencies.upper:g}; give ones above 0 and below 1")

    @property
    def window_length(self) -> int:
        """Length of a window in bp."""
        return self.sub_windows * self.sub_length

    @property
    def kinds(self) -> tuple[str, ...]:
        """What simulations hold in their middle; simulation i the i-th of these, over and over."""
        return (NEUTRAL, HARD, SOFT, PARTIAL) if self.partial else (NEUTRAL, HARD, SOFT)


@dataclass(frozen=True)
class SweepExample:
    """A window and what happened in it. Of neutral windows, whatever concerns the sweep is NaN.

    Attributes:
        window: haplotypes.
        kind: one of `CLASSES`.
        simulation: number of the simulation that it is part of.
        s: advantage of homozygotes.
        age: generations since the sweep ended.
        start_frequency, end_frequency: of the allele, when selection began (one chromosome of the population in hard
            sweeps) and when it ended.
        position: of the site in bp, from the start of the window; outside in linked windows.
        distance: sub-windows from the site's to the centre of the window, negative if the window lies to its left.
        mutation_rate, recombination_rate: per bp per generation, the latter on average.
        known: ``(sub_windows,)`` what a map says of recombination, as in `SweepPrior`; zeros without one.
    """

    window: Alignment
    kind: str
    simulation: int
    mutation_rate: float
    recombination_rate: float
    known: NDArray[np.float64]
    s: float = nan
    age: float = nan
    start_frequency: float = nan
    end_frequency: float = nan
    position: float = nan
    distance: float = nan

    def labels(self) -> dict[str, Any]:
        """Return everything but the window as plain numbers; the class as its number in `CLASSES`."""
        plain = {name: value for name, value in vars(self).items() if name not in ("window", "kind", "known")}
        return plain | {"kind": CLASSES.index(self.kind)}


def labelled_examples(prior: SweepPrior, simulations: int, seed: int) -> list[SweepExample]:
    """Return the examples of simulations 0 … *simulations* - 1.

    Simulation i depends on the seed and i alone, and has the seed that `sewall.simulate.farm.run_farm` would give it.
    """
    children = (np.random.SeedSequence(seed, spawn_key=(i,)) for i in range(simulations))
    return [example for i, child in enumerate(children) for example in simulate_examples(prior, i, child)]


def simulate_examples(prior: SweepPrior, simulation: int, seed: np.random.SeedSequence) -> list[SweepExample]:
    """Simulate one stretch and cut it into examples: the window in its middle first, then those beside a sweep.

    Args:
        prior: what to simulate.
        simulation: its number, which decides its kind.
        seed: a child of a seed sequence, used once.
    """
    own, ancestry = seed.spawn(2)
    rng = np.random.default_rng(own)
    kind = prior.kinds[simulation % len(prior.kinds)]
    known = np.zeros(2 * prior.sub_windows - 1) if prior.known is None else prior.known
    known = _within(prior, known, 0) if kind == NEUTRAL else known
    spec = _spec(prior, known, rng)
    mean = spec.recombination_rate if isinstance(spec.recombination_rate, float) else spec.recombination_rate.mean_rate
    rates = {"mutation_rate": spec.mutation_rate, "recombination_rate": mean}
    if kind == NEUTRAL:
        return [SweepExample(simulate_window(spec, ancestry), kind, simulation, known=known, **rates)]
    sweep = _sweep(prior, kind, spec, rng)
    stretch, course = simulate_sweep(spec, sweep, ancestry)
    middle = SweepExample(
        stretch, kind, simulation, **rates, known=known, s=sweep.s, age=float(course.end),
        start_frequency=course.frequency(course.start), end_frequency=course.frequency(course.end),
        position=float(sweep.position), distance=0.0,
    )  # fmt: skip
    return [_cut(prior, middle, distance) for distance in _distances(prior, rng)]


def _within(prior: SweepPrior, known: NDArray[np.float64], distance: int) -> NDArray[np.float64]:
    start = prior.sub_windows // 2 + distance
    return known[start : start + prior.sub_windows]


def _spec(prior: SweepPrior, known: NDArray[np.float64], rng: np.random.Generator) -> WindowSpec:
    history = prior.histories.draw(rng)
    mutation_rate, mean = prior.mutation_rate.draw(rng), prior.recombination_rate.draw(rng)
    length = len(known) * prior.sub_length
    rates = local_rates(mean, length, prior.unevenness, rng)
    if prior.known is not None:
        rates = along(rates, np.exp(known + prior.known_error * rng.standard_normal(len(known))), length)
    return WindowSpec(prior.chromosomes, length, mutation_rate, rates, history)


def _sweep(prior: SweepPrior, kind: str, spec: WindowSpec, rng: np.random.Generator) -> Sweep:
    """Draw a sweep; every kind takes the same draws."""
    chromosomes = 2 * spec.history.effective_size(prior.chromosomes)
    s = prior.strength.draw(rng) / (chromosomes if prior.strength_scaled else 1)
    age = round(prior.age.draw(rng) * (chromosomes if prior.age_scaled else 1))
    start, end = prior.start_frequency.draw(rng), prior.end_frequency.draw(rng)
    position = int((prior.sub_windows - 1 + rng.random()) * prior.sub_length)
    sweep = Sweep(position, s, dominance=prior.dominance)
    if kind == PARTIAL:
        return replace(sweep, end_frequency=end)
    return replace(sweep, age=age, start_frequency=start if kind == SOFT else None)


def _distances(prior: SweepPrior, rng: np.random.Generator) -> list[int]:
    """Return the distances of a simulation's windows from its sweep, 0 first."""
    far = prior.sub_windows // 2
    beside = [distance for distance in range(-far, far + 1) if distance]
    return [0, *rng.choice(beside, prior.linked, replace=False).tolist()]


def _cut(prior: SweepPrior, stretch: SweepExample, distance: int) -> SweepExample:
    start = (prior.sub_windows // 2 + distance) * prior.sub_length
    return replace(
        stretch,
        window=stretch.window.part(start, start + prior.window_length),
        kind=LINKED[stretch.kind] if distance else stretch.kind,
        position=stretch.position - start,
        distance=float(distance),
        known=_within(prior, stretch.known, distance),
    )
