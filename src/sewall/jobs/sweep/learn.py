"""From what the data show to a trained bundle: prior, simulations, networks, held-out scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sewall import bundle as bundles
from sewall import run
from sewall.bundle import Bundle
from sewall.console import Console
from sewall.errors import SewallError
from sewall.jobs.session import stream
from sewall.jobs.sweep.options import SUB_WINDOWS, SimulateOptions
from sewall.jobs.sweep.prior import SweepSimulator, sweep_prior
from sewall.jobs.sweep.rates import KnownRates
from sewall.jobs.sweep.task import AGE, STRENGTH, SweepTask, age_task, kind_task, strength_task, sweep_rows
from sewall.jobs.sweep.windows import ENCODED
from sewall.jobs.windows.learning import Budget, Look, Seeds, histories_for, learn
from sewall.jobs.windows.observed import Observed
from sewall.jobs.windows.source import Windows
from sewall.rundir import RunDirectory, write_json
from sewall.simulate.defects import AnyDefects
from sewall.simulate.farm import run_farm
from sewall.simulate.history import HistorySource, RandomHistories
from sewall.simulate.shards import ShardedAlignments
from sewall.simulate.sweeps import CLASSES, COMPLETE, SweepPrior
from sewall.task import Examples
from sewall.train import TrainConfig

SIMULATIONS, QUICK_SIMULATIONS = 12_000, 3_600
SHARD = 120
PRIOR = "prior.json"
MAIN = "bundle"
ADAPT_LOOK = 120  # simulations
FEWEST_SWEPT = 2  # simulations for each with a complete sweep
SWEPT = run.Shares(train=0.54, tune=0.05, calibrate=0.15, null=0.14)  # of the windows with a sweep, which are fewer

HISTORIES, SIMULATE, SPLIT, TRAIN, SUPPORT, ADAPT = range(6)  # independent streams of one seed


def config_of(quick: bool, device: str) -> TrainConfig:
    """Return how networks are trained: shortly, since examples are few and soon known by heart."""
    config = TrainConfig(epochs=12, patience=5, learning_rate=2e-3, weight_decay=0.1, device=device)
    return replace(config, members=2, epochs=9) if quick else config


def budget_of(quick: bool, device: str, threads: int | None) -> Budget:
    """Return how much is trained, and on how many processors."""
    return Budget(config_of(quick, device), Budget.of(quick, device, threads).workers)


@dataclass(frozen=True)
class Made:
    """A set of simulations, and what it was made from.

    Attributes:
        examples: labelled windows.
        prior: what was simulated, as JSON types.
        about: what a bundle trained on them says of itself.
    """

    examples: Examples
    prior: dict[str, Any]
    about: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return CLASSES if self.prior["partial"] else COMPLETE


def simulate(
    folder: RunDirectory, options: SimulateOptions, observed: Observed, rates: KnownRates, trained_on: dict[str, Any],
    data: Examples | None, console: Console,
) -> Made:  # fmt: skip
    """Simulate labelled windows like the observed ones; shards that are there already are kept.

    The windows of the *data* themselves are looked at where ``--adapt auto`` chooses among histories.
    """
    number = options.simulations or (QUICK_SIMULATIONS if options.quick else SIMULATIONS)
    if number < (fewest := FEWEST_SWEPT * run.fewest_examples(SWEPT)):
        raise SewallError(f"--simulations {number}: too few to calibrate strength and age; give at least {fewest:,}")
    look = None if data is None else _look(folder, options, observed, rates, data, console)
    wide = RandomHistories(observed.spectrum_chromosomes, observed.least)
    histories = histories_for(folder, options, observed, stream(folder.seed, HISTORIES), look, wide)
    prior = _prior(histories, options, observed, rates)
    simulator = _simulator(prior, observed, rates)
    about = _about(prior, trained_on, number, options.quick)
    described = _described(prior)
    with folder.stage("simulate", {"number": number, "prior": described}):
        place, seed = folder.claim("simulations"), stream(folder.seed, SIMULATE)
        with console.bar(f"simulating {number:,} stretches of genome", number) as bar:
            examples = _run(simulator, number, seed, place, folder, options, bar.update)
    about["trained_on"]["redrawn"] = int(examples.keys.drop_duplicates("simulation")["redrawn"].sum())
    write_json(folder.claim(PRIOR), {"prior": described, "about": about})
    return Made(examples, described, about)


def _look(
    folder: RunDirectory, options: SimulateOptions, observed: Observed, rates: KnownRates, data: Examples,
    console: Console,
) -> Look:  # fmt: skip
    """Return what ``--adapt auto`` compares: windows of the data, nearly all without a sweep, and such simulations."""
    task = kind_task(CLASSES if options.partial else COMPLETE, SUB_WINDOWS)

    def simulated(name: str, histories: HistorySource) -> pd.DataFrame:
        simulator = _simulator(_prior(histories, options, observed, rates), observed, rates)
        place, seed = folder.claim(f"simulations/look-at-{name}"), stream(folder.seed, ADAPT)
        with console.bar(f"look at {name}: {ADAPT_LOOK} stretches of genome", ADAPT_LOOK) as bar:
            seen = _run(simulator, ADAPT_LOOK, seed, place, folder, options, bar.update)
        assert seen.target is not None
        return task.statistics(seen, np.flatnonzero(task.usable(seen) & (seen.target == 0)))

    return Look(task.statistics(data, np.flatnonzero(task.usable(data))), simulated)


def _simulator(prior: SweepPrior, observed: Observed, rates: KnownRates) -> SweepSimulator:
    return SweepSimulator(
        prior, observed.samples, observed.templates, AnyDefects(), observed.theta, observed.least,
        _known(rates, observed),
    )  # fmt: skip


def _run(
    simulator: SweepSimulator, number: int, seed: int, place: Path, folder: RunDirectory, options: SimulateOptions,
    progress: Callable[[int, int], None],
) -> Examples:  # fmt: skip
    paths = run_farm(
        simulator, number, seed, place, config={"run": folder.config}, shard_size=SHARD, workers=options.threads,
        cluster=options.cluster, progress=progress,
    )  # fmt: skip
    return examples_of(paths)


def _prior(histories: HistorySource, options: SimulateOptions, observed: Observed, rates: KnownRates) -> SweepPrior:
    return sweep_prior(
        observed, histories, options.mutation_rate, rates.drawn, options.window, SUB_WINDOWS, options.partial
    )


def _known(rates: KnownRates, observed: Observed) -> NDArray[np.float64] | None:
    if rates.maps is None:
        return None
    places = [template.place for template in observed.templates]
    return np.array([rates.along(place, SUB_WINDOWS, SUB_WINDOWS // 2) for place in places if place is not None])


def _described(prior: SweepPrior) -> dict[str, Any]:
    plain = {name: value for name, value in vars(prior).items() if name not in ("histories", "known")}
    ranges = {name: asdict(value) for name, value in plain.items() if hasattr(value, "draw")}
    return plain | ranges | {"histories": prior.histories.description}


def read_made(folder: Path) -> Made:
    """Return the simulations in a run directory made by ``sewall sweep simulate``.

    Raises:
        SewallError: there are none.
    """
    if not (folder / PRIOR).exists():
        raise SewallError(f"{folder}: holds no finished simulations; make them with: sewall sweep simulate")
    known = json.loads((folder / PRIOR).read_text(encoding="utf-8"))
    return Made(examples_of(sorted((folder / "simulations").glob("shard-*.npz"))), known["prior"], known["about"])


def examples_of(paths: list[Path]) -> Examples:
    """Return labelled examples from shards of simulations; windows of one simulation are a group."""
    shards = ShardedAlignments(paths)
    labels = shards.labels
    encoded = {name: labels[name].to_numpy() if name in labels else shards.array(name) for name in ENCODED}
    keys = labels.drop(columns=[name for name in ("kind", "sites") if name in labels])
    groups = labels["simulation"].to_numpy(np.int64)
    return Examples(keys.reset_index(drop=True), Windows(shards, encoded), labels["kind"].to_numpy(float), groups)


@dataclass(frozen=True)
class Tasks:
    """The three questions of this job."""

    kind: SweepTask
    strength: SweepTask
    age: SweepTask

    @classmethod
    def of(cls, classes: tuple[str, ...], strength: float, age: float, sub_windows: int = SUB_WINDOWS) -> Tasks:
        """Return the questions; *strength* and *age* are the largest of training."""
        return cls(kind_task(classes, sub_windows), strength_task(strength, sub_windows), age_task(age, sub_windows))


@dataclass(frozen=True)
class Bundles:
    """What a training leaves: the bundle of the kinds, and those of strength and age inside it."""

    tasks: Tasks
    kind: Bundle
    strength: Bundle
    age: Bundle

    @property
    def trained_on(self) -> Mapping[str, Any]:
        """What it was trained on."""
        known: Mapping[str, Any] = self.kind.about["trained_on"]
        return known

    @classmethod
    def load(cls, folder: Path) -> Bundles:
        """Return the bundles in *folder*.

        Raises:
            SewallError: it holds no bundle of this job, or a damaged one.
        """
        about = bundles.read_about(folder)
        try:
            classes = tuple(about["target"]["classes"])
            upper = {name: float(bundles.read_about(folder / name)["target"]["upper"]) for name in (STRENGTH, AGE)}
            sub_windows = int(about["trained_on"]["sub_windows"])
        except (KeyError, TypeError, ValueError):
            raise SewallError(f"{folder / bundles.ABOUT}: damaged, or of another job; give a sweep bundle") from None
        tasks = Tasks.of(classes, upper[STRENGTH], upper[AGE], sub_windows)
        kind = bundles.load(folder, tasks.kind)
        return cls(tasks, kind, bundles.load(folder / STRENGTH, tasks.strength), bundles.load(folder / AGE, tasks.age))


def train(folder: RunDirectory, made: Made, budget: Budget, level: float, console: Console) -> Bundles:
    """Train, calibrate and score the bundles of strength, of age, and of the kind of sweep, and write them."""
    strength, age = (sweep_rows(made.examples, what) for what in (STRENGTH, AGE))
    assert strength.target is not None and age.target is not None
    tasks = Tasks.of(made.classes, float(np.nanmax(strength.target)), float(np.nanmax(age.target)))
    seeds = Seeds(stream(folder.seed, SPLIT), stream(folder.seed, TRAIN))
    few = replace(budget, config=replace(budget.config, members=min(budget.config.members, 3)))

    def bundle(
        place: str, task: SweepTask, examples: Examples, budget: Budget, shares: run.Shares | None = None
    ) -> Bundle:
        return learn(folder, place, task, examples, seeds, budget, level, made.about, console, shares)

    quantities = [
        bundle(f"{MAIN}/{name}", task, examples, few, SWEPT)
        for name, task, examples in ((STRENGTH, tasks.strength, strength), (AGE, tasks.age, age))
    ]
    return Bundles(tasks, bundle(MAIN, tasks.kind, made.examples, budget), *quantities)


def _about(prior: SweepPrior, trained_on: dict[str, Any], number: int, quick: bool) -> dict[str, Any]:
    drawn = {
        "simulations": number, "quick": quick, "sub_windows": prior.sub_windows, "history": prior.histories.description,
        "mutation_rate": [prior.mutation_rate.lower, prior.mutation_rate.upper],
        "recombination_rate": [prior.recombination_rate.lower, prior.recombination_rate.upper],
        "strength (2 N s)" if prior.strength_scaled else "strength (s)": [prior.strength.lower, prior.strength.upper],
        "start frequency of soft sweeps": [prior.start_frequency.lower, prior.start_frequency.upper],
        "age (2 N generations)" if prior.age_scaled else "age (generations)": [prior.age.lower, prior.age.upper],
    }  # fmt: skip
    return {
        "job": SweepTask.name,
        "description": "Selective sweeps: their kind, strength and age, from the alignment of a window of a sample.",
        "trained_on": {**trained_on, **drawn},
        "limits": [
            "Valid for data like the simulations above; the support check says where data are not.",
            "Background selection was not simulated, nor structure within the sample unless the history has it.",
            "Probabilities follow the priors that are stated; without such, rare sweeps are assumed.",
        ],
    }
