"""How common a selected allele was, generation by generation: Wright-Fisher reproduction, forward in time.

The number of chromosomes that carry the allele is binomial around what selection makes of its frequency, in the whole
population, without scaling. An allele that was a neutral variant before it was favoured also has a past, which is that
of a neutral allele on its way to loss, read backwards (Griffiths 2003, Theor Popul Biol 64:241).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sewall.compiling import compiled
from sewall.errors import SewallError
from sewall.simulate.sweep_sizes import Counts, Line

FEWEST_STANDING = 2  # copies of a variant that several chromosomes carry when selection begins
TRIALS = 1_000_000  # of an allele that is lost again and again
STREAMS, ATTEMPTS, EXACT_ATTEMPTS = 50, 16, 3  # to find when a rise began that ended at a given time
TOLERANCE = 0.02  # of the length of the rise, by which it may then end earlier or later


class NoTrajectory(SewallError):
    """A sweep that cannot have happened in the population, or that chance would hardly ever let happen."""


@dataclass(frozen=True)
class Sweep:
    """An allele that selection favours.

    Attributes:
        position: of its site, bp from the start of the stretch.
        s: advantage of homozygotes: fitnesses are 1, 1 + dominance x s, 1 + s.
        start_frequency: when selection begins: a neutral variant until then; None for one new mutation.
        end_frequency: at which selection ends; 1 is fixation.
        age: generations ago at which selection ended; the allele has drifted since.
        dominance: 0.5 is additive.

    Raises:
        SewallError: for a value out of its range.
    """

    position: int
    s: float
    start_frequency: float | None = None
    end_frequency: float = 1.0
    age: int = 0
    dominance: float = 0.5

    def __post_init__(self) -> None:
        start = self.start_frequency or 0.0
        if not (self.s > 0 and 0 <= self.dominance <= 1 and np.isfinite(self.s)):
            raise SewallError(f"sweep: s {self.s:g}, dominance {self.dominance:g}; give s above 0, dominance 0 to 1")
        if not 0 <= start < self.end_frequency <= 1:
            raise SewallError(f"sweep: from frequency {start:g} to {self.end_frequency:g}; give 0 <= start < end <= 1")
        if self.age < 0 or self.position < 0:
            raise SewallError(f"sweep: age {self.age}, position {self.position}; neither may be negative")


@dataclass(frozen=True)
class Trajectory:
    """Frequency of an allele, generation by generation.

    Attributes:
        copies: ``(generations,)`` chromosomes that carry it, from the present back; the last is 0, before it arose.
        chromosomes: ``(generations,)`` chromosomes of the population, twice the diploid individuals.
        start, end: generations ago at which selection began and ended.
    """

    copies: Counts
    chromosomes: Counts
    start: int
    end: int

    def frequency(self, generation: int = 0) -> float:
        """Return the share of chromosomes that carried the allele so many generations ago."""
        return float(self.copies[generation] / self.chromosomes[generation])

    @property
    def origin(self) -> int:
        """Generations ago at which the allele arose."""
        return len(self.copies) - 2


def trajectory(sweep: Sweep, line: Line, seed: np.random.SeedSequence) -> Trajectory:
    """Draw the trajectory of an allele that is not lost before its sweep has ended.

    How long the rise takes depends on the sizes of the population meanwhile. When it began is therefore searched for,
    by repeating the same chance with another beginning, until it ends at the asked age: exactly where the size did not
    change, else to within a fiftieth of its duration. `Trajectory.end` says when it did.

    Raises:
        NoTrajectory: where the allele is lost again and again, or reaches its end at no beginning.
    """
    sizes = line.chromosomes
    for own in seed.spawn(STREAMS):
        rising, before, after = own.spawn(3)
        found = _ending_at_its_age(sweep, sizes, rising)
        if found is None:
            continue
        rise, start = found
        end = start - len(rise) + 1
        past = np.zeros(1, np.int64)
        if sweep.start_frequency is not None:
            past = _neutral_past(np.random.default_rng(before), rise[0], sizes, start, TRIALS)
            _refuse_lost(sweep, past)
        drift = _drift(np.random.default_rng(after), rise[-1], sizes, end)
        copies = np.concatenate([drift[::-1], rise[::-1], past])
        return Trajectory(copies, sizes[np.minimum(np.arange(len(copies)), len(sizes) - 1)], start, end)
    raise NoTrajectory(
        f"sweep: s {sweep.s:g} does not end {sweep.age} generations ago under this history; vary the age"
    )


def _ending_at_its_age(sweep: Sweep, sizes: Counts, seed: np.random.SeedSequence) -> tuple[Counts, int] | None:
    """Return a rise and the generations ago at which it began, or None where this chance ends at another time."""
    start = sweep.age + int(2 * np.log(sizes.max()) / sweep.s)
    latest, earliest = -1, np.iinfo(np.int64).max  # bounds of the beginning
    for attempt in range(ATTEMPTS):
        total = int(sizes[min(start, len(sizes) - 1)])
        share = sweep.start_frequency
        copies = 1 if share is None else max(round(share * total), FEWEST_STANDING)
        rise = _rise(
            np.random.default_rng(seed), copies, sweep.s, sweep.dominance, sweep.end_frequency, sizes, start, TRIALS
        )
        _refuse_lost(sweep, rise if rise[-1] else rise[:0])
        wanted = sweep.age + len(rise) - 1
        miss = wanted - start  # generations by which selection ends too late
        if miss <= sweep.age and abs(miss) <= (attempt >= EXACT_ATTEMPTS) * TOLERANCE * len(rise):
            return rise, start
        if miss > 0:
            latest = start
        else:
            earliest = start
        start = wanted if latest < wanted < earliest else (latest + earliest) // 2
        if start in (earliest, latest):
            return None
    return None


def _refuse_lost(sweep: Sweep, path: Counts) -> None:
    if len(path) == 0:
        raise NoTrajectory(
            f"sweep: an allele of s {sweep.s:g} was lost {TRIALS:,} times; give a larger s or population"
        )


@compiled
def _size(sizes: Counts, generation: int) -> int:
    return sizes[min(max(generation, 0), len(sizes) - 1)]


@compiled
def _rise(
    rng: np.random.Generator, copies: int, s: float, h: float, end: float, sizes: Counts, start: int, trials: int
) -> Counts:
    """Return the copies of an allele from *start* generations ago until its end; its last is 0 if always lost."""
    path = np.empty(1024, np.int64)
    for _ in range(trials):
        path[0] = copies
        length = 1
        while 0 < path[length - 1] < end * _size(sizes, start - length + 1):
            x = path[length - 1] / _size(sizes, start - length + 1)
            carriers = x * (x * (1 + s) + (1 - x) * (1 + h * s))
            others = (1 - x) * (x * (1 + h * s) + (1 - x))
            if length == len(path):
                path = np.concatenate((path, np.empty_like(path)))
            path[length] = rng.binomial(_size(sizes, start - length), carriers / (carriers + others))
            length += 1
        if path[length - 1] > 0:
            break
    return path[:length].copy()


@compiled
def _drift(rng: np.random.Generator, copies: int, sizes: Counts, generations: int) -> Counts:
    """Return the copies of an allele that drifts, in the generations from then to the present."""
    path = np.empty(generations, np.int64)
    for k in range(generations):
        copies = rng.binomial(_size(sizes, generations - 1 - k), copies / _size(sizes, generations - k))
        path[k] = copies
    return path


@compiled
def _neutral_past(rng: np.random.Generator, copies: int, sizes: Counts, start: int, trials: int) -> Counts:
    """Return the copies of a neutral allele before *start* generations ago, back to 0; nothing if never found.

    Backwards it drifts to loss. Mutations arise in proportion to the chromosomes, and each in so much smaller a share
    of them; relative to a population that never changed, what is left is a weight by the size at the origin. This holds
    for many chromosomes: behind a bottleneck of 40 individuals ages were a tenth too low, behind one of 80 half that.
    """
    path = np.empty(1024, np.int64)
    most = sizes[min(start, len(sizes) - 1) :].max()
    for _ in range(trials):
        now, length = copies, 0
        while 0 < now < _size(sizes, start + length):
            if length == len(path):
                path = np.concatenate((path, np.empty_like(path)))
            now = rng.binomial(_size(sizes, start + length + 1), now / _size(sizes, start + length))
            path[length] = now
            length += 1
        if now == 0 and rng.random() * most < _size(sizes, start + length - 1):
            return path[:length].copy()
    return path[:0].copy()
