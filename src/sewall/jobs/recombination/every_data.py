"""Data sets of every kind that the general bundle shall serve: who was sequenced, what happened to them, how well.

A *data set* is what one user would bring: windows of one sample, of one history, whose rates are spread as those of one
genome, with calls that lack the same. All of that is drawn here; within a data set only the rate, the density and the
genealogy differ from window to window.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.encode.statistics import FEWEST_SITES, harmonic, watterson_theta
from sewall.jobs.recombination.context import MOST_WINDOWS, context
from sewall.jobs.recombination.task import TARGET
from sewall.jobs.recombination.windows import ENCODED, encode
from sewall.jobs.windows.calls import as_called
from sewall.jobs.windows.observed import Sample
from sewall.jobs.windows.source import Windows
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.defects import AnyDefects, Defects
from sewall.simulate.farm import Labelled
from sewall.simulate.history import History, random_history
from sewall.simulate.local_rates import local_rates
from sewall.simulate.shards import ShardedAlignments
from sewall.task import Examples

CHROMOSOMES = (4, 220)
LENGTHS = (20_000, 1_000_000)  # bp
THETA = (5e-5, 0.03)  # 4 Ne mu per bp
INFORMATION = (6.0, 1_000.0)  # 4 Ne mu of a window
HIGHEST, LOWEST_TOP = 16.0, 0.3  # rho / theta: of any window, and of the fastest window of a data set
MOST_CROSSOVERS = 1_500.0  # 4 Ne r of a window; only windows of much variation are cut by it
EPOCHS = (1, 4)
COMPLETE_SPECTRA, NO_SINGLETONS = 0.55, 0.25  # shares of the data sets
PHASED, WHOLE_CALLS, WHOLE_GENOMES = 0.6, 0.5, 0.7
MOST_MISSING = 0.3
MISSING_ROWS = 300

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RateSpread:
    """How rho / theta is spread over the windows of one genome: evenly up to a top, or log-normally below it.

    Attributes:
        top: no window's rate is above it.
        median, log_sd: of the log-normal; None for rates that are spread evenly.
    """

    top: float
    median: float | None = None
    log_sd: float = 0.0

    def draw(self, rng: np.random.Generator) -> float:
        """Draw the rho / theta of one window."""
        if self.median is None:
            return float(rng.uniform(0, self.top))
        return float(min(self.median * np.exp(self.log_sd * rng.standard_normal()), self.top))


@dataclass(frozen=True)
class DataSet:
    """What the windows of a data set share.

    Attributes:
        sample: who was sequenced, and which calls are missing.
        least: smallest minor-allele count that is kept.
        history: of the population.
        theta: 4 Ne mu per bp.
        log_spread: standard deviation of the log of a window's theta beyond what the coalescent gives.
        length: of a window, bp.
        accessible_share: of a window.
        rates: rho / theta of the windows.
        defects: what is uneven in the genome and wrong in the calls.
    """

    sample: Sample
    least: int
    history: History
    theta: float
    log_spread: float
    length: int
    accessible_share: float
    rates: RateSpread
    defects: Defects

    def window(self, ratio: float, rng: np.random.Generator, ancestry: np.random.SeedSequence) -> Alignment:
        """Simulate one window at a given rho / theta, as its calls would show it."""
        n, defects = self.sample.chromosomes, self.defects
        theta = self.theta * float(np.exp(self.log_spread * rng.standard_normal()))
        mutation_rate = theta / (4 * self.history.effective_size(n, self.least))
        mean = ratio * mutation_rate
        rates = local_rates(mean, self.length, defects.unevenness, rng)
        spec = WindowSpec(n, self.length, mutation_rate, rates, self.history, defects.gene_conversion * mean)
        accessible = draw_mask(self.length, self.accessible_share, rng)
        return as_called(simulate_window(spec, ancestry), self.sample, accessible, defects, self.least, rng)


def draw_data_set(rng: np.random.Generator) -> DataSet:
    """Draw a data set of any kind."""
    sample = _sample(rng)
    n = sample.chromosomes
    least = _least(n, rng)
    while True:
        length = round(_log_uniform(LENGTHS, rng))
        information = _log_uniform(INFORMATION, rng)
        theta = information / length
        if THETA[0] <= theta <= THETA[1] and information * harmonic(n, least) > 1.5 * FEWEST_SITES:
            break
    masked = rng.random() >= WHOLE_GENOMES
    return DataSet(
        sample, least, random_history(rng, EPOCHS), theta, float(rng.uniform(0.02, 0.4)), length,
        float(rng.uniform(0.5, 0.95)) if masked else 1.0, _rates(information, rng), AnyDefects().draw(rng),
    )  # fmt: skip


def _sample(rng: np.random.Generator) -> Sample:
    phased = bool(rng.random() < PHASED)
    individuals = max(2, round(_log_uniform(CHROMOSOMES, rng) / 2))
    diploid = np.full(individuals, 2, np.int8)
    ploidy = np.ones(2 * individuals, np.int8) if phased and rng.random() < 0.3 else diploid
    columns = 2 * individuals if phased else individuals
    return Sample(phased, ploidy, _missing(columns, rng))


def _missing(columns: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return ``(rows, columns)`` a pattern of missing calls, which individuals and sites have in different measure."""
    if rng.random() < WHOLE_CALLS:
        return np.zeros((0, columns), bool)
    level = rng.uniform(0, MOST_MISSING)
    of_column = rng.gamma(4.0, 0.25, columns)
    of_row = rng.gamma(1.0, 1.0, MISSING_ROWS) if rng.random() < 0.5 else np.ones(MISSING_ROWS)
    return rng.random((MISSING_ROWS, columns)) < np.minimum(level * of_row[:, None] * of_column, 0.8)


def _least(n: int, rng: np.random.Generator) -> int:
    kind, most = rng.random(), max(1, n // 3)
    if kind < COMPLETE_SPECTRA:
        return 1
    if kind < COMPLETE_SPECTRA + NO_SINGLETONS:
        return min(2, most)
    return min(max(1, int(np.ceil(n * rng.uniform(0.01, 0.1)))), most)


def _rates(information: float, rng: np.random.Generator) -> RateSpread:
    cap = float(np.clip(MOST_CROSSOVERS / information, 3.0, HIGHEST))
    if rng.random() < 0.5:
        return RateSpread(_log_uniform((LOWEST_TOP, cap), rng))
    return RateSpread(cap, _log_uniform((0.02, cap / 2), rng), float(rng.uniform(0, 1.3)))


def _log_uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(ends[0]), np.log(ends[1]))))


def draw_mask(length: int, share: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return ``(intervals, 2)`` stretches that make up about a *share* of a window; all of it where the share is 1."""
    if share >= 1:
        return np.array([[0, length]], np.int32)
    pieces = int(rng.integers(5, 40))
    edges = np.unique(np.concatenate([[0], rng.integers(1, length, pieces), [length]]))
    kept = rng.random(len(edges) - 1) < share
    kept[rng.integers(len(kept))] = True  # a window without any would hold nothing
    return np.stack([edges[:-1], edges[1:]], axis=1)[kept].astype(np.int32)


@dataclass(frozen=True)
class DataSetSimulator:
    """Simulates the windows of data set i; depends on the seed alone, and can be sent to another process.

    Attributes:
        windows: of each data set.
        kind: what all data sets are alike in; None draws each of another kind, and lets windows see fewer of the
            others, as data sets may be small.
    """

    windows: int = MOST_WINDOWS
    kind: DataSet | None = None

    def __call__(self, i: int, seed: np.random.SeedSequence) -> list[Labelled]:
        """Return the windows of one data set: no alignments, which would fill disks, but what is read off them."""
        own, *children = seed.spawn(1 + self.windows)
        rng = np.random.default_rng(own)
        data_set = self.kind or draw_data_set(rng)
        ratios = [data_set.rates.draw(rng) for _ in children]
        made = [data_set.window(ratio, rng, child) for ratio, child in zip(ratios, children, strict=True)]
        unit = pooled_theta(made, data_set.least) or data_set.theta
        encoded = [encode(window, unit, data_set.least) for window in made]
        together = self._contexts(data_set, np.array([row["statistics"] for row in encoded]), rng)
        shared = {
            "data_set": i, "chromosomes": data_set.sample.chromosomes, "phased": data_set.sample.phased,
            "least": data_set.least, "length": data_set.length, "theta": data_set.theta, **asdict(data_set.defects),
        }  # fmt: skip
        empty = replace(made[0], positions=made[0].positions[:0], calls=made[0].calls[:0])
        return [
            (empty, {**shared, "rho_over_theta": ratio, "context": row_context, **row})
            for ratio, row_context, row in zip(ratios, together, encoded, strict=True)
        ]

    def _contexts(self, data_set: DataSet, statistics: Floats, rng: np.random.Generator) -> list[NDArray[np.float32]]:
        """Return the context of every window: of all windows, or of some of them, itself among."""
        usable = np.flatnonzero(~np.isnan(statistics[:, 0]))
        number = self.windows if self.kind or rng.random() < 0.5 else int(rng.integers(1, self.windows + 1))
        sample, found = data_set.sample, []
        for window in range(self.windows):
            others = rng.permutation(usable[usable != window])[: number - 1]
            rows = np.append(others, window) if window in usable else others
            known = statistics[rows] if len(rows) else np.zeros((1, statistics.shape[1]))
            found.append(context(known, sample.chromosomes, sample.phased, data_set.least))
        return found


def examples_of(paths: list[Path]) -> Examples:
    """Return labelled windows from shards of data sets; their group is the data set."""
    shards = ShardedAlignments(paths)
    labels = shards.labels
    encoded = {name: shards.array(name) for name in (*ENCODED, "context")}
    return Examples(
        labels.drop(columns=TARGET), Windows(shards, encoded), labels[TARGET].to_numpy(float),
        labels["data_set"].to_numpy(np.int64),
    )  # fmt: skip


def pooled_theta(windows: list[Alignment], least: int) -> float:
    """Return theta per accessible bp over several windows, as it would be estimated from data; 0 without a site."""
    sizes = [window.accessible_bp for window in windows]
    found = [watterson_theta(window, least) * size for window, size in zip(windows, sizes, strict=True)]
    return float(sum(found) / max(sum(sizes), 1))
