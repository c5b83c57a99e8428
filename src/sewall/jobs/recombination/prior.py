"""What is simulated: a prior drawn around what the data show, and the worker that simulates one window of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.jobs.recombination.genomes import Genome, GenomeSource
from sewall.jobs.recombination.windows import encode
from sewall.jobs.windows.calls import as_called
from sewall.jobs.windows.observed import Observed, Sample, Template
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.ghosts import EXCHANGE, exchange_at, exchange_numbers
from sewall.simulate.histories import STRETCHES, Histories
from sewall.simulate.history import History, PopulationHistory
from sewall.simulate.local_rates import local_rates

UNIT_ERROR = 0.1  # of the log of theta as a unit of length: it is estimated, and differs between files of a kind
DRIFT = tuple(f"drift_{k}" for k in range(len(STRETCHES) - 1))


@dataclass(frozen=True)
class WindowSimulator:
    """Simulates window i as the data would show it. Depends on the seed alone; can be sent to another process.

    Attributes:
        genomes: what to draw history, defects and rate of each window from.
        samples, templates: from `Observed`: who was sequenced, and the frames of windows.
        log_theta: centre of the log of theta per bp.
        log_spread: standard deviation of a window's log theta beyond what the coalescent gives.
        least: smallest minor-allele count that is kept.
        reference: chromosomes of the sample that sizes of the population are stated for.
    """

    genomes: GenomeSource
    samples: tuple[Sample, ...]
    templates: tuple[Template, ...]
    log_theta: float
    log_spread: float
    least: int
    reference: int

    def __call__(self, i: int, seed: np.random.SeedSequence) -> tuple[Alignment, dict[str, Any]]:
        """Return the window, what it was simulated with, its ``template`` and ``kind``, and what `encode` gives."""
        own, ancestry = seed.spawn(2)
        rng = np.random.default_rng(own)
        number = int(rng.integers(len(self.templates)))
        template = self.templates[number]
        sample = self.samples[template.sample]
        genome = self.genomes.draw(rng)
        deviation = self.log_spread * rng.standard_normal()
        theta = float(np.exp(self.log_theta + deviation))
        # Some windows are denser for a higher mutation rate, others for a larger population (linked selection), which
        # raises 4 Ne r as well. Nobody knows which in what measure.
        ratio = genome.ratio * float(np.exp(-rng.random() * deviation))
        labels = {
            "rho_over_theta": genome.ratio,
            "theta": theta,
            "template": float(number),
            "kind": float(template.sample),
        }
        spec = self._spec(sample, template, replace(genome, ratio=ratio), theta, rng)
        calls = sample, template.accessible, genome.defects, self.least, rng
        window = as_called(simulate_window(spec, ancestry), *calls)
        unit = float(np.exp(self.log_theta + UNIT_ERROR * rng.standard_normal()))
        exchange = exchange_numbers(np.array([genome.exchange]))[0].tolist()
        shared = zip((*DRIFT, *EXCHANGE), self._drift(genome.history) + exchange, strict=True)
        return window, labels | asdict(genome.defects) | dict(shared) | encode(window, unit, self.least)

    def _drift(self, history: PopulationHistory) -> list[float]:
        if not isinstance(history, History):
            return [0.0] * len(DRIFT)
        return [float(value) for value in Histories.of([history]).drift(self.reference, self.least)[0]]

    def _history(self, genome: Genome) -> PopulationHistory:
        if not isinstance(genome.history, History):
            return genome.history
        size = genome.history.effective_size(self.reference, self.least)
        return exchange_at(genome.exchange).added(genome.history, size)

    def _spec(
        self, sample: Sample, template: Template, genome: Genome, theta: float, rng: np.random.Generator
    ) -> WindowSpec:
        history, defects, ratio = self._history(genome), genome.defects, genome.ratio
        # Scaling both rates is the same as scaling all sizes and times, and works for any history.
        mutation_rate = theta / (4 * history.effective_size(sample.chromosomes, self.least))
        mean = ratio * mutation_rate
        rates = local_rates(mean, template.length, defects.unevenness, rng)
        conversions = defects.gene_conversion * mean
        return WindowSpec(sample.chromosomes, template.length, mutation_rate, rates, history, conversions)


def window_simulator(observed: Observed, genomes: GenomeSource, log_spread: float) -> WindowSimulator:
    """Return the simulator of windows like the observed ones."""
    centre, reference = float(np.log(observed.theta)), observed.spectrum_chromosomes
    return WindowSimulator(genomes, observed.samples, observed.templates, centre, log_spread, observed.least, reference)


def excess_spread(observed: NDArray[np.float64], simulated: NDArray[np.float64]) -> float:
    """Return how much more the log theta of windows varies in the data than in simulations of one theta.

    Local differences of the mutation rate and linked selection do that. At least 0.05, so that no window's density is
    taken to be known exactly; at most 1.

    >>> excess_spread(np.array([-1.0, 1.0]), np.array([-0.8, 0.8]))
    0.6
    """
    excess = float(np.var(observed) - np.var(simulated))
    return float(np.clip(round(np.sqrt(max(excess, 0.0)), 6), 0.05, 1.0))


def range_of_rates(estimates: NDArray[np.float64], margin: float) -> float:
    """Return the upper end of the prior of rho / theta from what the data's windows may have.

    Above what nearly all windows show by *margin*, so that the true rates lie well inside; at least 2.5, at most 60.

    >>> range_of_rates(np.full(100, 2.0), 1.5)
    3.0
    """
    return float(np.clip(round(margin * float(np.quantile(estimates, 0.97)), 3), 2.5, 60.0))
