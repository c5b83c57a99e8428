"""What is simulated: windows with and without sweeps, as the data would show them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.jobs.sweep.windows import encode
from sewall.jobs.windows.calls import as_called
from sewall.jobs.windows.observed import Observed, Sample, Template
from sewall.simulate.defects import AnyDefects, Defects
from sewall.simulate.farm import Labelled
from sewall.simulate.history import History, HistorySource, PopulationHistory, theta_matched
from sewall.simulate.sweep_course import NoTrajectory
from sewall.simulate.sweeps import Range, SweepExample, SweepPrior, simulate_examples

THETA_SPREAD = 1.2  # mutation rates reach from the one that fits the data over this to as many times it
MOST_DRAWS = 10  # of a history and a sweep, until one can have happened in the other; how many there were is kept


@dataclass(frozen=True)
class ScaledHistories:
    """Histories at the scale of a genome: those known by their shape alone get the size that the data ask for.

    Attributes:
        histories: where they come from.
        size: constant size that would give as many variants as the data have.
        n: chromosomes in the sample.
        min_count: smallest count of the rarer allele that the data can show.
    """

    histories: HistorySource
    size: float
    n: int
    min_count: int = 1

    @property
    def description(self) -> str:
        """What the histories are, in words for a report."""
        return self.histories.description

    def draw(self, rng: np.random.Generator) -> PopulationHistory:
        """Draw a history; one that was given keeps its own sizes."""
        drawn = self.histories.draw(rng)
        return theta_matched(drawn, self.n, self.size, self.min_count) if isinstance(drawn, History) else drawn

    def state(self) -> dict[str, Any]:
        """Return all that the draws depend on, as plain numbers and text for JSON."""
        own = {"size": self.size, "n": self.n, "min_count": self.min_count}
        return {"histories": self.histories.state(), **own}


@dataclass(frozen=True)
class Clean:
    """No errors, no phase switches."""

    def draw(self, rng: np.random.Generator) -> Defects:
        """Return perfect calls."""
        return Defects()


@dataclass(frozen=True)
class SweepSimulator:
    """Simulates the windows of simulation i as the data would show them; depends on the seed alone.

    Attributes:
        prior: of sweeps, for the commonest kind of contig.
        samples, templates: from `Observed`: who was sequenced, and the frames of windows.
        defects: prior of what is wrong in the calls.
        theta: 4 Ne mu per bp of the sample, the unit of length.
        least: smallest minor-allele count that is kept.
        known: ``(templates, 2 sub_windows - 1)`` what a map says of recombination around each; None without a map.
    """

    prior: SweepPrior
    samples: tuple[Sample, ...]
    templates: tuple[Template, ...]
    defects: AnyDefects | Clean
    theta: float
    least: int
    known: NDArray[np.float64] | None = None

    def __call__(self, i: int, seed: np.random.SeedSequence) -> list[Labelled]:
        """Return the windows of one simulation, each with what happened in it and its arrays of `encode`."""
        own, ancestry = seed.spawn(2)
        rng = np.random.default_rng(own)
        chosen = int(rng.integers(len(self.templates)))
        template = self.templates[chosen]
        known = None if self.known is None else self.known[chosen]
        prior = replace(self.prior, chromosomes=self.samples[template.sample].chromosomes, known=known)
        defects = self.defects.draw(rng)
        prior = replace(prior, unevenness=max(defects.unevenness, self.prior.unevenness))
        for redrawn, seed in enumerate(ancestry.spawn(MOST_DRAWS)):
            try:
                examples = simulate_examples(prior, i, seed)
            except NoTrajectory:
                if redrawn == MOST_DRAWS - 1:
                    raise
                continue
            break
        return [self._seen(e, template, defects, rng, redrawn) for e in examples]

    def _seen(
        self, example: SweepExample, template: Template, defects: Defects, rng: np.random.Generator, redrawn: int
    ) -> Labelled:
        sample = self.samples[template.sample]
        window = as_called(example.window, sample, template.accessible, defects, self.least, rng)
        return window, example.labels() | {"redrawn": redrawn} | encode(window, self.theta, self.least, example.known)


def sweep_prior(
    observed: Observed, histories: HistorySource, mutation_rate: float, recombination_rate: Range, window: int,
    sub_windows: int, partial: bool,
) -> SweepPrior:  # fmt: skip
    """Return what is simulated for data that show *observed*.

    The number of variants is that of the data: with a given history the mutation rate is chosen to match it, with
    random ones the size of the population.

    Args:
        observed: what the data show.
        histories: from the data, or given.
        mutation_rate: per bp per generation, as stated.
        recombination_rate: what the mean rate of a simulation is drawn from.
        window: length in bp.
        sub_windows: equal parts of a window.
        partial: whether partial sweeps are a class.
    """
    n, least = observed.main.chromosomes, observed.least
    scaled = ScaledHistories(histories, observed.theta / (4 * mutation_rate), n, least)
    size = scaled.draw(np.random.default_rng(0)).effective_size(n, least)
    fitting = observed.theta / (4 * size)
    return SweepPrior(
        n, scaled, Range(fitting / THETA_SPREAD, fitting * THETA_SPREAD, log=True),
        recombination_rate, sub_windows=sub_windows, sub_length=window // sub_windows, partial=partial, linked=1,
    )  # fmt: skip
