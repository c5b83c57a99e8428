"""From what the data show to a trained bundle: prior, simulations, networks, held-out scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from sewall import run
from sewall.console import Console
from sewall.errors import SewallError
from sewall.jobs.recombination.context import context, contexts
from sewall.jobs.recombination.prior import (
    WIDEST,
    FirstLook,
    RatePrior,
    excess_spread,
    range_of_rates,
    unfolded,
    window_simulator,
)
from sewall.jobs.recombination.task import TARGET, RecombinationTask
from sewall.jobs.recombination.windows import ENCODED, encode
from sewall.jobs.session import stream
from sewall.jobs.windows.learning import Look, Seeds
from sewall.jobs.windows.observed import Observed, WindowReader
from sewall.jobs.windows.options import PriorOptions
from sewall.jobs.windows.source import Windows, stacked, windows_of
from sewall.nets.alignment import AlignmentNet
from sewall.rundir import RunDirectory
from sewall.simple import GradientBoosting
from sewall.simulate.defects import NAMES as DEFECTS
from sewall.simulate.defects import AnyDefects, Defects, MatchedDefects, match_defects
from sewall.simulate.farm import run_farm
from sewall.simulate.history import HistorySource
from sewall.simulate.shards import ShardedAlignments
from sewall.task import Examples, Rows

SIMULATIONS, QUICK_SIMULATIONS, FIRST_LOOK = 20_000, 6_000, 2_400
CLOSER_LOOK, ADAPT_LOOK = 1_200, 600
LOOK_TREES, BRIEF_TREES = 600, 150
BRIEF_LOOK, BRIEF_SIMULATIONS = 1_200, 2_000  # where networks need only be fitted to the data: a minute on two cores
BRIEF_SHARES = run.Shares(train=0.5, tune=0.06, calibrate=0.14, null=0.14)
CONTEXTS = 50  # drawn from the windows of the data
FEWEST_SIMULATIONS = 5_000
CHEAP_CROSSOVERS = 600.0  # expected 4 Ne r L of a window up to which simulations cost about the same
MOST_CROSSOVERS = 1_500.0  # 4 Ne r L of a window in the first look: windows of dense genomes would take seconds each
SHARD = 250

# Independent streams of one seed.
HISTORIES, LOOK, SECOND_LOOK, SIMULATE, SPLIT, TRAIN, SUPPORT, ADAPT, CONTEXT = range(9)


def read_windows(reader: WindowReader, observed: Observed, console: Console) -> Examples:
    """Return the windows of the data as examples, encoded as the models read them."""
    rows = []
    with console.bar("reading windows", len(reader)) as bar:
        for window in reader:
            rows.append(encode(window, observed.theta, observed.least) | _counts(window.sites, window.accessible_bp))
            bar.advance()
    arrays = stacked(rows)
    samples = [(sample.chromosomes, sample.phased) for sample in observed.samples]
    arrays["context"] = contexts(arrays["statistics"], observed.kinds(reader), samples, observed.least)
    keys = pd.DataFrame(
        {
            "chrom": [region.chrom for region in reader.regions],
            "start": [region.start for region in reader.regions],
            "end": [region.end for region in reader.regions],
            "variants": arrays.pop("variants"),
            "accessible_bp": arrays.pop("accessible_bp"),
        }
    )
    return Examples(keys, Windows(reader, arrays))


def drawn_contexts(data: Examples, observed: Observed, reader: WindowReader, seed: int) -> NDArray[np.float32]:
    """Return ``(kinds of contig, draws, context)`` what the windows of the data show together, drawn again (bootstrap).

    So much it might have been otherwise; other data of the kind differ as much.
    """
    rng, kinds, found = np.random.default_rng(seed), observed.kinds(reader), []
    known = windows_of(data).encoded["statistics"]
    for number, sample in enumerate(observed.samples):
        own = known[(kinds == number) & ~np.isnan(known[:, 0])]
        own = own if len(own) else np.zeros((1, known.shape[1]))
        found.append([
            context(own[rng.integers(len(own), size=len(own))], sample.chromosomes, sample.phased, observed.least)
            for _ in range(CONTEXTS)
        ])  # fmt: skip
    return np.array(found, np.float32)


def in_context(examples: Examples, known: NDArray[np.float32], seed: int) -> Examples:
    """Return simulations as if they were windows of the data, for networks that read a context.

    Args:
        examples: simulations like the data.
        known: `drawn_contexts` of the data.
        seed: decides which of them each simulation gets.
    """
    source, kinds = windows_of(examples), examples.keys["kind"].to_numpy(np.intp)
    drawn = np.random.default_rng(seed).integers(known.shape[1], size=len(examples))
    return replace(examples, source=Windows(source.alignments, source.encoded | {"context": known[kinds, drawn]}))


@dataclass(frozen=True)
class Begun:
    """What a training begins from.

    Attributes:
        networks: trained on data sets of every kind.
        contexts: `drawn_contexts` of the data.
        brief: whether the networks need only be fitted to the data, on few simulations.
        seed: decides which context each simulation gets.
    """

    networks: Sequence[AlignmentNet]
    contexts: NDArray[np.float32]
    brief: bool
    seed: int

    def estimates(self, examples: Examples, rows: Rows) -> NDArray[np.float64]:
        """Return ``(rows,)`` what the networks say before anything was learnt of the data, on the learning scale."""
        if "context" not in windows_of(examples).encoded:
            examples = in_context(examples, self.contexts, self.seed)
        task = RecombinationTask(WIDEST[1], context=True)
        return np.asarray(run.ensemble(list(self.networks), task, examples, rows)[0].mean(axis=1), np.float64)


def _counts(sites: int, accessible: int) -> dict[str, NDArray[Any]]:
    return {"variants": np.array(sites), "accessible_bp": np.array(accessible)}


def look_of(folder: RunDirectory, options: PriorOptions, observed: Observed, data: Examples, console: Console) -> Look:
    """Return what ``--adapt auto`` compares: statistics of the data, and of a few simulations under some histories."""
    task = RecombinationTask(FirstLook().upper)

    def simulated(name: str, histories: HistorySource) -> pd.DataFrame:
        simulator = window_simulator(observed, histories, _widest(observed), AnyDefects(), 0.05)
        label, seed = f"look at {name}", stream(folder.seed, ADAPT)
        seen = _simulated(simulator, ADAPT_LOOK, seed, folder, options, console, label)
        return task.statistics(seen, np.flatnonzero(task.usable(seen)))

    return Look(task.statistics(data, np.flatnonzero(task.usable(data))), simulated)


def make_prior(
    folder: RunDirectory,
    options: PriorOptions,
    observed: Observed,
    data: Examples,
    histories: HistorySource,
    console: Console,
    begun: Begun | None = None,
) -> dict[str, Any]:
    """Simulate a few windows over all known rates, and draw the prior around what they say of the data.

    Where networks are *begun* from, and only briefly fitted, one look is enough: at the rates that they see.

    Returns:
        ``upper`` end and rough ``estimates`` of rho / theta, ``log_spread`` of theta, mean level of the ``defects``,
        number of ``simulations``.
    """
    if options.simulations is not None and options.simulations < (fewest := run.fewest_examples()):
        raise SewallError(
            f"--simulations {options.simulations}: too few to train and to calibrate; give at least {fewest}"
        )
    with folder.stage("prior") as stage:
        if not stage.done:
            brief = begun is not None and begun.brief
            look = _Look(folder, options, observed, data, histories, console, begun if brief else None)
            seen = look.at(look.widest(), AnyDefects(), 0.05, "first look", BRIEF_LOOK if brief else FIRST_LOOK, LOOK)
            defects = seen.defects(stream(folder.seed, LOOK))
            if not brief:
                wide, matched = RatePrior(range_of_rates(seen.rates, 1.5)), MatchedDefects(defects)
                seen = look.at(wide, matched, seen.log_spread, "second look", CLOSER_LOOK, SECOND_LOOK)
            rates = seen.unfolded()
            upper = range_of_rates(np.array(rates), 1.3)
            number = BRIEF_SIMULATIONS if brief else _number(options, observed, upper)
            stage.note(
                upper=upper, estimates=rates, log_spread=seen.log_spread, simulations=number, defects=asdict(defects)
            )
    return stage.notes


@dataclass(frozen=True)
class _Seen:
    """What a look says of the data.

    Attributes:
        rates: rough rho / theta of the data's windows.
        log_spread: spread of their density beyond the coalescent's.
        drawn: by defect, its levels in the simulated windows.
        ours, theirs: statistics of the simulated windows, and of the data's.
        truth: rho / theta of the simulated windows.
        seed, trees: of the models that look at them.
    """

    rates: NDArray[np.float64]
    log_spread: float
    drawn: dict[str, NDArray[np.float64]]
    ours: NDArray[np.float64]
    theirs: NDArray[np.float64]
    truth: NDArray[np.float64]
    seed: int
    trees: int

    def unfolded(self) -> list[float]:
        """Return how the true rates of the data are spread."""
        model = GradientBoosting(self.seed, self.trees)
        found = np.empty(len(self.truth))
        for train, held in KFold(5, shuffle=True, random_state=self.seed).split(self.ours):
            fitted = model.fit(pd.DataFrame(self.ours[train]), np.sqrt(self.truth[train]))
            found[held] = fitted.predict(pd.DataFrame(self.ours[held]))
        return unfolded(self.rates, self.truth, np.maximum(found, 0) ** 2)

    def defects(self, seed: int) -> Defects:
        """Return the mean level of each defect in the data."""
        return match_defects(self.ours, self.drawn, self.theirs, seed)


@dataclass(frozen=True)
class _Look:
    """Simulates a few windows and reads the data with simple models fitted to them.

    Where networks are *begun* from, what they say is one more statistic.
    """

    folder: RunDirectory
    options: PriorOptions
    observed: Observed
    data: Examples
    histories: HistorySource
    console: Console
    begun: Begun | None

    def widest(self) -> FirstLook:
        """Return rates to look at: all that are known of species, or up to thrice what networks see in the data."""
        widest = _widest(self.observed)
        if self.begun is None:
            return widest
        task = RecombinationTask(WIDEST[1])
        seen = task.target.backward(self.begun.estimates(self.data, np.flatnonzero(task.usable(self.data))))
        return FirstLook(upper=min(widest.upper, range_of_rates(seen, 3.0)))

    def _statistics(self, task: RecombinationTask, examples: Examples, rows: Rows) -> pd.DataFrame:
        found = task.statistics(examples, rows)
        return found if self.begun is None else found.assign(begun=self.begun.estimates(examples, rows))

    def at(self, rates: Any, defects: Any, log_spread: float, label: str, number: int, purpose: int) -> _Seen:
        simulator = window_simulator(self.observed, self.histories, rates, defects, log_spread)
        seed = stream(self.folder.seed, purpose)
        seen = _simulated(simulator, number, seed, self.folder, self.options, self.console, label)
        task = RecombinationTask(60.0)
        rows, wanted = np.flatnonzero(task.usable(seen)), np.flatnonzero(task.usable(self.data))
        ours, theirs = self._statistics(task, seen, rows), self._statistics(task, self.data, wanted)
        assert seen.target is not None
        trees = LOOK_TREES if self.begun is None else BRIEF_TREES
        model = GradientBoosting(seed, trees).fit(ours, task.target.forward(seen.target[rows]))
        spread = excess_spread(np.log(theirs["theta_w"].to_numpy()), np.log(ours["theta_w"].to_numpy()))
        drawn = {name: seen.keys[name].to_numpy(float)[rows] for name in DEFECTS}
        found = task.target.backward(model.predict(theirs))
        arrays = ours.to_numpy(float), theirs.to_numpy(float), seen.target[rows]
        return _Seen(found, float(np.hypot(log_spread, spread)), drawn, *arrays, seed, trees)


def _number(options: PriorOptions, observed: Observed, upper: float) -> int:
    if options.simulations is not None:
        return options.simulations
    crossovers = 0.3 * upper * _theta_per_window(observed)
    most = QUICK_SIMULATIONS if options.quick else SIMULATIONS
    fewest = min(FEWEST_SIMULATIONS, most)
    return int(np.clip(most / max(1.0, crossovers / CHEAP_CROSSOVERS), fewest, most))


def _widest(observed: Observed) -> FirstLook:
    return FirstLook(upper=float(np.clip(MOST_CROSSOVERS / _theta_per_window(observed), 3, FirstLook().upper)))


def _theta_per_window(observed: Observed) -> float:
    return observed.theta * float(np.mean([template.length for template in observed.templates]))


def simulate_windows(
    folder: RunDirectory,
    options: PriorOptions,
    observed: Observed,
    prior: dict[str, Any],
    histories: HistorySource,
    console: Console,
) -> Examples:
    """Simulate labelled windows like the observed ones; shards that are there already are kept."""
    defects = MatchedDefects(Defects(**prior["defects"]))
    simulator = window_simulator(
        observed, histories, RatePrior(prior["upper"], tuple(prior["estimates"])), defects, prior["log_spread"]
    )
    with folder.stage("simulate", prior):
        seed = stream(folder.seed, SIMULATE)
        return _simulated(simulator, prior["simulations"], seed, folder, options, console, "simulating")


def _simulated(
    simulator: Any, number: int, seed: int, folder: RunDirectory, options: PriorOptions, console: Console, label: str
) -> Examples:
    place = folder.claim(f"simulations/{label.replace(' ', '-')}")
    with console.bar(f"{label}: {number:,} windows", number) as bar:
        paths = run_farm(
            simulator, number, seed, place, config={"run": folder.config, "label": label}, shard_size=SHARD,
            workers=options.threads, cluster=options.cluster, progress=bar.update,
        )  # fmt: skip
    return simulated_examples(paths)


def simulated_examples(paths: list[Path]) -> Examples:
    """Return labelled examples from shards of simulations."""
    shards = ShardedAlignments(paths)
    labels = shards.labels
    encoded = {name: shards.array(name) for name in ENCODED}
    target = labels[TARGET].to_numpy(float)
    keys = labels.drop(columns=TARGET).rename_axis("simulation").reset_index()
    return Examples(keys, Windows(shards, encoded), target)


def seeds(seed: int) -> Seeds:
    """Return the seeds of the training of a run."""
    return Seeds(stream(seed, SPLIT), stream(seed, TRAIN))


def about(trained_on: dict[str, Any], prior: dict[str, Any], history: str, quick: bool) -> dict[str, Any]:
    """Return what a bundle says of itself before it is scored."""
    drawn = {name: value for name, value in prior.items() if name != "estimates"}
    return {
        "job": RecombinationTask.name,
        "description": "Crossovers per mutation (rho / theta) of windows of a genome, from the alignment of a sample.",
        "trained_on": trained_on | {"history": history, "quick": quick} | drawn,
        "limits": [
            "Valid for data like the simulations above; the support check says where data are not.",
            "Selection was not simulated, nor structure within the sample unless the history has it.",
            "Rates per bp are proportional to the mutation rate that the user states.",
        ],
    }
