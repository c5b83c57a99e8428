"""The stages of a scan, one at a time: the verbs ``simulate``, ``train`` and ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sewall import run
from sewall.jobs.session import started, stream
from sewall.jobs.sweep import learn
from sewall.jobs.sweep.learn import Bundles, budget_of
from sewall.jobs.sweep.options import EvaluateOptions, SimulateOptions, TrainOptions
from sewall.jobs.sweep.scanning import FEW, Data
from sewall.jobs.sweep.task import SweepTask
from sewall.jobs.windows.results import Done
from sewall.rundir import write_json


def simulate(
    variants: str | Path, *, out: str | Path, mutation_rate: float, recombination_rate: float | str | None = None,
    **options: Any,
) -> Done:  # fmt: skip
    """Simulate labelled windows like those of a file, for training elsewhere."""
    given = SimulateOptions.of(
        variants=variants, out=out, mutation_rate=mutation_rate, recombination_rate=recombination_rate, **options
    )
    with started(given) as (folder, console):
        data = Data.read(given, folder, console)
        made = data.simulated(given, folder, console)
    return Done(
        folder.path, f"{len(made.examples):,} windows of {made.about['trained_on']['simulations']:,} simulations"
    )


def train(simulations: str | Path, *, out: str | Path, **options: Any) -> Done:
    """Train, calibrate and score a bundle on a directory made by `simulate`."""
    given = TrainOptions.of(simulations=simulations, out=out, **options)
    made = learn.read_made(given.simulations)
    with started(given) as (folder, console):
        budget = budget_of(given.quick, given.device, given.threads)
        trained = learn.train(folder, made, budget, 0.9, console)
    return Done(folder.path / learn.MAIN, trained.kind.about["scores_in_full"]["verdict"])


def evaluate(bundle: str | Path, simulations: str | Path, *, out: str | Path, **options: Any) -> Done:
    """Score a trained bundle on simulations that it has not seen, and write ``evaluation.json``."""
    given = EvaluateOptions.of(bundle=bundle, simulations=simulations, out=out, **options)
    trained, made = Bundles.load(given.bundle), learn.read_made(given.simulations)
    with started(given) as (folder, console):
        task, examples = trained.tasks.kind, made.examples
        rows = np.flatnonzero(task.usable(examples))
        with console.bar("scoring"):
            scores = run.evaluate(trained.kind, task, examples, rows, given.level, folder.seed)
            seed = stream(folder.seed, learn.SUPPORT)
            predicted = run.predict(trained.kind, task, examples, given.level, seed, FEW)
        held_out = f"{len(rows):,} windows of {given.simulations}"
        path = folder.claim("evaluation.json")
        write_json(path, {"job": SweepTask.name, **scores, "held_out": held_out, "support": predicted.support})
    return Done(path, f"{held_out}: {scores['verdict']}")
