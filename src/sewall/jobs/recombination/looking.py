"""What the data show before anything is trained: looks through a few simulated windows, then the prior.

The first look is at all that is known of species; each of the others at what explains the data in the one before. What
explains them in the last is what the simulations of the training draw from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import run
from sewall.console import Console
from sewall.errors import SewallError
from sewall.jobs.recombination.genomes import ELSEWHERE, AnyGenome, Genomes, GenomeSource
from sewall.jobs.recombination.learn import ADAPT, CLOSER_LOOKS, HISTORIES, LOOK, in_context, simulated
from sewall.jobs.recombination.posterior import Posterior
from sewall.jobs.recombination.prior import DRIFT, excess_spread, range_of_rates, window_simulator
from sewall.jobs.recombination.rates import rate_weights
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.session import stream
from sewall.jobs.windows.adapting import Nearest
from sewall.jobs.windows.learning import Look, histories_for
from sewall.jobs.windows.observed import Observed
from sewall.jobs.windows.options import PriorOptions
from sewall.jobs.windows.source import windows_of
from sewall.nets.alignment import AlignmentNet
from sewall.rundir import RunDirectory
from sewall.simulate.defects import NAMES as DEFECTS
from sewall.simulate.fit_history import HistoryPool
from sewall.simulate.ghosts import EXCHANGE, WithGhosts
from sewall.simulate.history import HistorySource, RandomHistories
from sewall.simulate.synthetic import SyntheticLikelihood
from sewall.task import Examples, Rows

LOOKS, SIMULATIONS = (2_400, 3_000, 4_000), 20_000  # windows
QUICK_LOOKS, QUICK_SIMULATIONS = (1_200, 1_500, 2_000), 3_000
ADAPT_LOOK = 600
FEWEST_SIMULATIONS = 5_000
CHEAP_CROSSOVERS = 600.0  # expected 4 Ne r L of a window up to which simulations cost about the same
MOST_CROSSOVERS = 1_500.0  # 4 Ne r L of a window in the first look: windows of dense genomes would take seconds each
WIDEST = (0.01, 16.0)  # rho / theta of the first look; selfing plants lie low, flies and yeasts above the human 0.8
FAR, NEAR = 0.4, 0.5  # powers of the likelihoods that the first look learned, and the others: they are rough
GENOMES = 400  # that simulations draw from
DRAWS = 10_000  # of rates, to see how they are spread

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class General:
    """Networks that were trained on data of every kind, and what they read of these data.

    Attributes:
        networks: the ensemble.
        contexts: `sewall.jobs.recombination.learn.drawn_contexts` of the data.
        seed: decides which context each simulation gets.
    """

    networks: Sequence[AlignmentNet]
    contexts: NDArray[np.float32]
    seed: int

    def estimates(self, examples: Examples, rows: Rows) -> Floats:
        """Return ``(rows,)`` what the networks say before anything was learnt of the data, on the learning scale."""
        if "context" not in windows_of(examples).encoded:
            examples = in_context(examples, self.contexts, self.seed)
        task = RecombinationTask(WIDEST[1], context=True)
        return np.asarray(run.ensemble(list(self.networks), task, examples, rows)[0].mean(axis=1), np.float64)


def histories_of(
    folder: RunDirectory, options: PriorOptions, observed: Observed, data: Examples, console: Console
) -> HistorySource:
    """Return what to draw histories from, as ``--adapt`` says.

    What ``auto`` compares are statistics of the data, and of a few simulations under some histories.
    """
    task = RecombinationTask(WIDEST[1])

    def under(name: str, histories: HistorySource) -> pd.DataFrame:
        simulator = window_simulator(observed, _widest(observed, histories), 0.05)
        label, seed = f"look at {name}", stream(folder.seed, ADAPT)
        seen = simulated(simulator, ADAPT_LOOK, seed, folder, options, console, label)
        return task.statistics(seen, np.flatnonzero(task.usable(seen)))

    look = Look(task.statistics(data, np.flatnonzero(task.usable(data))), under)
    wide = WithGhosts(RandomHistories(observed.spectrum_chromosomes, observed.least))
    return histories_for(folder, options, observed, stream(folder.seed, HISTORIES), look, wide)


def make_prior(
    folder: RunDirectory,
    options: PriorOptions,
    observed: Observed,
    data: Examples,
    histories: HistorySource,
    console: Console,
    general: General | None = None,
) -> dict[str, Any]:
    """Look a few times, each time nearer, and draw the prior around what explains the data.

    Returns:
        ``upper`` end of rho / theta, ``log_spread`` of theta, the ``genomes`` that explain the data (see `Genomes`),
        the mean level of their ``defects``, number of ``simulations``.
    """
    if options.simulations is not None and options.simulations < (fewest := run.fewest_examples()):
        raise SewallError(
            f"--simulations {options.simulations}: too few to train and to calibrate; give at least {fewest}"
        )
    with folder.stage("prior") as stage:
        if not stage.done:
            look = _Look(folder, options, observed, data, histories, console, general)
            first, *others = QUICK_LOOKS if options.quick else LOOKS
            seen = look.at(look.widest(), 0.05, "first look", first, LOOK)
            genomes = look.genomes(seen, FAR)
            for (label, purpose), windows in zip(CLOSER_LOOKS.items(), others, strict=False):
                seen = look.at(genomes, seen.log_spread, label, windows, purpose)
                genomes = look.genomes(seen, NEAR)
            genomes = look.weighted(genomes, seen)
            stage.note(
                upper=genomes.upper, log_spread=seen.log_spread, simulations=_number(options, observed, genomes.upper),
                genomes=genomes.state(), defects=genomes.mean_defects(),
            )  # fmt: skip
    return stage.notes


def history_in_words(histories: HistorySource) -> str:
    """Return what the simulations of a training have lived through, for a report."""
    if _pool(histories) is None:
        return histories.description
    return (
        f"{GENOMES} histories that explain the data, with and without migrants from another population, and in "
        f"{ELSEWHERE:.0%} of the windows {histories.description}"
    )


def _pool(histories: HistorySource) -> HistoryPool | None:
    """Return the histories that are weighed by the spectrum of the data, where they are."""
    source = histories.histories if isinstance(histories, Nearest) else histories
    return source if isinstance(source, HistoryPool) else None


@dataclass(frozen=True)
class _Seen:
    """What a look saw.

    Attributes:
        ours, theirs: statistics of the simulated windows, and of the data's.
        parameters: ``(simulations, parameters)`` square root of rho / theta, defects, drift, exchange with a ghost.
        log_spread: spread of the data's density beyond the coalescent's.
    """

    ours: Floats
    theirs: Floats
    parameters: Floats
    log_spread: float


@dataclass(frozen=True)
class _Look:
    """Simulates a few windows and asks which genomes explain the data.

    Where there are *general* networks, what they say is one more statistic.
    """

    folder: RunDirectory
    options: PriorOptions
    observed: Observed
    data: Examples
    histories: HistorySource
    console: Console
    general: General | None

    def widest(self) -> AnyGenome:
        """Return genomes of all rates that are known of species, or up to thrice what networks see in the data."""
        widest = _widest(self.observed, self.histories)
        if self.general is None:
            return widest
        task = RecombinationTask(WIDEST[1])
        seen = task.target.backward(self.general.estimates(self.data, np.flatnonzero(task.usable(self.data))))
        return replace(widest, upper=min(widest.upper, range_of_rates(seen, 3.0)))

    def at(self, genomes: GenomeSource, log_spread: float, label: str, number: int, purpose: int) -> _Seen:
        """Simulate windows of some genomes, and compare them with the data."""
        simulator = window_simulator(self.observed, genomes, log_spread)
        seed = stream(self.folder.seed, purpose)
        seen = simulated(simulator, number, seed, self.folder, self.options, self.console, label)
        task = RecombinationTask(WIDEST[1])
        rows, wanted = np.flatnonzero(task.usable(seen)), np.flatnonzero(task.usable(self.data))
        ours, theirs = self._statistics(task, seen, rows), self._statistics(task, self.data, wanted)
        spread = excess_spread(np.log(theirs["theta_w"].to_numpy()), np.log(ours["theta_w"].to_numpy()))
        assert seen.target is not None
        # Histories that are not inferred are not asked about: what never varies, the likelihood leaves out.
        past = seen.keys[[*DRIFT, *EXCHANGE]].to_numpy(float) * (_pool(self.histories) is not None)
        parameters = np.column_stack([np.sqrt(seen.target), seen.keys[list(DEFECTS)].to_numpy(float), past])[rows]
        return _Seen(ours.to_numpy(float), theirs.to_numpy(float), parameters, float(np.hypot(log_spread, spread)))

    def genomes(self, seen: _Seen, power: float) -> Genomes:
        """Return genomes that explain the data, the likelihood raised to a power."""
        seed = stream(self.folder.seed, LOOK)
        likelihood = SyntheticLikelihood.fit(seen.ours, seen.parameters, seen.theirs, seed)
        highest = float(seen.parameters[:, 0].max() ** 2)
        pool, n, least = _pool(self.histories), self.observed.spectrum_chromosomes, self.observed.least
        rng = np.random.default_rng(seed)
        particles = Posterior(likelihood, pool, n, least, highest).sample(rng, power)
        particles = particles[rng.choice(len(particles.middle), GENOMES, replace=False)]
        spread = particles.middle * particles.spread
        roots = particles.middle[:, None] + spread[:, None] * rng.standard_normal((GENOMES, 200))
        upper = range_of_rates(np.maximum(roots, 0).ravel() ** 2, 1.5)
        histories, exchanges = (particles.histories(), particles.exchange) if pool is not None else (None, None)
        defects, middle = particles.defects(), particles.middle
        return Genomes(histories, defects, middle, spread, upper, self.histories, exchanges=exchanges)

    def weighted(self, genomes: Genomes, seen: _Seen) -> Genomes:
        """Return the genomes with as much of each rate as the data seem to have."""
        seed, top = stream(self.folder.seed, LOOK), float(np.sqrt(genomes.upper))
        rng = np.random.default_rng(seed)
        drawn = np.sqrt([genomes.draw(rng).ratio for _ in range(DRAWS)])
        return replace(genomes, weights=rate_weights(seen.ours, seen.parameters[:, 0], seen.theirs, drawn, top, seed))

    def _statistics(self, task: RecombinationTask, examples: Examples, rows: Rows) -> pd.DataFrame:
        found = task.statistics(examples, rows)
        return found if self.general is None else found.assign(general=self.general.estimates(examples, rows))


def _number(options: PriorOptions, observed: Observed, upper: float) -> int:
    if options.simulations is not None:
        return options.simulations
    crossovers = 0.3 * upper * _theta_per_window(observed)
    most = QUICK_SIMULATIONS if options.quick else SIMULATIONS
    fewest = min(FEWEST_SIMULATIONS, most)
    return int(np.clip(most / max(1.0, crossovers / CHEAP_CROSSOVERS), fewest, most))


def _widest(observed: Observed, histories: HistorySource) -> AnyGenome:
    upper = float(np.clip(MOST_CROSSOVERS / _theta_per_window(observed), 3, WIDEST[1]))
    return AnyGenome(histories, WIDEST[0], upper, ghosts=_pool(histories) is not None)


def _theta_per_window(observed: Observed) -> float:
    return observed.theta * float(np.mean([template.length for template in observed.templates]))
