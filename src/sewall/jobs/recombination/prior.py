"""What is simulated: a prior drawn around what the data show, and the worker that simulates one window of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sewall.data.alignment import Alignment
from sewall.jobs.recombination.windows import encode
from sewall.jobs.windows.calls import as_called
from sewall.jobs.windows.observed import Observed, Sample, Template
from sewall.simulate.coalescent import WindowSpec, simulate_window
from sewall.simulate.defects import AnyDefects, Defects, MatchedDefects
from sewall.simulate.history import HistorySource
from sewall.simulate.local_rates import local_rates

WIDEST = (0.01, 16.0)  # rho / theta of the first look; selfing plants lie low, flies and yeasts above the human 0.8
UNIT_ERROR = 0.1  # of the log of theta as a unit of length: it is estimated, and differs between files of a kind
WIDENED = 0.2  # standard deviation of the log around a rate that the data seem to have
UNFOLDING_CLASSES, UNFOLDING_STEPS = 20, 12
LOWEST_SHARE = 200.0  # the prior reaches down to its upper end over this, and to zero


@dataclass(frozen=True)
class RatePrior:
    """Prior over rho / theta, drawn around what the data show.

    Three windows of five follow the rates that the data seem to have, widened; one is uniform from 0 to ``upper``, so
    that high rates are not pulled down, and one log-uniform below it, so that low rates get their share.

    Attributes:
        upper: upper end.
        estimates: rho / theta that the data seem to have; where there are none, uniform and log-uniform halves.
    """

    upper: float
    estimates: tuple[float, ...] = ()

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one rho / theta."""
        kind = rng.random()
        if self.estimates and kind < 0.6:
            near = self.estimates[rng.integers(len(self.estimates))] * np.exp(WIDENED * rng.standard_normal())
            return float(min(near, self.upper * rng.random() if near > self.upper else near))
        if kind < (0.8 if self.estimates else 0.5):
            return float(rng.uniform(0, self.upper))
        return float(self.upper * LOWEST_SHARE ** -rng.random())


@dataclass(frozen=True)
class FirstLook:
    """Prior of the first few windows, which only find the range: log-uniform over all that is known of species."""

    lower: float = WIDEST[0]
    upper: float = WIDEST[1]

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one rho / theta."""
        return float(np.exp(rng.uniform(np.log(self.lower), np.log(self.upper))))


@dataclass(frozen=True)
class WindowSimulator:
    """Simulates window i as the data would show it. Depends on the seed alone; can be sent to another process.

    Attributes:
        rates: prior of rho / theta.
        defects: prior of what is uneven in the genome and wrong in the calls.
        histories: what to draw the history of each window from.
        samples, templates: from `Observed`: who was sequenced, and the frames of windows.
        log_theta: centre of the log of theta per bp.
        log_spread: standard deviation of a window's log theta beyond what the coalescent gives.
        least: smallest minor-allele count that is kept.
    """

    rates: RatePrior | FirstLook
    defects: AnyDefects | MatchedDefects
    histories: HistorySource
    samples: tuple[Sample, ...]
    templates: tuple[Template, ...]
    log_theta: float
    log_spread: float
    least: int

    def __call__(self, i: int, seed: np.random.SeedSequence) -> tuple[Alignment, dict[str, Any]]:
        """Return the window, its ``rho_over_theta``, ``theta``, ``template`` and ``kind``, and what `encode` gives."""
        own, ancestry = seed.spawn(2)
        rng = np.random.default_rng(own)
        number = int(rng.integers(len(self.templates)))
        template = self.templates[number]
        sample = self.samples[template.sample]
        ratio = self.rates.draw(rng)
        theta = float(np.exp(self.log_theta + self.log_spread * rng.standard_normal()))
        defects = self.defects.draw(rng)
        labels = {"rho_over_theta": ratio, "theta": theta, "template": float(number), "kind": float(template.sample)}
        spec = self._spec(sample, template, ratio, theta, defects, rng)
        window = as_called(simulate_window(spec, ancestry), sample, template.accessible, defects, self.least, rng)
        unit = float(np.exp(self.log_theta + UNIT_ERROR * rng.standard_normal()))
        return window, labels | asdict(defects) | encode(window, unit, self.least)

    def _spec(
        self, sample: Sample, template: Template, ratio: float, theta: float, defects: Defects, rng: np.random.Generator
    ) -> WindowSpec:
        history = self.histories.draw(rng)
        # Scaling both rates is the same as scaling all sizes and times, and works for any history.
        mutation_rate = theta / (4 * history.effective_size(sample.chromosomes, self.least))
        mean = ratio * mutation_rate
        rates = local_rates(mean, template.length, defects.unevenness, rng)
        conversions = defects.gene_conversion * mean
        return WindowSpec(sample.chromosomes, template.length, mutation_rate, rates, history, conversions)


def window_simulator(
    observed: Observed,
    histories: HistorySource,
    rates: RatePrior | FirstLook,
    defects: AnyDefects | MatchedDefects,
    log_spread: float,
) -> WindowSimulator:
    """Return the simulator of windows like the observed ones."""
    centre = float(np.log(observed.theta))
    return WindowSimulator(
        rates, defects, histories, observed.samples, observed.templates, centre, log_spread, observed.least
    )


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
    """Return the upper end of the prior of rho / theta from rough estimates of the data's windows.

    Above what nearly all windows show by *margin*, so that the true rates lie well inside; at least 2.5, at most 60.

    >>> range_of_rates(np.full(100, 2.0), 1.5)
    3.0
    """
    return float(np.clip(round(margin * float(np.quantile(estimates, 0.97)), 3), 2.5, 60.0))


def unfolded(
    estimates: NDArray[np.float64], truth: NDArray[np.float64], simulated: NDArray[np.float64], most: int = 200
) -> list[float]:
    """Return how the true rates of the data are spread, as at most *most* evenly spaced quantiles.

    Rough estimates are spread by their errors as well, and a prior drawn around them would have rates that nothing in
    the data has. Simulations say which estimates a true rate gives; iterating Bayes' rule over all windows undoes that
    (Richardson 1972, J Opt Soc Am 62:55), and stopping early keeps the result smooth.

    Args:
        estimates: ``(windows,)`` rough estimates of the data's windows.
        truth: ``(simulations,)`` rates of simulated windows.
        simulated: ``(simulations,)`` estimates of the same kind, by models that had not seen the window.
        most: number of quantiles.
    """
    ours, truth, seen = np.sqrt(estimates), np.sqrt(truth), np.sqrt(simulated)
    edges = np.quantile(truth, np.linspace(0, 1, UNFOLDING_CLASSES + 1))
    number = np.clip(np.searchsorted(edges, truth, side="right") - 1, 0, UNFOLDING_CLASSES - 1)
    given = np.array([_density(ours, seen[number == k]) for k in range(UNFOLDING_CLASSES)])
    share = np.diff(edges) / (edges[-1] - edges[0])
    for _ in range(UNFOLDING_STEPS):
        posterior = share[:, None] * given
        share = (posterior / np.maximum(posterior.sum(axis=0), 1e-300)).mean(axis=1)
    count = min(most, len(estimates))
    levels = (np.arange(count) + 0.5) / count
    found = np.interp(levels, np.concatenate([[0.0], np.cumsum(share)]), edges)
    return [round(float(value), 5) for value in found**2]


def _density(at: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of *points* at some places: normal kernels, their width by Silverman's rule."""
    width = 1.06 * max(float(points.std()), 1e-3) * len(points) ** -0.2
    return np.asarray(np.exp(-0.5 * ((at[:, None] - points) / width) ** 2).mean(axis=1) / width) + 1e-12
