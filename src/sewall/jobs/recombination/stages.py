"""The stages of a map, one at a time: the verbs ``simulate``, ``train`` and ``evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sewall import run
from sewall.errors import SewallError
from sewall.jobs.recombination import learn, looking
from sewall.jobs.recombination.mapping import FEW, Data, trained_in
from sewall.jobs.recombination.options import EvaluateOptions, SimulateOptions, TrainOptions
from sewall.jobs.recombination.task import RecombinationTask
from sewall.jobs.session import started, stream
from sewall.jobs.windows.learning import Budget
from sewall.jobs.windows.learning import learn as learned
from sewall.jobs.windows.results import Done
from sewall.rundir import write_json

PRIOR = "prior.json"


def simulate(variants: str | Path, *, out: str | Path, mutation_rate: float, **options: Any) -> Done:
    """Simulate labelled windows like those of a file, for training elsewhere."""
    given = SimulateOptions.of(variants=variants, out=out, mutation_rate=mutation_rate, **options)
    with started(given) as (folder, console):
        data = Data.read(given, folder, console, given.min_count)
        histories = looking.histories_of(folder, given, data.observed, data.examples, console)
        general = data.general(folder.seed)
        prior = looking.make_prior(folder, given, data.observed, data.examples, histories, console, general)
        learn.simulate_windows(folder, given, data.observed, prior, histories, console)
        about = learn.about(data.trained_on(), prior, looking.history_in_words(histories), given.quick)
        contexts = data.contexts(stream(folder.seed, learn.CONTEXT))
        write_json(folder.claim(PRIOR), {"prior": prior, "about": about, "contexts": contexts.tolist()})
    return Done(folder.path, f"{prior['simulations']:,} windows simulated")


def train(simulations: str | Path, *, out: str | Path, **options: Any) -> Done:
    """Train, calibrate and score a bundle on a directory made by `simulate`."""
    given = TrainOptions.of(simulations=simulations, out=out, **options)
    made = _prior(given.simulations)
    with started(given) as (folder, console):
        examples = learn.simulated_examples(_shards(given.simulations))
        budget, seeds = Budget.of(given.quick, given.device, given.threads), learn.seeds(folder.seed)
        task = RecombinationTask(made["prior"]["upper"])
        bundle = learned(folder, "bundle", task, examples, seeds, budget, 0.9, made["about"], console)
    return Done(folder.path / "bundle", bundle.about["scores_in_full"]["verdict"])


def evaluate(bundle: str | Path, simulations: str | Path, *, out: str | Path, **options: Any) -> Done:
    """Score a trained bundle on simulations that it has not seen, and write ``evaluation.json``."""
    given = EvaluateOptions.of(bundle=bundle, simulations=simulations, out=out, **options)
    task, trained = trained_in(given.bundle)
    made = _prior(given.simulations)
    with started(given) as (folder, console):
        examples = learn.simulated_examples(_shards(given.simulations))
        if task.context:
            examples = learn.in_context(examples, np.array(made["contexts"], np.float32), folder.seed)
        rows = np.flatnonzero(task.usable(examples))
        with console.bar("scoring"):
            scores = run.evaluate(trained, task, examples, rows, given.level, folder.seed)
            predicted = run.predict(trained, task, examples, given.level, folder.seed, FEW)
        held_out = f"{len(rows):,} windows of {given.simulations}"
        path = folder.claim("evaluation.json")
        write_json(path, {"job": task.name, **scores, "held_out": held_out, "support": predicted.support})
    return Done(path, f"{held_out}: {scores['verdict']}")


def _prior(simulations: Path) -> dict[str, Any]:
    file = simulations / PRIOR
    if not file.exists():
        raise SewallError(
            f"{simulations}: holds no finished simulations; make them with: sewall recombination simulate"
        )
    prior: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if "contexts" not in prior:
        raise SewallError(f"{file}: of an earlier version of sewall; simulate again: sewall recombination simulate")
    return prior


def _shards(simulations: Path) -> list[Path]:
    return sorted((simulations / "simulations" / "simulating").glob("shard-*.npz"))
